/*
 * The field tables of the built-in kinds as OpenAPI v3 schemas. A definition is made from its row
 * at first use and kept: most servers only ever see a few kinds. Locked inside; any thread.
 */
#ifndef APISERVER_SCHEMA_BUILTIN_H
#define APISERVER_SCHEMA_BUILTIN_H

#include "base/str.h"
#include "data/json.h"

#define SCHEMA_OBJECT_META "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
#define SCHEMA_REF_PREFIX "#/components/schemas/"

/* On a member that Go leaves out when it is zero: false, 0, "". */
#define SCHEMA_OMIT_ZERO "x-sluice-omit-zero"

/* On a built-in definition: {member: default} of those members that have one. */
#define SCHEMA_DEFAULTED "x-sluice-defaulted"

typedef struct Definitions Definitions;

Definitions *definitions_new(void);
void definitions_free(Definitions *definitions);

/* The schema by its full name; borrowed for the life of `definitions`; NULL when unknown. */
const json_t *definitions_get(Definitions *definitions, const char *name);

/* The full name that a schema refers to, itself or by a sole allOf; NULL when it does not.
 * Borrowed. */
const char *schema_ref(const json_t *schema);

/* Follows $ref (also one in a sole allOf) as far as it goes. Borrowed. */
const json_t *definitions_resolve(Definitions *definitions, const json_t *schema);

/* {name: schema} of a definition and all that it refers to; an owned object. */
json_t *definitions_closure(Definitions *definitions, const char *name);

/* The full name of a kind's definition, owned; NULL when the table has none. */
char *schema_builtin_name(const char *group, const char *version, const char *kind);

/* A name of the table with its prefix in full; owned. */
char *schema_long_name(Str name);

/* {"$ref": "#/components/schemas/NAME"}; owned. */
json_t *schema_builtin_ref(const char *name);

/* A custom kind's schema with apiVersion, kind and metadata as every object has them; owned. */
json_t *schema_with_metadata(const json_t *schema);

#endif
