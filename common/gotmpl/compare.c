#include "gotmpl/convert.h"
#include "gotmpl/fmt.h"
#include "gotmpl/functions.h"

/* eq, ne, lt, le, gt, ge: only equal basic kinds compare; signed and unsigned integers do too. */

typedef bool (*Comparison)(GoCall *call, GoValue a, GoValue b, bool *out);

static bool is_basic(GoKind kind)
{
	return kind == GO_KIND_BOOL || kind == GO_KIND_INT || kind == GO_KIND_UINT ||
	       kind == GO_KIND_FLOAT || kind == GO_KIND_COMPLEX || kind == GO_KIND_STRING;
}

static bool is_nil(GoValue value)
{
	if (value.type == GO_NIL)
		return true;
	if (go_is_map(value))
		return !value.map;
	return go_is_list(value) && value.type != GO_BYTES && !value.list;
}

static bool fail_types(GoCall *call, GoValue a, GoValue b)
{
	return call_fail(call, "incompatible types for comparison: %s and %s", go_type_name(a),
			 go_type_name(b));
}

static bool fail_not_comparable(GoCall *call, GoValue value)
{
	autobuf Buf text = {0};
	GoFmt fmt = {call_arena(call), call->run->set->unicode, &text, 64 * 1024};
	fmt_printf(&fmt, STR("%s"), &value, 1);
	return call_fail(call, "non-comparable type %s: %s", buf_text(&text), go_type_name(value));
}

static bool fail_different(GoCall *call, GoValue a, GoValue b)
{
	autobuf Buf first = {0};
	autobuf Buf second = {0};
	GoFmt fmt = {call_arena(call), call->run->set->unicode, &first, 64 * 1024};
	fmt_printf(&fmt, STR("%s"), &a, 1);
	fmt.out = &second;
	fmt_printf(&fmt, STR("%v"), &b, 1);
	return call_fail(call, "non-comparable types %s: %s, %s: %s", buf_text(&first),
			 go_type_name(a), go_type_name(b), buf_text(&second));
}

/* Neither is of a basic kind. */
static bool equal_others(GoCall *call, GoValue a, GoValue b, bool *out)
{
	GoKind first = go_kind(a), second = go_kind(b);
	if (first != second && first != GO_KIND_INVALID && second != GO_KIND_INVALID)
		return fail_different(call, a, b);
	if (is_nil(a) || is_nil(b)) {
		*out = is_nil(a) == is_nil(b);
		return true;
	}
	if (go_is_list(b) || go_is_map(b))
		return fail_not_comparable(call, b);
	*out = b.type == GO_STRUCT && b.record->type->pointer
		       ? a.type == b.type && a.record == b.record
		       : go_deep_equal(call_arena(call), a, b);
	return true;
}

static bool equal(GoCall *call, GoValue a, GoValue b, bool *out)
{
	GoKind first = go_kind(a), second = go_kind(b);
	*out = false;
	if (!is_basic(first) && !is_basic(second))
		return equal_others(call, a, b, out);
	if (first == second) {
		b.type = a.type;
		*out = go_deep_equal(call_arena(call), a, b);
		return true;
	}
	bool integers = (first == GO_KIND_INT && second == GO_KIND_UINT) ||
			(first == GO_KIND_UINT && second == GO_KIND_INT);
	if (integers) {
		*out = a.integer >= 0 && a.integer == b.integer;
		return true;
	}
	return a.type == GO_NIL || b.type == GO_NIL || fail_types(call, a, b);
}

static bool less_integers(GoValue a, GoValue b)
{
	bool first_signed = go_kind(a) == GO_KIND_INT, second_signed = go_kind(b) == GO_KIND_INT;
	if (first_signed && second_signed)
		return a.integer < b.integer;
	if (first_signed)
		return a.integer < 0 || a.natural < b.natural;
	if (second_signed)
		return b.integer >= 0 && a.natural < b.natural;
	return a.natural < b.natural;
}

static bool less(GoCall *call, GoValue a, GoValue b, bool *out)
{
	GoKind first = go_kind(a), second = go_kind(b);
	if (!is_basic(first) || !is_basic(second))
		return call_fail(call, "invalid type for comparison");
	bool integers = (first == GO_KIND_INT || first == GO_KIND_UINT) &&
			(second == GO_KIND_INT || second == GO_KIND_UINT);
	if (!integers && first != second)
		return fail_types(call, a, b);
	if (first == GO_KIND_BOOL || first == GO_KIND_COMPLEX)
		return call_fail(call, "invalid type for comparison");
	if (integers)
		*out = less_integers(a, b);
	else if (first == GO_KIND_FLOAT)
		*out = a.real < b.real;
	else
		*out = go_compare_str(a.text, b.text) < 0;
	return true;
}

static bool less_or_equal(GoCall *call, GoValue a, GoValue b, bool *out)
{
	if (!less(call, a, b, out))
		return false;
	return *out || equal(call, a, b, out);
}

static bool fn_eq(GoCall *call, GoValue *out)
{
	bool same = false;
	if (call->count < 2)
		return call_fail(call, "missing argument for comparison");
	for (size_t i = 1; i < call->count && !same; i++)
		if (!equal(call, call->args[0], call->args[i], &same))
			return false;
	*out = go_bool(same);
	return true;
}

static bool compare(GoCall *call, Comparison comparison, bool invert, GoValue *out)
{
	bool result = false;
	if (!comparison(call, call->args[0], call->args[1], &result))
		return false;
	*out = go_bool(result != invert);
	return true;
}

static bool fn_ne(GoCall *call, GoValue *out)
{
	return compare(call, equal, true, out);
}

static bool fn_lt(GoCall *call, GoValue *out)
{
	return compare(call, less, false, out);
}

static bool fn_le(GoCall *call, GoValue *out)
{
	return compare(call, less_or_equal, false, out);
}

static bool fn_gt(GoCall *call, GoValue *out)
{
	return compare(call, less_or_equal, true, out);
}

static bool fn_ge(GoCall *call, GoValue *out)
{
	return compare(call, less, true, out);
}

const GoFn functions_compare[] = {
	{"eq", "vv*", fn_eq},
	{"ne", "vv", fn_ne},
	{"lt", "vv", fn_lt},
	{"le", "vv", fn_le},
	{"gt", "vv", fn_gt},
	{"ge", "vv", fn_ge},
	{0},
};
