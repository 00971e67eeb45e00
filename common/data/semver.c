#include "data/semver.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

/* Versions: parsing and precedence (SemVer 2.0 sections 9-11). Ranges are in semver_range.c. */

enum { VERSION_MAX = 256 }; /* upstream's */

void semver_dispose(Semver *version)
{
	free(version->pre);
	free(version->build);
	*version = (Semver){0};
}

static size_t label_end(Str text)
{
	size_t len = 0;
	while (len < text.len && (isalnum((unsigned char)text.ptr[len]) || text.ptr[len] == '-' ||
				  text.ptr[len] == '.'))
		len++;
	return len;
}

static bool is_number(Str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return false;
	return text.len > 0;
}

/* Dot-separated identifiers, none empty; a prerelease's numbers have no leading zero. */
static bool is_label(Str text, bool pre)
{
	if (text.len == 0 || text.ptr[text.len - 1] == '.')
		return false;
	Str piece;
	while (str_next(&text, '.', &piece)) {
		if (piece.len == 0)
			return false;
		if (pre && piece.len > 1 && piece.ptr[0] == '0' && is_number(piece))
			return false;
	}
	return true;
}

/* "-pre" or "+build" at *text, taken off; an absent one is empty. */
static bool take_label(Str *text, char sign, Str *label)
{
	*label = str_sized("", 0);
	if (text->len == 0 || text->ptr[0] != sign)
		return true;
	Str rest = str_slice(*text, 1, text->len);
	size_t len = label_end(rest);
	*label = str_slice(rest, 0, len);
	*text = str_slice(rest, len, rest.len);
	return is_label(*label, sign == '-');
}

/* Up to three numbers; returns how many, 0 when malformed. */
static size_t take_numbers(Str *text, uint64_t numbers[3])
{
	size_t count = 0;
	for (; count < 3; count++) {
		Str rest = *text;
		if (count > 0) {
			if (rest.len == 0 || rest.ptr[0] != '.')
				break;
			rest = str_slice(rest, 1, rest.len);
		}
		size_t len = 0;
		while (len < rest.len && rest.ptr[len] >= '0' && rest.ptr[len] <= '9')
			len++;
		unsigned long long value;
		if (!str_to_u64(str_slice(rest, 0, len), &value))
			return 0;
		numbers[count] = value;
		*text = str_slice(rest, len, rest.len);
	}
	return count;
}

static bool parse(const char *text, size_t min_parts, Semver *out)
{
	Str rest = str_of(text), pre, build;
	if (rest.len > 0 && rest.ptr[0] == 'v')
		rest = str_slice(rest, 1, rest.len);
	uint64_t numbers[3] = {0};
	size_t count = take_numbers(&rest, numbers);
	if (count == 0 || count < min_parts || !take_label(&rest, '-', &pre) ||
	    !take_label(&rest, '+', &build) || rest.len > 0)
		return false;
	*out = (Semver){numbers[0], numbers[1], numbers[2], str_dup(pre), str_dup(build)};
	return true;
}

bool semver_parse(const char *text, Semver *out)
{
	return text && strlen(text) <= VERSION_MAX && parse(text, 1, out);
}

bool semver_parse_long(const char *text, Semver *out)
{
	return parse(text, 1, out);
}

bool semver_parse_tag(const char *text, Semver *out)
{
	return text && strlen(text) <= VERSION_MAX && parse(text, 3, out);
}

static int compare_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* A number of more than 64 bits is text, as upstream has it. */
static int compare_identifier(Str a, Str b)
{
	unsigned long long x = 0, y = 0;
	bool a_number = str_to_u64(a, &x), b_number = str_to_u64(b, &y);
	if (a_number != b_number)
		return a_number ? -1 : 1;
	if (a_number)
		return compare_u64(x, y);
	size_t shorter = a.len < b.len ? a.len : b.len;
	int order = memcmp(a.ptr, b.ptr, shorter);
	return order ? order : compare_u64(a.len, b.len);
}

static int compare_pre(const char *a, const char *b)
{
	if (!*a || !*b)
		return (*a ? 0 : 1) - (*b ? 0 : 1);
	Str left = str_of(a), right = str_of(b), x, y;
	for (;;) {
		bool more_left = str_next(&left, '.', &x);
		bool more_right = str_next(&right, '.', &y);
		if (!more_left || !more_right)
			return (int)more_left - (int)more_right;
		int order = compare_identifier(x, y);
		if (order)
			return order;
	}
}

int semver_compare(const Semver *a, const Semver *b)
{
	int order = compare_u64(a->major, b->major);
	order = order ? order : compare_u64(a->minor, b->minor);
	order = order ? order : compare_u64(a->patch, b->patch);
	return order ? order : compare_pre(a->pre, b->pre);
}
