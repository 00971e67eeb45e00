/* Kubernetes objects as JSON trees: the reads that everybody needs. All results are borrowed. */
#ifndef KUBE_OBJECT_H
#define KUBE_OBJECT_H

#include "data/json.h"

const char *object_api_version(const json_t *object);		      /* "" when absent */
const char *object_kind(const json_t *object);			      /* "" when absent */
const char *object_name(const json_t *object);			      /* "" when absent */
const char *object_namespace(const json_t *object);		      /* "" when absent */
const char *object_uid(const json_t *object);			      /* "" when absent */
const char *object_resource_version(const json_t *object);	      /* "" when absent */
uint64_t object_version(const json_t *object);			      /* as a number; or 0 */
int64_t object_generation(const json_t *object);		      /* 0 when absent */
bool object_is_deleting(const json_t *object);			      /* has a deletionTimestamp */
const char *object_label(const json_t *object, const char *key);      /* or NULL */
const char *object_annotation(const json_t *object, const char *key); /* or NULL */
/* True when a label or annotation has that value, in any letter case. */
bool object_says(const json_t *object, const char *key, const char *value);
bool object_has_finalizer(const json_t *object, const char *finalizer);

/* The group of an apiVersion ("" for core), owned; its version, borrowed from the text. */
char *api_group(const char *api_version);
const char *api_version_only(const char *api_version);

/* True when the apiVersion is of that group ("" for core), and the object of that kind as well,
 * whatever the version: a kind's name alone says nothing, other groups may have one like it. */
bool api_is_of(const char *api_version, const char *group);
bool object_is_of(const json_t *object, const char *group, const char *kind);
bool object_is_definition(const json_t *object); /* a CustomResourceDefinition */

/* "Kind/namespace/name" or "Kind/name": for messages. Owned. */
char *object_id(const json_t *object);

/* status.conditions[type]; NULL when absent. */
json_t *object_condition(const json_t *object, const char *type);

/* The status ("True", "False", "Unknown") of a condition, or NULL. */
const char *object_condition_status(const json_t *object, const char *type);

#endif
