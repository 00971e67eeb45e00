/*
 * Globs of ${v#g} and ${v%g}: `*` any text, `?` a character, `[a-z]` and `[^a-z]` one of a class,
 * `\c` that character. A pattern without meaning matches nothing. Pieces between the stars are
 * found one behind the other, so that the time is linear in the text.
 * Pure.
 */
#include "internal.h"

#include "gotmpl/unicode.h"

static void skip(Str *text, size_t count)
{
	*text = str_slice(*text, count, text->len);
}

/* A character of a class; something has to follow it. */
static bool cut_member(Str *pattern, uint32_t *out)
{
	size_t width;
	if (pattern->len && *pattern->ptr == '\\')
		skip(pattern, 1);
	else if (pattern->len && (*pattern->ptr == '-' || *pattern->ptr == ']'))
		return false;
	if (!pattern->len)
		return false;
	*out = rune_decode(*pattern, &width);
	bool broken = *out == RUNE_ERROR && width == 1;
	skip(pattern, width);
	return !broken && pattern->len;
}

/* Cuts a class, which `pattern` begins with; false when it is none. */
static bool cut_class(Str *pattern, uint32_t rune, bool *out_matches)
{
	skip(pattern, 1);
	bool negated = pattern->len && *pattern->ptr == '^', in = false;
	skip(pattern, negated);
	for (bool first = true; first || *pattern->ptr != ']'; first = false) {
		uint32_t low, high;
		if (!cut_member(pattern, &low))
			return false;
		high = low;
		if (*pattern->ptr == '-') {
			skip(pattern, 1);
			if (!cut_member(pattern, &high))
				return false;
		}
		in |= low <= rune && rune <= high;
	}
	skip(pattern, 1);
	*out_matches = in != negated;
	return true;
}

static bool is_valid(Str pattern)
{
	bool matches;
	while (pattern.len) {
		if (*pattern.ptr == '[') {
			if (!cut_class(&pattern, 0, &matches))
				return false;
			continue;
		}
		bool escape = *pattern.ptr == '\\';
		if (escape && pattern.len == 1)
			return false;
		skip(&pattern, escape ? 2 : 1);
	}
	return true;
}

/* The piece before the next star, cut from a valid pattern. */
static Str cut_piece(Str *pattern)
{
	Str rest = *pattern;
	bool matches;
	while (rest.len && *rest.ptr != '*') {
		if (*rest.ptr == '[')
			cut_class(&rest, 0, &matches);
		else
			skip(&rest, *rest.ptr == '\\' ? 2 : 1);
	}
	Str piece = str_sized(pattern->ptr, pattern->len - rest.len);
	*pattern = rest;
	return piece;
}

/* Whether the piece stands at the start of text; *out_len is how much of it that takes. */
static bool stands_at(Str piece, Str text, size_t *out_len)
{
	size_t before = text.len, width;
	while (piece.len) {
		if (!text.len)
			return false;
		bool matches = true;
		uint32_t rune = rune_decode(text, &width);
		if (*piece.ptr == '[') {
			cut_class(&piece, rune, &matches);
		} else if (*piece.ptr == '?') {
			skip(&piece, 1);
		} else {
			skip(&piece, *piece.ptr == '\\');
			matches = *piece.ptr == *text.ptr;
			width = 1;
			skip(&piece, 1);
		}
		if (!matches)
			return false;
		skip(&text, width);
	}
	*out_len = before - text.len;
	return true;
}

/* Where the first or the last place of the piece in text ends; 0: it has none. */
static bool find_piece(const SubstituteVars *vars, Str piece, Str text, bool last, size_t *out_end,
		       Error *err)
{
	enum { LOOK_EACH = 1024 };
	size_t width, taken, steps = 0;
	*out_end = 0;
	for (size_t at = 0; at < text.len && (last || !*out_end); at += width) {
		Str rest = str_slice(text, at, text.len);
		rune_decode(rest, &width);
		if (stands_at(piece, rest, &taken))
			*out_end = at + taken;
		if (++steps % LOOK_EACH == 0 && !substitute_check_time(vars, err))
			return false;
	}
	return true;
}

bool substitute_glob(const SubstituteVars *vars, Str glob, Str text, bool longest, size_t *out_len,
		     Error *err)
{
	size_t at = 0, width = 0;
	*out_len = 0;
	if (!text.len || !is_valid(glob))
		return true;
	rune_decode(text, &width);
	while (glob.len) {
		bool star = *glob.ptr == '*';
		while (glob.len && *glob.ptr == '*')
			skip(&glob, 1);
		Str piece = cut_piece(&glob), rest = str_slice(text, at, text.len);
		size_t taken = 0;
		if (!piece.len) /* a star at the end; what is empty is no match */
			taken = longest ? rest.len : at ? 0 : width;
		else if (star && !find_piece(vars, piece, rest, longest && !glob.len, &taken, err))
			return false;
		else if (!star && !stands_at(piece, rest, &taken))
			return true;
		if (piece.len && !taken)
			return true;
		at += taken;
	}
	*out_len = at;
	return true;
}
