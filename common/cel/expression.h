/*
 * CEL expressions of Flux's objects, with Flux's own wording of what is wrong with them
 * (fluxcd/pkg runtime/cel/expression.go).
 */
#ifndef CEL_EXPRESSION_H
#define CEL_EXPRESSION_H

#include "cel/cel.h"

typedef struct Expression Expression;

/*
 * Compiles. `variables`, a list that ends in NULL, are checked as objects and the result must be of
 * `want` (CEL_DYN: any); without them (NULL) the text is parsed only and any root field of the data
 * may be named. ERR_INVALID. Owned by the caller; any thread may evaluate it.
 */
Expression *expression_new(const char *text, const char *const *variables, CelKind want,
			   Error *err) MUST_USE;
void expression_free(Expression *expression);
AUTO_POINTER(Expression, expression_free, auto_expression);
#define autoexpression __attribute__((cleanup(auto_expression)))

/* Evaluates to a bool, a string (owned), or any value as JSON (owned; NULL on failure). `data` is
 * an object whose members are the variables. ERR_INVALID with the reason; ERR_LIMIT. */
bool expression_bool(const Expression *expression, const json_t *data, bool *out,
		     Error *err) MUST_USE;
char *expression_text(const Expression *expression, const json_t *data, Error *err) MUST_USE;
json_t *expression_json(const Expression *expression, const json_t *data, Error *err) MUST_USE;

#endif
