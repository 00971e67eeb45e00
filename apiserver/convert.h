/* Built-in kinds that two versions serve, where these differ: Events, autoscalers (kube-api.md 1.6,
 * 4). Custom kinds are the same in all versions (conversion None). */
#ifndef APISERVER_CONVERT_H
#define APISERVER_CONVERT_H

#include "kinds.h"

/* Brings members from the resource's version to the stored one and back, in place: the object's
 * own members, nothing shared with another tree may be below spec and status. What needs no
 * conversion stays; apiVersion is left alone. */
void convert_to_stored(const Resource *resource, json_t *object);
void convert_from_stored(const Resource *resource, json_t *object);

/* What a field selector of the resource's version is called in what is stored: another prefix in
 * *out_stored, or false. */
bool convert_field(const Resource *resource, const char *field, char **out_stored);

#endif
