/* What crd.c (resources), crd_validate.c (a definition's own rules), crd_schema.c and
 * crd_structure.c (those of its schemas) share. */
#ifndef APISERVER_CRD_INTERNAL_H
#define APISERVER_CRD_INTERNAL_H

#include "crd.h"

/* "PATH.properties[KEY]", "PATH.LIST[INDEX]"; owned. */
char *crd_property_path(const char *path, const char *key);
char *crd_choice_path(const char *path, const char *list, size_t index);

/* "Invalid value" of a member, with the JSON text of what was given in front. */
void crd_refuse(FieldErrors *errors, const char *path, const char *member, const json_t *given,
		const char *why);

/* The condition of that type in the status, or NULL. Borrowed. */
json_t *crd_condition(const json_t *crd, const char *type);

/* Names and conditions of the status, which is changed in place. */
void crd_accept_names(Catalog *catalog, json_t *crd);

/* Whether a schema is free of what no structural one may hold ($ref, lists of items, ...). */
bool crd_is_convertible(const json_t *schema);

/* That a schema is structural (KEP 1002): each value's type is told once, outside of allOf, anyOf,
 * oneOf and not. Errors come in the order of their texts. */
void crd_check_structure(const json_t *schema, const char *path, FieldErrors *errors);

/* All rules of one version's openAPIV3Schema at `path`, those of its CEL expressions too. `status`:
 * the version has a status subresource. */
void crd_check_schema(const json_t *schema, bool status, const char *path, FieldErrors *errors);

#endif
