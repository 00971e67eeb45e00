#include <math.h>

#include "base/rand.h"
#include "gotmpl/convert.h"
#include "gotmpl/functions.h"
#include "gotmpl/strconv.h"

/* Arithmetic: int64 with Go's wrap-around; the largest and smallest of float64. */

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
	{"until", "i", fn_until},
	{"untilStep", "iii", fn_until_step},
	{"seq", "i*", fn_seq},
	{"randInt", "ii", fn_rand_int},
	{0},
};
