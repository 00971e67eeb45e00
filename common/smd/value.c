/*
 * JSON values as the merge sees them: a total order in which 1 and 1.0 are one value, and the
 * bounds on what a request may bring. Recursion is bounded by SMD_MAX_DEPTH once smd_value_bounded
 * passed.
 */
#include "smd/smd_internal.h"

/* Numbers first, null last: the order in which upstream sorts keys of different types. */
static int rank_of(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_INTEGER:
	case JSON_REAL:
		return 0;
	case JSON_STRING:
		return 1;
	case JSON_TRUE:
	case JSON_FALSE:
		return 2;
	case JSON_ARRAY:
		return 3;
	case JSON_OBJECT:
		return 4;
	case JSON_NULL:
	default:
		return 5;
	}
}

static int number_compare(const json_t *a, const json_t *b)
{
	if (json_is_integer(a) && json_is_integer(b)) {
		json_int_t left = json_integer_value(a);
		json_int_t right = json_integer_value(b);
		return (left > right) - (left < right);
	}
	double left = json_number_value(a);
	double right = json_number_value(b);
	return (left > right) - (left < right);
}

static int string_compare(const json_t *a, const json_t *b)
{
	size_t left = json_string_length(a);
	size_t right = json_string_length(b);
	int order = memcmp(json_string_value(a), json_string_value(b), left < right ? left : right);
	return order ? order : (left > right) - (left < right);
}

static int array_compare(const json_t *a, const json_t *b)
{
	size_t left = json_array_size(a);
	size_t right = json_array_size(b);
	for (size_t i = 0; i < left && i < right; i++) {
		int order = smd_value_compare(json_array_get(a, i), json_array_get(b, i));
		if (order)
			return order;
	}
	return (left > right) - (left < right);
}

/* Only hostile fieldsV1 has objects as set items; any fixed order will do. */
static int object_compare(const json_t *a, const json_t *b)
{
	autofree char *left = json_dumps(a, JSON_SORT_KEYS | JSON_COMPACT);
	autofree char *right = json_dumps(b, JSON_SORT_KEYS | JSON_COMPACT);
	return strcmp(left ? left : "", right ? right : "");
}

int smd_value_compare(const json_t *a, const json_t *b)
{
	int left = rank_of(a);
	int right = rank_of(b);
	if (left != right)
		return left < right ? -1 : 1;
	switch (left) {
	case 0:
		return number_compare(a, b);
	case 1:
		return string_compare(a, b);
	case 2:
		return json_is_true(a) - json_is_true(b);
	case 3:
		return array_compare(a, b);
	case 4:
		return object_compare(a, b);
	default:
		return 0;
	}
}

static bool object_same(const json_t *a, const json_t *b)
{
	if (json_object_size(a) != json_object_size(b))
		return false;
	const char *key;
	json_t *value;
	json_object_foreach(smd_readable(a), key, value)
	{
		const json_t *other = json_object_get(b, key);
		if (!other || !smd_value_same(value, other))
			return false;
	}
	return true;
}

bool smd_value_same(const json_t *a, const json_t *b)
{
	if (a == b)
		return true;
	if (json_is_object(a) && json_is_object(b))
		return object_same(a, b);
	if (!json_is_array(a) || !json_is_array(b))
		return smd_value_compare(a, b) == 0;
	if (json_array_size(a) != json_array_size(b))
		return false;
	for (size_t i = 0; i < json_array_size(a); i++) {
		if (!smd_value_same(json_array_get(a, i), json_array_get(b, i)))
			return false;
	}
	return true;
}

static bool bounded_below(const json_t *value, size_t depth, size_t *nodes)
{
	if (depth > SMD_MAX_DEPTH || ++*nodes > SMD_MAX_NODES)
		return false;
	if (json_is_array(value)) {
		for (size_t i = 0; i < json_array_size(value); i++) {
			if (!bounded_below(json_array_get(value, i), depth + 1, nodes))
				return false;
		}
	}
	if (!json_is_object(value))
		return true;
	const char *key;
	json_t *child;
	json_object_foreach(smd_readable(value), key, child)
	{
		if (!bounded_below(child, depth + 1, nodes))
			return false;
	}
	return true;
}

bool smd_value_bounded(const json_t *value, Error *err)
{
	size_t nodes = 0;
	if (!value || bounded_below(value, 0, &nodes))
		return true;
	return err_set(err, ERR_LIMIT, "object is nested deeper than %d or has more than %d values",
		       SMD_MAX_DEPTH, SMD_MAX_NODES);
}

static void release(void *value)
{
	json_decref(value);
}

json_t *smd_keep(Arena *arena, json_t *take_value)
{
	if (take_value)
		arena_defer(arena, release, take_value);
	return take_value;
}
