/*
 * Expansion of ${...} (facts kustomize-controller.md 4): a small recursive reader over the text.
 * Pure.
 * `$$` is a literal `$`; `$x` and `$(x)` stay. Defaults may nest ${...}. Bounded in depth and size.
 */
#include "internal.h"

#include <ctype.h>
#include <fnmatch.h>
#include <string.h>

#include "base/mem.h"

enum { MAX_DEPTH = 32, MAX_OUTPUT = 32 << 20 };

typedef struct {
	const SubstituteVars *vars;
	const char *at;
	int depth;
} Reader;

static bool is_name_start(char c)
{
	return c == '_' || isalpha((unsigned char)c);
}

static bool is_name(char c)
{
	return c == '_' || isalnum((unsigned char)c);
}

bool substitute_valid_name(const char *name)
{
	if (!is_name_start(*name))
		return false;
	while (*name && is_name(*name))
		name++;
	return !*name;
}

static bool expand_until(Reader *reader, bool nested, Buf *out, Error *err);

/* The raw text up to the closing brace, with nested expansions done. */
static bool read_argument(Reader *reader, Buf *out, Error *err)
{
	if (++reader->depth > MAX_DEPTH)
		return err_set(err, ERR_LIMIT, "more than %d nested substitutions", MAX_DEPTH);
	bool ok = expand_until(reader, true, out, err);
	reader->depth--;
	return ok;
}

static bool unset(const char *name, Error *err)
{
	return err_set(err, ERR_INVALID, "variable not set (strict mode): \"%s\"", name);
}

/* The value for a form that transforms: unset fails when strict, else is empty. */
static bool value_or_fail(const Reader *reader, const char *name, const char **out, Error *err)
{
	*out = map_get(reader->vars->values, name);
	if (!*out && reader->vars->strict)
		return unset(name, err);
	if (!*out)
		*out = "";
	return true;
}

static bool read_number(const char **at, long *out)
{
	bool negative = **at == '-';
	const char *digits = *at + negative;
	char *end;
	if (!isdigit((unsigned char)*digits))
		return false;
	*out = strtol(digits, &end, 10);
	if (negative)
		*out = -*out;
	*at = end;
	return true;
}

/* ${v:p} and ${v:p:n} on bytes; what is no number returns the value whole. */
static void put_slice(const char *value, const char *argument, Buf *out)
{
	long len = (long)strlen(value), from, count = len;
	const char *at = argument;
	bool ok = read_number(&at, &from);
	if (ok && *at == ':') {
		at++;
		ok = read_number(&at, &count);
	}
	if (!ok || *at) {
		buf_puts(out, value);
		return;
	}
	if (from < 0)
		from += len;
	if (from < 0 || from > len)
		return;
	if (count < 0 || count > len - from)
		count = len - from;
	buf_append(out, value + from, (size_t)count);
}

/* ${v^} ${v^^} ${v,} ${v,,} */
static void put_case(const char *value, char form, bool all, Buf *out)
{
	for (size_t i = 0; value[i]; i++) {
		unsigned char c = (unsigned char)value[i];
		if (i == 0 || all)
			c = (unsigned char)(form == '^' ? toupper(c) : tolower(c));
		buf_putc(out, (char)c);
	}
}

/* Trims what a glob matches at the start (#) or end (%), shortest or longest (## %%). */
static void put_trimmed(const char *value, const char *glob, char form, bool longest, Buf *out)
{
	size_t len = strlen(value);
	for (size_t step = 0; step <= len; step++) {
		size_t piece = longest ? len - step : step;
		bool head = form == '#';
		autofree char *part = mem_strndup(head ? value : value + len - piece, piece);
		if (fnmatch(glob, part, 0) != 0)
			continue;
		buf_append(out, head ? value + piece : value, len - piece);
		return;
	}
	buf_puts(out, value);
}

/* Splits "a/b" at the first slash that is not escaped, undoing `\/` and `\\`. */
static bool split_replace(const char *argument, Buf *from, Buf *to)
{
	Buf *part = from;
	for (const char *c = argument; *c; c++) {
		if (*c == '\\' && (c[1] == '/' || c[1] == '\\')) {
			buf_putc(part, *++c);
		} else if (*c == '/' && part == from) {
			part = to;
		} else {
			buf_putc(part, *c);
		}
	}
	return part == to;
}

static void put_all_replaced(const char *value, const char *from, const char *to, bool all,
			     Buf *out)
{
	size_t len = strlen(from);
	for (const char *hit; len && (hit = strstr(value, from));) {
		buf_append(out, value, (size_t)(hit - value));
		buf_puts(out, to);
		value = hit + len;
		if (!all)
			break;
	}
	buf_puts(out, value);
}

/* ${v/a/b} ${v//a/b} ${v/#a/b} ${v/%a/b}; an empty b does nothing with # and % [Q]. */
static bool put_replaced(const char *value, const char *argument, Buf *out, Error *err)
{
	char form = *argument;
	bool special = form == '/' || form == '#' || form == '%';
	autobuf Buf from = {0}, to = {0};
	if (!split_replace(argument + special, &from, &to))
		return err_set(err, ERR_INVALID, "the second slash is missing in a replacement");
	const char *a = buf_text(&from), *b = buf_text(&to);
	bool anchored = form == '#' || form == '%';
	if (!anchored) {
		put_all_replaced(value, a, b, form == '/', out);
	} else if (!*b) {
		buf_puts(out, value);
	} else if (form == '#' && cstr_starts(value, a)) {
		buf_printf(out, "%s%s", b, value + strlen(a));
	} else if (form == '%' && cstr_ends(value, a)) {
		buf_append(out, value, strlen(value) - strlen(a));
		buf_puts(out, b);
	} else {
		buf_puts(out, value);
	}
	return true;
}

/* ${v:=d} ${v=d} ${v:-d} and, as upstream, ${v:?d} ${v:+d}: d when unset or empty. */
static void put_default(const Reader *reader, const char *name, const char *fallback, Buf *out)
{
	const char *value = map_get(reader->vars->values, name);
	buf_puts(out, cstr_empty(value) ? fallback : value);
}

static bool parse_error(const char *what, Error *err)
{
	return err_set(err, ERR_INVALID, "unable to parse substitution: %s", what);
}

/* The operator behind the name; reader->at stands on it. The argument runs to the closing brace. */
static bool put_operation(Reader *reader, const char *name, Buf *out, Error *err)
{
	const char *at = reader->at;
	char op = *at;
	bool is_default = op == '=' || (op == ':' && at[1] && strchr("=-?+", at[1]));
	size_t op_len = op == ':' && is_default ? 2 : 1;
	bool doubled = strchr("^,#%", op) && at[1] == op;
	reader->at += doubled ? 2 : op_len;
	autobuf Buf argument = {0};
	if (!read_argument(reader, &argument, err))
		return false;
	const char *text = buf_text(&argument), *value;
	if (is_default) {
		put_default(reader, name, text, out);
		return true;
	}
	if (!value_or_fail(reader, name, &value, err))
		return false;
	switch (op) {
	case ':':
		put_slice(value, text, out);
		return true;
	case '^':
	case ',':
		put_case(value, op, doubled, out);
		return *text ? parse_error("text behind a case operator", err) : true;
	case '#':
	case '%':
		put_trimmed(value, text, op, doubled, out);
		return true;
	case '/':
		return put_replaced(value, text, out, err);
	default:
		return parse_error("unknown operator", err);
	}
}

static char *read_name(Reader *reader)
{
	const char *start = reader->at;
	if (is_name_start(*reader->at))
		while (is_name(*reader->at))
			reader->at++;
	return mem_strndup(start, (size_t)(reader->at - start));
}

/* ${#v}: the length in bytes. */
static bool put_length(Reader *reader, Buf *out, Error *err)
{
	reader->at++;
	autofree char *name = read_name(reader);
	const char *value;
	if (!*name || *reader->at != '}')
		return parse_error("bad length form", err);
	reader->at++;
	if (!value_or_fail(reader, name, &value, err))
		return false;
	buf_printf(out, "%zu", strlen(value));
	return true;
}

/* Behind "${". */
static bool put_variable(Reader *reader, Buf *out, Error *err)
{
	if (*reader->at == '#')
		return put_length(reader, out, err);
	autofree char *name = read_name(reader);
	const char *value;
	if (!*name)
		return parse_error("missing variable name", err);
	if (*reader->at == '}') {
		reader->at++;
		if (!value_or_fail(reader, name, &value, err))
			return false;
		buf_puts(out, value);
		return true;
	}
	if (!*reader->at || !strchr(":=^,#%/", *reader->at))
		return parse_error("bad character behind the variable name", err);
	return put_operation(reader, name, out, err);
}

static bool expand_until(Reader *reader, bool nested, Buf *out, Error *err)
{
	while (*reader->at) {
		const char *at = reader->at;
		if (nested && *at == '}') {
			reader->at++;
			return true;
		}
		if (at[0] == '$' && at[1] == '$') {
			buf_putc(out, '$');
			reader->at += 2;
		} else if (at[0] == '$' && at[1] == '{') {
			reader->at += 2;
			if (!put_variable(reader, out, err))
				return false;
		} else {
			buf_putc(out, *reader->at++);
		}
		if (out->len > MAX_OUTPUT)
			return err_set(err, ERR_LIMIT, "substitution gives more than %d bytes",
				       MAX_OUTPUT);
	}
	return nested ? parse_error("missing closing brace", err) : true;
}

bool substitute_expand(const char *text, const SubstituteVars *vars, Buf *out, Error *err)
{
	Reader reader = {.vars = vars, .at = text};
	return expand_until(&reader, false, out, err);
}
