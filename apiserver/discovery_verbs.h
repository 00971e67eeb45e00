/* Verbs and subresources of a resource. */
#ifndef APISERVER_DISCOVERY_VERBS_H
#define APISERVER_DISCOVERY_VERBS_H

#include "kinds.h"

/* ["create", ...]; owned. */
json_t *discovery_verbs(const Resource *resource);

/* [{name, kind, group, version, verbs}]; owned. */
json_t *discovery_subresources(const Resource *resource);

/* Whether a verb is served on the resource (subresource ""), or on one of its subresources. */
bool discovery_serves(const Resource *resource, const char *subresource, const char *verb);

#endif
