/*
 * Expansion of ${...} (facts kustomize-controller.md 4): a small recursive reader over the text,
 * whose forms are exactly those of upstream's.
 * Pure.
 * `$$` is a literal `$`; `$x` and `$(x)` stay. An argument is plain text or one ${...}; a default
 * any number of both. Bounded in depth, in time and in what it writes: every byte is counted, those
 * of arguments too.
 */
#include "internal.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/mem.h"
#include "gotmpl/unicode.h"

enum { MAX_DEPTH = 32, MAX_TEXT = 32 << 20 };

typedef struct {
	SubstituteVars *vars;
	const GoUnicode *unicode;
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

static bool put_variable(Reader *reader, Buf *out, Error *err);

static bool parse_error(const char *what, Error *err)
{
	return err_set(err, ERR_INVALID, "unable to parse substitution: %s", what);
}

static bool unset(const char *name, Error *err)
{
	return err_set(err, ERR_INVALID, "variable not set (strict mode): \"%s\"", name);
}

/* The value for a form that transforms: unset fails when strict, else is empty. */
static bool value_or_fail(const Reader *reader, const char *name, Str *out, Error *err)
{
	const char *value = map_get(reader->vars->values, name);
	*out = str_of(value);
	return value || !reader->vars->strict || unset(name, err);
}

static bool put_nested(Reader *reader, Buf *out, Error *err)
{
	if (++reader->depth > MAX_DEPTH)
		return err_set(err, ERR_LIMIT, "more than %d nested substitutions", MAX_DEPTH);
	reader->at += strlen("${");
	bool ok = put_variable(reader, out, err) && substitute_check_time(reader->vars, err);
	reader->depth--;
	return ok;
}

static bool is_escaped(const char *at)
{
	return (at[0] == '$' && at[1] == '$') || (at[0] == '\\' && (at[1] == '/' || at[1] == '\\'));
}

/* One ${...}, or the text, not empty, before the next one or a byte of `stops`. With `escapes`
 * `$$`, `\/` and `\\` stand for their second byte. */
static bool put_argument(Reader *reader, const char *stops, bool escapes, Buf *out, Error *err)
{
	if (cstr_starts(reader->at, "${"))
		return put_nested(reader, out, err);
	const char *start = reader->at;
	while (*reader->at && !cstr_starts(reader->at, "${")) {
		bool escaped = escapes && is_escaped(reader->at);
		if (!escaped && strchr(stops, *reader->at))
			break;
		reader->at += escaped;
		if (!put(reader, out, reader->at++, 1, err))
			return false;
	}
	return reader->at != start || parse_error("an argument is missing", err);
}

static bool close_brace(Reader *reader, Error *err)
{
	return *reader->at == '}' ? (reader->at++, true)
				  : parse_error("missing closing brace", err);
}

/* As Go's strconv.Atoi. */
static bool read_number(const Buf *text, long *out)
{
	const char *at = buf_text(text);
	char *end;
	bool has_sign = *at == '-' || *at == '+';
	if (!isdigit((unsigned char)at[has_sign]))
		return false;
	errno = 0;
	*out = strtol(at, &end, 10);
	return !*end && errno == 0;
}

/* ${v:p} and ${v:p:n} on bytes; what is no number gives the value whole. `count` or NULL. */
static bool put_slice(Reader *reader, Str value, const Buf *position, const Buf *count, Buf *out,
		      Error *err)
{
	long len = (long)value.len, from, wanted = len;
	if (!read_number(position, &from) || (count && !read_number(count, &wanted)))
		return put(reader, out, value.ptr, value.len, err);
	if (from < 0)
		from = from < -len ? 0 : from + len;
	if (wanted < 0) /* from the end */
		wanted = wanted < -len || len + wanted < from ? 0 : len + wanted - from;
	if (from >= len)
		return true;
	if (wanted > len - from)
		wanted = len - from;
	return put(reader, out, value.ptr + from, (size_t)wanted, err);
}

static bool read_slice(Reader *reader, Str value, Buf *out, Error *err)
{
	autobuf Buf position = {0}, count = {0};
	reader->at++;
	if (!put_argument(reader, ":}", false, &position, err))
		return false;
	bool has_count = *reader->at == ':';
	reader->at += strspn(reader->at, ":");
	return (!has_count || put_argument(reader, "}", false, &count, err)) &&
	       close_brace(reader, err) &&
	       put_slice(reader, value, &position, has_count ? &count : NULL, out, err);
}

/* ${v^} ${v^^} ${v,} ${v,,}; the two mixed change nothing [Q]. */
static bool read_case(Reader *reader, Str value, Buf *out, Error *err)
{
	const char *form = reader->at;
	size_t forms = strspn(form, "^,"), width = 0;
	forms = forms > 2 ? 2 : forms;
	reader->at += forms;
	if (!close_brace(reader, err))
		return false;
	autobuf Buf cased = {0};
	Str whole = forms == 2 ? value : STR("");
	if (value.len && forms == 1) {
		rune_decode(value, &width);
		whole = str_slice(value, 0, width);
	}
	if (forms == 2 && form[0] != form[1])
		return put(reader, out, value.ptr, value.len, err);
	runes_map(reader->unicode, whole, *form == '^' ? rune_upper : rune_lower, &cased);
	return put(reader, out, buf_text(&cased), cased.len, err) &&
	       put(reader, out, value.ptr + whole.len, value.len - whole.len, err);
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
static bool read_trim(Reader *reader, Str value, Buf *out, Error *err)
{
	autobuf Buf glob = {0}, value_back = {0}, glob_back = {0};
	bool head = *reader->at == '#', longest = reader->at[1] == *reader->at;
	size_t cut;
	reader->at += longest ? 2 : 1;
	if (!put_argument(reader, "}", false, &glob, err) || !close_brace(reader, err))
		return false;
	if (!head) {
		put_reversed(value, &value_back);
		put_reversed(buf_str(&glob), &glob_back);
	}
	if (!substitute_glob(reader->vars, buf_str(head ? &glob : &glob_back),
			     head ? value : buf_str(&value_back), longest, &cut, err))
		return false;
	return put(reader, out, head ? value.ptr + cut : value.ptr, value.len - cut, err);
}

/* Where nothing is looked for, it is found before each character and at the end. */
static bool put_between(Reader *reader, Str value, Str to, bool all, Buf *out, Error *err)
{
	size_t width;
	for (size_t at = 0; at < value.len; at += width) {
		Str rest = str_slice(value, at, value.len);
		rune_decode(rest, &width);
		if ((all || at == 0) && !put(reader, out, to.ptr, to.len, err))
			return false;
		if (!put(reader, out, rest.ptr, width, err))
			return false;
	}
	return (!all && value.len) || put(reader, out, to.ptr, to.len, err);
}

static bool put_replaced(Reader *reader, Str value, Str from, Str to, bool all, Buf *out,
			 Error *err)
{
	if (!from.len)
		return put_between(reader, value, to, all, out, err);
	for (ptrdiff_t hit; (hit = str_find(value, from)) >= 0;) {
		if (!put(reader, out, value.ptr, (size_t)hit, err) ||
		    !put(reader, out, to.ptr, to.len, err))
			return false;
		value = str_slice(value, (size_t)hit + from.len, value.len);
		if (!all)
			break;
	}
	return put(reader, out, value.ptr, value.len, err);
}

/* An anchored form without a replacement does nothing [Q]. */
static bool put_replacement(Reader *reader, char form, Str value, Str from, const Buf *to, Buf *out,
			    Error *err)
{
	Str text = to ? buf_str(to) : STR("");
	if (form == '#' || form == '%') {
		bool head = form == '#';
		if (!to || !(head ? str_starts(value, from) : str_ends(value, from)))
			return put(reader, out, value.ptr, value.len, err);
		const char *rest = head ? value.ptr + from.len : value.ptr;
		return (!head || put(reader, out, text.ptr, text.len, err)) &&
		       put(reader, out, rest, value.len - from.len, err) &&
		       (head || put(reader, out, text.ptr, text.len, err));
	}
	return put_replaced(reader, value, from, text, form == '/', out, err);
}

/* ${v/a/b} ${v//a/b} ${v/#a/b} ${v/%a/b} */
static bool read_replacement(Reader *reader, Str value, Buf *out, Error *err)
{
	autobuf Buf from = {0}, to = {0};
	char form = reader->at[1];
	bool special = form == '/' || form == '#' || form == '%';
	reader->at += special ? 2 : 1;
	if (!put_argument(reader, "/", true, &from, err))
		return false;
	if (*reader->at != '/')
		return parse_error("the second slash is missing in a replacement", err);
	reader->at += strspn(reader->at, "/");
	bool has_to = *reader->at != '}';
	return (!has_to || put_argument(reader, "}", true, &to, err)) && close_brace(reader, err) &&
	       put_replacement(reader, special ? form : 0, value, buf_str(&from),
			       has_to ? &to : NULL, out, err);
}

/* ${v:=d} ${v=d} ${v:-d} and, as upstream, ${v:?d} ${v:+d}: d when unset or empty. */
static bool read_default(Reader *reader, const char *name, Buf *out, Error *err)
{
	autobuf Buf fallback = {0};
	reader->at += *reader->at == '=' ? 1 : 2;
	while (*reader->at && *reader->at != '}')
		if (!put_argument(reader, "}", false, &fallback, err))
			return false;
	const char *value = map_get(reader->vars->values, name);
	Str text = cstr_empty(value) ? buf_str(&fallback) : str_of(value);
	return close_brace(reader, err) && put(reader, out, text.ptr, text.len, err);
}

/* Before it is asked whether the variable is set: `no` of ${no-where} is not what somebody forgot.
 */
static bool check_operator(const Reader *reader, const char *name, Error *err)
{
	char op = *reader->at;
	if (!op)
		return parse_error("missing closing brace", err);
	if (strchr("}:=^,#%/", op))
		return true;
	size_t width;
	rune_decode(str_sized(reader->at, strnlen(reader->at, 4)), &width);
	autofree char *what = mem_printf(
		"missing closing brace: \"%.*s\" cannot follow \"${%s\"; names have letters, "
		"digits and _, and $${ is ${ itself",
		(int)width, reader->at, name);
	return parse_error(what, err);
}

/* The operator behind the name; reader->at stands on it. */
static bool put_operation(Reader *reader, const char *name, Buf *out, Error *err)
{
	char op = *reader->at;
	Str value;
	if (op == '=' || (op == ':' && reader->at[1] && strchr("=-?+", reader->at[1])))
		return read_default(reader, name, out, err);
	if (!check_operator(reader, name, err) || !value_or_fail(reader, name, &value, err))
		return false;
	switch (op) {
	case ':':
		return read_slice(reader, value, out, err);
	case '^':
	case ',':
		return read_case(reader, value, out, err);
	case '#':
	case '%':
		return read_trim(reader, value, out, err);
	case '/':
		return read_replacement(reader, value, out, err);
	default:
		return close_brace(reader, err) && put(reader, out, value.ptr, value.len, err);
	}
}

/* Any letters and digits: that no variable is called so is another matter. Owned; NULL: none. */
static char *read_name(Reader *reader)
{
	const char *start = reader->at;
	size_t width;
	for (; *reader->at; reader->at += width) {
		uint32_t rune = rune_decode(str_sized(reader->at, strnlen(reader->at, 4)), &width);
		if (rune != '_' && !rune_is_letter(reader->unicode, rune) &&
		    !rune_is_digit(reader->unicode, rune))
			break;
	}
	return reader->at == start ? NULL : mem_strndup(start, (size_t)(reader->at - start));
}

/* ${#v}: the length in bytes. */
static bool put_length(Reader *reader, Buf *out, Error *err)
{
	reader->at++;
	autofree char *name = read_name(reader);
	Str value;
	if (!name)
		return parse_error("bad length form", err);
	if (!close_brace(reader, err) || !value_or_fail(reader, name, &value, err))
		return false;
	autofree char *length = mem_printf("%zu", value.len);
	return put(reader, out, length, strlen(length), err);
}

/* Behind "${". */
static bool put_variable(Reader *reader, Buf *out, Error *err)
{
	if (*reader->at == '#')
		return put_length(reader, out, err);
	autofree char *name = read_name(reader);
	if (!name)
		return parse_error("missing variable name", err);
	return put_operation(reader, name, out, err);
}

bool substitute_expand(const char *text, SubstituteVars *vars, Buf *out, Error *err)
{
	autoarena Arena *arena = arena_new();
	Reader reader = {.vars = vars, .unicode = unicode_new(arena), .at = text};
	while (*reader.at) {
		if (cstr_starts(reader.at, "${")) {
			if (!put_nested(&reader, out, err))
				return false;
			continue;
		}
		const char *at = reader.at;
		size_t len = *at == '$' ? 1 : strcspn(at, "$");
		reader.at += cstr_starts(at, "$$") ? 2 : len;
		if (!put(&reader, out, at, len, err))
			return false;
	}
	return true;
}
