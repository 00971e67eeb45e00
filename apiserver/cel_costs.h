/*
 * How large what a schema describes can be in one request, and what the rules over it may cost
 * (k8s.io/apiserver/pkg/cel/common/schemas.go, apiextensions validation.go).
 */
#ifndef APISERVER_CEL_COSTS_H
#define APISERVER_CEL_COSTS_H

#include "status_error.h"

/* The most characters, bytes, items or entries of a value of the schema; 0 where there are none. */
uint64_t cel_schema_max_size(const json_t *schema);

/* How often a value below can be there. */
typedef struct {
	bool bounded;
	uint64_t count; /* when bounded */
} CelCardinality;

/* Of what is below `schema`, which itself is there `above` times. */
CelCardinality cel_cardinality_below(CelCardinality above, const json_t *schema);

/* The cost of a rule of `schema` for all its values in one object. `root`: of a whole resource. */
uint64_t cel_rule_cost(uint64_t cost, CelCardinality cardinality, const json_t *schema, bool root);

enum { CEL_COSTS_TOLD = 4 };

/* All rules of one definition. */
typedef struct {
	uint64_t total;
	struct {
		char *path;
		uint64_t cost;
	} dearest[CEL_COSTS_TOLD];
	bool unchanged; /* the schema was stored before: no rule alone is too dear */
} CelCosts;

void cel_costs_dispose(CelCosts *costs);
#define autocelcosts __attribute__((cleanup(cel_costs_dispose)))

/* Adds an expression's; refuses one that is too dear alone. `what`: "rule" or "messageExpression",
 * also the last word of its path. */
void cel_costs_add(CelCosts *costs, uint64_t cost, const char *what, const char *path,
		   FieldErrors *errors);

/* Refuses a definition whose rules are too dear together. `path` is the schema's. */
void cel_costs_check(const CelCosts *costs, const char *path, FieldErrors *errors);

#endif
