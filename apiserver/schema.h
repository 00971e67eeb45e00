/*
 * Walks over an object along its OpenAPI v3 schema: pruning, defaults, type checks of built-in
 * kinds, the validation of custom kinds. The schema is JSON; $ref leads to the built-in
 * definitions. Depth is bounded by the parser's limit on the object.
 */
#ifndef APISERVER_SCHEMA_H
#define APISERVER_SCHEMA_H

#include "schema_builtin.h"
#include "status_error.h"

/*
 * Drops what the schema does not name and appends the dropped paths ("spec.foo[0].bar") to
 * `unknown` (NULL: not wanted). For a custom kind's root `schema` is what schema_with_metadata
 * made.
 */
void schema_prune(Definitions *definitions, const json_t *schema, json_t *value, json_t *unknown);

/* The schema of an object's member: properties[key], else additionalProperties where that is a
 * schema; NULL when neither. Borrowed. */
const json_t *schema_member(const json_t *schema, const char *key);

/* Fills absent members that have a default; nulls that are not nullable are dropped first. */
void schema_default(Definitions *definitions, const json_t *schema, json_t *value);

/*
 * What Go's decoder does to a built-in object: refuses members of another JSON type (false and
 * *out_path, *out_want, *out_got), drops nulls, empty optional containers and zeros that Go leaves
 * out, brings quantities and times to their canonical text.
 */
typedef struct {
	char *path; /* "spec.replicas", owned; keys of maps are left out */
	const char
		*owner;	  /* "DeploymentSpec", the struct with the member; borrowed of the schema */
	const char *want; /* Go type */
	const char *got;  /* JSON type */
	char *text;	  /* owned; what is wrong with a text of the right type, else NULL */
} TypeBreach;

void type_breach_dispose(TypeBreach *breach);
#define autobreach __attribute__((cleanup(type_breach_dispose)))

/* `out_breach` must be empty. */
bool schema_decode(Definitions *definitions, const json_t *schema, json_t *value,
		   TypeBreach *out_breach) MUST_USE;

/* Validates the value of a custom kind. `old` (or NULL) is the stored value: parts that equal it
 * pass (ratcheting). */
void schema_validate(const json_t *schema, const json_t *value, const json_t *old, const char *path,
		     FieldErrors *errors);

/* Tells items that occur twice in lists of type set and map, below `path`. */
void schema_check_unique(const json_t *schema, const json_t *value, const char *path,
			 FieldErrors *errors);

/* True when the schema holds a CEL rule anywhere. */
bool schema_has_rules(const json_t *schema);

/* The JSON type's name as error texts have it: "string", "integer", ... */
const char *schema_type_name(const json_t *value);

/* `parent.key`, `parent[i]`; owned. */
char *schema_path_key(const char *parent, const char *key);
char *schema_path_index(const char *parent, size_t index);

#endif
