#include <math.h>

#include "gotmpl/convert.h"
#include "gotmpl/decimal.h"
#include "gotmpl/functions.h"
#include "gotmpl/strconv.h"

/* Arithmetic of float64 by way of decimals, as sprig does it. */

static bool fn_round(GoCall *call, GoValue *out)
{
	double on = call->count > 2 ? call->args[2].real : 0.5, whole;
	double power = pow(10, (double)call->args[1].integer);
	double digit = power * float_of(call->args[0]);
	double part = modf(digit, &whole);
	if (isinf(digit)) /* math.Modf of an infinity has no number as its fraction */
		part = (double)NAN;
	*out = go_real((part >= on ? ceil(digit) : floor(digit)) / power);
	return true;
}

/* Folds the operands by a decimal operation, from `first`. */
static bool fold(GoCall *call, double first, size_t from, DecimalOp op, GoValue *out)
{
	autodecimal Decimal sum = {0};
	double bad = first;
	bool fine = decimal_set(&sum, first);
	for (size_t i = from; fine && i < call->count; i++) {
		autodecimal Decimal operand = {0};
		bad = float_of(call->args[i]);
		fine = decimal_set(&operand, bad);
		if (fine && !op(&sum, &operand))
			return call_fail(call, "decimal division by 0");
	}
	if (!fine) {
		autobuf Buf text = {0};
		format_float(bad, 'g', -1, &text);
		return call_fail(call, "Cannot create a Decimal from %s", buf_text(&text));
	}
	*out = go_real(decimal_real(&sum));
	return true;
}

static bool fn_addf(GoCall *call, GoValue *out)
{
	return fold(call, 0, 0, decimal_add, out);
}

static bool fn_add1f(GoCall *call, GoValue *out)
{
	GoValue both[2] = {call->args[0], go_int(1)};
	GoCall more = {.run = call->run, .args = both, .count = 2};
	return fold(&more, float_of(both[0]), 1, decimal_add, out);
}

static bool fn_subf(GoCall *call, GoValue *out)
{
	return fold(call, float_of(call->args[0]), 1, decimal_sub, out);
}

static bool fn_mulf(GoCall *call, GoValue *out)
{
	return fold(call, float_of(call->args[0]), 1, decimal_mul, out);
}

static bool fn_divf(GoCall *call, GoValue *out)
{
	return fold(call, float_of(call->args[0]), 1, decimal_div, out);
}

const GoFn functions_decimals[] = {
	{"round", "aif*", fn_round},
	{"addf", "a*", fn_addf},
	{"add1f", "a", fn_add1f},
	{"subf", "aa*", fn_subf},
	{"mulf", "aa*", fn_mulf},
	{"divf", "aa*", fn_divf},
	{0},
};
