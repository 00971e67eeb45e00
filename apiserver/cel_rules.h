/* x-kubernetes-validations of custom kinds. */
#ifndef APISERVER_CEL_RULES_H
#define APISERVER_CEL_RULES_H

#include "status_error.h"

/* Evaluates the rules of a structurally valid value; what equals `old` is not judged again. Rules
 * outside the subset of cel_rules.c pass. */
void cel_validate(const json_t *schema, const json_t *value, const json_t *old, const char *path,
		  FieldErrors *errors);

#endif
