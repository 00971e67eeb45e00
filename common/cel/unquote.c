/* The text behind a string literal: quotes off, escapes replaced (cel-go parser/unescape.go). */
#include <string.h>

#include "cel/lex.h"

static uint32_t read_digits(const char *text, size_t count, unsigned base)
{
	uint32_t value = 0;
	for (size_t i = 0; i < count; i++) {
		char byte = text[i];
		unsigned digit =
			byte <= '9' ? (unsigned)(byte - '0') : (unsigned)((byte | 0x20) - 'a') + 10;
		value = value * base + digit;
	}
	return value;
}

/* One escape at *at (after the backslash); the lexer has seen that its digits are there. */
static const char *put_escape(Str *rest, bool bytes, Buf *out)
{
	static const char letters[] = "abfnrtv\\'\"`?";
	static const char meant[] = "\a\b\f\n\r\t\v\\'\"`?";
	char letter = *rest->ptr;
	const char *plain = strchr(letters, letter);
	size_t count = letter == 'u' ? 4 : letter == 'U' ? 8 : 2;
	bool octal = letter >= '0' && letter <= '3';
	*rest = str_slice(*rest, 1, rest->len);
	if (plain) {
		buf_putc(out, meant[plain - letters]);
		return NULL;
	}
	if (bytes && (letter == 'u' || letter == 'U'))
		return "unable to unescape string";
	uint32_t rune =
		octal ? read_digits(rest->ptr - 1, 3, 8) : read_digits(rest->ptr, count, 16);
	*rest = str_slice(*rest, count, rest->len);
	if (bytes) {
		buf_putc(out, (char)rune);
		return NULL;
	}
	if (rune > 0x10ffff || (rune >= 0xd800 && rune < 0xe000))
		return "invalid unicode code point";
	buf_put_rune(out, rune);
	return NULL;
}

Str token_unquote(CelSource *source, const Token *token)
{
	Str text = token->text;
	bool bytes = token->kind == TOKEN_BYTES;
	bool raw = false;
	if (bytes)
		text = str_slice(text, 1, text.len);
	if (*text.ptr == 'r' || *text.ptr == 'R') {
		raw = true;
		text = str_slice(text, 1, text.len);
	}
	size_t quotes =
		text.len >= 6 && text.ptr[1] == text.ptr[0] && text.ptr[2] == text.ptr[0] ? 3 : 1;
	text = str_slice(text, quotes, text.len - quotes);
	autobuf Buf out = {0};
	while (text.len > 0) {
		char byte = *text.ptr;
		text = str_slice(text, 1, text.len);
		const char *wrong = NULL;
		if (byte == '\\' && !raw)
			wrong = put_escape(&text, bytes, &out);
		else
			buf_putc(&out, byte);
		if (wrong) {
			cel_problem(source, token->offset, "%s", wrong);
			break;
		}
	}
	char *copy = arena_alloc(source->arena, out.len + 1);
	memcpy(copy, buf_text(&out), out.len);
	return str_sized(copy, out.len);
}
