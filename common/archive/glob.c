/*
 * Wildcards within one path component (gitignore(5), fnmatch without FNM_PERIOD). Matching goes
 * back to the last star only, which is enough for `*` and keeps the time at pattern times name
 * length.
 */
#include "archive/ignore_internal.h"

#include "base/auto.h"

/* ASCII only: a locale must not change what an artifact holds. */
typedef struct {
	const char *name;
	const char *ranges; /* pairs of first and last byte */
} CharClass;

static const CharClass char_classes[] = {
	{"alnum", "09AZaz"},   {"alpha", "AZaz"},
	{"blank", "  \t\t"},   {"cntrl", "\x01\x1f\x7f\x7f"},
	{"digit", "09"},       {"graph", "!~"},
	{"lower", "az"},       {"print", " ~"},
	{"punct", "!/:@[`{~"}, {"space", "\t\r  "},
	{"upper", "AZ"},       {"xdigit", "09AFaf"},
};

typedef enum { STEP_NO, STEP_YES, STEP_MALFORMED } Step;

static Step class_has(Str name, unsigned char byte)
{
	for (size_t i = 0; i < COUNT(char_classes); i++) {
		if (!str_eq(name, str_of(char_classes[i].name)))
			continue;
		for (const char *r = char_classes[i].ranges; *r; r += 2) {
			if (byte >= (unsigned char)r[0] && byte <= (unsigned char)r[1])
				return STEP_YES;
		}
		return STEP_NO;
	}
	return STEP_MALFORMED;
}

/* One byte of a bracket, `\` quoting the next; false at the end of the pattern. */
static bool bracket_byte(Str pattern, size_t *at, unsigned char *out)
{
	if (*at < pattern.len && pattern.ptr[*at] == '\\')
		(*at)++;
	if (*at >= pattern.len)
		return false;
	*out = (unsigned char)pattern.ptr[(*at)++];
	return true;
}

/* `[:name:]` at *at; moves behind it. */
static Step bracket_class(Str pattern, size_t *at, unsigned char byte)
{
	Str rest = str_slice(pattern, *at + 2, pattern.len);
	ptrdiff_t end = str_find(rest, STR(":]"));
	if (end < 0)
		return STEP_MALFORMED;
	*at += (size_t)end + 4;
	return class_has(str_slice(rest, 0, (size_t)end), byte);
}

/* A byte or a range `a-z` at *at; moves behind it. */
static Step bracket_range(Str pattern, size_t *at, unsigned char byte)
{
	unsigned char first, last;
	if (!bracket_byte(pattern, at, &first))
		return STEP_MALFORMED;
	last = first;
	bool is_range =
		*at + 1 < pattern.len && pattern.ptr[*at] == '-' && pattern.ptr[*at + 1] != ']';
	if (is_range) {
		(*at)++;
		if (!bracket_byte(pattern, at, &last))
			return STEP_MALFORMED;
	}
	return byte >= first && byte <= last ? STEP_YES : STEP_NO;
}

/* The bracket that starts behind *at - 1; moves behind its `]`. */
static Step bracket_matches(Str pattern, size_t *at, unsigned char byte)
{
	bool negated = *at < pattern.len && (pattern.ptr[*at] == '!' || pattern.ptr[*at] == '^');
	if (negated)
		(*at)++;
	bool found = false;
	/* A `]` that comes first stands for itself. */
	for (size_t start = *at; *at < pattern.len;) {
		if (pattern.ptr[*at] == ']' && *at > start) {
			(*at)++;
			return found != negated ? STEP_YES : STEP_NO;
		}
		bool is_class = pattern.ptr[*at] == '[' && *at + 1 < pattern.len &&
				pattern.ptr[*at + 1] == ':';
		Step step = is_class ? bracket_class(pattern, at, byte)
				     : bracket_range(pattern, at, byte);
		if (step == STEP_MALFORMED)
			return step;
		found |= step == STEP_YES;
	}
	return STEP_MALFORMED;
}

/* Matches one byte of the name with the pattern element at *at; moves behind the element. */
static Step element_matches(Str pattern, size_t *at, unsigned char byte)
{
	char element = pattern.ptr[(*at)++];
	if (element == '?')
		return STEP_YES;
	if (element == '[')
		return bracket_matches(pattern, at, byte);
	if (element == '\\') {
		if (*at >= pattern.len)
			return STEP_MALFORMED;
		element = pattern.ptr[(*at)++];
	}
	return (unsigned char)element == byte ? STEP_YES : STEP_NO;
}

bool glob_matches(Str pattern, Str name)
{
	size_t at = 0, pos = 0;
	size_t star = 0, star_pos = 0;
	bool has_star = false;
	while (pos < name.len || at < pattern.len) {
		if (at < pattern.len && pattern.ptr[at] == '*') {
			has_star = true;
			star = ++at;
			star_pos = pos;
			continue;
		}
		Step step = STEP_NO;
		if (at < pattern.len && pos < name.len)
			step = element_matches(pattern, &at, (unsigned char)name.ptr[pos]);
		if (step == STEP_MALFORMED)
			return false;
		if (step == STEP_YES) {
			pos++;
			continue;
		}
		/* The last star takes one byte more. */
		if (!has_star || star_pos >= name.len)
			return false;
		at = star;
		pos = ++star_pos;
	}
	return true;
}
