#include "gotmpl/decode.h"
#include "gotmpl/encode.h"
#include "gotmpl/functions.h"

/* To and from YAML. */

static bool to_yaml(GoCall *call, bool must, GoValue *out)
{
	autobuf Buf text = {0};
	if (!encode_yaml(call, call->args[0], &text)) {
		*out = go_cstr("");
		return !must;
	}
	return call_return_text(call, &text, out);
}

static bool fn_to_yaml(GoCall *call, GoValue *out)
{
	return to_yaml(call, false, out);
}

static bool fn_must_to_yaml(GoCall *call, GoValue *out)
{
	return to_yaml(call, true, out);
}

static bool fn_to_yaml_pretty(GoCall *call, GoValue *out)
{
	autobuf Buf text = {0};
	if (encode_yaml_pretty(call, call->args[0], &text))
		return call_return_text(call, &text, out);
	*out = go_cstr("");
	return true;
}

static bool fn_from_yaml(GoCall *call, GoValue *out)
{
	autobuf Buf why = {0};
	GoValue value;
	if (!decode_yaml(call, call->args[0].text, GO_MAP, &value, &why))
		value = error_map(call, &why);
	else if (value.type == GO_NIL)
		value = go_map(go_map_new(call_arena(call), GO_MAP));
	*out = value;
	return true;
}

static bool fn_from_yaml_array(GoCall *call, GoValue *out)
{
	autobuf Buf why = {0};
	GoValue value, *items;
	if (!decode_yaml(call, call->args[0].text, GO_LIST, &value, &why))
		value = error_list(call, &why);
	else if (value.type == GO_NIL)
		value = new_list(call, GO_LIST, 0, &items);
	*out = value;
	return true;
}

const GoFn functions_yaml[] = {
	{"toYaml", "a", fn_to_yaml},
	{"mustToYaml", "a", fn_must_to_yaml},
	{"toYamlPretty", "a", fn_to_yaml_pretty},
	{"fromYaml", "s", fn_from_yaml},
	{"fromYamlArray", "s", fn_from_yaml_array},
	{0},
};
