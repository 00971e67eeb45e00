/* The lexer: longest match, as ANTLR's. */
#include "cel/lex.h"

#include <ctype.h>
#include <string.h>

static const char *const operators[] = {
	"==", "!=", "<=", ">=", "&&", "||", "<", ">", "[", "]", "{", "}",
	"(",  ")",  ".",  ",",	"-",  "!",  "?", ":", "+", "*", "/", "%",
};

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_word(char byte)
{
	return isalnum((unsigned char)byte) || byte == '_';
}

static void advance(Lexer *lexer, size_t len)
{
	for (size_t i = 0; i < len; i++)
		lexer->offset += ((unsigned char)lexer->at[i] & 0xc0) != 0x80;
	lexer->at += len;
}

static void skip_blanks(Lexer *lexer)
{
	for (;;) {
		size_t len = strspn(lexer->at, " \t\r\n\f");
		if (lexer->at[0] == '/' && lexer->at[1] == '/')
			len = strcspn(lexer->at, "\n");
		if (len == 0)
			return;
		advance(lexer, len);
	}
}

static size_t digits(const char *text)
{
	return strspn(text, "0123456789");
}

static size_t exponent(const char *text)
{
	if (*text != 'e' && *text != 'E')
		return 0;
	size_t sign = text[1] == '+' || text[1] == '-';
	size_t count = digits(text + 1 + sign);
	return count ? 1 + sign + count : 0;
}

/* The length of a number, 0 for none. */
static size_t number_length(const char *text, TokenKind *kind)
{
	size_t hex =
		text[0] == '0' && text[1] == 'x' ? strspn(text + 2, "0123456789abcdefABCDEF") : 0;
	size_t len = hex ? hex + 2 : digits(text);
	*kind = TOKEN_INT;
	if (!hex) {
		size_t fraction = text[len] == '.' ? digits(text + len + 1) : 0;
		size_t total = len + (fraction ? fraction + 1 : 0);
		size_t power = total ? exponent(text + total) : 0;
		if (fraction || power) {
			*kind = TOKEN_FLOAT;
			return total + power;
		}
	}
	if (len && (text[len] == 'u' || text[len] == 'U')) {
		*kind = TOKEN_UINT;
		len++;
	}
	return len;
}

/* A single escape after "\"; 0 when it is none. */
static size_t escape_length(const char *text)
{
	size_t hex = *text == 'x' || *text == 'X' ? 2 : *text == 'u' ? 4 : *text == 'U' ? 8 : 0;
	if (hex)
		return strspn(text + 1, "0123456789abcdefABCDEF") >= hex ? hex + 1 : 0;
	if (*text >= '0' && *text <= '3')
		return strspn(text + 1, "01234567") >= 2 ? 3 : 0;
	return *text && strchr("abfnrtv\"'\\?`", *text) ? 1 : 0;
}

/* The length of a quoted string at `text` (after its prefix), 0 when it does not end. */
static size_t quoted_length(const char *text, bool raw)
{
	char quote = *text;
	bool triple = text[1] == quote && text[2] == quote;
	for (size_t at = triple ? 3 : 1; text[at];) {
		if (!triple && (text[at] == '\n' || text[at] == '\r'))
			return 0;
		if (text[at] == quote && !triple)
			return at + 1;
		if (triple && text[at] == quote && text[at + 1] == quote && text[at + 2] == quote)
			return at + 3;
		size_t escape = 0;
		if (text[at] == '\\' && !raw) {
			escape = escape_length(text + at + 1);
			if (escape == 0)
				return 0;
		}
		at += 1 + escape;
	}
	return 0;
}

static size_t string_length(const char *text, TokenKind *kind)
{
	size_t prefix = *text == 'b' || *text == 'B';
	*kind = prefix ? TOKEN_BYTES : TOKEN_STRING;
	bool raw = text[prefix] == 'r' || text[prefix] == 'R';
	prefix += raw;
	if (text[prefix] != '"' && text[prefix] != '\'')
		return 0;
	size_t len = quoted_length(text + prefix, raw);
	if (!len && text[prefix + 1] == text[prefix])
		len = 2; /* '' and a quote that opens another */
	return len ? prefix + len : 0;
}

static size_t ident_length(const char *text, TokenKind *kind)
{
	static const char *const words[] = {"in", "true", "false", "null"};
	size_t len = 0;
	if (*text == '`') {
		for (len = 1; is_word(text[len]) || (text[len] && strchr(".-/ ", text[len]));)
			len++;
		*kind = TOKEN_ESCAPED_IDENT;
		return text[len] == '`' && len > 1 ? len + 1 : 0;
	}
	while (is_word(text[len]) && !(len == 0 && is_digit(*text)))
		len++;
	*kind = TOKEN_IDENT;
	for (size_t i = 0; i < COUNT(words); i++)
		if (str_eq(str_sized(text, len), str_of(words[i])))
			*kind = TOKEN_OPERATOR;
	return len;
}

static size_t operator_length(const char *text)
{
	for (size_t i = 0; i < COUNT(operators); i++)
		if (cstr_starts(text, operators[i]))
			return strlen(operators[i]);
	return 0;
}

static size_t token_length(const char *text, TokenKind *kind)
{
	size_t len = string_length(text, kind);
	if (!len && (is_digit(*text) || *text == '.'))
		len = number_length(text, kind);
	if (!len)
		len = ident_length(text, kind);
	if (!len) {
		*kind = TOKEN_OPERATOR;
		len = operator_length(text);
	}
	return len;
}

static size_t rune_bytes(const char *text)
{
	size_t len = 1;
	while (((unsigned char)text[len] & 0xc0) == 0x80)
		len++;
	return len;
}

/* What is told as wrong where no token begins. */
static size_t wrong_length(const char *text)
{
	/* A string that does not end is one error up to the end of its line. */
	if (*text == '"' || *text == '\'')
		return 1 + strcspn(text + 1, "\n\r");
	size_t len = rune_bytes(text);
	/* Half an operator is told with what follows it. */
	return strchr("&|=", *text) && text[len] ? len + rune_bytes(text + len) : len;
}

void cel_lexer_next(Lexer *lexer)
{
	for (;;) {
		skip_blanks(lexer);
		lexer->token = (Token){.text = str_sized(lexer->at, 0), .offset = lexer->offset};
		if (!*lexer->at)
			return;
		size_t len = token_length(lexer->at, &lexer->token.kind);
		if (len) {
			lexer->token.text.len = len;
			advance(lexer, len);
			return;
		}
		size_t wrong = wrong_length(lexer->at);
		cel_problem(lexer->source, lexer->offset,
			    "Syntax error: token recognition error at: '%.*s'", (int)wrong,
			    lexer->at);
		advance(lexer, wrong);
	}
}
