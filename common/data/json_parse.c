#include <stdint.h>
#include <string.h>

#include "data/json_internal.h"

/*
 * Text to trees: by json_quick.c where that can, else by jansson, with what it lacks: a nesting
 * limit below its own of 2048, integers beyond int64 (Go reads them as floats; jansson refuses),
 * and errors that do not quote the text, which may be a Secret's.
 */

/* The index after the string literal that opens at text[at], or len. */
static size_t skip_string(const char *text, size_t len, size_t at)
{
	for (at++; at < len && text[at] != '"'; at++)
		if (text[at] == '\\')
			at++;
	return at < len ? at + 1 : len;
}

/* Without a branch in the loop, so that the compiler takes many bytes at once. */
static bool opens_at_most(const char *text, size_t len, size_t most)
{
	enum { PIECE = 255 }; /* what a byte can count */
	size_t count = 0;
	for (size_t from = 0; from < len && count <= most; from += PIECE) {
		unsigned char few = 0;
		size_t end = len - from < PIECE ? len : from + PIECE;
		for (size_t at = from; at < end; at++)
			few = (unsigned char)(few + ((text[at] == '{') | (text[at] == '[')));
		count += few;
	}
	return count <= most;
}

/* What opens no more than may be nested needs no look at what is within strings. */
static bool check_depth(const char *text, size_t len, Error *err)
{
	size_t depth = 0;
	if (opens_at_most(text, len, JSON_MAX_NESTING))
		return true;
	for (size_t at = 0; at < len;) {
		char byte = text[at];
		if (byte == '"') {
			at = skip_string(text, len, at);
			continue;
		}
		if ((byte == '{' || byte == '[') && ++depth > JSON_MAX_NESTING)
			return err_set(err, ERR_LIMIT, "JSON nested deeper than %d",
				       JSON_MAX_NESTING);
		if ((byte == '}' || byte == ']') && depth > 0)
			depth--;
		at++;
	}
	return true;
}

static bool number_byte(char byte)
{
	return (byte >= '0' && byte <= '9') || byte == '-' || byte == '+' || byte == '.' ||
	       byte == 'e' || byte == 'E';
}

static bool is_integer_token(const char *token, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (token[i] == '.' || token[i] == 'e' || token[i] == 'E')
			return false;
	return true;
}

/* True when an integer token does not fit int64: compared as text, since both have the digits. */
static bool is_too_big(const char *token, size_t len)
{
	bool negative = len > 0 && token[0] == '-';
	const char *digits = token + negative;
	size_t count = len - negative;
	const char *max = negative ? "9223372036854775808" : "9223372036854775807";
	return count > 19 || (count == 19 && memcmp(digits, max, 19) > 0);
}

/* The text with an exponent of zero after each integer beyond int64, which makes it a real. */
static void mark_big_integers(const char *text, size_t len, Buf *out)
{
	for (size_t at = 0; at < len;) {
		size_t end = at + 1;
		if (text[at] == '"')
			end = skip_string(text, len, at);
		else if (number_byte(text[at]) && text[at] != 'e' && text[at] != 'E')
			while (end < len && number_byte(text[end]))
				end++;
		buf_append(out, text + at, end - at);
		bool number = text[at] == '-' || (text[at] >= '0' && text[at] <= '9');
		if (number && is_integer_token(text + at, end - at) &&
		    is_too_big(text + at, end - at))
			buf_puts(out, "e0");
		at = end;
	}
}

static void *parse_error(const json_error_t *cause, Error *err)
{
	/* What follows " near " is a piece of the text: it may be secret. */
	const char *near = strstr(cause->text, " near ");
	int shown = near ? (int)(near - cause->text) : (int)strlen(cause->text);
	return err_null(err, ERR_INVALID, "line %d column %d: %.*s", cause->line, cause->column,
			shown, cause->text);
}

static json_t *parse(const char *text, size_t len, size_t limit, size_t flags, Error *err)
{
	if (len > limit)
		return err_null(err, ERR_LIMIT, "JSON of %zu bytes is over the limit of %zu", len,
				limit);
	json_t *value = json_quick(text, len, JSON_QUICK_ANY);
	if (value)
		return value;
	if (!check_depth(text, len, err))
		return NULL;
	json_error_t cause;
	value = json_loadb(text, len, flags, &cause);
	if (!value && json_error_code(&cause) == json_error_numeric_overflow) {
		autobuf Buf marked = {0};
		mark_big_integers(text, len, &marked);
		value = json_loadb(buf_text(&marked), marked.len, flags, &cause);
	}
	return value ? value : parse_error(&cause, err);
}

json_t *json_parse(const char *text, size_t len, size_t limit, Error *err)
{
	return parse(text, len, limit, JSON_DECODE_ANY, err);
}

json_t *json_parse_with_nul(const char *text, size_t len, size_t limit, Error *err)
{
	return parse(text, len, limit, JSON_DECODE_ANY | JSON_ALLOW_NUL, err);
}
