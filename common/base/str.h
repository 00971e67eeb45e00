/*
 * Sized string views that never own, and questions about C strings. A Str need not end in NUL.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

typedef struct {
	const char *ptr;
	size_t len;
} Str;

/* A view of a string literal. */
#define STR(literal) ((Str){"" literal, sizeof(literal) - 1})

/* A view of a C string; NULL gives the empty view. */
static inline Str str_of(const char *text)
{
	return (Str){text ? text : "", text ? strlen(text) : 0};
}

static inline Str str_sized(const char *ptr, size_t len)
{
	return (Str){ptr, len};
}

static inline bool str_eq(Str a, Str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool str_starts(Str text, Str prefix)
{
	return text.len >= prefix.len && str_eq(str_sized(text.ptr, prefix.len), prefix);
}

bool str_ends(Str text, Str suffix);

/* Index of the first byte or part, or -1. */
ptrdiff_t str_find_char(Str text, char byte);
ptrdiff_t str_find(Str text, Str part);

/* Without the blanks (space, tab, CR, LF) at both ends. */
Str str_trim(Str text);

/* text[from, to), with both cut to the length. */
static inline Str str_slice(Str text, size_t from, size_t to)
{
	if (to > text.len)
		to = text.len;
	if (from > to)
		from = to;
	return str_sized(text.ptr + from, to - from);
}

/*
 * Splits at the first `separator`: *head is what stands before it, *rest what follows. Without one
 * *head is all of text, *rest is empty and the result false.
 */
bool str_cut(Str text, char separator, Str *head, Str *rest);

/* Takes the next piece up to `separator` off *rest; false when nothing is left. For loops: an empty
 * text has no pieces, "a,,b" has three, "a," has one. */
bool str_next(Str *rest, char separator, Str *piece);

/* For C strings; NULL equals only NULL. */
bool cstr_eq(const char *a, const char *b);
bool cstr_starts(const char *text, const char *prefix);
bool cstr_ends(const char *text, const char *suffix);

/* True for NULL and "". */
bool cstr_empty(const char *text);

/* An owned C string copy; NULs inside are kept but end it early. */
char *str_dup(Str text);

/* Decimal digits only, no sign, no blank; false on anything else or overflow. */
bool str_to_u64(Str text, unsigned long long *out);

#endif
