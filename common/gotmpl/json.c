#include "gotmpl/encode.h"
#include "gotmpl/functions.h"
#include "gotmpl/decode.h"

/* To and from JSON. */

static const JsonStyle html_style = {.escape_html = true};
static const JsonStyle pretty_style = {.escape_html = true, .indent = "  "};
static const JsonStyle raw_style = {0};

static bool to_json(GoCall *call, const JsonStyle *style, bool must, GoValue *out)
{
	autobuf Buf text = {0};
	if (!encode_json(call, call->args[0], style, &text)) {
		*out = go_cstr("");
		return !must;
	}
	return call_return_text(call, &text, out);
}

static bool fn_to_json(GoCall *call, GoValue *out)
{
	return to_json(call, &html_style, false, out);
}

static bool fn_must_to_json(GoCall *call, GoValue *out)
{
	return to_json(call, &html_style, true, out);
}

static bool fn_to_pretty_json(GoCall *call, GoValue *out)
{
	return to_json(call, &pretty_style, false, out);
}

static bool fn_must_to_pretty_json(GoCall *call, GoValue *out)
{
	return to_json(call, &pretty_style, true, out);
}

static bool fn_to_raw_json(GoCall *call, GoValue *out)
{
	return to_json(call, &raw_style, true, out);
}

static bool fn_from_json(GoCall *call, GoValue *out)
{
	autobuf Buf why = {0};
	GoValue value;
	if (!decode_json(call, call->args[0].text, GO_MAP, &value, &why))
		value = error_map(call, &why);
	*out = value.type == GO_NIL ? go_zero(GO_MAP) : value;
	return true;
}

static bool fn_from_json_array(GoCall *call, GoValue *out)
{
	autobuf Buf why = {0};
	GoValue value;
	if (!decode_json(call, call->args[0].text, GO_LIST, &value, &why))
		value = error_list(call, &why);
	*out = value.type == GO_NIL ? go_zero(GO_LIST) : value;
	return true;
}

static bool fn_must_from_json(GoCall *call, GoValue *out)
{
	autobuf Buf why = {0};
	if (decode_json(call, call->args[0].text, GO_NIL, out, &why))
		return true;
	return call_fail(call, "%s", buf_text(&why));
}

const GoFn functions_json[] = {
	{"toJson", "a", fn_to_json},
	{"mustToJson", "a", fn_must_to_json},
	{"toPrettyJson", "a", fn_to_pretty_json},
	{"mustToPrettyJson", "a", fn_must_to_pretty_json},
	{"toRawJson", "a", fn_to_raw_json},
	{"mustToRawJson", "a", fn_to_raw_json},
	{"fromJson", "s", fn_from_json},
	{"fromJsonArray", "s", fn_from_json_array},
	{"mustFromJson", "s", fn_must_from_json},
	{0},
};
