#include "gotmpl/convert.h"
#include "gotmpl/fmt.h"
#include "gotmpl/functions.h"

/* The functions of text/template itself; comparisons are in compare.c. */

static bool fn_special(GoCall *call, GoValue *out)
{
	(void)out; /* eval.c handles and, or itself */
	return call_fail(call, "unreachable");
}

static bool fn_not(GoCall *call, GoValue *out)
{
	*out = go_bool(!go_truth(call->args[0]));
	return true;
}

static bool fn_len(GoCall *call, GoValue *out)
{
	GoValue item = call->args[0];
	if (item.type == GO_NIL && item.boxed)
		return call_fail(call, "len of nil pointer");
	if (item.type == GO_NIL)
		return call_fail(call, "reflect: call of reflect.Value.Type on zero Value");
	GoKind kind = go_kind(item);
	if (kind != GO_KIND_STRING && kind != GO_KIND_SLICE && kind != GO_KIND_MAP)
		return call_fail(call, "len of type %s", go_type_name(item));
	*out = go_int((int64_t)go_len(item));
	return true;
}

static bool index_sequence(GoCall *call, GoValue item, GoValue index, GoValue *out)
{
	GoKind kind = go_kind(index);
	if (index.type == GO_NIL)
		return call_fail(call, "cannot index slice/array with nil");
	if (kind != GO_KIND_INT && kind != GO_KIND_UINT)
		return call_fail(call, "cannot index slice/array with type %s",
				 go_type_name(index));
	int64_t len = (int64_t)go_len(item);
	if (index.integer < 0 || index.integer > len)
		return call_fail(call, "index out of range: %lld", (long long)index.integer);
	if (index.integer == len)
		return call_fail(call, "reflect: %s index out of range",
				 item.type == GO_STRING ? "string" : "slice");
	*out = go_item(call_arena(call), item, (size_t)index.integer);
	return true;
}

static bool index_map(GoCall *call, GoValue item, GoValue index, GoValue *out)
{
	if (index.type == GO_NIL)
		return call_fail(call, "value is nil; should be of type string");
	if (index.type != GO_STRING)
		return call_fail(call, "value has type %s; should be string", go_type_name(index));
	GoType element = go_element_type(item.type);
	if (!go_map_get(call_arena(call), item.map, index.text, out))
		*out = go_zero(element);
	out->boxed = element == GO_NIL;
	return true;
}

static bool fn_index(GoCall *call, GoValue *out)
{
	GoValue item = call->args[0];
	if (item.type == GO_NIL)
		return call_fail(call, "index of untyped nil");
	for (size_t i = 1; i < call->count; i++) {
		if (item.type == GO_NIL)
			return call_fail(call, "index of nil pointer");
		bool fine;
		if (item.type == GO_STRING || go_is_list(item))
			fine = index_sequence(call, item, call->args[i], &item);
		else if (go_is_map(item))
			fine = index_map(call, item, call->args[i], &item);
		else
			fine = call_fail(call, "can't index item of type %s", go_type_name(item));
		if (!fine)
			return false;
	}
	*out = item;
	return true;
}

static GoFmt call_fmt(GoCall *call, Buf *out)
{
	const GoRun *run = call->run;
	return (GoFmt){run->arena, run->set->unicode, out, run->limits.output_bytes};
}

static bool fn_print(GoCall *call, GoValue *out)
{
	autobuf Buf text = {0};
	GoFmt fmt = call_fmt(call, &text);
	fmt_print(&fmt, call->args, call->count);
	return call_return_text(call, &text, out);
}

static bool fn_println(GoCall *call, GoValue *out)
{
	autobuf Buf text = {0};
	GoFmt fmt = call_fmt(call, &text);
	fmt_println(&fmt, call->args, call->count);
	return call_return_text(call, &text, out);
}

static bool fn_printf(GoCall *call, GoValue *out)
{
	autobuf Buf text = {0};
	GoFmt fmt = call_fmt(call, &text);
	fmt_printf(&fmt, call->args[0].text, call->args + 1, call->count - 1);
	return call_return_text(call, &text, out);
}

/* What the escapers escape: one string as it is, else Sprint with "<no value>" for nil. */
static void eval_args(GoCall *call, Buf *out)
{
	GoFmt fmt = call_fmt(call, out);
	GoValue *args = arena_alloc(call_arena(call), (call->count + 1) * sizeof(GoValue));
	for (size_t i = 0; i < call->count; i++)
		args[i] = call->args[i].type == GO_NIL ? go_cstr("<no value>") : call->args[i];
	fmt_print(&fmt, args, call->count);
}

static bool fn_html(GoCall *call, GoValue *out)
{
	static const struct {
		char byte;
		const char *entity;
	} rows[] = {{'\0', "\xef\xbf\xbd"}, {'"', "&#34;"}, {'\'', "&#39;"},
		    {'&', "&amp;"},	    {'<', "&lt;"},  {'>', "&gt;"}};
	autobuf Buf text = {0};
	autobuf Buf escaped = {0};
	eval_args(call, &text);
	for (size_t i = 0; i < text.len; i++) {
		const char *entity = NULL;
		for (size_t row = 0; row < COUNT(rows); row++)
			if (rows[row].byte == text.ptr[i])
				entity = rows[row].entity;
		if (entity)
			buf_puts(&escaped, entity);
		else
			buf_putc(&escaped, text.ptr[i]);
	}
	return call_return_text(call, &escaped, out);
}

static void escape_js(GoCall *call, Str text, Buf *out)
{
	size_t width;
	for (size_t at = 0; at < text.len; at += width) {
		uint32_t rune = rune_decode(str_slice(text, at, text.len), &width);
		if (rune == '\\' || rune == '\'' || rune == '"')
			buf_printf(out, "\\%c", (char)rune);
		else if (rune < ' ' || rune == '<' || rune == '>' || rune == '&' || rune == '=')
			buf_printf(out, "\\u%04X", rune);
		else if (rune < 0x80 || rune_is_print(call->run->set->unicode, rune))
			buf_append(out, text.ptr + at, width);
		else
			buf_printf(out, "\\u%04X", rune);
	}
}

static bool fn_js(GoCall *call, GoValue *out)
{
	autobuf Buf text = {0};
	autobuf Buf escaped = {0};
	eval_args(call, &text);
	escape_js(call, buf_str(&text), &escaped);
	return call_return_text(call, &escaped, out);
}

static bool fn_urlquery(GoCall *call, GoValue *out)
{
	autobuf Buf text = {0};
	autobuf Buf escaped = {0};
	eval_args(call, &text);
	for (size_t i = 0; i < text.len; i++) {
		char byte = text.ptr[i];
		bool plain = (byte >= '0' && byte <= '9') ||
			     ((byte | 32) >= 'a' && (byte | 32) <= 'z') ||
			     (byte && strchr("-_.~", byte));
		if (plain)
			buf_putc(&escaped, byte);
		else if (byte == ' ')
			buf_putc(&escaped, '+');
		else
			buf_printf(&escaped, "%%%02X", (unsigned char)byte);
	}
	return call_return_text(call, &escaped, out);
}

/* There are no values that are functions. */
static bool fn_call(GoCall *call, GoValue *out)
{
	(void)out;
	autobuf Buf name = {0};
	const Node *node = call->run->node;
	if (call->args[0].type == GO_NIL)
		return call_fail(call, "call of nil");
	if (node)
		node_write(call->run->set->unicode, node, &name);
	return call_fail(call, "non-function %s of type %s", buf_text(&name),
			 go_type_name(call->args[0]));
}

const GoFn functions_builtin[] = {
	{"and", "vv*", fn_special},
	{"or", "vv*", fn_special},
	{"not", "v", fn_not},
	{"call", "vv*", fn_call},
	{"len", "v", fn_len},
	{"index", "vv*", fn_index},
	{"print", "a*", fn_print},
	{"println", "a*", fn_println},
	{"printf", "sa*", fn_printf},
	{"html", "a*", fn_html},
	{"js", "a*", fn_js},
	{"urlquery", "a*", fn_urlquery},
	{0},
};

const GoFn *const function_and = &functions_builtin[0];
const GoFn *const function_or = &functions_builtin[1];
const GoFn *const function_call = &functions_builtin[3];
