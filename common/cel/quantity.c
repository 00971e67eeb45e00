/* Kubernetes quantities (k8s.io/apiserver/pkg/cel/library/quantity.go). */
#include "data/quantity.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "cel/cel_internal.h"

enum { KUBE = CEL_LIB_KUBERNETES };

struct CelQuantity {
	__int128 nanos;
	bool whole; /* written without a fraction and without a suffix below one */
};

#define NANO ((__int128)1000000000)

bool cel_quantity_equal(const CelQuantity *a, const CelQuantity *b)
{
	return a->nanos == b->nanos;
}

static CelValue make(CelRun *run, __int128 nanos, bool whole)
{
	CelQuantity *quantity = cel_alloc(run, sizeof(*quantity));
	if (!quantity)
		return cel_error(run, "memory limit exceeded");
	quantity->nanos = nanos;
	quantity->whole = whole;
	return (CelValue){.kind = CEL_QUANTITY, .quantity = quantity};
}

/* As AsInt64 sees it: with no fraction and no suffix below one, however many zeros there are. */
static bool is_whole(Str text, __int128 nanos)
{
	bool below = text.len > 0 && strchr("num", text.ptr[text.len - 1]);
	bool point = str_find_char(text, '.') >= 0 && text.len > 0 &&
		     isdigit((unsigned char)text.ptr[text.len - 1]);
	return !below && !point && nanos % NANO == 0 && nanos / NANO < INT64_MAX;
}

static bool parse(Str text, __int128 *nanos)
{
	autofree char *copy = str_dup(text);
	return strlen(copy) == text.len && quantity_nanos(copy, nanos);
}

static CelValue quantity(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	__int128 nanos;
	if (!parse(args[0].text, &nanos))
		return cel_error(run, "quantities must match the regular expression "
				      "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
	return make(run, nanos, is_whole(args[0].text, nanos));
}

static CelValue is_quantity(CelRun *run UNUSED, const CelValue *args, size_t count UNUSED)
{
	__int128 nanos;
	return cel_bool(parse(args[0].text, &nanos));
}

static bool as_int(const CelQuantity *quantity, int64_t *out)
{
	__int128 value = quantity->nanos / NANO;
	*out = (int64_t)value;
	return quantity->whole && value <= INT64_MAX && value >= INT64_MIN;
}

static CelValue is_integer(CelRun *run UNUSED, const CelValue *args, size_t count UNUSED)
{
	int64_t value;
	return cel_bool(as_int(args[0].quantity, &value));
}

static CelValue as_integer(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	int64_t value;
	return as_int(args[0].quantity, &value) ? cel_int(value)
						: cel_error(run, "cannot convert value to integer");
}

static CelValue as_float(CelRun *run UNUSED, const CelValue *args, size_t count UNUSED)
{
	__int128 nanos = args[0].quantity->nanos;
	if (nanos % NANO == 0)
		return cel_double((double)(nanos / NANO));
	return cel_double((double)nanos / 1e9);
}

static CelValue sign(CelRun *run UNUSED, const CelValue *args, size_t count UNUSED)
{
	__int128 nanos = args[0].quantity->nanos;
	return cel_int(nanos < 0 ? -1 : nanos > 0);
}

static int order(const CelValue *args)
{
	__int128 a = args[0].quantity->nanos, b = args[1].quantity->nanos;
	return a < b ? -1 : a > b;
}

static CelValue greater(CelRun *run UNUSED, const CelValue *args, size_t count UNUSED)
{
	return cel_bool(order(args) > 0);
}

static CelValue less(CelRun *run UNUSED, const CelValue *args, size_t count UNUSED)
{
	return cel_bool(order(args) < 0);
}

static CelValue compare_to(CelRun *run UNUSED, const CelValue *args, size_t count UNUSED)
{
	return cel_int(order(args));
}

static CelValue add(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	bool integer = args[1].kind == CEL_INT;
	__int128 other = integer ? args[1].integer * NANO : args[1].quantity->nanos;
	__int128 sum = args[0].quantity->nanos;
	bool minus = run->call->name[0] == 's';
	bool overflow = minus ? __builtin_sub_overflow(sum, other, &sum)
			      : __builtin_add_overflow(sum, other, &sum);
	if (overflow)
		return cel_error(run, "integer overflow");
	return make(run, sum, args[0].quantity->whole && (integer || args[1].quantity->whole));
}

static const CelFunction rows[] = {
	{"quantity", false, KUBE, "s>Q", quantity},
	{"isQuantity", false, KUBE, "s>b", is_quantity},
	{"isInteger", true, KUBE, "Q>b", is_integer},
	{"asInteger", true, KUBE, "Q>i", as_integer},
	{"asApproximateFloat", true, KUBE, "Q>d", as_float},
	{"sign", false, KUBE, "Q>i", sign},
	{"isGreaterThan", true, KUBE, "QQ>b", greater},
	{"isLessThan", true, KUBE, "QQ>b", less},
	{"compareTo", true, KUBE, "QQ>i", compare_to},
	{"add", true, KUBE, "QQ>Q", add},
	{"add", true, KUBE, "Qi>Q", add},
	{"sub", true, KUBE, "QQ>Q", add},
	{"sub", true, KUBE, "Qi>Q", add},
};

const CelFunctions cel_functions_quantity = {rows, COUNT(rows)};
