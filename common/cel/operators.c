/* Arithmetic, comparison, membership; overflow is an error (cel-go common/types/overflow.go). */
#include <math.h>
#include <string.h>

#include "cel/cel_internal.h"

enum { ANY = CEL_LIB_KUBERNETES | CEL_LIB_FLUX };

static CelValue int_result(CelRun *run, bool overflow, int64_t value)
{
	return overflow ? cel_error(run, "integer overflow") : cel_int(value);
}

static CelValue uint_result(CelRun *run, bool overflow, uint64_t value)
{
	return overflow ? cel_error(run, "unsigned integer overflow") : cel_uint(value);
}

static CelValue arithmetic_int(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	int64_t a = args[0].integer, b = args[1].integer, value = 0;
	bool overflow = false;
	switch (run->call->name[1]) {
	case '+':
		overflow = __builtin_add_overflow(a, b, &value);
		break;
	case '-':
		overflow = __builtin_sub_overflow(a, b, &value);
		break;
	case '*':
		overflow = __builtin_mul_overflow(a, b, &value);
		break;
	case '/':
		if (b == 0)
			return cel_error(run, "division by zero");
		overflow = a == INT64_MIN && b == -1;
		value = overflow ? 0 : a / b;
		break;
	default:
		if (b == 0)
			return cel_error(run, "modulus by zero");
		overflow = a == INT64_MIN && b == -1;
		value = overflow ? 0 : a % b;
		break;
	}
	return int_result(run, overflow, value);
}

static CelValue arithmetic_uint(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	uint64_t a = args[0].natural, b = args[1].natural, value = 0;
	bool overflow = false;
	switch (run->call->name[1]) {
	case '+':
		overflow = __builtin_add_overflow(a, b, &value);
		break;
	case '-':
		overflow = __builtin_sub_overflow(a, b, &value);
		break;
	case '*':
		overflow = __builtin_mul_overflow(a, b, &value);
		break;
	case '/':
		if (b == 0)
			return cel_error(run, "division by zero");
		value = a / b;
		break;
	default:
		if (b == 0)
			return cel_error(run, "modulus by zero");
		value = a % b;
		break;
	}
	return uint_result(run, overflow, value);
}

static CelValue arithmetic_double(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	double a = args[0].real, b = args[1].real;
	switch (run->call->name[1]) {
	case '+':
		return cel_double(a + b);
	case '-':
		return cel_double(a - b);
	case '*':
		return cel_double(a * b);
	default:
		return cel_double(b == 0 ? (a == 0 || isnan(a) ? (double)NAN
							       : copysign((double)INFINITY, a) *
									 copysign(1, b))
					 : a / b);
	}
}

static CelValue negate_int(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	int64_t value = 0;
	bool overflow = __builtin_sub_overflow((int64_t)0, args[0].integer, &value);
	return int_result(run, overflow, value);
}

static CelValue negate_double(CelRun *run UNUSED, const CelValue *args, size_t count UNUSED)
{
	return cel_double(-args[0].real);
}

static CelValue negate_bool(CelRun *run UNUSED, const CelValue *args, size_t count UNUSED)
{
	return cel_bool(!args[0].flag);
}

static CelValue add_text(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	Str a = args[0].text, b = args[1].text;
	char *joined = cel_alloc(run, a.len + b.len + 1);
	if (!joined)
		return cel_error(run, "memory limit exceeded");
	if (a.len)
		memcpy(joined, a.ptr, a.len);
	if (b.len)
		memcpy(joined + a.len, b.ptr, b.len);
	return (CelValue){.kind = args[0].kind, .text = str_sized(joined, a.len + b.len)};
}

/* Objects of a list of kind "map" are one when their keys are equal. */
static bool same_keys(CelRun *run, const CelType *type, const CelValue *a, const CelValue *b)
{
	if (type->key_count == 0)
		return cel_equal(run, a, b);
	for (size_t i = 0; i < type->key_count; i++) {
		CelValue key = {.kind = CEL_STRING, .text = str_of(type->keys[i])};
		CelValue x = cel_qualify(run, a, &key, true), y = cel_qualify(run, b, &key, true);
		if (!cel_equal(run, &x, &y))
			return false;
	}
	return true;
}

/* Lists of kind "set" and "map" take in only what they do not have; an object with the same keys
 * takes the other's place (common/values.go). */
static CelValue add_distinct(CelRun *run, const CelList *a, const CelList *b)
{
	CelValue result = cel_list_new(run, a->len + b->len);
	if (cel_is_error(&result))
		return result;
	result.list->type = a->type;
	for (size_t i = 0; i < a->len; i++)
		(void)cel_list_add(run, result.list, cel_list_at(run, a, i));
	for (size_t j = 0; j < b->len && cel_tick(run); j++) {
		CelValue item = cel_list_at(run, b, j);
		size_t at = 0;
		while (at < result.list->len &&
		       !same_keys(run, a->type, &result.list->items[at], &item))
			at++;
		if (at < result.list->len)
			result.list->items[at] = item;
		else
			(void)cel_list_add(run, result.list, item);
	}
	return result;
}

static CelValue add_list(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	CelList *a = args[0].list, *b = args[1].list;
	if (a->type->is_set || a->type->key_count > 0)
		return add_distinct(run, a, b);
	CelValue result = args[0];
	if (!a->growing) {
		result = cel_list_new(run, a->len + b->len);
		if (cel_is_error(&result))
			return result;
		for (size_t i = 0; i < a->len; i++)
			if (!cel_list_add(run, result.list, cel_list_at(run, a, i)))
				break;
	}
	for (size_t i = 0; i < b->len; i++)
		if (!cel_list_add(run, result.list, cel_list_at(run, b, i)))
			break;
	return result;
}

static CelValue equals(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	return cel_bool(cel_equal(run, &args[0], &args[1]));
}

static CelValue not_equals(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	return cel_bool(!cel_equal(run, &args[0], &args[1]));
}

static CelValue order(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	int order;
	if (!cel_compare(&args[0], &args[1], &order))
		return cel_error(run, "NaN values cannot be ordered");
	const char *operator= run->call->name + 1;
	bool equal = operator[1] == '=' && order == 0;
	return cel_bool(equal || (*operator== '<' ? order < 0 : order> 0));
}

static CelValue in_list(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	const CelList *list = args[1].list;
	for (size_t i = 0; i < list->len && cel_tick(run); i++) {
		CelValue item = cel_list_at(run, list, i);
		if (cel_equal(run, &item, &args[0]))
			return cel_bool(true);
	}
	return cel_bool(false);
}

static CelValue in_map(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	CelValue found;
	return cel_bool(cel_map_find(run, args[1].map, args[0], &found));
}

static CelMap *copy_map(CelRun *run, const CelValue *map)
{
	if (map->map->growing)
		return map->map;
	CelValue copy = cel_map_new(run);
	if (cel_is_error(&copy))
		return NULL;
	for (size_t i = 0; i < map->map->len; i++)
		(void)cel_map_put(run, copy.map, cel_map_key(run, map->map, i),
				  cel_map_value(run, map->map, i));
	return copy.map;
}

static CelValue insert(CelRun *run, CelMap *map, CelValue key, CelValue value)
{
	CelValue text = cel_to_string(run, &key);
	if (key.kind != CEL_STRING && key.kind != CEL_BOOL && key.kind != CEL_INT &&
	    key.kind != CEL_UINT && key.kind != CEL_DOUBLE)
		return cel_error(run, "unsupported key type");
	if (!cel_map_put(run, map, key, value))
		return cel_error(run, "insert failed: key %.*s already exists", (int)text.text.len,
				 text.text.ptr);
	return (CelValue){.kind = CEL_MAP, .map = map};
}

static CelValue map_insert(CelRun *run, const CelValue *args, size_t count)
{
	CelMap *map = copy_map(run, &args[0]);
	if (!map)
		return cel_error(run, "memory limit exceeded");
	if (count == 3)
		return insert(run, map, args[1], args[2]);
	CelValue result = {.kind = CEL_MAP, .map = map};
	for (size_t i = 0; i < args[1].map->len && !cel_is_error(&result); i++)
		result = insert(run, map, cel_map_key(run, args[1].map, i),
				cel_map_value(run, args[1].map, i));
	return result;
}

#define ORDER(name)                                                                                \
	{name, false, ANY, "bb>b", order}, {name, false, ANY, "ii>b", order},                      \
		{name, false, ANY, "id>b", order}, {name, false, ANY, "iu>b", order},              \
		{name, false, ANY, "uu>b", order}, {name, false, ANY, "ud>b", order},              \
		{name, false, ANY, "ui>b", order}, {name, false, ANY, "dd>b", order},              \
		{name, false, ANY, "di>b", order}, {name, false, ANY, "du>b", order},              \
		{name, false, ANY, "ss>b", order}, {name, false, ANY, "yy>b", order},              \
		{name, false, ANY, "tt>b", order},                                                 \
	{                                                                                          \
		name, false, ANY, "DD>b", order                                                    \
	}

#define NUMERIC(name)                                                                              \
	{name, false, ANY, "ii>i", arithmetic_int},                                                \
	{                                                                                          \
		name, false, ANY, "uu>u", arithmetic_uint                                          \
	}

static const CelFunction rows[] = {
	{"_?_:_", false, ANY, "bAA>A", NULL},
	{"_&&_", false, ANY, "bb>b", NULL},
	{"_||_", false, ANY, "bb>b", NULL},
	{"!_", false, ANY, "b>b", negate_bool},
	{"@not_strictly_false", false, ANY, "b>b", NULL},
	{"_==_", false, ANY, "AA>b", equals},
	{"_!=_", false, ANY, "AA>b", not_equals},
	ORDER("_<_"),
	ORDER("_<=_"),
	ORDER("_>_"),
	ORDER("_>=_"),
	NUMERIC("_+_"),
	{"_+_", false, ANY, "dd>d", arithmetic_double},
	{"_+_", false, ANY, "ss>s", add_text},
	{"_+_", false, ANY, "yy>y", add_text},
	{"_+_", false, ANY, "LALA>LA", add_list},
	NUMERIC("_-_"),
	{"_-_", false, ANY, "dd>d", arithmetic_double},
	NUMERIC("_*_"),
	{"_*_", false, ANY, "dd>d", arithmetic_double},
	NUMERIC("_/_"),
	{"_/_", false, ANY, "dd>d", arithmetic_double},
	NUMERIC("_%_"),
	{"-_", false, ANY, "i>i", negate_int},
	{"-_", false, ANY, "d>d", negate_double},
	{"_[_]", false, ANY, "LAi>A", NULL},
	{"_[_]", false, ANY, "MABA>B", NULL},
	{"_[_]", false, ANY, "OLAi>OA", NULL},
	{"_[_]", false, ANY, "OMABA>OB", NULL},
	{"_[?_]", false, ANY, "LAi>OA", NULL},
	{"_[?_]", false, ANY, "OLAi>OA", NULL},
	{"_[?_]", false, ANY, "MABA>OB", NULL},
	{"_[?_]", false, ANY, "OMABA>OB", NULL},
	{"_?._", false, ANY, "*s>OA", NULL},
	{"@in", false, ANY, "ALA>b", in_list},
	{"@in", false, ANY, "AMAB>b", in_map},
	{"cel.@mapInsert", false, CEL_LIB_KUBERNETES, "MABAB>MAB", map_insert},
	{"cel.@mapInsert", false, CEL_LIB_KUBERNETES, "MABMAB>MAB", map_insert},
};

const CelFunctions cel_functions_operators = {rows, COUNT(rows)};
