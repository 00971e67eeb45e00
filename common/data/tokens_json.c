/* JSON (RFC 8259) by recursive descent over a window of the file. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "data/tokens_internal.h"

enum { WINDOW = 64 * 1024, END = -1 };

typedef struct {
	int fd;
	TokenSink *sink;
	void *arg;
	size_t at, len;
	bool ended, failed; /* failed: err is set */
	Buf text;
	Error *err;
	char window[WINDOW];
} Reader;

static void reader_free(Reader *reader)
{
	buf_dispose(&reader->text);
	free(reader);
}
AUTO_POINTER(Reader, reader_free, auto_reader);

static bool fail(Reader *reader, const char *what)
{
	if (!reader->failed)
		err_set(reader->err, ERR_INVALID, "json: %s", what);
	reader->failed = true;
	return false;
}

static bool fill(Reader *reader)
{
	ssize_t got;
	do {
		got = read(reader->fd, reader->window, WINDOW);
	} while (got < 0 && errno == EINTR);
	if (got < 0 && !reader->failed) {
		err_errno(reader->err, "read");
		reader->failed = true;
	}
	reader->at = 0;
	reader->len = got > 0 ? (size_t)got : 0;
	reader->ended = got <= 0;
	return got > 0;
}

/* The next byte without taking it, or END. */
static int peek(Reader *reader)
{
	if (reader->at == reader->len && (reader->ended || !fill(reader)))
		return END;
	return (unsigned char)reader->window[reader->at];
}

static int take(Reader *reader)
{
	int byte = peek(reader);
	reader->at += byte != END;
	return byte;
}

static int skip_blanks(Reader *reader)
{
	int byte;
	while ((byte = peek(reader)) == ' ' || byte == '\n' || byte == '\t' || byte == '\r')
		reader->at++;
	return byte;
}

static bool emit(Reader *reader, TokenKind kind, Str text)
{
	const Token token = {kind, text};
	reader->failed = !reader->sink(reader->arg, &token, reader->err);
	return !reader->failed;
}

static bool add_byte(Reader *reader, int byte)
{
	if (reader->text.len >= TOKENS_MAX_SCALAR)
		return fail(reader, "a string is too long");
	buf_putc(&reader->text, (char)byte);
	return true;
}

static bool take_hex4(Reader *reader, unsigned *out)
{
	*out = 0;
	for (int i = 0; i < 4; i++) {
		int byte = take(reader);
		int low = byte | 32;
		if (byte >= '0' && byte <= '9')
			*out = *out << 4 | (unsigned)(byte - '0');
		else if (low >= 'a' && low <= 'f')
			*out = *out << 4 | (unsigned)(low - 'a' + 10);
		else
			return fail(reader, "bad \\u escape");
	}
	return true;
}

static bool is_high(unsigned code)
{
	return code >= 0xd800 && code < 0xdc00;
}

static bool is_low(unsigned code)
{
	return code >= 0xdc00 && code < 0xe000;
}

static bool take_escape(Reader *reader);

/* Behind "\u". What is half a pair, and NUL, becomes U+FFFD. */
static bool take_unicode(Reader *reader)
{
	enum { REPLACEMENT = 0xfffd };
	unsigned code, low;
	if (!take_hex4(reader, &code))
		return false;
	while (is_high(code) && peek(reader) == '\\') {
		reader->at++;
		if (peek(reader) != 'u') {
			buf_put_rune(&reader->text, REPLACEMENT);
			return take_escape(reader);
		}
		reader->at++;
		if (!take_hex4(reader, &low))
			return false;
		if (is_low(low)) {
			buf_put_rune(&reader->text,
				     0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00));
			return true;
		}
		buf_put_rune(&reader->text, REPLACEMENT);
		code = low;
	}
	buf_put_rune(&reader->text, code == 0 ? REPLACEMENT : code);
	return true;
}

static bool take_escape(Reader *reader)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	int byte = take(reader);
	if (byte == 'u')
		return take_unicode(reader);
	const char *found = byte > 0 ? strchr(from, byte) : NULL;
	return found ? add_byte(reader, to[found - from]) : fail(reader, "bad escape");
}

/* Behind the opening quote; into reader->text. */
static bool take_string(Reader *reader)
{
	buf_clear(&reader->text);
	for (;;) {
		int byte = take(reader);
		if (byte == '"')
			return true;
		if (byte < ' ')
			return fail(reader, byte == END ? "unexpected end"
							: "control character in a string");
		if (!(byte == '\\' ? take_escape(reader) : add_byte(reader, byte)))
			return false;
	}
}

static bool is_number(const char *text)
{
	text += *text == '-';
	size_t digits = strspn(text, "0123456789");
	if (digits == 0 || (text[0] == '0' && digits > 1))
		return false;
	text += digits;
	if (*text == '.') {
		digits = strspn(text + 1, "0123456789");
		if (digits == 0)
			return false;
		text += 1 + digits;
	}
	if ((*text | 32) == 'e') {
		text += 1 + (text[1] == '+' || text[1] == '-');
		digits = strspn(text, "0123456789");
		text += digits;
		return digits > 0 && !*text;
	}
	return !*text;
}

/* A number, true, false or null. */
static bool take_literal(Reader *reader)
{
	enum { LITERAL_MAX = 1000 };
	int byte;
	buf_clear(&reader->text);
	while ((byte = peek(reader)) != END && strchr("+-.0123456789Eaeflnrstu", byte) && byte) {
		reader->at++;
		buf_putc(&reader->text, (char)byte);
		if (reader->text.len > LITERAL_MAX)
			return fail(reader, "a number is too long");
	}
	const char *text = buf_text(&reader->text);
	if (!cstr_eq(text, "true") && !cstr_eq(text, "false") && !cstr_eq(text, "null") &&
	    !is_number(text))
		return fail(reader, "unexpected character");
	return emit(reader, TOKEN_PLAIN, buf_str(&reader->text));
}

static bool take_value(Reader *reader, int depth);

static bool take_member(Reader *reader, int depth)
{
	if (skip_blanks(reader) != '"')
		return fail(reader, "a key is expected");
	reader->at++;
	if (!take_string(reader) || !emit(reader, TOKEN_STRING, buf_str(&reader->text)))
		return false;
	if (skip_blanks(reader) != ':')
		return fail(reader, "':' is expected");
	reader->at++;
	return take_value(reader, depth);
}

/* Members or items up to `close`; behind the opening bracket. */
static bool take_items(Reader *reader, int close, int depth)
{
	if (skip_blanks(reader) == close) {
		reader->at++;
		return true;
	}
	for (;;) {
		if (!(close == '}' ? take_member(reader, depth) : take_value(reader, depth)))
			return false;
		int byte = skip_blanks(reader);
		reader->at += byte == close || byte == ',';
		if (byte == close)
			return true;
		if (byte != ',')
			return fail(reader, "',' is expected");
	}
}

static bool take_value(Reader *reader, int depth)
{
	const Str none = {"", 0};
	int byte = skip_blanks(reader);
	if (depth > TOKENS_MAX_DEPTH)
		return fail(reader, "nested too deeply");
	if (byte == '"') {
		reader->at++;
		return take_string(reader) && emit(reader, TOKEN_STRING, buf_str(&reader->text));
	}
	if (byte != '{' && byte != '[')
		return take_literal(reader);
	bool is_map = byte == '{';
	reader->at++;
	return emit(reader, is_map ? TOKEN_MAP : TOKEN_LIST, none) &&
	       take_items(reader, is_map ? '}' : ']', depth + 1) &&
	       emit(reader, is_map ? TOKEN_MAP_END : TOKEN_LIST_END, none);
}

bool tokens_read_json(int fd, TokenSink *sink, void *arg, Error *err)
{
	__attribute__((cleanup(auto_reader))) Reader *reader = mem_alloc(sizeof(*reader));
	*reader = (Reader){.fd = fd, .sink = sink, .arg = arg, .err = err};
	if (!take_value(reader, 0))
		return false;
	return skip_blanks(reader) == END ? !reader->failed : fail(reader, "text behind the value");
}
