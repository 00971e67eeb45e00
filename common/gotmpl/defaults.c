#include "gotmpl/convert.h"
#include "gotmpl/functions.h"

/* Defaults, and questions about types. */

static bool fn_default(GoCall *call, GoValue *out)
{
	bool given = call->count > 1 && !is_empty(call->args[1]);
	*out = call->args[given ? 1 : 0];
	return true;
}

static bool fn_empty(GoCall *call, GoValue *out)
{
	*out = go_bool(is_empty(call->args[0]));
	return true;
}

static bool fn_coalesce(GoCall *call, GoValue *out)
{
	*out = go_nil();
	for (size_t i = 0; i < call->count && is_empty(*out); i++)
		if (!is_empty(call->args[i]))
			*out = call->args[i];
	return true;
}

static bool count_full(GoCall *call, size_t wanted, GoValue *out)
{
	size_t full = 0;
	for (size_t i = 0; i < call->count; i++)
		full += !is_empty(call->args[i]);
	*out = go_bool(full >= wanted);
	return true;
}

static bool fn_all(GoCall *call, GoValue *out)
{
	return count_full(call, call->count, out);
}

static bool fn_any(GoCall *call, GoValue *out)
{
	return count_full(call, 1, out);
}

static bool fn_ternary(GoCall *call, GoValue *out)
{
	*out = call->args[call->args[2].flag ? 0 : 1];
	return true;
}

static bool fn_type_of(GoCall *call, GoValue *out)
{
	*out = go_cstr(go_type_name(call->args[0]));
	return true;
}

static bool fn_type_is(GoCall *call, GoValue *out)
{
	*out = go_bool(str_eq(call->args[0].text, str_of(go_type_name(call->args[1]))));
	return true;
}

static bool fn_type_is_like(GoCall *call, GoValue *out)
{
	const char *name = go_type_name(call->args[1]);
	Str wanted = call->args[0].text;
	*out = go_bool(str_eq(wanted, str_of(name)) ||
		       (*name == '*' && str_eq(wanted, str_of(name + 1))));
	return true;
}

static bool fn_kind_of(GoCall *call, GoValue *out)
{
	*out = go_cstr(go_kind_name(call->args[0]));
	return true;
}

static bool fn_kind_is(GoCall *call, GoValue *out)
{
	*out = go_bool(str_eq(call->args[0].text, str_of(go_kind_name(call->args[1]))));
	return true;
}

static bool fn_deep_equal(GoCall *call, GoValue *out)
{
	*out = go_bool(go_deep_equal(call_arena(call), call->args[0], call->args[1]));
	return true;
}

const GoFn functions_defaults[] = {
	{"default", "aa*", fn_default},
	{"empty", "a", fn_empty},
	{"coalesce", "a*", fn_coalesce},
	{"all", "a*", fn_all},
	{"any", "a*", fn_any},
	{"ternary", "aab", fn_ternary},
	{"typeOf", "a", fn_type_of},
	{"typeIs", "sa", fn_type_is},
	{"typeIsLike", "sa", fn_type_is_like},
	{"kindOf", "a", fn_kind_of},
	{"kindIs", "sa", fn_kind_is},
	{"deepEqual", "aa", fn_deep_equal},
	{0},
};
