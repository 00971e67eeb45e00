#include <math.h>

#include "base/rand.h"
#include "gotmpl/convert.h"
#include "gotmpl/decimal.h"
#include "gotmpl/functions.h"
#include "gotmpl/strconv.h"

/* Arithmetic: int64 with Go's wrap-around, float64 by way of decimals, as sprig does it. */

enum { LIST_MAX = 10 * 1000 * 1000 };

static int64_t wrap_add(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a + (uint64_t)b);
}

static bool fn_int(GoCall *call, GoValue *out)
{
	*out = go_int(int64_of(call->args[0]));
	return true;
}

static bool fn_int64(GoCall *call, GoValue *out)
{
	*out = go_int64(int64_of(call->args[0]));
	return true;
}

static bool fn_float64(GoCall *call, GoValue *out)
{
	*out = go_real(float_of(call->args[0]));
	return true;
}

static bool fn_atoi(GoCall *call, GoValue *out)
{
	int64_t number = 0;
	bool range = false;
	bool fine = parse_int(call->args[0].text, 10, &number, &range);
	*out = go_int(fine || range ? number : 0);
	return true;
}

static bool fn_to_decimal(GoCall *call, GoValue *out)
{
	int64_t number = 0;
	bool range;
	autobuf Buf text = {0};
	text_of(call, call->args[0], &text);
	if (call->args[0].type == GO_BYTES)
		buf_clear(&text);
	*out = go_int64(parse_int(buf_str(&text), 8, &number, &range) ? number : 0);
	return true;
}

static bool fn_add1(GoCall *call, GoValue *out)
{
	*out = go_int64(wrap_add(int64_of(call->args[0]), 1));
	return true;
}

static bool fn_add(GoCall *call, GoValue *out)
{
	int64_t sum = 0;
	for (size_t i = 0; i < call->count; i++)
		sum = wrap_add(sum, int64_of(call->args[i]));
	*out = go_int64(sum);
	return true;
}

static bool fn_sub(GoCall *call, GoValue *out)
{
	*out = go_int64(
		(int64_t)((uint64_t)int64_of(call->args[0]) - (uint64_t)int64_of(call->args[1])));
	return true;
}

static bool fn_mul(GoCall *call, GoValue *out)
{
	uint64_t product = (uint64_t)int64_of(call->args[0]);
	for (size_t i = 1; i < call->count; i++)
		product *= (uint64_t)int64_of(call->args[i]);
	*out = go_int64((int64_t)product);
	return true;
}

static bool divide(GoCall *call, bool remainder, GoValue *out)
{
	int64_t a = int64_of(call->args[0]), b = int64_of(call->args[1]);
	if (b == 0)
		return call_fail(call, "runtime error: integer divide by zero");
	if (b == -1)
		*out = go_int64(remainder ? 0 : (int64_t)(0 - (uint64_t)a));
	else
		*out = go_int64(remainder ? a % b : a / b);
	return true;
}

static bool fn_div(GoCall *call, GoValue *out)
{
	return divide(call, false, out);
}

static bool fn_mod(GoCall *call, GoValue *out)
{
	return divide(call, true, out);
}

static bool fn_max(GoCall *call, GoValue *out)
{
	int64_t best = int64_of(call->args[0]);
	for (size_t i = 1; i < call->count; i++) {
		int64_t number = int64_of(call->args[i]);
		best = number > best ? number : best;
	}
	*out = go_int64(best);
	return true;
}

static bool fn_min(GoCall *call, GoValue *out)
{
	int64_t best = int64_of(call->args[0]);
	for (size_t i = 1; i < call->count; i++) {
		int64_t number = int64_of(call->args[i]);
		best = number < best ? number : best;
	}
	*out = go_int64(best);
	return true;
}

/* math.Max and Min: NaN wins, and the sign of zero counts. */
static double extreme(double a, double b, bool max)
{
	if (isinf(a) && (a > 0) == max)
		return a;
	if (isinf(b) && (b > 0) == max)
		return b;
	if (isnan(a) || isnan(b))
		return (double)NAN;
	if (!(a < b) && !(a > b))
		return signbit(a) == max ? b : a;
	return (a > b) == max ? a : b;
}

static bool extreme_of(GoCall *call, bool max, GoValue *out)
{
	double best = float_of(call->args[0]);
	for (size_t i = 1; i < call->count; i++)
		best = extreme(best, float_of(call->args[i]), max);
	*out = go_real(best);
	return true;
}

static bool fn_maxf(GoCall *call, GoValue *out)
{
	return extreme_of(call, true, out);
}

static bool fn_minf(GoCall *call, GoValue *out)
{
	return extreme_of(call, false, out);
}

static bool fn_floor(GoCall *call, GoValue *out)
{
	*out = go_real(floor(float_of(call->args[0])));
	return true;
}

static bool fn_ceil(GoCall *call, GoValue *out)
{
	*out = go_real(ceil(float_of(call->args[0])));
	return true;
}

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

/* from, from + step, ... before to; empty when step leads away from it. */
static bool steps(GoCall *call, int64_t from, int64_t to, int64_t step, GoValue *out)
{
	GoValue *items;
	bool down = to < from;
	if ((down && step >= 0) || (!down && step <= 0)) {
		*out = new_list(call, GO_INTS, 0, &items);
		return true;
	}
	uint64_t distance = down ? (uint64_t)from - (uint64_t)to : (uint64_t)to - (uint64_t)from;
	uint64_t stride = down ? 0 - (uint64_t)step : (uint64_t)step;
	uint64_t count = distance / stride + (distance % stride ? 1 : 0);
	if (count > LIST_MAX)
		return call_fail(call, "result is too large");
	if (!room_for(call, count))
		return false;
	*out = new_list(call, GO_INTS, count, &items);
	for (uint64_t i = 0; i < count; i++)
		items[i] = go_int((int64_t)((uint64_t)from + i * (uint64_t)step));
	return true;
}

static bool fn_until(GoCall *call, GoValue *out)
{
	int64_t count = call->args[0].integer;
	return steps(call, 0, count, count < 0 ? -1 : 1, out);
}

static bool fn_until_step(GoCall *call, GoValue *out)
{
	return steps(call, call->args[0].integer, call->args[1].integer, call->args[2].integer,
		     out);
}

static bool join_numbers(GoCall *call, GoValue list, GoValue *out)
{
	autobuf Buf text = {0};
	for (size_t i = 0; i < go_len(list); i++)
		buf_printf(&text, i ? " %lld" : "%lld", (long long)list.list->items[i].integer);
	return call_return_text(call, &text, out);
}

static bool fn_seq(GoCall *call, GoValue *out)
{
	int64_t start = 1, step, end, sign;
	*out = go_cstr("");
	if (call->count == 0 || call->count > 3)
		return true;
	if (call->count > 1)
		start = call->args[0].integer;
	end = call->args[call->count - 1].integer;
	sign = end < start ? -1 : 1;
	step = call->count == 3 ? call->args[1].integer : sign;
	if (call->count == 3 && sign < 0 && step > 0)
		return true;
	return steps(call, start, wrap_add(end, sign), step, out) && join_numbers(call, *out, out);
}

static bool fn_rand_int(GoCall *call, GoValue *out)
{
	int64_t low = call->args[0].integer, high = call->args[1].integer;
	uint64_t span = (uint64_t)high - (uint64_t)low;
	if ((int64_t)span <= 0)
		return call_fail(call, "invalid argument to Intn");
	*out = go_int((int64_t)((uint64_t)low + rand_below(span)));
	return true;
}

const GoFn functions_math[] = {
	{"int", "a", fn_int},
	{"int64", "a", fn_int64},
	{"float64", "a", fn_float64},
	{"atoi", "s", fn_atoi},
	{"toDecimal", "a", fn_to_decimal},
	{"add1", "a", fn_add1},
	{"add", "a*", fn_add},
	{"sub", "aa", fn_sub},
	{"div", "aa", fn_div},
	{"mod", "aa", fn_mod},
	{"mul", "aa*", fn_mul},
	{"max", "aa*", fn_max},
	{"biggest", "aa*", fn_max},
	{"min", "aa*", fn_min},
	{"maxf", "aa*", fn_maxf},
	{"minf", "aa*", fn_minf},
	{"floor", "a", fn_floor},
	{"ceil", "a", fn_ceil},
	{"round", "aif*", fn_round},
	{"addf", "a*", fn_addf},
	{"add1f", "a", fn_add1f},
	{"subf", "aa*", fn_subf},
	{"mulf", "aa*", fn_mulf},
	{"divf", "aa*", fn_divf},
	{"until", "i", fn_until},
	{"untilStep", "iii", fn_until_step},
	{"seq", "i*", fn_seq},
	{"randInt", "ii", fn_rand_int},
	{0},
};
