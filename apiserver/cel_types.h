/* Schemas as CEL types (k8s.io/apiserver/pkg/cel/common/schemas.go). */
#ifndef APISERVER_CEL_TYPES_H
#define APISERVER_CEL_TYPES_H

#include "cel/cel.h"

/* The type of what a structural schema describes, in `env`, called `name`; NULL when rules cannot
 * see it. `root`: the schema of a whole resource, whose apiVersion, kind and name are always there.
 * Borrows list keys of the schema. */
const CelType *cel_schema_type(CelEnv *env, const json_t *schema, const char *name, bool root);

/* How rules spell a property's name: "a.b" is "a__dot__b", "for" "__for__". Owned; NULL when they
 * cannot. */
char *cel_escape(const char *name);

#endif
