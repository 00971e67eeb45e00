/* Costs of calls, as cel-go's runtimecost.go and Kubernetes' library/cost.go have them. */
#include <math.h>
#include <string.h>

#include "cel/cel_internal.h"
#include "cel/format.h"

typedef enum {
	COST_TRAVERSAL,	    /* a tenth of the first's size */
	COST_TWO_PASSES,    /* a fifth of it */
	COST_JOIN,	    /* a fifth of the result's */
	COST_SECOND,	    /* the second's size */
	COST_SMALLER,	    /* a tenth of the smaller's */
	COST_BOTH,	    /* a tenth of both together */
	COST_PATTERN,	    /* a tenth of the text and one, times a quarter of the pattern */
	COST_CONTAINS,	    /* a tenth of one times a tenth of the other */
	COST_SETS,	    /* one and the product */
	COST_SETS_BOTH,	    /* one and twice the product */
	COST_CONTAINS_IP,   /* two passes over the prefix, one over a text */
	COST_CONTAINS_CIDR, /* three, and one */
	COST_OUTPUT,	    /* eleven and the size of the result */
	COST_FLATTEN,	    /* eleven and the size times the levels */
	COST_SORT,	    /* eleven and twice the square of the size of the last list */
	COST_LIST_SUM,	    /* a pass over all values within */
} Rule;

typedef struct {
	const char *name;
	CelKind first; /* of the first argument, or CEL_DYN */
	bool kubernetes;
	Rule rule;
} Row;

static const Row rows[] = {
	{"startsWith", CEL_DYN, false, COST_TRAVERSAL},
	{"endsWith", CEL_DYN, false, COST_TRAVERSAL},
	{"bytes", CEL_STRING, false, COST_TRAVERSAL},
	{"string", CEL_BYTES, false, COST_TRAVERSAL},
	{"strings.quote", CEL_DYN, false, COST_TRAVERSAL},
	{"format", CEL_STRING, false, COST_TRAVERSAL},
	{"@in", CEL_DYN, false, COST_SECOND},
	{"_<_", CEL_STRING, false, COST_SMALLER},
	{"_<=_", CEL_STRING, false, COST_SMALLER},
	{"_>_", CEL_STRING, false, COST_SMALLER},
	{"_>=_", CEL_STRING, false, COST_SMALLER},
	{"_<_", CEL_BYTES, false, COST_SMALLER},
	{"_<=_", CEL_BYTES, false, COST_SMALLER},
	{"_>_", CEL_BYTES, false, COST_SMALLER},
	{"_>=_", CEL_BYTES, false, COST_SMALLER},
	{"_==_", CEL_DYN, false, COST_SMALLER},
	{"_!=_", CEL_DYN, false, COST_SMALLER},
	{"_+_", CEL_STRING, false, COST_BOTH},
	{"_+_", CEL_BYTES, false, COST_BOTH},
	{"matches", CEL_DYN, false, COST_PATTERN},
	{"contains", CEL_DYN, false, COST_CONTAINS},
	{"sets.contains", CEL_DYN, false, COST_SETS},
	{"sets.intersects", CEL_DYN, false, COST_SETS},
	{"sets.equivalent", CEL_DYN, false, COST_SETS_BOTH},
	{"containsIP", CEL_DYN, true, COST_CONTAINS_IP},
	{"containsCIDR", CEL_DYN, true, COST_CONTAINS_CIDR},
	{"slice", CEL_DYN, false, COST_OUTPUT},
	{"lists.range", CEL_DYN, false, COST_OUTPUT},
	{"reverse", CEL_LIST, false, COST_OUTPUT},
	{"flatten", CEL_DYN, false, COST_FLATTEN},
	{"distinct", CEL_DYN, false, COST_SORT},
	{"sort", CEL_DYN, false, COST_SORT},
	{"@sortByAssociatedKeys", CEL_DYN, false, COST_SORT},
	{"isSorted", CEL_DYN, true, COST_LIST_SUM},
	{"sum", CEL_DYN, true, COST_LIST_SUM},
	{"max", CEL_DYN, true, COST_LIST_SUM},
	{"min", CEL_DYN, true, COST_LIST_SUM},
	{"indexOf", CEL_DYN, true, COST_LIST_SUM},
	{"lastIndexOf", CEL_DYN, true, COST_LIST_SUM},
	{"url", CEL_DYN, true, COST_TRAVERSAL},
	{"lowerAscii", CEL_DYN, true, COST_TRAVERSAL},
	{"upperAscii", CEL_DYN, true, COST_TRAVERSAL},
	{"substring", CEL_DYN, true, COST_TRAVERSAL},
	{"trim", CEL_DYN, true, COST_TRAVERSAL},
	{"replace", CEL_DYN, true, COST_TWO_PASSES},
	{"split", CEL_DYN, true, COST_TWO_PASSES},
	{"join", CEL_DYN, true, COST_JOIN},
	{"find", CEL_DYN, true, COST_PATTERN},
	{"findAll", CEL_DYN, true, COST_PATTERN},
	{"cidr", CEL_DYN, true, COST_TRAVERSAL},
	{"isIP", CEL_DYN, true, COST_TRAVERSAL},
	{"isCIDR", CEL_DYN, true, COST_TRAVERSAL},
	{"ip", CEL_STRING, true, COST_TRAVERSAL},
	{"ip.isCanonical", CEL_DYN, true, COST_TWO_PASSES},
	{"quantity", CEL_DYN, true, COST_TRAVERSAL},
	{"isQuantity", CEL_DYN, true, COST_TRAVERSAL},
	{"semver", CEL_DYN, true, COST_TRAVERSAL},
	{"isSemver", CEL_DYN, true, COST_TRAVERSAL},
};

enum { ALLOCATION = 11 };

static uint64_t size_of(const CelValue *value)
{
	switch ((int)value->kind) {
	case CEL_STRING:
		return cel_text_length(value->text);
	case CEL_BYTES:
		return value->text.len;
	case CEL_LIST:
		return value->list->len;
	case CEL_MAP:
	case CEL_OBJECT:
		return value->map->len;
	case CEL_CIDR:
		return cel_net_size(value->net);
	case CEL_OPTIONAL:
		return value->inner ? size_of(value->inner) : 1;
	default:
		return 1;
	}
}

static uint64_t tenth(uint64_t size)
{
	return (uint64_t)ceil((double)size * 0.1);
}

static uint64_t pattern_cost(uint64_t text, uint64_t pattern)
{
	return tenth(text + 1) * (uint64_t)ceil((double)pattern * 0.25);
}

static uint64_t json_cost(const json_t *value)
{
	const char *key;
	json_t *member;
	size_t i;
	uint64_t cost = 0;
	if (json_is_string(value))
		return json_string_length(value) / 10;
	if (!json_is_array(value) && !json_is_object(value))
		return 1;
	json_array_foreach(value, i, member) cost += json_cost(member);
	json_object_foreach(json_borrow(value), key, member) cost +=
		strlen(key) / 10 + json_cost(member);
	return cost;
}

static uint64_t traversal(const CelValue *value)
{
	if (value->kind == CEL_STRING || value->kind == CEL_BYTES)
		return value->text.len / 10;
	uint64_t cost = 0;
	if (value->kind != CEL_LIST)
		return 1;
	if (value->list->json)
		return json_cost(value->list->json);
	for (size_t i = 0; i < value->list->len; i++)
		cost += traversal(&value->list->items[i]);
	return cost;
}

/* Every item beside every other. */
static uint64_t sort_cost(const CelValue *list)
{
	uint64_t size = size_of(list);
	if (list->kind != CEL_LIST || size == 0)
		return 0;
	bool texts = list->list->json ? json_is_string(json_array_get(list->list->json, 0))
				      : list->list->items[0].kind == CEL_STRING ||
						list->list->items[0].kind == CEL_BYTES;
	return (uint64_t)((double)(size * size) * (texts ? 2.1 : 2.0));
}

static uint64_t text_cost(const CelValue *value)
{
	return value->kind == CEL_STRING ? tenth(size_of(value)) : 0;
}

static uint64_t apply(Rule rule, const CelValue *args, size_t count, const CelValue *result)
{
	uint64_t a = size_of(&args[0]), b = count > 1 ? size_of(&args[1]) : 0;
	switch (rule) {
	case COST_TRAVERSAL:
		return tenth(a);
	case COST_TWO_PASSES:
		return (uint64_t)ceil((double)a * 2 * 0.1);
	case COST_JOIN:
		return (uint64_t)ceil((double)size_of(result) * 2 * 0.1);
	case COST_SECOND:
		return args[1].kind == CEL_LIST ? b : 1;
	case COST_SMALLER:
		return tenth(a < b ? a : b);
	case COST_BOTH:
		return tenth(a + b);
	case COST_PATTERN:
		return pattern_cost(a, b);
	case COST_CONTAINS:
		return tenth(a) * tenth(b);
	case COST_SETS:
		return 1 + a * b;
	case COST_SETS_BOTH:
		return 1 + 2 * a * b;
	case COST_CONTAINS_IP:
		return tenth(2 * a) + text_cost(&args[1]);
	case COST_CONTAINS_CIDR:
		return tenth(2 * a) + tenth(a) + 1 + text_cost(&args[1]);
	case COST_OUTPUT:
		return ALLOCATION + size_of(result);
	case COST_FLATTEN:
		return ALLOCATION +
		       a * (count > 1 && args[1].kind == CEL_INT ? (uint64_t)args[1].integer : 1);
	case COST_SORT:
		return ALLOCATION + sort_cost(&args[count - 1]);
	case COST_LIST_SUM:
	default:
		return traversal(&args[0]);
	}
}

static uint64_t validate_cost(const CelValue *args)
{
	return pattern_cost(size_of(&args[1]), format_pattern_length(args[0].format));
}

/* A list of literals that can be looked up at once (decorators.go, maybeOptimizeSetMembership). */
static bool is_literal_set(const CelNode *node)
{
	if (node->kind != NODE_CONST || node->value.kind != CEL_LIST || !node->value.list->len)
		return false;
	CelKind kind = node->value.list->items[0].kind;
	return kind == CEL_BOOL || kind == CEL_INT || kind == CEL_UINT || kind == CEL_STRING ||
	       kind == CEL_DOUBLE;
}

uint64_t cel_call_cost(const CelNode *node, const CelValue *args, size_t count,
		       const CelValue *result, bool kubernetes)
{
	if (count == 0)
		return 1;
	if (kubernetes && strcmp(node->name, "validate") == 0 && args[0].kind == CEL_FORMAT)
		return validate_cost(args);
	/* What the checker could not tell apart costs as little as can be, but for what goes by
	 * name. */
	bool many = node->function == FUNCTION_MANY;
	if (strcmp(node->name, "@in") == 0 && is_literal_set(node->args[1]))
		return 0;
	for (size_t i = 0; i < COUNT(rows); i++)
		if ((!many || rows[i].kubernetes) && (kubernetes || !rows[i].kubernetes) &&
		    (rows[i].first == CEL_DYN || rows[i].first == args[0].kind) &&
		    strcmp(rows[i].name, node->name) == 0)
			return apply(rows[i].rule, args, count, result);
	return 1;
}
