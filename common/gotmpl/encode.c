#include "gotmpl/encode.h"

#include <math.h>

#include "data/base64.h"
#include "data/yaml.h"
#include "gotmpl/strconv.h"
#include "gotmpl/time.h"

/*
 * encoding/json: keys sorted by bytes, floats in plain digits below 1e21 and down to 1e-6, what is
 * not UTF-8 as U+FFFD.
 */

enum { ENCODE_MAX_DEPTH = 500 };

typedef struct {
	GoCall *call;
	const JsonStyle *style;
	Buf *out;
	int depth;
} Encoder;

static bool encode(Encoder *e, GoValue value);

static void write_rune(Encoder *e, uint32_t rune, bool broken)
{
	const bool html = e->style->escape_html;
	if (rune == '"' || rune == '\\')
		buf_printf(e->out, "\\%c", (char)rune);
	else if (rune == '\b' || rune == '\f' || rune == '\n' || rune == '\r' || rune == '\t')
		buf_printf(e->out, "\\%c", "btn?fr"[rune - 8]);
	else if (rune < ' ' || (html && (rune == '<' || rune == '>' || rune == '&')))
		buf_printf(e->out, "\\u%04x", rune);
	else if (broken)
		buf_puts(e->out, "\\ufffd");
	else if (rune == 0x2028 || rune == 0x2029)
		buf_printf(e->out, "\\u%04x", rune);
	else
		buf_put_rune(e->out, rune);
}

static void write_text(Encoder *e, Str text)
{
	size_t width;
	buf_putc(e->out, '"');
	for (size_t at = 0; at < text.len; at += width) {
		uint32_t rune = rune_decode(str_slice(text, at, text.len), &width);
		write_rune(e, rune, rune == RUNE_ERROR && width == 1);
	}
	buf_putc(e->out, '"');
}

static bool write_real(Encoder *e, double real)
{
	autobuf Buf text = {0};
	if (!isfinite(real)) {
		format_float(real, 'g', -1, &text);
		return call_fail(e->call, "json: unsupported value: %s", buf_text(&text));
	}
	double size = fabs(real);
	bool exponent = size > 0 && (size < 1e-6 || size >= 1e21);
	format_float(real, exponent ? 'e' : 'f', -1, &text);
	/* e-09 becomes e-9 */
	if (exponent && text.len > 4 && text.ptr[text.len - 4] == 'e' &&
	    text.ptr[text.len - 3] == '-' && text.ptr[text.len - 2] == '0') {
		text.ptr[text.len - 2] = text.ptr[text.len - 1];
		text.len--;
	}
	buf_add(e->out, buf_str(&text));
	return true;
}

static void new_line(Encoder *e)
{
	if (!e->style->indent)
		return;
	buf_putc(e->out, '\n');
	for (int i = 0; i < e->depth; i++)
		buf_puts(e->out, e->style->indent);
}

static bool encode_list(Encoder *e, GoValue value)
{
	size_t len = go_len(value);
	if (!value.list) {
		buf_puts(e->out, "null");
		return true;
	}
	buf_putc(e->out, '[');
	e->depth++;
	for (size_t i = 0; i < len; i++) {
		if (i > 0)
			buf_putc(e->out, ',');
		new_line(e);
		if (!encode(e, go_item(call_arena(e->call), value, i)))
			return false;
	}
	e->depth--;
	if (len > 0)
		new_line(e);
	buf_putc(e->out, ']');
	return true;
}

static bool encode_member(Encoder *e, Str key, GoValue value, bool first)
{
	if (!first)
		buf_putc(e->out, ',');
	new_line(e);
	write_text(e, key);
	buf_puts(e->out, e->style->indent ? ": " : ":");
	return encode(e, value);
}

static bool encode_map(Encoder *e, GoMap *map)
{
	if (!map) {
		buf_puts(e->out, "null");
		return true;
	}
	go_map_load(call_arena(e->call), map);
	buf_putc(e->out, '{');
	e->depth++;
	for (size_t i = 0; i < map->len; i++)
		if (!encode_member(e, map->members[i].key, map->members[i].value, i == 0))
			return false;
	e->depth--;
	if (map->len > 0)
		new_line(e);
	buf_putc(e->out, '}');
	return true;
}

/* Whether JSON has the field, and under which name. */
static bool has_member(const GoStruct *record, size_t at, Str *out_name)
{
	const GoStructType *type = record->type;
	*out_name = str_of(type->json ? type->json[at] : type->fields[at]);
	return type->json ? record->fields[at].text.len > 0
			  : type->fields[at][0] < 'a'; /* exported */
}

static bool encode_struct(Encoder *e, const GoStruct *record)
{
	const GoStructType *type = record->type;
	if (type->string && type->pointer) { /* semver.Version marshals as its text */
		write_text(e, type->string(record, call_arena(e->call)));
		return true;
	}
	buf_putc(e->out, '{');
	e->depth++;
	bool first = true;
	for (size_t i = 0; type->fields && type->fields[i]; i++) {
		Str name;
		if (!has_member(record, i, &name))
			continue;
		if (!encode_member(e, name, record->fields[i], first))
			return false;
		first = false;
	}
	e->depth--;
	if (!first)
		new_line(e);
	buf_putc(e->out, '}');
	return true;
}

static void encode_bytes(Encoder *e, Str bytes)
{
	autofree char *text = base64_encode(bytes.ptr, bytes.len);
	buf_printf(e->out, "\"%s\"", text);
}

static void encode_time(Encoder *e, const GoTime *time)
{
	buf_putc(e->out, '"');
	time_format(time, STR("2006-01-02T15:04:05.999999999Z07:00"), e->out);
	buf_putc(e->out, '"');
}

static bool encode_scalar(Encoder *e, GoValue value)
{
	switch (go_kind(value)) {
	case GO_KIND_BOOL:
		buf_puts(e->out, value.flag ? "true" : "false");
		return true;
	case GO_KIND_INT:
		buf_printf(e->out, "%lld", (long long)value.integer);
		return true;
	case GO_KIND_UINT:
		buf_printf(e->out, "%llu", (unsigned long long)value.natural);
		return true;
	case GO_KIND_FLOAT:
		return write_real(e, value.real);
	case GO_KIND_STRING:
		write_text(e, value.text);
		return true;
	case GO_KIND_COMPLEX:
		return call_fail(e->call, "json: unsupported type: complex128");
	case GO_KIND_INVALID:
	case GO_KIND_SLICE:
	case GO_KIND_MAP:
	case GO_KIND_STRUCT:
	case GO_KIND_PTR:
		break;
	}
	buf_puts(e->out, "null");
	return true;
}

static bool encode(Encoder *e, GoValue value)
{
	if (e->depth > ENCODE_MAX_DEPTH)
		return call_fail(e->call, "json: unsupported value: encountered a cycle");
	if (e->out->len > e->call->run->limits.output_bytes)
		return call_fail(e->call, "result is too large");
	if (value.type == GO_BYTES)
		encode_bytes(e, value.text);
	else if (go_is_list(value))
		return encode_list(e, value);
	else if (go_is_map(value))
		return encode_map(e, value.map);
	else if (value.type == GO_STRUCT)
		return encode_struct(e, value.record);
	else if (value.type == GO_TIME)
		encode_time(e, value.time);
	else
		return encode_scalar(e, value);
	return true;
}

bool encode_json(GoCall *call, GoValue value, const JsonStyle *style, Buf *out)
{
	Encoder e = {.call = call, .style = style, .out = out};
	return encode(&e, value);
}

/* Blanks and next lines (U+0085) of a quoted text, from at on, as YAML folds them. Returns
 * their length; 0 when there is no such line end among them. */
static size_t fold(Str text, size_t at, Buf *out)
{
	size_t end = at, breaks = 0;
	while (end < text.len) {
		if (text.ptr[end] == ' ') {
			end++;
		} else if (str_starts(str_slice(text, end, text.len), STR("\xc2\x85"))) {
			end += 2;
			breaks++;
		} else {
			break;
		}
	}
	if (breaks == 0)
		return 0;
	if (breaks == 1)
		buf_putc(out, ' ');
	for (size_t i = 1; i < breaks; i++)
		buf_puts(out, "\\n");
	return end - at;
}

/* What YAML takes in no place: DEL, C1 controls but the next line, U+FFFE and U+FFFF. */
static bool is_refused(uint32_t rune)
{
	return (rune >= 0x7f && rune < 0xa0 && rune != 0x85) || rune == 0xfffe || rune == 0xffff;
}

/* JSON text as a reader of YAML sees it, which is what sigs.k8s.io/yaml has for it; the text that
 * it stands for, in JSON again. A key has no line end in it. */
static bool read_as_yaml(GoCall *call, const Buf *json, Buf *out)
{
	Str text = buf_str(json);
	bool quoted = false, folds = false;
	for (size_t at = 0, width, folded; at < text.len; at += width) {
		uint32_t rune = rune_decode(str_slice(text, at, text.len), &width);
		if (is_refused(rune))
			return call_fail(call, "yaml: control characters are not allowed");
		if (rune == '"') {
			quoted = !quoted;
			if (!quoted && folds && at + 1 < text.len && text.ptr[at + 1] == ':')
				return call_fail(call, "yaml: did not find expected ':'");
			folds = false;
		}
		folded = quoted ? fold(text, at, out) : 0;
		if (folded) {
			width = folded;
			folds = true;
			continue;
		}
		if (rune == '\\')
			width = 2; /* never a line end: those of JSON are escaped with letters */
		buf_add(out, str_slice(text, at, at + width));
	}
	return true;
}

/* A NUL at a text's end would be taken for the mark of a quoted one (data/written.h): it gets that
 * mark, too. */
static void mark_nul_ends(json_t *tree)
{
	const char *key;
	json_t *item;
	size_t index, len = json_string_length(tree);
	json_object_foreach(tree, key, item)
	{
		mark_nul_ends(item);
	}
	json_array_foreach(tree, index, item)
	{
		mark_nul_ends(item);
	}
	if (len == 0 || json_string_value(tree)[len - 1])
		return;
	autofree char *text = str_dup(str_sized(json_string_value(tree), len));
	json_string_setn_nocheck(tree, text, len + 1);
}

/* What the text of a value would be read back as. */
static json_t *tree_of_text(GoCall *call, GoValue value)
{
	static const JsonStyle plain = {0};
	autobuf Buf text = {0};
	autoerror Error err = {0};
	autobuf Buf read = {0};
	if (!encode_json(call, value, &plain, &text) || !read_as_yaml(call, &text, &read))
		return NULL;
	json_t *tree = json_parse_with_nul(buf_text(&read), read.len, read.len + 1, &err);
	if (!tree)
		call_fail(call, "%s", err_text(&err));
	else if (strstr(buf_text(&read), "\\u0000"))
		mark_nul_ends(tree);
	return tree;
}

/* ---- plain values: the same tree without a text ---- */

enum { PLAIN_MAX_DEPTH = 64, PLAIN_MAX_BYTES = 1 << 20, PLAIN_VALUE_BYTES = 64 };

typedef struct {
	Arena *arena;
	size_t bytes; /* that may still be used: a value may stand in another many times */
	int depth;
} Plain;

static json_t *plain_tree(Plain *plain, GoValue value);

/* Without DEL, which no reader of YAML takes. */
static bool is_ascii(Str text)
{
	unsigned char bad = 0;
	for (size_t i = 0; i < text.len; i++)
		bad |= (unsigned char)(text.ptr[i] <= 0 || text.ptr[i] == 0x7f);
	return !bad;
}

static json_t *plain_list(Plain *plain, GoValue value)
{
	autojson json_t *list = json_array();
	for (size_t i = 0; i < go_len(value); i++) {
		json_t *item = plain_tree(plain, go_item(plain->arena, value, i));
		if (!item)
			return NULL;
		json_array_append_new(list, item);
	}
	return steal(&list);
}

static json_t *plain_map(Plain *plain, GoMap *map)
{
	autojson json_t *object = json_object();
	go_map_load(plain->arena, map);
	for (size_t i = 0; i < map->len; i++) {
		Str key = map->members[i].key;
		json_t *item = is_ascii(key) ? plain_tree(plain, map->members[i].value) : NULL;
		if (!item)
			return NULL;
		json_object_setn_new_nocheck(object, key.ptr, key.len, item);
	}
	return steal(&object);
}

static json_t *plain_scalar(GoValue value)
{
	double real = value.real;
	switch ((int)go_kind(value)) {
	case GO_KIND_BOOL:
		return json_boolean(value.flag);
	case GO_KIND_INT:
		return json_integer(value.integer);
	case GO_KIND_FLOAT: /* small whole numbers, and no minus zero */
		if (!(fabs(real) < 1e15) || trunc(real) < real || trunc(real) > real ||
		    (signbit(real) && fabs(real) < 1))
			return NULL;
		return json_integer((json_int_t)real);
	case GO_KIND_STRING:
		return is_ascii(value.text) ? json_stringn_nocheck(value.text.ptr, value.text.len)
					    : NULL;
	case GO_KIND_INVALID:
		return json_null();
	default:
		return NULL;
	}
}

/* NULL, and nothing is wrong: the value has something in it that its text is to decide. */
static json_t *plain_tree(Plain *plain, GoValue value)
{
	size_t cost = PLAIN_VALUE_BYTES + (value.type == GO_STRING ? value.text.len : 0);
	json_t *tree = NULL;
	if (plain->depth == PLAIN_MAX_DEPTH || plain->bytes < cost || value.type == GO_BYTES)
		return NULL;
	plain->bytes -= cost;
	plain->depth++;
	if (go_is_map(value))
		tree = value.map ? plain_map(plain, value.map) : json_null();
	else if (go_is_list(value))
		tree = value.list ? plain_list(plain, value) : json_null();
	else if (value.type != GO_STRUCT && value.type != GO_TIME)
		tree = plain_scalar(value);
	plain->depth--;
	return tree;
}

json_t *encode_tree(GoCall *call, GoValue value)
{
	Plain plain = {.arena = call_arena(call), .bytes = PLAIN_MAX_BYTES};
	json_t *tree = plain_tree(&plain, value);
	return tree ? tree : tree_of_text(call, value);
}

static void cut_newline(Buf *text)
{
	if (text->len > 0 && text->ptr[text->len - 1] == '\n')
		text->ptr[--text->len] = '\0';
}

bool encode_yaml(GoCall *call, GoValue value, Buf *out)
{
	autojson json_t *tree = encode_tree(call, value);
	if (!tree)
		return false;
	yaml_emit(tree, out);
	cut_newline(out);
	return true;
}

static json_t *tree_of(GoCall *call, GoValue value, int depth);

static json_t *list_tree(GoCall *call, GoValue value, int depth)
{
	autojson json_t *list = json_array();
	for (size_t i = 0; i < go_len(value); i++) {
		json_t *item = tree_of(call, go_item(call_arena(call), value, i), depth + 1);
		if (!item)
			return NULL;
		json_array_append_new(list, item);
	}
	return steal(&list);
}

static json_t *map_tree(GoCall *call, GoMap *map, int depth)
{
	autojson json_t *object = json_object();
	go_map_load(call_arena(call), map);
	for (size_t i = 0; i < map->len; i++) {
		autofree char *key = str_dup(map->members[i].key);
		json_t *item = tree_of(call, map->members[i].value, depth + 1);
		if (!item)
			return NULL;
		json_object_set_new(object, key, item);
	}
	return steal(&object);
}

/* The value with its numbers as they are: a float64 stays a real. Owned. */
static json_t *tree_of(GoCall *call, GoValue value, int depth)
{
	if (depth > ENCODE_MAX_DEPTH) {
		call_fail(call, "yaml: value is nested too deeply");
		return NULL;
	}
	if (value.type == GO_FLOAT64 && isfinite(value.real))
		return json_real(value.real);
	if (value.type == GO_STRING)
		return json_text_new(value.text.ptr, value.text.len);
	if (go_is_map(value))
		return value.map ? map_tree(call, value.map, depth) : json_object();
	if (go_is_list(value) && value.type != GO_BYTES)
		return list_tree(call, value, depth);
	return encode_tree(call, value);
}

bool encode_yaml_pretty(GoCall *call, GoValue value, Buf *out)
{
	autojson json_t *tree = tree_of(call, value, 0);
	if (!tree)
		return false;
	mark_nul_ends(tree);
	yaml_emit_pretty(tree, out);
	cut_newline(out);
	return true;
}
