/*
 * Expansion of ${...} (facts kustomize-controller.md 4): a small recursive reader over the text.
 * Pure.
 * `$$` is a literal `$`; `$x` and `$(x)` stay. Defaults may nest ${...}. Bounded in depth, in time
 * and in what it writes: every byte is counted, those of arguments too.
 */
#include "internal.h"

#include <ctype.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "gotmpl/unicode.h"

enum { MAX_DEPTH = 32, MAX_TEXT = 32 << 20 };

typedef struct {
	SubstituteVars *vars;
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

bool substitute_check_time(const SubstituteVars *vars, Error *err)
{
	return clock_mono_ms() < vars->until_ms ||
	       err_set(err, ERR_LIMIT, "substitution takes longer than %lld ms",
		       (long long)vars->max_ms);
}

static bool put(const Reader *reader, Buf *out, const char *bytes, size_t len, Error *err)
{
	SubstituteVars *vars = reader->vars;
	size_t room = out->len < MAX_TEXT ? MAX_TEXT - out->len : 0;
	if (len > room)
		return err_set(err, ERR_LIMIT, "substitution gives more than %d bytes", MAX_TEXT);
	if (len > vars->max_bytes - vars->used)
		return err_set(err, ERR_LIMIT, "substitution writes more than %zu bytes",
			       vars->max_bytes);
	vars->used += len;
	buf_append(out, bytes, len);
	return true;
}

static bool put_text(const Reader *reader, Buf *out, const char *text, Error *err)
{
	return put(reader, out, text, strlen(text), err);
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

/* ${v:p} and ${v:p:n} on bytes; what is no number gives the value whole. */
static Str slice(Str value, const char *argument)
{
	long len = (long)value.len, from, count = len;
	const char *at = argument;
	bool ok = read_number(&at, &from);
	if (ok && *at == ':') {
		at++;
		ok = read_number(&at, &count);
	}
	if (!ok || *at)
		return value;
	if (from < 0)
		from += len;
	if (from < 0 || from > len)
		return STR("");
	if (count < 0 || count > len - from)
		count = len - from;
	return str_sized(value.ptr + from, (size_t)count);
}

/* ${v^} ${v^^} ${v,} ${v,,} */
static bool put_case(const Reader *reader, Str value, char form, bool all, Buf *out, Error *err)
{
	autobuf Buf cased = {0};
	buf_add(&cased, value);
	for (size_t i = 0; i < cased.len && (i == 0 || all); i++) {
		unsigned char c = (unsigned char)cased.ptr[i];
		cased.ptr[i] = (char)(form == '^' ? toupper(c) : tolower(c));
	}
	return put(reader, out, buf_text(&cased), cased.len, err);
}

static void put_reversed(Str text, Buf *out)
{
	buf_reserve(out, text.len);
	for (size_t end = text.len, width; end > 0; end -= width) {
		width = 1;
		while (width < 4 && width < end &&
		       ((unsigned char)text.ptr[end - width] & 0xc0) == 0x80)
			width++;
		buf_append(out, text.ptr + end - width, width);
	}
}

/* Trims what a glob matches at the start (#) or, both texts read from their ends, at the end (%):
 * shortest or longest (## %%). */
static bool put_trimmed(const Reader *reader, Str value, Str glob, char form, bool longest,
			Buf *out, Error *err)
{
	autobuf Buf value_back = {0}, glob_back = {0};
	size_t cut;
	bool head = form == '#';
	if (!head) {
		put_reversed(value, &value_back);
		put_reversed(glob, &glob_back);
	}
	if (!substitute_glob(reader->vars, head ? glob : buf_str(&glob_back),
			     head ? value : buf_str(&value_back), longest, &cut, err))
		return false;
	return put(reader, out, head ? value.ptr + cut : value.ptr, value.len - cut, err);
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

static bool put_all_replaced(const Reader *reader, const char *value, const char *from,
			     const char *to, bool all, Buf *out, Error *err)
{
	size_t len = strlen(from), to_len = strlen(to);
	for (const char *hit; len && (hit = strstr(value, from));) {
		if (!put(reader, out, value, (size_t)(hit - value), err) ||
		    !put(reader, out, to, to_len, err))
			return false;
		value = hit + len;
		if (!all)
			break;
	}
	return put_text(reader, out, value, err);
}

/* ${v/a/b} ${v//a/b} ${v/#a/b} ${v/%a/b}; an empty b does nothing with # and % [Q]. */
static bool put_replaced(const Reader *reader, const char *value, const char *argument, Buf *out,
			 Error *err)
{
	char form = *argument;
	bool special = form == '/' || form == '#' || form == '%';
	autobuf Buf from = {0}, to = {0};
	if (!split_replace(argument + special, &from, &to))
		return err_set(err, ERR_INVALID, "the second slash is missing in a replacement");
	const char *a = buf_text(&from), *b = buf_text(&to);
	bool anchored = form == '#' || form == '%';
	if (!anchored)
		return put_all_replaced(reader, value, a, b, form == '/', out, err);
	if (*b && form == '#' && cstr_starts(value, a))
		return put_text(reader, out, b, err) &&
		       put_text(reader, out, value + from.len, err);
	if (*b && form == '%' && cstr_ends(value, a))
		return put(reader, out, value, strlen(value) - from.len, err) &&
		       put_text(reader, out, b, err);
	return put_text(reader, out, value, err);
}

/* ${v:=d} ${v=d} ${v:-d} and, as upstream, ${v:?d} ${v:+d}: d when unset or empty. */
static bool put_default(const Reader *reader, const char *name, const char *fallback, Buf *out,
			Error *err)
{
	const char *value = map_get(reader->vars->values, name);
	return put_text(reader, out, cstr_empty(value) ? fallback : value, err);
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
	if (is_default)
		return put_default(reader, name, text, out, err);
	if (!value_or_fail(reader, name, &value, err))
		return false;
	Str part;
	switch (op) {
	case ':':
		part = slice(str_of(value), text);
		return put(reader, out, part.ptr, part.len, err);
	case '^':
	case ',':
		return (!*text || parse_error("text behind a case operator", err)) &&
		       put_case(reader, str_of(value), op, doubled, out, err);
	case '#':
	case '%':
		return put_trimmed(reader, str_of(value), buf_str(&argument), op, doubled, out,
				   err);
	case '/':
		return put_replaced(reader, value, text, out, err);
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
	autofree char *length = mem_printf("%zu", strlen(value));
	return put_text(reader, out, length, err);
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
		return value_or_fail(reader, name, &value, err) &&
		       put_text(reader, out, value, err);
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
		if (at[0] == '$' && at[1] == '{') {
			reader->at += 2;
			if (!put_variable(reader, out, err) ||
			    !substitute_check_time(reader->vars, err))
				return false;
			continue;
		}
		size_t len = *at == '$' ? 1 : strcspn(at, nested ? "$}" : "$");
		reader->at += at[0] == '$' && at[1] == '$' ? 2 : len;
		if (!put(reader, out, at, len, err))
			return false;
	}
	return nested ? parse_error("missing closing brace", err) : true;
}

bool substitute_expand(const char *text, SubstituteVars *vars, Buf *out, Error *err)
{
	Reader reader = {.vars = vars, .at = text};
	return expand_until(&reader, false, out, err);
}
