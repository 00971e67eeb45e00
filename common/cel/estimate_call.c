/*
 * Estimated costs of calls, overload by overload, and sizes of their results: cel-go's
 * checker/cost.go, ext/lists.go, ext/sets.go and Kubernetes' library/cost.go, whose figures decide
 * which rules a CustomResourceDefinition may have. What is not in the table costs one.
 */
#include <math.h>
#include <string.h>

#include "cel/estimate.h"

enum {
	NET_PAIR_COST = 4,    /* a tenth of two addresses of 16 bytes */
	NET_COST = 2,	      /* of one */
	FORMAT_COST = 7,      /* of comparing formats: a tenth of 64 */
	FORMAT_PATTERN = 128, /* the longest pattern of a named format */
};

typedef struct {
	uint64_t cost;
	bool sized;
	CelSize size;
} Result;

typedef Result (*Rule)(const CelCallEstimate *call, const CelFunction *row);

static uint64_t tenth(uint64_t size)
{
	return cel_cost_factor(size, 0.1);
}

static CelSize arg_size(const CelCallEstimate *call, size_t index)
{
	return cel_size_of(call->args[index]);
}

static CelSize target_size(const CelCallEstimate *call)
{
	return cel_size_of(call->target);
}

static CelSize size_times(CelSize a, CelSize b)
{
	return (CelSize){cel_cost_multiply(a.min, b.min), cel_cost_multiply(a.max, b.max)};
}

static CelSize size_plus(CelSize a, CelSize b)
{
	return (CelSize){cel_cost_add(a.min, b.min), cel_cost_add(a.max, b.max)};
}

/* A literal integer's value, 0 below that; `other` where there is none. */
static uint64_t literal(const CelNode *node, uint64_t other)
{
	if (node->kind != NODE_CONST || node->value.kind != CEL_INT)
		return other;
	return node->value.integer < 0 ? 0 : (uint64_t)node->value.integer;
}

/* --- a pass over one text --- */

static Result of_first(const CelCallEstimate *call, const CelFunction *row)
{
	(void)row;
	return (Result){.cost = tenth(arg_size(call, 0).max)};
}

static Result of_target(const CelCallEstimate *call, const CelFunction *row)
{
	(void)row;
	return (Result){.cost = tenth(target_size(call).max)};
}

static Result twice_first(const CelCallEstimate *call, const CelFunction *row)
{
	(void)row;
	return (Result){.cost = cel_cost_factor(arg_size(call, 0).max, 2 * 0.1)};
}

static Result first_as_long(const CelCallEstimate *call, const CelFunction *row)
{
	(void)row;
	CelSize size = arg_size(call, 0);
	return (Result){tenth(size.max), true, size};
}

static Result target_as_long(const CelCallEstimate *call, const CelFunction *row)
{
	(void)row;
	CelSize size = target_size(call);
	return (Result){tenth(size.max), true, size};
}

/* A character is up to four bytes. The product wraps around there as it does upstream. */
static Result text_to_bytes(const CelCallEstimate *call, const CelFunction *row)
{
	(void)row;
	CelSize size = arg_size(call, 0);
	return (Result){tenth(size.max), true, {size.min, size.max * 4}};
}

static Result bytes_to_text(const CelCallEstimate *call, const CelFunction *row)
{
	(void)row;
	CelSize size = arg_size(call, 0);
	return (Result){tenth(size.max), true, {size.min / 4, size.max}};
}

static Result quoted(const CelCallEstimate *call, const CelFunction *row)
{
	(void)row;
	CelSize size = arg_size(call, 0);
	return (Result){tenth(size.max), true, {size.min + 2, size.max * 2 + 2}};
}

/* --- texts within texts --- */

static uint64_t pattern_cost(CelSize text, CelSize pattern)
{
	return cel_cost_multiply(tenth(cel_cost_add(text.max, 1)),
				 cel_cost_factor(pattern.max, 0.25));
}

static Result matched(const CelCallEstimate *call, const CelFunction *row)
{
	(void)row;
	return (Result){.cost = pattern_cost(target_size(call), arg_size(call, 0))};
}

static Result found(const CelCallEstimate *call, const CelFunction *row)
{
	(void)row;
	CelSize size = target_size(call);
	return (Result){pattern_cost(size, arg_size(call, 0)), true, {0, size.max}};
}

static Result contained(const CelCallEstimate *call, const CelFunction *row)
{
	(void)row;
	return (Result){.cost = cel_cost_multiply(tenth(target_size(call).max),
						  tenth(arg_size(call, 0).max))};
}

/* How often one bound of `from` fits into one of `size`, when the other way round it would not
 * make the text longer (shorter). */
static uint64_t replacements(uint64_t size, uint64_t from, bool same_length, uint64_t *out_kept)
{
	*out_kept = 0;
	if (from == 0) {
		*out_kept = size;
		return size == UINT64_MAX ? size : size + 1;
	}
	if (same_length) {
		*out_kept = size;
		return 0;
	}
	return (uint64_t)fmin(ceil((double)size / (double)from), 18446744073709549568.0);
}

static Result replaced(const CelCallEstimate *call, const CelFunction *row)
{
	(void)row;
	CelSize size = target_size(call), from = arg_size(call, 0), to = arg_size(call, 1);
	CelSize count, kept;
	count.max = replacements(size.max, from.min, to.max <= from.min, &kept.max);
	count.min = replacements(size.min, from.max, from.max <= to.min, &kept.min);
	return (Result){cel_cost_factor(size.max, 2 * 0.1), true,
			size_plus(size_times(count, to), kept)};
}

static Result split(const CelCallEstimate *call, const CelFunction *row)
{
	(void)row;
	CelSize size = target_size(call);
	const CelNode *limit = call->node->arg_count > 1 ? call->node->args[1] : NULL;
	uint64_t items = size.max;
	if (limit && limit->kind == NODE_CONST && limit->value.kind == CEL_INT)
		items = (uint64_t)limit->value.integer;
	return (Result){cel_cost_factor(size.max, 2 * 0.1), true, {0, items}};
}

/* The size of a list's items by its declared type; false when it is no list. */
static bool item_size(const CelCallEstimate *call, CelSize *out)
{
	const CelType *type = call->node->target->type;
	if (!type->first)
		return false;
	const CelType *place =
		call->target->placed ? cel_place_items(call->target, call->root) : NULL;
	*out = (CelSize){0, place ? place->max_size : UINT64_MAX};
	return true;
}

static Result joined(const CelCallEstimate *call, const CelFunction *row)
{
	(void)row;
	CelSize list = target_size(call), size = {0}, item;
	if (item_size(call, &item))
		size = size_times(list, item);
	if (call->node->arg_count > 0) {
		CelSize gaps = {list.min ? list.min - 1 : 0, list.max ? list.max - 1 : 0};
		size = size_plus(size, size_times(arg_size(call, 0), gaps));
	}
	return (Result){tenth(size.max), true, size};
}

/* --- two values side by side --- */

static Result smaller(const CelCallEstimate *call, const CelFunction *row)
{
	(void)row;
	uint64_t a = arg_size(call, 0).max, b = arg_size(call, 1).max;
	return (Result){.cost = tenth(a < b ? a : b)};
}

static Result equal(const CelCallEstimate *call, const CelFunction *row)
{
	CelKind a = call->node->args[0]->type->kind, b = call->node->args[1]->type->kind;
	if (a != b)
		return smaller(call, row);
	switch ((int)a) {
	case CEL_IP:
	case CEL_CIDR:
	case CEL_QUANTITY:
	case CEL_SEMVER:
		return (Result){.cost = 1};
	case CEL_FORMAT:
		return (Result){.cost = FORMAT_COST};
	case CEL_URL: /* by the right side alone, as upstream */
		return (Result){.cost = call->args[1]->sized ? tenth(call->args[1]->size.max) : 1};
	default:
		return smaller(call, row);
	}
}

static Result longer(const CelCallEstimate *call, const CelFunction *row)
{
	CelSize size = size_plus(arg_size(call, 0), arg_size(call, 1));
	return (Result){*row->signature == 'L' ? 1 : tenth(size.max), true, size};
}

/* --- lists --- */

static Result listed(const CelCallEstimate *call, const CelFunction *row)
{
	(void)row;
	return (Result){.cost = arg_size(call, 1).max};
}

static Result summed(const CelCallEstimate *call, const CelFunction *row)
{
	CelSize item;
	if (!item_size(call, &item))
		return of_target(call, row);
	CelKind kind = call->node->target->type->first->kind;
	bool text = kind == CEL_STRING || kind == CEL_BYTES;
	uint64_t cost = cel_cost_add(1, text ? tenth(item.max) : 0);
	return (Result){.cost = cel_cost_multiply(target_size(call).max, cost)};
}

/* A new list: the call, the list, and what goes by its size. */
static Result allocated(double factor, CelSize size)
{
	uint64_t cost = cel_cost_add(cel_cost_factor(size.max, factor), 1 + CEL_COST_LIST);
	return (Result){cost, true, size};
}

static Result reversed(const CelCallEstimate *call, const CelFunction *row)
{
	(void)row;
	return allocated(1, target_size(call));
}

static Result sliced(const CelCallEstimate *call, const CelFunction *row)
{
	(void)row;
	uint64_t size = literal(call->node->args[1], target_size(call).max) -
			literal(call->node->args[0], 0);
	return allocated(1, (CelSize){size, size});
}

static Result ranged(const CelCallEstimate *call, const CelFunction *row)
{
	(void)row;
	uint64_t size = literal(call->node->args[0], UINT64_MAX);
	return allocated(1, (CelSize){size, size});
}

static Result flattened(const CelCallEstimate *call, const CelFunction *row)
{
	(void)row;
	bool told = call->node->arg_count > 0;
	uint64_t depth = told ? literal(call->node->args[0], UINT64_MAX) : 1;
	return allocated((double)depth, target_size(call));
}

static Result distinct(const CelCallEstimate *call, const CelFunction *row)
{
	(void)row;
	CelSize size = target_size(call);
	return allocated(2, size_times(size, size));
}

static double sort_factor(char letter)
{
	return letter == 's' || letter == 'y' ? 2.1 : 2;
}

static Result sorted(const CelCallEstimate *call, const CelFunction *row)
{
	CelSize size = target_size(call);
	return allocated(sort_factor(row->signature[1]), size_times(size, size));
}

static Result sorted_by(const CelCallEstimate *call, const CelFunction *row)
{
	CelSize size = arg_size(call, 0);
	return allocated(sort_factor(row->signature[3]), size_times(size, size));
}

static Result as_sets(const CelCallEstimate *call, const CelFunction *row)
{
	(void)row;
	uint64_t product = cel_cost_multiply(arg_size(call, 0).max, arg_size(call, 1).max);
	return (Result){.cost = cel_cost_add(product, 1)};
}

static Result as_sets_both(const CelCallEstimate *call, const CelFunction *row)
{
	(void)row;
	uint64_t product = cel_cost_multiply(arg_size(call, 0).max, arg_size(call, 1).max);
	return (Result){.cost = cel_cost_add(cel_cost_factor(product, 2), 1)};
}

/* --- networks, formats --- */

static uint64_t text_argument(const CelCallEstimate *call, const CelFunction *row)
{
	return row->signature[1] == 's' ? tenth(arg_size(call, 0).max) : 0;
}

static Result contains_ip(const CelCallEstimate *call, const CelFunction *row)
{
	return (Result){.cost = cel_cost_add(NET_PAIR_COST, text_argument(call, row))};
}

static Result contains_cidr(const CelCallEstimate *call, const CelFunction *row)
{
	return (Result){
		.cost = cel_cost_add(NET_PAIR_COST + NET_COST + 1, text_argument(call, row))};
}

static Result validated(const CelCallEstimate *call, const CelFunction *row)
{
	(void)row;
	return (Result){
		.cost = cel_cost_factor(tenth(arg_size(call, 0).max), FORMAT_PATTERN * 0.25)};
}

/* Letters: with which the signature begins; NULL: any. */
static const struct {
	const char *name, *letters;
	bool member;
	Rule rule;
} rules[] = {
	{"format", "s", true, of_target},
	{"bytes", "s", false, text_to_bytes},
	{"string", "y", false, bytes_to_text},
	{"strings.quote", NULL, false, quoted},
	{"startsWith", NULL, true, of_first},
	{"endsWith", NULL, true, of_first},
	{"@in", "AL", false, listed},
	{"matches", NULL, true, matched},
	{"contains", NULL, true, contained},
	{"_+_", "ss", false, longer},
	{"_+_", "yy", false, longer},
	{"_+_", "L", false, longer},
	{"_<_", "s", false, smaller},
	{"_<_", "y", false, smaller},
	{"_<=_", "s", false, smaller},
	{"_<=_", "y", false, smaller},
	{"_>_", "s", false, smaller},
	{"_>_", "y", false, smaller},
	{"_>=_", "s", false, smaller},
	{"_>=_", "y", false, smaller},
	{"_==_", NULL, false, equal},
	{"_!=_", NULL, false, smaller},
	{"isSorted", NULL, true, summed},
	{"sum", NULL, true, summed},
	{"max", NULL, true, summed},
	{"min", NULL, true, summed},
	{"indexOf", NULL, true, summed},
	{"lastIndexOf", NULL, true, summed},
	{"url", NULL, false, first_as_long},
	{"jsonpatch.escapeKey", NULL, false, first_as_long},
	{"lowerAscii", NULL, true, target_as_long},
	{"upperAscii", NULL, true, target_as_long},
	{"substring", NULL, true, target_as_long},
	{"trim", NULL, true, target_as_long},
	{"replace", NULL, true, replaced},
	{"split", NULL, true, split},
	{"join", NULL, true, joined},
	{"find", NULL, true, found},
	{"findAll", NULL, true, found},
	{"cidr", NULL, false, of_first},
	{"isIP", NULL, false, of_first},
	{"isCIDR", NULL, false, of_first},
	{"ip", "s", false, of_first},
	{"ip.isCanonical", NULL, false, twice_first},
	{"containsIP", NULL, true, contains_ip},
	{"containsCIDR", NULL, true, contains_cidr},
	{"quantity", NULL, false, of_first},
	{"isQuantity", NULL, false, of_first},
	{"semver", NULL, false, of_first},
	{"isSemver", NULL, false, of_first},
	{"validate", NULL, true, validated},
	{"reverse", "L", true, reversed},
	{"slice", NULL, true, sliced},
	{"lists.range", NULL, false, ranged},
	{"flatten", NULL, true, flattened},
	{"distinct", NULL, true, distinct},
	{"sort", NULL, true, sorted},
	{"@sortByAssociatedKeys", NULL, true, sorted_by},
	{"sets.contains", NULL, false, as_sets},
	{"sets.intersects", NULL, false, as_sets},
	{"sets.equivalent", NULL, false, as_sets_both},
};

uint64_t cel_estimate_overload(const CelCallEstimate *call, const CelFunction *row, bool *out_sized,
			       CelSize *out)
{
	for (size_t i = 0; i < COUNT(rules); i++) {
		if (strcmp(rules[i].name, row->name) != 0 || rules[i].member != row->member ||
		    (rules[i].letters && !cstr_starts(row->signature, rules[i].letters)))
			continue;
		Result result = rules[i].rule(call, row);
		*out_sized = result.sized;
		if (result.sized)
			*out = result.size;
		return result.cost;
	}
	*out_sized = false;
	return 1;
}
