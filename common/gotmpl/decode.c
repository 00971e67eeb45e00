#include "gotmpl/decode.h"

#include "data/yaml.h"
#include "gotmpl/json_check.h"

enum { DECODE_MAX = 64 << 20 };

static const char *json_kind(const json_t *tree)
{
	switch (json_typeof(tree)) {
	case JSON_OBJECT:
		return "object";
	case JSON_ARRAY:
		return "array";
	case JSON_STRING:
		return "string";
	case JSON_INTEGER:
	case JSON_REAL:
		return "number";
	case JSON_TRUE:
	case JSON_FALSE:
		return "bool";
	case JSON_NULL:
		break;
	}
	return "null";
}

/* The tree as a value, when it is what is wanted. */
static bool take_tree(GoCall *call, json_t *tree, GoType wanted, GoValue *out, const char *prefix,
		      Buf *why)
{
	bool fits = wanted == GO_NIL || json_is_null(tree) ||
		    (wanted == GO_MAP && json_is_object(tree)) ||
		    (wanted == GO_LIST && json_is_array(tree));
	if (!fits) {
		buf_printf(why, "%sjson: cannot unmarshal %s into Go value of type %s", prefix,
			   json_kind(tree),
			   wanted == GO_MAP ? "map[string]interface {}" : "[]interface {}");
		return false;
	}
	*out = go_from_json_reals(call_arena(call), tree);
	return true;
}

bool decode_json(GoCall *call, Str text, GoType wanted, GoValue *out, Buf *why)
{
	autoerror Error err = {0};
	if (!json_check(call->run->set->unicode, text, why))
		return false;
	autojson json_t *tree = json_parse(text.ptr, text.len, DECODE_MAX, &err);
	if (tree)
		return take_tree(call, tree, wanted, out, "", why);
	buf_puts(why, err_text(&err));
	return false;
}

bool decode_yaml(GoCall *call, Str text, GoType wanted, GoValue *out, Buf *why)
{
	autoerror Error err = {0};
	autojson json_t *tree = yaml_parse_old(text.ptr, text.len, DECODE_MAX, "yaml", &err);
	if (tree)
		return take_tree(call, tree, wanted, out,
				 "error unmarshaling JSON: while decoding JSON: ", why);
	buf_puts(why, err_text(&err));
	return false;
}

GoValue error_map(GoCall *call, const Buf *why)
{
	GoMap *map = go_map_new(call_arena(call), GO_MAP);
	go_map_put(call_arena(call), map, STR("Error"), go_text(call_copy(call, buf_str(why))));
	return go_map(map);
}

GoValue error_list(GoCall *call, const Buf *why)
{
	GoValue *items;
	GoValue list = new_list(call, GO_LIST, 1, &items);
	items[0] = go_text(call_copy(call, buf_str(why)));
	return list;
}
