/*
 * The common case of JSON in one pass: no line numbers, no error texts, no lookahead. Whatever is
 * unusual gives NULL, and the caller asks the parser that knows it all. What is taken is taken as
 * that one takes it.
 */
#include <string.h>

#include "base/mem.h"
#include "data/json_internal.h"

enum { DIGITS_MAX = 18, KEY_MAX = 1000 };

typedef struct {
	const char *at, *end;
	JsonQuick rules;
	size_t depth;
	Buf text; /* of the last string with escapes */
} Reader;

/* A string literal's bytes: borrowed of the input, or of reader->text. */
typedef struct {
	const char *ptr;
	size_t len;
	bool ascii;
} Literal;

static json_t *read_value(Reader *reader);

/* Bytes that a string literal goes on with: no quote, backslash or control character. */
static const bool literal_bytes[256] = {
	[0x20] = true,		[0x21] = true,		[0x23 ... 0x5b] = true,
	[0x5d ... 0x7e] = true, [0x80 ... 0xff] = true,
};

static const char escaped_bytes[256] = {
	['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
	['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
};

static char peek(const Reader *reader)
{
	return reader->at < reader->end ? *reader->at : '\0';
}

static void skip_space(Reader *reader)
{
	char byte = peek(reader);
	while (byte == ' ' || byte == '\n' || byte == '\r' ||
	       (byte == '\t' && reader->rules != JSON_QUICK_PLAIN)) {
		reader->at++;
		byte = peek(reader);
	}
}

static bool take(Reader *reader, char byte)
{
	skip_space(reader);
	if (peek(reader) != byte)
		return false;
	reader->at++;
	return true;
}

/* Four hexadecimal digits behind "\u": neither NUL nor half of a pair. */
static bool read_rune(Reader *reader)
{
	uint32_t rune = 0;
	for (int i = 0; i < 4; i++) {
		char byte = peek(reader);
		char lower = (char)(byte | 0x20);
		if (byte >= '0' && byte <= '9')
			rune = rune << 4 | (uint32_t)(byte - '0');
		else if (lower >= 'a' && lower <= 'f')
			rune = rune << 4 | (uint32_t)(lower - 'a' + 10);
		else
			return false;
		reader->at++;
	}
	if (rune == 0 || (rune >= 0xd800 && rune <= 0xdfff))
		return false;
	buf_put_rune(&reader->text, rune);
	return true;
}

static bool read_escape(Reader *reader)
{
	char byte = peek(reader);
	reader->at++;
	if (byte == 'u')
		return read_rune(reader);
	if (!escaped_bytes[(unsigned char)byte])
		return false;
	buf_putc(&reader->text, escaped_bytes[(unsigned char)byte]);
	return true;
}

/* The run of plain bytes that starts here; whether they are all of ASCII. */
static bool skip_plain(Reader *reader)
{
	unsigned char seen = 0;
	const char *at = reader->at;
	for (; at < reader->end && literal_bytes[(unsigned char)*at]; at++)
		seen |= (unsigned char)*at;
	reader->at = at;
	return seen < 0x80;
}

/* The rest of a literal in which there is an escape. */
static bool read_escaped(Reader *reader, const char *start, Literal *out)
{
	buf_clear(&reader->text);
	buf_append(&reader->text, start, (size_t)(reader->at - start));
	while (peek(reader) == '\\') {
		reader->at++;
		if (!read_escape(reader))
			return false;
		start = reader->at;
		out->ascii = skip_plain(reader) && out->ascii;
		buf_append(&reader->text, start, (size_t)(reader->at - start));
	}
	/* A rune may be beyond ASCII, but it is one. */
	out->ptr = buf_text(&reader->text);
	out->len = reader->text.len;
	return true;
}

/* Behind the opening quote; bytes beyond ASCII only under rules that allow them. */
static bool read_literal(Reader *reader, Literal *out)
{
	const char *start = reader->at;
	out->ascii = skip_plain(reader);
	out->ptr = start;
	out->len = (size_t)(reader->at - start);
	if (peek(reader) == '\\' && !read_escaped(reader, start, out))
		return false;
	if (peek(reader) != '"' || (!out->ascii && reader->rules == JSON_QUICK_PLAIN))
		return false;
	reader->at++;
	return true;
}

/* jansson checks what is not plain ASCII. */
static json_t *read_string(Reader *reader)
{
	Literal literal;
	if (!read_literal(reader, &literal))
		return NULL;
	return literal.ascii ? json_stringn_nocheck(literal.ptr, literal.len)
			     : json_stringn(literal.ptr, literal.len);
}

/* What YAML could read in another way: merges, twins, keys beyond its own limit (`size`: as
 * written) or with a line's end before the colon. */
static bool is_plain_key(const Reader *reader, const json_t *object, const Literal *key,
			 size_t size)
{
	return size <= KEY_MAX && peek(reader) == ':' &&
	       !(key->len == 2 && memcmp(key->ptr, "<<", 2) == 0) &&
	       !json_object_getn(object, key->ptr, key->len);
}

static bool read_member(Reader *reader, json_t *object)
{
	Literal key;
	if (!take(reader, '"'))
		return false;
	const char *start = reader->at;
	if (!read_literal(reader, &key))
		return false;
	if (reader->rules == JSON_QUICK_PLAIN &&
	    !is_plain_key(reader, object, &key, (size_t)(reader->at - start)))
		return false;
	if (reader->rules == JSON_QUICK_ONCE && json_object_getn(object, key.ptr, key.len))
		return false;
	/* The value may need reader->text. */
	autofree char *copy = key.ptr == reader->text.ptr ? mem_strndup(key.ptr, key.len) : NULL;
	json_t *value = take(reader, ':') ? read_value(reader) : NULL;
	const char *name = copy ? copy : key.ptr;
	if (!value)
		return false;
	return key.ascii ? json_object_setn_new_nocheck(object, name, key.len, value) == 0
			 : json_object_setn_new(object, name, key.len, value) == 0;
}

static json_t *read_object(Reader *reader)
{
	autojson json_t *object = json_object();
	if (take(reader, '}'))
		return steal(&object);
	do {
		if (!read_member(reader, object))
			return NULL;
	} while (take(reader, ','));
	return take(reader, '}') ? steal(&object) : NULL;
}

static json_t *read_array(Reader *reader)
{
	autojson json_t *array = json_array();
	if (take(reader, ']'))
		return steal(&array);
	do {
		json_t *value = read_value(reader);
		if (!value)
			return NULL;
		json_array_append_new(array, value);
	} while (take(reader, ','));
	return take(reader, ']') ? steal(&array) : NULL;
}

/* Integers of up to 18 digits, which surely fit. */
static json_t *read_integer(Reader *reader)
{
	bool negative = peek(reader) == '-';
	reader->at += negative;
	const char *start = reader->at;
	json_int_t value = 0;
	for (; reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9'; reader->at++) {
		if (reader->at - start >= DIGITS_MAX)
			return NULL;
		value = value * 10 + (*reader->at - '0');
	}
	size_t digits = (size_t)(reader->at - start);
	char next = peek(reader);
	if (digits == 0 || (digits > 1 && *start == '0') || next == '.' || (next | 0x20) == 'e')
		return NULL;
	return json_integer(negative ? -value : value);
}

static json_t *read_word(Reader *reader)
{
	static const struct {
		const char *text;
		size_t len;
		json_t *(*make)(void);
	} words[] = {{"true", 4, json_true}, {"false", 5, json_false}, {"null", 4, json_null}};
	for (size_t i = 0; i < COUNT(words); i++) {
		if ((size_t)(reader->end - reader->at) < words[i].len ||
		    memcmp(reader->at, words[i].text, words[i].len) != 0)
			continue;
		reader->at += words[i].len;
		return words[i].make();
	}
	return NULL;
}

static json_t *read_container(Reader *reader, json_t *(*read)(Reader *reader))
{
	size_t limit = reader->rules == JSON_QUICK_PLAIN ? JSON_PLAIN_NESTING : JSON_MAX_NESTING;
	if (++reader->depth > limit)
		return NULL;
	reader->at++;
	json_t *value = read(reader);
	reader->depth--;
	return value;
}

static json_t *read_value(Reader *reader)
{
	skip_space(reader);
	switch (peek(reader)) {
	case '{':
		return read_container(reader, read_object);
	case '[':
		return read_container(reader, read_array);
	case '"':
		reader->at++;
		return read_string(reader);
	case 't':
	case 'f':
	case 'n':
		return read_word(reader);
	default:
		return read_integer(reader);
	}
}

json_t *json_quick(const char *text, size_t len, JsonQuick rules)
{
	Reader reader = {.at = text, .end = text + len, .rules = rules};
	autojson json_t *value = read_value(&reader);
	skip_space(&reader);
	buf_dispose(&reader.text);
	return reader.at == reader.end ? steal(&value) : NULL;
}

json_t *json_parse_plain(const char *text, size_t len)
{
	return len > 0 && text[0] == '{' ? json_quick(text, len, JSON_QUICK_PLAIN) : NULL;
}
