#include "gotmpl/glob.h"

#include "gotmpl/unicode.h"

enum { GLOB_MAX_STEPS = 200000, GLOB_MAX_DEPTH = 200 };

typedef struct {
	size_t steps, depth;
} Budget;

static bool match(Budget *budget, Str pattern, Str name);

/* The end of a "[...]" that starts the pattern, 0 when it has none. */
static size_t class_end(Str pattern)
{
	size_t at = 1;
	if (at < pattern.len && pattern.ptr[at] == '!')
		at++;
	size_t from = at;
	for (; at < pattern.len; at++) {
		if (pattern.ptr[at] == '\\')
			at++;
		else if (pattern.ptr[at] == ']' && at > from)
			return at + 1;
	}
	return 0;
}

static bool in_class(Str class, uint32_t rune)
{
	bool invert = class.len > 0 && class.ptr[0] == '!', found = false;
	size_t width, at = invert ? 1 : 0;
	while (at < class.len) {
		if (class.ptr[at] == '\\' && at + 1 < class.len)
			at++;
		uint32_t low = rune_decode(str_slice(class, at, class.len), &width), high = low;
		at += width;
		if (at + 1 < class.len && class.ptr[at] == '-') {
			high = rune_decode(str_slice(class, at + 1, class.len), &width);
			at += 1 + width;
		}
		found |= rune >= low && rune <= high;
	}
	return found != invert;
}

/* The "}" that closes the "{" at the start, or 0. */
static size_t braces_end(Str pattern)
{
	size_t depth = 0;
	for (size_t at = 0; at < pattern.len; at++) {
		if (pattern.ptr[at] == '\\')
			at++;
		else if (pattern.ptr[at] == '{')
			depth++;
		else if (pattern.ptr[at] == '}' && --depth == 0)
			return at;
	}
	return 0;
}

bool go_glob_valid(Str pattern)
{
	size_t depth = 0;
	for (size_t at = 0; at < pattern.len; at++) {
		char byte = pattern.ptr[at];
		if (byte == '\\') {
			if (++at >= pattern.len)
				return false;
		} else if (byte == '[') {
			size_t end = class_end(str_slice(pattern, at, pattern.len));
			if (end == 0)
				return false;
			at += end - 1;
		} else if (byte == '{') {
			depth++;
		} else if (byte == '}' && depth > 0) {
			depth--;
		}
	}
	return depth == 0;
}

/* One of the comma-separated choices, then what follows the braces. */
static bool match_choices(Budget *budget, Str choices, Str after, Str name)
{
	size_t depth = 0, from = 0;
	for (size_t at = 0; at <= choices.len; at++) {
		bool end = at == choices.len;
		if (!end && choices.ptr[at] == '\\') {
			at++;
			continue;
		}
		depth += !end && choices.ptr[at] == '{';
		depth -= !end && choices.ptr[at] == '}';
		if (!end && (choices.ptr[at] != ',' || depth > 0))
			continue;
		autobuf Buf joined = {0};
		buf_add(&joined, str_slice(choices, from, at));
		buf_add(&joined, after);
		if (match(budget, buf_str(&joined), name))
			return true;
		from = at + 1;
	}
	return false;
}

static bool match_stars(Budget *budget, Str pattern, Str name)
{
	bool across = pattern.len > 1 && pattern.ptr[1] == '*';
	pattern = str_slice(pattern, across ? 2 : 1, pattern.len);
	for (size_t at = 0;; at++) {
		if (match(budget, pattern, str_slice(name, at, name.len)))
			return true;
		if (at >= name.len || (!across && name.ptr[at] == '/'))
			return false;
	}
}

/* A single rune of the name against what starts the pattern; 0 width when it does not fit. */
static size_t match_one(Str pattern, uint32_t rune)
{
	char byte = pattern.ptr[0];
	size_t width;
	if (byte == '?')
		return rune == '/' ? 0 : 1;
	if (byte == '[') {
		size_t end = class_end(pattern);
		return end && in_class(str_slice(pattern, 1, end - 1), rune) ? end : 0;
	}
	size_t skip = byte == '\\' && pattern.len > 1;
	uint32_t wanted = rune_decode(str_slice(pattern, skip, pattern.len), &width);
	return wanted == rune ? skip + width : 0;
}

static bool match(Budget *budget, Str pattern, Str name)
{
	if (++budget->steps > GLOB_MAX_STEPS || budget->depth > GLOB_MAX_DEPTH)
		return false;
	while (pattern.len > 0) {
		bool star = pattern.ptr[0] == '*', brace = pattern.ptr[0] == '{';
		if (star || brace) {
			size_t end = brace ? braces_end(pattern) : 0;
			budget->depth++;
			bool fits = star ? match_stars(budget, pattern, name)
					 : match_choices(budget, str_slice(pattern, 1, end),
							 str_slice(pattern, end + 1, pattern.len),
							 name);
			budget->depth--;
			return fits;
		}
		if (name.len == 0)
			return false;
		size_t width, used = match_one(pattern, rune_decode(name, &width));
		if (used == 0)
			return false;
		pattern = str_slice(pattern, used, pattern.len);
		name = str_slice(name, width, name.len);
	}
	return name.len == 0;
}

bool go_glob_match(Str pattern, Str name)
{
	Budget budget = {0};
	return go_glob_valid(pattern) && match(&budget, pattern, name);
}
