#include "gotmpl/json_check.h"

#include "gotmpl/strconv.h"

enum { CHECK_MAX_DEPTH = 10000 };

typedef struct {
	const GoUnicode *unicode;
	Str text;
	size_t at;
	Buf *why;
	char *stack; /* '{' or '[' of what is open */
	size_t depth;
} Checker;

static bool fail(Checker *c, const char *context)
{
	if (c->at >= c->text.len) {
		buf_puts(c->why, "unexpected end of JSON input");
		return false;
	}
	/* bytes, not runes, as upstream's scanner sees them */
	unsigned char byte = (unsigned char)c->text.ptr[c->at];
	buf_puts(c->why, "invalid character ");
	if (byte == '\'')
		buf_puts(c->why, "'\\''");
	else if (byte == '"')
		buf_puts(c->why, "'\"'");
	else
		quote_rune(c->unicode, byte, false, c->why);
	buf_printf(c->why, " %s", context);
	return false;
}

static void skip_blanks(Checker *c)
{
	while (c->at < c->text.len && c->text.ptr[c->at] && strchr(" \t\r\n", c->text.ptr[c->at]))
		c->at++;
}

static char now(const Checker *c)
{
	return c->at < c->text.len ? c->text.ptr[c->at] : '\0';
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_hex(char byte)
{
	return is_digit(byte) || ((byte | 32) >= 'a' && (byte | 32) <= 'f');
}

static bool check_escape(Checker *c)
{
	c->at++;
	if (now(c) == 'u') {
		for (int i = 0; i < 4; i++) {
			c->at++;
			if (!is_hex(now(c)))
				return fail(c, "in \\u hexadecimal character escape");
		}
	} else if (!now(c) || !strchr("\"\\/bfnrt", now(c))) {
		return fail(c, "in string escape code");
	}
	c->at++;
	return true;
}

static bool check_string(Checker *c)
{
	c->at++;
	while (c->at < c->text.len) {
		char byte = c->text.ptr[c->at];
		if (byte == '"') {
			c->at++;
			return true;
		}
		if ((unsigned char)byte < 0x20)
			return fail(c, "in string literal");
		if (byte != '\\')
			c->at++;
		else if (!check_escape(c))
			return false;
	}
	return fail(c, "");
}

static bool check_word(Checker *c, const char *word)
{
	for (const char *letter = word; *letter; letter++, c->at++) {
		autobuf Buf context = {0};
		if (now(c) == *letter)
			continue;
		buf_printf(&context, "in literal %s (expecting '%c')", word, *letter);
		return fail(c, buf_text(&context));
	}
	return true;
}

static bool check_digits(Checker *c, const char *context)
{
	if (!is_digit(now(c)))
		return fail(c, context);
	while (is_digit(now(c)))
		c->at++;
	return true;
}

static bool check_number(Checker *c)
{
	if (now(c) == '-')
		c->at++;
	if (now(c) == '0')
		c->at++;
	else if (!check_digits(c, "in numeric literal"))
		return false;
	if (now(c) == '.') {
		c->at++;
		if (!check_digits(c, "after decimal point in numeric literal"))
			return false;
	}
	if (now(c) == 'e' || now(c) == 'E') {
		c->at++;
		if (now(c) == '+' || now(c) == '-')
			c->at++;
		return check_digits(c, "in exponent of numeric literal");
	}
	return true;
}

static bool check_scalar(Checker *c)
{
	char byte = now(c);
	if (byte == '"')
		return check_string(c);
	if (byte == '-' || is_digit(byte))
		return check_number(c);
	if (byte == 't')
		return check_word(c, "true");
	if (byte == 'f')
		return check_word(c, "false");
	if (byte == 'n')
		return check_word(c, "null");
	return fail(c, "looking for beginning of value");
}

/* The key and ":" of a member. */
static bool check_key(Checker *c)
{
	skip_blanks(c);
	if (now(c) != '"')
		return fail(c, "looking for beginning of object key string");
	if (!check_string(c))
		return false;
	skip_blanks(c);
	if (now(c) != ':')
		return fail(c, "after object key");
	c->at++;
	skip_blanks(c);
	return true;
}

/* Opens an object or list; *empty when it closes at once. */
static bool open_container(Checker *c, bool *empty)
{
	char opening = now(c);
	if (c->depth >= CHECK_MAX_DEPTH) {
		buf_puts(c->why, "exceeded max depth");
		return false;
	}
	c->stack[c->depth++] = opening;
	c->at++;
	skip_blanks(c);
	*empty = now(c) == (opening == '{' ? '}' : ']');
	if (*empty) {
		c->at++;
		c->depth--;
		return true;
	}
	return opening == '[' || check_key(c);
}

/* Behind a value: closes what ends here. *more when another value follows. */
static bool after_value(Checker *c, bool *more)
{
	*more = false;
	while (c->depth > 0) {
		bool object = c->stack[c->depth - 1] == '{';
		skip_blanks(c);
		if (now(c) == ',') {
			c->at++;
			skip_blanks(c);
			*more = true;
			return !object || check_key(c);
		}
		if (now(c) != (object ? '}' : ']'))
			return fail(c,
				    object ? "after object key:value pair" : "after array element");
		c->at++;
		c->depth--;
	}
	return true;
}

static bool check_all(Checker *c)
{
	bool more = true;
	skip_blanks(c);
	while (more) {
		bool opens = now(c) == '{' || now(c) == '[', empty = false;
		if (opens ? !open_container(c, &empty) : !check_scalar(c))
			return false;
		if (opens && !empty)
			continue;
		if (!after_value(c, &more))
			return false;
	}
	skip_blanks(c);
	return c->at >= c->text.len || fail(c, "after top-level value");
}

bool json_check(const GoUnicode *unicode, Str text, Buf *why)
{
	autobuf Buf stack = {0};
	buf_reserve(&stack, CHECK_MAX_DEPTH);
	Checker c = {.unicode = unicode, .text = text, .why = why, .stack = stack.ptr};
	return check_all(&c);
}
