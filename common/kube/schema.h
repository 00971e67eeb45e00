/*
 * The server's own schemas (OpenAPI v3), asked for only where an object needs them: leaving out
 * what a built-in kind does not declare.
 */
#ifndef KUBE_SCHEMA_H
#define KUBE_SCHEMA_H

#include "kube/client.h"

/* True for kinds that Kubernetes itself defines, judged by their group; definitions of custom
 * resources and aggregated APIs are none. */
bool kube_is_builtin(const char *api_version);

/* The OpenAPI v3 document of a group-version; owned. */
json_t *kube_openapi(KubeClient *client, const char *api_version, Error *err) MUST_USE;

/* Deletes from object the fields that its kind's schema in the document does not declare. Fields
 * whose content the schema leaves open stay. False when the document does not hold the kind. Pure.
 */
bool schema_prune(const json_t *document, json_t *object);

#endif
