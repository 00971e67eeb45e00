/* Lists: Kubernetes' own, cel-go's extension version 3, sets (ext/lists.go, ext/sets.go). */
#include <string.h>

#include "cel/cel_internal.h"

enum {
	ANY = CEL_LIB_KUBERNETES | CEL_LIB_FLUX,
	KUBE = CEL_LIB_KUBERNETES,
	LISTS = CEL_LIB_LISTS,
	FLATTEN_MAX = 100
};

static CelValue no_memory(CelRun *run)
{
	return cel_error(run, "memory limit exceeded");
}

static CelValue is_sorted(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	const CelList *list = args[0].list;
	for (size_t i = 1; i < list->len; i++) {
		int order;
		CelValue a = cel_list_at(run, list, i - 1), b = cel_list_at(run, list, i);
		if (cel_compare(&a, &b, &order) && order > 0)
			return cel_bool(false);
	}
	return cel_bool(true);
}

/* The extreme of a list. */
static CelValue extreme(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	const CelList *list = args[0].list;
	bool largest = strcmp(run->call->name, "max") == 0;
	if (list->len == 0)
		return cel_error(run, "%s called on empty list", run->call->name);
	CelValue best = cel_list_at(run, list, 0);
	for (size_t i = 1; i < list->len; i++) {
		int order;
		CelValue item = cel_list_at(run, list, i);
		if (cel_compare(&best, &item, &order) && (largest ? order < 0 : order > 0))
			best = item;
	}
	return best;
}

static bool add_to_sum(CelValue *sum, const CelValue *item)
{
	if (sum->kind != item->kind)
		return false;
	if (sum->kind == CEL_DOUBLE) {
		sum->real += item->real;
		return true;
	}
	if (sum->kind == CEL_UINT)
		return !__builtin_add_overflow(sum->natural, item->natural, &sum->natural);
	return !__builtin_add_overflow(sum->integer, item->integer, &sum->integer);
}

static CelValue sum(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	const CelList *list = args[0].list;
	CelValue total = cel_int(0);
	for (size_t i = 0; i < list->len; i++) {
		CelValue item = cel_list_at(run, list, i);
		if (i == 0)
			total = item;
		else if (!add_to_sum(&total, &item))
			return cel_error(run, "%s",
					 total.kind == CEL_UINT	      ? "unsigned integer overflow"
					 : total.kind == CEL_DURATION ? "duration overflow"
								      : "integer overflow");
	}
	if (list->len == 0 && run->call->target) {
		/* The sum of nothing is a zero of the item's type. */
		const CelType *type = run->call->type;
		if (type && type->kind != CEL_DYN)
			total.kind = type->kind;
	}
	return total;
}

static CelValue index_of(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	const CelList *list = args[0].list;
	bool last = run->call->name[0] == 'l';
	for (size_t i = 0; i < list->len; i++) {
		size_t at = last ? list->len - 1 - i : i;
		CelValue item = cel_list_at(run, list, at);
		if (cel_equal(run, &item, &args[1]))
			return cel_int((int64_t)at);
	}
	return cel_int(-1);
}

static bool has_item(CelRun *run, const CelList *list, const CelValue *item)
{
	for (size_t i = 0; i < list->len && !run->stopped; i++) {
		CelValue other = cel_list_at(run, list, i);
		if (cel_equal(run, &other, item))
			return true;
	}
	return false;
}

static bool has_all(CelRun *run, const CelList *list, const CelList *items)
{
	for (size_t i = 0; i < items->len; i++) {
		CelValue item = cel_list_at(run, items, i);
		if (!has_item(run, list, &item))
			return false;
	}
	return true;
}

static CelValue sets_contains(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	return cel_bool(has_all(run, args[0].list, args[1].list));
}

static CelValue sets_equivalent(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	return cel_bool(has_all(run, args[0].list, args[1].list) &&
			has_all(run, args[1].list, args[0].list));
}

static CelValue sets_intersects(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	for (size_t i = 0; i < args[0].list->len; i++) {
		CelValue item = cel_list_at(run, args[0].list, i);
		if (has_item(run, args[1].list, &item))
			return cel_bool(true);
	}
	return cel_bool(false);
}

static CelValue distinct(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	CelValue result = cel_list_new(run, 0);
	for (size_t i = 0; i < args[0].list->len && !cel_is_error(&result); i++) {
		CelValue item = cel_list_at(run, args[0].list, i);
		if (!cel_tick(run))
			return no_memory(run);
		if (!has_item(run, result.list, &item))
			(void)cel_list_add(run, result.list, item);
	}
	return result;
}

static CelValue part(CelRun *run, const CelList *list, size_t from, size_t to, bool back)
{
	CelValue result = cel_list_new(run, to - from);
	for (size_t i = from; i < to && !cel_is_error(&result); i++)
		if (!cel_list_add(run, result.list,
				  cel_list_at(run, list, back ? from + to - 1 - i : i)))
			return no_memory(run);
	return result;
}

static CelValue reverse(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	return part(run, args[0].list, 0, args[0].list->len, true);
}

static CelValue slice(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	const CelList *list = args[0].list;
	long long from = args[1].integer, to = args[2].integer;
	if (from < 0 || to < 0)
		return cel_error(run, "cannot slice(%lld, %lld), negative indexes not supported",
				 from, to);
	if (from > to)
		return cel_error(run,
				 "cannot slice(%lld, %lld), start index must be less than or equal "
				 "to end index",
				 from, to);
	if ((unsigned long long)to > list->len)
		return cel_error(run, "cannot slice(%lld, %lld), list is length %zu", from, to,
				 list->len);
	return part(run, list, (size_t)from, (size_t)to, false);
}

static bool flatten_into(CelRun *run, const CelList *list, int64_t levels, CelList *out)
{
	for (size_t i = 0; i < list->len && cel_tick(run); i++) {
		CelValue item = cel_list_at(run, list, i);
		bool fine = item.kind == CEL_LIST && levels > 0
				    ? flatten_into(run, item.list, levels - 1, out)
				    : cel_list_add(run, out, item);
		if (!fine)
			return false;
	}
	return true;
}

static CelValue flatten(CelRun *run, const CelValue *args, size_t count)
{
	int64_t levels = count > 1 ? args[1].integer : 1;
	if (levels < 0)
		return cel_error(run, "level must be non-negative");
	CelValue result = cel_list_new(run, 0);
	if (cel_is_error(&result) ||
	    !flatten_into(run, args[0].list, levels < FLATTEN_MAX ? levels : FLATTEN_MAX,
			  result.list))
		return no_memory(run);
	return result;
}

static CelValue range(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	CelValue result = cel_list_new(run, 0);
	for (int64_t i = 0; i < args[0].integer && !cel_is_error(&result); i++)
		if (!cel_list_add(run, result.list, cel_int(i)))
			return no_memory(run);
	return result;
}

typedef struct {
	CelValue key, value;
} Keyed;

/* Merge sort, so that equal keys keep their order. */
static void merge_sort(Keyed *items, Keyed *spare, size_t len)
{
	if (len < 2)
		return;
	size_t half = len / 2, a = 0, b = half;
	merge_sort(items, spare, half);
	merge_sort(items + half, spare, len - half);
	for (size_t i = 0; i < len; i++) {
		int order = 0;
		bool second = a >= half;
		if (a < half && b < len)
			second = cel_compare(&items[a].key, &items[b].key, &order) && order > 0;
		spare[i] = items[second ? b++ : a++];
	}
	memcpy(items, spare, len * sizeof(*items));
}

static bool is_ordered(const CelValue *value)
{
	int order;
	return cel_compare(value, value, &order) || value->kind == CEL_DOUBLE;
}

static CelValue sort_by(CelRun *run, const CelList *list, const CelList *keys)
{
	size_t len = list->len;
	if (len != keys->len)
		return cel_error(run,
				 "@sortByAssociatedKeys() expected a list of the same size as the "
				 "associated keys list, but got %zu and %zu elements respectively",
				 len, keys->len);
	if (len == 0)
		return cel_list_new(run, 0);
	Keyed *items = cel_alloc(run, 2 * len * sizeof(*items));
	CelValue first = cel_list_at(run, keys, 0), result = cel_list_new(run, len);
	if (!items || cel_is_error(&result))
		return no_memory(run);
	if (!is_ordered(&first))
		return cel_error(run, "list elements must be comparable");
	for (size_t i = 0; i < len; i++) {
		items[i] = (Keyed){cel_list_at(run, keys, i), cel_list_at(run, list, i)};
		if (items[i].key.kind != first.kind)
			return cel_error(run, "list elements must have the same type");
	}
	merge_sort(items, items + len, len);
	for (size_t i = 0; i < len; i++)
		(void)cel_list_add(run, result.list, items[i].value);
	return result;
}

static CelValue sort(CelRun *run, const CelValue *args, size_t count)
{
	return sort_by(run, args[0].list, args[count - 1].list);
}

#define ORDERED(name, library, result, impl)                                                       \
	{name, true, library, "Li>" result("i"), impl},                                            \
		{name, true, library, "Lu>" result("u"), impl},                                    \
		{name, true, library, "Ld>" result("d"), impl},                                    \
		{name, true, library, "Lb>" result("b"), impl},                                    \
		{name, true, library, "LD>" result("D"), impl},                                    \
		{name, true, library, "Lt>" result("t"), impl},                                    \
		{name, true, library, "Ls>" result("s"), impl},                                    \
	{                                                                                          \
		name, true, library, "Ly>" result("y"), impl                                       \
	}
#define AS_BOOL(type) "b"
#define AS_ITEM(type) type
#define AS_LIST(type) "L" type
#define KEYS(type)                                                                                 \
	{                                                                                          \
		"@sortByAssociatedKeys", true, LISTS, "LAL" type ">LA", sort                       \
	}

static const CelFunction rows[] = {
	ORDERED("isSorted", KUBE, AS_BOOL, is_sorted),
	ORDERED("max", KUBE, AS_ITEM, extreme),
	ORDERED("min", KUBE, AS_ITEM, extreme),
	ORDERED("sort", LISTS, AS_LIST, sort),
	KEYS("i"),
	KEYS("u"),
	KEYS("d"),
	KEYS("b"),
	KEYS("D"),
	KEYS("t"),
	KEYS("s"),
	KEYS("y"),
	{"sum", true, KUBE, "Li>i", sum},
	{"sum", true, KUBE, "Lu>u", sum},
	{"sum", true, KUBE, "Ld>d", sum},
	{"sum", true, KUBE, "LD>D", sum},
	{"indexOf", true, KUBE, "LAA>i", index_of},
	{"lastIndexOf", true, KUBE, "LAA>i", index_of},
	{"distinct", true, LISTS, "LA>LA", distinct},
	{"flatten", true, LISTS, "LLA>LA", flatten},
	{"flatten", true, LISTS, "L*i>L*", flatten},
	{"reverse", true, LISTS, "LA>LA", reverse},
	{"slice", true, LISTS, "LAii>LA", slice},
	{"lists.range", false, LISTS, "i>Li", range},
	{"sets.contains", false, ANY, "LALA>b", sets_contains},
	{"sets.equivalent", false, ANY, "LALA>b", sets_equivalent},
	{"sets.intersects", false, ANY, "LALA>b", sets_intersects},
};

const CelFunctions cel_functions_lists = {rows, COUNT(rows)};
