/* x-kubernetes-validations of custom kinds (kube-api.md 2.6). */
#ifndef APISERVER_CEL_RULES_H
#define APISERVER_CEL_RULES_H

#include "status_error.h"

/* The rules of a schema, compiled at the first check. */
typedef struct CelRules CelRules;

/* Rules of a structural schema of a whole resource, which is kept by reference. Owned. Any thread
 * may check with it. */
CelRules *cel_rules_new(const json_t *schema);
void cel_rules_free(CelRules *rules);

/*
 * Evaluates the rules of a structurally valid object, within the budget of a request. `old` (NULL
 * on creation) is what oldSelf is; a rule without oldSelf that fails for a part that equals its old
 * value passes (ratcheting).
 */
void cel_rules_check(CelRules *rules, const json_t *object, const json_t *old, FieldErrors *errors);

/* Checks the rules that a definition brings, and what they may cost; `path` is the schema's.
 * Expressions are only looked at where the schema is `structural` and `errors` holds nothing about
 * the part they stand in. `unchanged`: the schema was stored before. */
void cel_rules_check_definition(const json_t *schema, bool structural, bool unchanged,
				const char *path, FieldErrors *errors);

#endif
