#include "gotmpl/convert.h"
#include "gotmpl/functions.h"

/* Dictionaries. set and unset change their argument, as everybody who holds it sees. */

static bool fn_dict(GoCall *call, GoValue *out)
{
	GoMap *map = go_map_new(call_arena(call), GO_MAP);
	for (size_t i = 0; i < call->count; i += 2) {
		GoValue value = i + 1 < call->count ? call->args[i + 1] : go_cstr("");
		go_map_put(call_arena(call), map, text_value(call, call->args[i]), value);
	}
	*out = go_map(map);
	return true;
}

static bool fn_get(GoCall *call, GoValue *out)
{
	if (!go_map_get(call_arena(call), call->args[0].map, call->args[1].text, out))
		*out = go_cstr("");
	return true;
}

static bool fn_has_key(GoCall *call, GoValue *out)
{
	GoValue ignored;
	*out = go_bool(
		go_map_get(call_arena(call), call->args[0].map, call->args[1].text, &ignored));
	return true;
}

static bool fn_set(GoCall *call, GoValue *out)
{
	if (!call->args[0].map)
		return call_fail(call, "assignment to entry in nil map");
	go_map_put(call_arena(call), call->args[0].map, call->args[1].text, call->args[2]);
	*out = call->args[0];
	return true;
}

static bool fn_unset(GoCall *call, GoValue *out)
{
	if (call->args[0].map)
		go_map_remove(call_arena(call), call->args[0].map, call->args[1].text);
	*out = call->args[0];
	return true;
}

static bool fn_pluck(GoCall *call, GoValue *out)
{
	GoValue *items;
	size_t count = 0;
	*out = new_list(call, GO_LIST, call->count - 1, &items);
	for (size_t i = 1; i < call->count; i++)
		if (go_map_get(call_arena(call), call->args[i].map, call->args[0].text,
			       &items[count]))
			count++;
	out->list->len = count;
	return true;
}

static size_t loaded_len(GoCall *call, GoMap *map)
{
	if (map)
		go_map_load(call_arena(call), map);
	return map ? map->len : 0;
}

static bool fn_keys(GoCall *call, GoValue *out)
{
	GoValue *items;
	size_t total = 0, done = 0;
	for (size_t i = 0; i < call->count; i++)
		total += go_len(call->args[i]);
	*out = new_list(call, GO_STRINGS, total, &items);
	for (size_t i = 0; i < call->count; i++) {
		size_t len = loaded_len(call, call->args[i].map);
		for (size_t at = 0; at < len; at++)
			items[done++] = go_text(call->args[i].map->members[at].key);
	}
	return true;
}

static bool fn_values(GoCall *call, GoValue *out)
{
	GoValue *items;
	GoMap *map = call->args[0].map;
	*out = new_list(call, GO_LIST, loaded_len(call, map), &items);
	for (size_t i = 0; i < out->list->len; i++)
		items[i] = map->members[i].value;
	return true;
}

static bool is_named(const GoCall *call, Str key)
{
	for (size_t i = 1; i < call->count; i++)
		if (str_eq(call->args[i].text, key))
			return true;
	return false;
}

static bool select_members(GoCall *call, bool named, GoValue *out)
{
	GoMap *from = call->args[0].map, *map = go_map_new(call_arena(call), GO_MAP);
	size_t len = loaded_len(call, from);
	for (size_t i = 0; i < len; i++)
		if (is_named(call, from->members[i].key) == named)
			go_map_put(call_arena(call), map, from->members[i].key,
				   from->members[i].value);
	*out = go_map(map);
	return true;
}

static bool fn_pick(GoCall *call, GoValue *out)
{
	return select_members(call, true, out);
}

static bool fn_omit(GoCall *call, GoValue *out)
{
	return select_members(call, false, out);
}

/* What Go says of a type assertion that fails. */
static bool fail_conversion(GoCall *call, GoValue value, const char *wanted)
{
	return call_fail(call, "interface conversion: interface {} is %s, not %s",
			 value.type == GO_NIL ? "nil" : go_type_name(value), wanted);
}

static bool fn_dig(GoCall *call, GoValue *out)
{
	if (call->count < 3)
		return call_fail(call, "dig needs at least three arguments");
	GoValue value = call->args[call->count - 1];
	size_t keys = call->count - 2;
	if (value.type != GO_MAP)
		return fail_conversion(call, value, "map[string]interface {}");
	for (size_t i = 0; i < keys; i++)
		if (call->args[i].type != GO_STRING)
			return fail_conversion(call, call->args[i], "string");
	for (size_t i = 0; i < keys; i++) {
		if (value.type != GO_MAP)
			return fail_conversion(call, value, "map[string]interface {}");
		if (!go_map_get(call_arena(call), value.map, call->args[i].text, &value)) {
			*out = call->args[call->count - 2];
			return true;
		}
	}
	*out = value;
	return true;
}

const GoFn functions_dicts[] = {
	{"dict", "a*", fn_dict},  {"get", "ms", fn_get},      {"hasKey", "ms", fn_has_key},
	{"set", "msa", fn_set},	  {"unset", "ms", fn_unset},  {"pluck", "sm*", fn_pluck},
	{"keys", "m*", fn_keys},  {"values", "m", fn_values}, {"pick", "ms*", fn_pick},
	{"omit", "ms*", fn_omit}, {"dig", "a*", fn_dig},      {0},
};
