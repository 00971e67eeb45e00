/* What a checked expression may cost at most, before it runs (cel-go checker/cost.go). */
#ifndef CEL_ESTIMATE_H
#define CEL_ESTIMATE_H

#include "cel/cel_internal.h"

/* Between how many characters, bytes, items or entries a value has. */
typedef struct {
	uint64_t min, max;
} CelSize;

/* What is known of one node's value. */
struct CelEstimate {
	uint64_t cost; /* of working it out, at most */
	bool sized;    /* `size` is known */
	CelSize size;
	/* Which declared type describes it: NULL in `place` leads nowhere, and without `placed` no
	 * way has begun. */
	bool placed;
	const CelType *place;
	CelKind container; /* CEL_LIST or CEL_MAP when the sizes within are known, else CEL_DYN */
	CelSize key, value;
};

/* A call with what is known of its parts. */
typedef struct {
	const CelNode *node;
	const CelEstimate *target; /* NULL: none */
	CelEstimate *const *args;
	const CelType *root; /* self's, or NULL */
} CelCallEstimate;

enum {
	CEL_COST_SELECT = 1,
	CEL_COST_LIST = 10,
	CEL_COST_MAP = 30,
};

/* estimate.c. Sums and products that end at UINT64_MAX. */
uint64_t cel_cost_add(uint64_t a, uint64_t b);
uint64_t cel_cost_multiply(uint64_t a, uint64_t b);
uint64_t cel_cost_factor(uint64_t a, double factor);
CelSize cel_size_union(CelSize a, CelSize b);
/* Any size where none is known. */
CelSize cel_size_of(const CelEstimate *value);
/* One more step along the declared types: the items of a list, the values of a map. */
const CelType *cel_place_items(const CelEstimate *value, const CelType *root);

/* estimate_call.c: the cost of one overload without its arguments, and the size of its result in
 * *out (left alone when it is not known). */
uint64_t cel_estimate_overload(const CelCallEstimate *call, const CelFunction *row, bool *out_sized,
			       CelSize *out);

#endif
