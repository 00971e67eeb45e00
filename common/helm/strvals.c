#include "helm/strvals.h"

#include <strings.h>

#include "base/mem.h"

enum { NESTING_MAX = 30, INDEX_MAX = 65536 };

typedef struct {
	Str rest;
	const StrvalsOptions *options;
	Error *err;
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

static json_t *real_numbers(json_t *value)
{
	const char *key;
	json_t *item;
	void *next;
	size_t index;
	if (json_is_integer(value))
		return json_real((double)json_integer_value(value));
	json_object_foreach_safe(value, next, key, item)
		json_object_set_new_nocheck(value, key, real_numbers(item));
	json_array_foreach(value, index, item) json_array_set_new(value, index, real_numbers(item));
	return json_incref(value);
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
	return real_numbers(value);
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
		return err_set(p->err, ERR_INVALID, "error parsing index: EOF");
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

static bool set_index(json_t *list, size_t index, json_t *take_value)
{
	while (json_array_size(list) <= index)
		json_array_append_new(list, json_null());
	json_array_set_new(list, index, take_value);
	return true;
}

static bool read_key(Parser *p, json_t *map, int nesting);

/* What stands behind "[index]". */
static bool read_item(Parser *p, json_t *list, size_t index, int nesting)
{
	autobuf Buf key = {0};
	char last;
	bool ended = !until(p, "[.=", &key, &last);
	json_t *old = json_array_get(list, index);
	size_t next;
	if (key.len > 0)
		return err_set(p->err, ERR_INVALID, "unexpected data at end of array index: \"%s\"",
			       buf_text(&key));
	if (ended)
		return err_set(p->err, ERR_INVALID, "key has no value");
	if (last == '=') {
		json_t *value = read_value(p);
		return value && set_index(list, index, value);
	}
	bool map = last == '.';
	json_t *inner = (map ? json_is_object(old) : json_is_array(old)) ? json_incref(old) : NULL;
	if (!inner)
		inner = map ? json_object() : json_array();
	bool fine = map ? read_key(p, inner, nesting)
			: read_index(p, &next) && read_item(p, inner, next, nesting);
	if (!fine) {
		json_decref(inner);
		return false;
	}
	return set_index(list, index, inner);
}

static bool read_list_key(Parser *p, json_t *map, const char *key, int nesting)
{
	size_t index;
	json_t *list = json_object_get(map, key);
	if (!read_index(p, &index))
		return false;
	if (list && !json_is_array(list))
		return err_set(p->err, ERR_INVALID, "unable to parse key: \"%s\" is no list", key);
	autojson json_t *items = list ? json_incref(list) : json_array();
	bool fine = read_item(p, items, index, nesting);
	set_member(map, key, json_incref(items));
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

/* One "key=value", the key being a path. */
static bool read_key(Parser *p, json_t *map, int nesting)
{
	autobuf Buf key = {0};
	char last;
	const char *stops = p->options->mode == STRVALS_LITERAL ? "=[." : "=[,.";
	if (!until(p, stops, &key, &last))
		return key.len == 0 ||
		       err_set(p->err, ERR_INVALID, "key \"%s\" has no value", buf_text(&key));
	if (last == '[')
		return read_list_key(p, map, buf_text(&key), nesting);
	if (last == '.')
		return read_inner(p, map, buf_text(&key), nesting + 1);
	if (last == ',')
		return err_set(p->err, ERR_INVALID, "key \"%s\" has no value (cannot end with ,)",
			       buf_text(&key));
	json_t *value = read_value(p);
	if (value)
		set_member(map, buf_text(&key), value);
	return value != NULL;
}

bool helm_strvals(json_t *values, Str text, const StrvalsOptions *options, Error *err)
{
	Parser p = {.rest = text, .options = options, .err = err};
	while (!at_end(&p))
		if (!read_key(&p, values, 0))
			return false;
	return true;
}
