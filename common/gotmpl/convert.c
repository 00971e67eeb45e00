#include "gotmpl/convert.h"

#include <math.h>

#include "gotmpl/fmt.h"
#include "gotmpl/strconv.h"

void text_of(GoCall *call, GoValue value, Buf *out)
{
	GoRun *run = call->run;
	if (value.type == GO_STRING || value.type == GO_BYTES) {
		buf_add(out, value.text);
		return;
	}
	GoFmt fmt = {run->arena, run->set->unicode, out, run->limits.output_bytes};
	fmt_value(&fmt, value);
}

Str text_value(GoCall *call, GoValue value)
{
	if (value.type == GO_STRING || value.type == GO_BYTES)
		return value.text;
	autobuf Buf text = {0};
	text_of(call, value, &text);
	return call_copy(call, buf_str(&text));
}

/* "1.00" is read as 1: zeros behind the point go. */
static Str trim_zero_decimal(Str text)
{
	bool zero = false;
	for (size_t i = text.len; i > 0; i--) {
		if (text.ptr[i - 1] == '.')
			return zero ? str_slice(text, 0, i - 1) : text;
		if (text.ptr[i - 1] != '0')
			return text;
		zero = true;
	}
	return text;
}

/* As Go converts on amd64: what does not fit is the smallest integer. */
static int64_t truncate_float(double real)
{
	if (isnan(real) || real >= 9223372036854775808.0 || real < -9223372036854775808.0)
		return INT64_MIN;
	return (int64_t)real;
}

int64_t int64_of(GoValue value)
{
	int64_t number = 0;
	bool range;
	switch (go_kind(value)) {
	case GO_KIND_INT:
	case GO_KIND_UINT:
		return value.integer;
	case GO_KIND_FLOAT:
		return truncate_float(value.real);
	case GO_KIND_BOOL:
		return value.flag;
	case GO_KIND_STRING:
		return parse_int(trim_zero_decimal(value.text), 0, &number, &range) ? number : 0;
	case GO_KIND_INVALID:
	case GO_KIND_COMPLEX:
	case GO_KIND_SLICE:
	case GO_KIND_MAP:
	case GO_KIND_STRUCT:
	case GO_KIND_PTR:
		break;
	}
	return 0;
}

double float_of(GoValue value)
{
	double number = 0;
	bool range;
	switch (go_kind(value)) {
	case GO_KIND_INT:
		return (double)value.integer;
	case GO_KIND_UINT:
		return (double)value.natural;
	case GO_KIND_FLOAT:
		return value.real;
	case GO_KIND_BOOL:
		return value.flag;
	case GO_KIND_STRING:
		return parse_float(value.text, &number, &range) ? number : 0;
	case GO_KIND_INVALID:
	case GO_KIND_COMPLEX:
	case GO_KIND_SLICE:
	case GO_KIND_MAP:
	case GO_KIND_STRUCT:
	case GO_KIND_PTR:
		break;
	}
	return 0;
}

bool is_empty(GoValue value)
{
	return !go_truth(value);
}

bool room_for(GoCall *call, size_t count)
{
	const GoRun *run = call->run;
	if (count < run->limits.memory_bytes / sizeof(GoValue) &&
	    arena_size(run->arena) + count * sizeof(GoValue) < run->limits.memory_bytes)
		return true;
	return call_fail(call, "result is too large");
}

GoValue new_list(GoCall *call, GoType type, size_t len, GoValue **out_items)
{
	GoList *list = go_list_new(call->run->arena, type, len);
	*out_items = list->items;
	return go_list(list);
}

void quote_value(GoCall *call, Str text, Buf *out)
{
	quote_append(call->run->set->unicode, text, false, out);
}
