/* Equality and order of values; numbers compare across their types. */
#include <math.h>
#include <string.h>

#include "cel/cel_internal.h"

static bool is_number(const CelValue *value)
{
	return value->kind == CEL_INT || value->kind == CEL_UINT || value->kind == CEL_DOUBLE;
}

static int order_ints(int64_t a, int64_t b)
{
	return a < b ? -1 : a > b;
}

static int order_naturals(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int order_reals(double a, double b)
{
	return a < b ? -1 : a > b;
}

static int order_double_int(double a, int64_t b)
{
	if (a < -9223372036854775808.0)
		return -1;
	if (a > 9223372036854775808.0)
		return 1;
	return order_reals(a, (double)b);
}

static int order_double_uint(double a, uint64_t b)
{
	if (a < 0)
		return -1;
	if (a > 18446744073709551616.0)
		return 1;
	return order_reals(a, (double)b);
}

static int order_numbers(const CelValue *a, const CelValue *b)
{
	if (a->kind == CEL_DOUBLE) {
		if (b->kind == CEL_DOUBLE)
			return order_reals(a->real, b->real);
		return b->kind == CEL_INT ? order_double_int(a->real, b->integer)
					  : order_double_uint(a->real, b->natural);
	}
	if (b->kind == CEL_DOUBLE)
		return -order_numbers(b, a);
	if (a->kind == CEL_INT && b->kind == CEL_INT)
		return order_ints(a->integer, b->integer);
	if (a->kind == CEL_UINT && b->kind == CEL_UINT)
		return order_naturals(a->natural, b->natural);
	if (a->kind == CEL_UINT)
		return -order_numbers(b, a);
	return a->integer < 0 ? -1 : order_naturals((uint64_t)a->integer, b->natural);
}

static bool is_nan(const CelValue *value)
{
	return value->kind == CEL_DOUBLE && isnan(value->real);
}

static int order_texts(Str a, Str b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len ? memcmp(a.ptr, b.ptr, len) : 0;
	return order ? (order < 0 ? -1 : 1) : order_naturals(a.len, b.len);
}

bool cel_compare(const CelValue *a, const CelValue *b, int *out)
{
	if (is_number(a) && is_number(b)) {
		*out = order_numbers(a, b);
		return !is_nan(a) && !is_nan(b);
	}
	if (a->kind != b->kind)
		return false;
	switch ((int)a->kind) {
	case CEL_BOOL:
		*out = (int)a->flag - (int)b->flag;
		return true;
	case CEL_STRING:
	case CEL_BYTES:
		*out = order_texts(a->text, b->text);
		return true;
	case CEL_DURATION:
		*out = order_ints(a->integer, b->integer);
		return true;
	case CEL_TIMESTAMP:
		*out = order_ints(a->time.seconds, b->time.seconds);
		*out = *out ? *out : order_ints(a->time.nanos, b->time.nanos);
		return true;
	default:
		return false;
	}
}

/* Equal as sets (x-kubernetes-list-type: set): same length, each item in the other. */
static bool equal_any_order(CelRun *run, const CelList *a, const CelList *b)
{
	if (a->len != b->len)
		return false;
	for (size_t i = 0; i < a->len; i++) {
		CelValue x = cel_list_at(run, a, i);
		bool found = false;
		for (size_t j = 0; j < b->len && !found && !run->stopped; j++) {
			CelValue y = cel_list_at(run, b, j);
			found = cel_equal(run, &x, &y);
		}
		if (!found)
			return false;
	}
	return true;
}

static bool equal_lists(CelRun *run, const CelList *a, const CelList *b)
{
	if (a->type->is_set || a->type->key_count > 0)
		return equal_any_order(run, a, b);
	if (a->len != b->len)
		return false;
	for (size_t i = 0; i < a->len; i++) {
		CelValue x = cel_list_at(run, a, i), y = cel_list_at(run, b, i);
		if (!cel_equal(run, &x, &y))
			return false;
	}
	return true;
}

static bool equal_maps(CelRun *run, const CelMap *a, const CelMap *b)
{
	if (a->len != b->len)
		return false;
	for (size_t i = 0; i < a->len; i++) {
		CelValue key = cel_map_key(run, a, i), value = cel_map_value(run, a, i), other;
		if (!cel_map_find(run, b, key, &other) || !cel_equal(run, &value, &other))
			return false;
	}
	return true;
}

static bool equal_optionals(CelRun *run, const CelValue *a, const CelValue *b)
{
	if (!a->inner || !b->inner)
		return a->inner == b->inner;
	return cel_equal(run, a->inner, b->inner);
}

static bool equal_deep(CelRun *run, const CelValue *a, const CelValue *b)
{
	switch ((int)a->kind) {
	case CEL_NULL:
		return true;
	case CEL_LIST:
		return equal_lists(run, a->list, b->list);
	case CEL_MAP:
	case CEL_OBJECT:
		return equal_maps(run, a->map, b->map);
	case CEL_TYPE:
		return strcmp(cel_type_name(a->type), cel_type_name(b->type)) == 0;
	case CEL_OPTIONAL:
		return equal_optionals(run, a, b);
	case CEL_QUANTITY:
		return cel_quantity_equal(a->quantity, b->quantity);
	case CEL_IP:
	case CEL_CIDR:
		return cel_net_equal(a->net, b->net);
	case CEL_URL:
		return cel_url_equal(a->url, b->url);
	case CEL_SEMVER:
		return cel_semver_equal(a->semver, b->semver);
	case CEL_FORMAT:
		return a->format == b->format;
	default:
		return false;
	}
}

static CelKind shape(CelKind kind)
{
	return kind == CEL_OBJECT ? CEL_MAP : kind;
}

bool cel_equal(CelRun *run, const CelValue *a, const CelValue *b)
{
	int order;
	if (cel_compare(a, b, &order))
		return order == 0;
	if (shape(a->kind) != shape(b->kind) || run->stopped || run->depth > CEL_VALUE_DEPTH_MAX)
		return false;
	if (!cel_tick(run))
		return false;
	run->depth++;
	bool equal = equal_deep(run, a, b);
	run->depth--;
	return equal;
}

/* Equal values hash alike: numbers by what they are as a double. */
uint64_t cel_hash(const CelValue *value)
{
	double real = 0;
	switch ((int)value->kind) {
	case CEL_STRING:
		return map_hash(value->text.ptr, value->text.len);
	case CEL_BOOL:
		return value->flag ? 1 : 2;
	case CEL_INT:
		real = (double)value->integer;
		break;
	case CEL_UINT:
		real = (double)value->natural;
		break;
	case CEL_DOUBLE:
		real = value->real == 0 ? 0 : value->real;
		break;
	default:
		return 0;
	}
	return map_hash(&real, sizeof(real));
}
