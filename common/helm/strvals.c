#include "helm/strvals.h"

#include <strings.h>

#include "base/mem.h"
#include "gotmpl/strconv.h"
#include "helm/scalar.h"

enum { NESTING_MAX = 30, INDEX_MAX = 65536 };

typedef struct {
	Str rest;
	const StrvalsOptions *options;
	Error *err;
	bool ended; /* false was for the text's end and not for an error: what was begun is left
		     * away, as Helm does */
} Parser;

static bool at_end(const Parser *p)
{
	return p->rest.len == 0;
}

static char take(Parser *p)
{
	char byte = p->rest.ptr[0];
	p->rest = str_slice(p->rest, 1, p->rest.len);
	return byte;
}

/* The text ended where Helm goes no further, and says nothing. */
static bool end(Parser *p)
{
	p->ended = true;
	return false;
}

/* Up to one of `stops`, which is taken too; "\" makes the next character plain. False at the end.
 */
static bool until(Parser *p, const char *stops, Buf *out, char *last)
{
	bool literal = p->options->mode == STRVALS_LITERAL;
	while (!at_end(p)) {
		*last = take(p);
		if (*last && strchr(stops, *last))
			return true;
		if (*last == '\\' && !literal) {
			if (at_end(p))
				return false;
			*last = take(p);
		}
		buf_putc(out, *last);
	}
	*last = '\0';
	return false;
}

static void set_member(json_t *map, const char *key, json_t *take_value)
{
	if (*key)
		json_object_set_new(map, key, take_value);
	else
		json_decref(take_value);
}

static bool is_word(const char *text, const char *word)
{
	return strcasecmp(text, word) == 0;
}

/* A decimal integer of int64, with a sign; no leading zero. */
static bool read_integer(const char *text, int64_t *out)
{
	bool negative = *text == '-';
	unsigned long long number;
	if (*text == '0')
		return false;
	text += *text == '-' || *text == '+';
	if (!str_to_u64(str_of(text), &number) || number > (uint64_t)INT64_MAX + negative)
		return false;
	*out = (int64_t)(negative ? 0 - number : number);
	return true;
}

static json_t *typed(const char *text)
{
	int64_t number;
	if (is_word(text, "true") || is_word(text, "false"))
		return json_boolean(is_word(text, "true"));
	if (is_word(text, "null"))
		return json_null();
	if (cstr_eq(text, "0"))
		return json_integer(0);
	if (read_integer(text, &number))
		return json_integer(number);
	return json_text_new(text, strlen(text));
}

static json_t *value_of(Parser *p, const Buf *text)
{
	if (p->options->mode == STRVALS_FILE)
		return p->options->read(p->options->context, buf_text(text), p->err);
	if (p->options->mode == STRVALS_TYPED)
		return typed(buf_text(text));
	return json_text_new(buf_text(text), text->len);
}

/* "{a,b}" after the brace; a comma behind it is taken. */
static json_t *read_list(Parser *p)
{
	autojson json_t *list = json_array();
	char last;
	do {
		autobuf Buf text = {0};
		if (!until(p, ",}", &text, &last))
			return err_null(p->err, ERR_INVALID, "list must terminate with '}'");
		json_t *value = value_of(p, &text);
		if (!value)
			return NULL;
		json_array_append_new(list, value);
	} while (last != '}');
	if (!at_end(p) && p->rest.ptr[0] == ',')
		take(p);
	return steal(&list);
}

static void skip_to_comma(Parser *p)
{
	while (!at_end(p) && p->rest.ptr[0] && strchr(" \t\r\n", p->rest.ptr[0]))
		take(p);
	if (!at_end(p) && p->rest.ptr[0] == ',')
		take(p);
}

static json_t *read_json(Parser *p)
{
	json_error_t cause;
	p->rest = str_trim(p->rest);
	if (at_end(p) || p->rest.ptr[0] == ',') {
		skip_to_comma(p);
		return json_null();
	}
	autojson json_t *value = json_loadb(p->rest.ptr, p->rest.len,
					    JSON_DISABLE_EOF_CHECK | JSON_DECODE_ANY, &cause);
	if (!value)
		return err_null(p->err, ERR_INVALID, "invalid JSON: %s", cause.text);
	p->rest = str_slice(p->rest, (size_t)cause.position, p->rest.len);
	skip_to_comma(p);
	return helm_reals(value);
}

/* What stands behind "=". */
static json_t *read_value(Parser *p)
{
	autobuf Buf text = {0};
	char last;
	if (p->options->mode == STRVALS_LITERAL) {
		json_t *value = json_text_new(p->rest.ptr, p->rest.len);
		p->rest = STR("");
		return value;
	}
	if (p->options->mode == STRVALS_JSON)
		return read_json(p);
	if (at_end(p))
		return json_string("");
	if (p->rest.ptr[0] == '{') {
		take(p);
		return read_list(p);
	}
	until(p, ",", &text, &last);
	return value_of(p, &text);
}

static bool read_index(Parser *p, size_t *out)
{
	autobuf Buf text = {0};
	unsigned long long index;
	char last;
	if (!until(p, "]", &text, &last))
		return end(p);
	if (buf_text(&text)[0] == '-')
		return err_set(p->err, ERR_INVALID, "negative %s index not allowed",
			       buf_text(&text));
	if (!str_to_u64(buf_str(&text), &index))
		return err_set(p->err, ERR_INVALID,
			       "error parsing index: strconv.Atoi: parsing \"%s\": invalid syntax",
			       buf_text(&text));
	if (index > INDEX_MAX)
		return err_set(p->err, ERR_INVALID,
			       "index of %llu is greater than maximum supported index of %d", index,
			       INDEX_MAX);
	*out = (size_t)index;
	return true;
}

/*
 * Puts an item in its place. A list that grows becomes another one: whoever shares the old one
 * keeps it as it was (in Go, a slice), while what is within its length changes for all.
 */
static void set_index(json_t **list, size_t index, json_t *take_value)
{
	if (json_array_size(*list) <= index) {
		json_t *grown = json_copy(*list);
		json_decref(*list);
		*list = grown;
		while (json_array_size(grown) <= index)
			json_array_append_new(grown, json_null());
	}
	json_array_set_new(*list, index, take_value);
}

static bool read_key(Parser *p, json_t *map, int nesting);
static bool read_item(Parser *p, json_t **list, size_t index, int nesting);

/* Upstream prints runes by %q: ['a' 'b']. */
static bool fail_rest(Parser *p, Str rest)
{
	autoarena Arena *arena = arena_new();
	const GoUnicode *unicode = unicode_new(arena);
	autobuf Buf text = {0};
	size_t width;
	for (size_t at = 0; at < rest.len; at += width) {
		uint32_t rune = rune_decode(str_slice(rest, at, rest.len), &width);
		buf_puts(&text, at ? " " : "");
		quote_rune(unicode, rune, false, &text);
	}
	return err_set(p->err, ERR_INVALID, "unexpected data at end of array index: [%s]",
		       buf_text(&text));
}

/* "[index].key": the item becomes a map where it is none. */
static bool read_item_map(Parser *p, json_t **list, size_t index, int nesting)
{
	json_t *old = json_array_get(*list, index);
	autojson json_t *inner = json_is_object(old) ? json_incref(old) : json_object();
	if (old && inner != old)
		json_array_set(*list, index, inner);
	if (!read_key(p, inner, nesting))
		return false;
	set_index(list, index, json_incref(inner));
	return true;
}

/* "[index][index]" */
static bool read_item_list(Parser *p, json_t **list, size_t index, int nesting)
{
	size_t next;
	json_t *old = json_array_get(*list, index);
	if (!read_index(p, &next))
		return false;
	if (old && !json_is_null(old) && !json_is_array(old))
		return err_set(p->err, ERR_INVALID, "unable to parse key: item %zu is no list",
			       index);
	autojson json_t *inner = json_is_array(old) ? json_incref(old) : json_array();
	if (!read_item(p, &inner, next, nesting))
		return false;
	set_index(list, index, json_incref(inner));
	return true;
}

/* What stands behind "[index]". */
static bool read_item(Parser *p, json_t **list, size_t index, int nesting)
{
	autobuf Buf key = {0};
	char last;
	bool ended = !until(p, "[.=", &key, &last);
	if (key.len > 0)
		return fail_rest(p, buf_str(&key));
	if (ended)
		return end(p);
	if (last == '.')
		return read_item_map(p, list, index, nesting);
	if (last == '[')
		return read_item_list(p, list, index, nesting);
	json_t *value = read_value(p);
	if (!value)
		return false;
	set_index(list, index, value);
	return true;
}

static bool read_list_key(Parser *p, json_t *map, const char *key, int nesting)
{
	size_t index;
	json_t *list = json_object_get(map, key);
	if (!read_index(p, &index))
		return false;
	if (list && !json_is_array(list))
		return err_set(p->err, ERR_INVALID, "unable to parse key: \"%s\" is no list", key);
	json_t *items = list ? json_incref(list) : json_array();
	bool fine = read_item(p, &items, index, nesting);
	set_member(map, key, items);
	return fine;
}

static bool read_inner(Parser *p, json_t *map, const char *key, int nesting)
{
	json_t *old = json_object_get(map, key);
	if (nesting > NESTING_MAX)
		return err_set(p->err, ERR_INVALID,
			       "value name nested level is greater than maximum supported nested "
			       "level of %d",
			       NESTING_MAX);
	if (old && !json_is_object(old))
		return err_set(p->err, ERR_INVALID, "unable to parse key: \"%s\" is no table", key);
	autojson json_t *inner = old ? json_incref(old) : json_object();
	bool fine = read_key(p, inner, nesting);
	if (fine && json_object_size(inner) == 0)
		return err_set(p->err, ERR_INVALID, "key map \"%s\" has no value", key);
	if (json_object_size(inner) > 0)
		set_member(map, key, json_incref(inner));
	return fine;
}

/* "key=" at the text's end is an empty text, and Helm's end, too: within a list's item it is left
 * away. */
static bool set_nothing(Parser *p, json_t *map, const char *key)
{
	set_member(map, key, json_string(""));
	return end(p);
}

/* One "key=value", the key being a path. */
static bool read_key(Parser *p, json_t *map, int nesting)
{
	autobuf Buf key = {0};
	char last;
	bool literal = p->options->mode == STRVALS_LITERAL;
	if (!until(p, literal ? "=[." : "=[,.", &key, &last))
		return key.len == 0 ? end(p)
				    : err_set(p->err, ERR_INVALID, "key \"%s\" has no value",
					      buf_text(&key));
	if (last == '[')
		return read_list_key(p, map, buf_text(&key), nesting);
	if (last == '.')
		return read_inner(p, map, buf_text(&key), nesting + 1);
	if (last == ',')
		return err_set(p->err, ERR_INVALID, "key \"%s\" has no value (cannot end with ,)",
			       buf_text(&key));
	if (at_end(p) && !literal && p->options->mode != STRVALS_JSON)
		return set_nothing(p, map, buf_text(&key));
	json_t *value = read_value(p);
	if (value)
		set_member(map, buf_text(&key), value);
	return value != NULL;
}

bool helm_strvals(json_t *values, Str text, const StrvalsOptions *options, Error *err)
{
	Parser p = {.rest = text, .options = options, .err = err};
	while (!p.ended)
		if (!read_key(&p, values, 0) && !p.ended)
			return false;
	return true;
}
