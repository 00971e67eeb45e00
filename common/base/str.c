#include "base/str.h"

#include "base/mem.h"

bool str_ends(Str text, Str suffix)
{
	return text.len >= suffix.len &&
	       str_eq(str_sized(text.ptr + text.len - suffix.len, suffix.len), suffix);
}

ptrdiff_t str_find_char(Str text, char byte)
{
	const char *hit = text.len ? memchr(text.ptr, byte, text.len) : NULL;
	return hit ? hit - text.ptr : -1;
}

ptrdiff_t str_find(Str text, Str part)
{
	if (part.len == 0)
		return 0;
	const char *hit = text.len ? memmem(text.ptr, text.len, part.ptr, part.len) : NULL;
	return hit ? hit - text.ptr : -1;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

Str str_trim(Str text)
{
	while (text.len && is_blank(text.ptr[0])) {
		text.ptr++;
		text.len--;
	}
	while (text.len && is_blank(text.ptr[text.len - 1]))
		text.len--;
	return text;
}

bool str_cut(Str text, char separator, Str *head, Str *rest)
{
	ptrdiff_t at = str_find_char(text, separator);
	if (at < 0) {
		*head = text;
		*rest = str_sized(text.ptr + text.len, 0);
		return false;
	}
	*head = str_slice(text, 0, (size_t)at);
	*rest = str_slice(text, (size_t)at + 1, text.len);
	return true;
}

bool str_next(Str *rest, char separator, Str *piece)
{
	if (!rest->ptr || rest->len == 0)
		return false;
	str_cut(*rest, separator, piece, rest);
	return true;
}

bool cstr_eq(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

bool cstr_starts(const char *text, const char *prefix)
{
	return text && strncmp(text, prefix, strlen(prefix)) == 0;
}

bool cstr_ends(const char *text, const char *suffix)
{
	return text && str_ends(str_of(text), str_of(suffix));
}

bool cstr_empty(const char *text)
{
	return !text || !*text;
}

char *str_dup(Str text)
{
	return mem_strndup(text.ptr, text.len);
}

bool str_to_u64(Str text, unsigned long long *out)
{
	unsigned long long value = 0;
	if (text.len == 0)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return false;
		if (__builtin_mul_overflow(value, 10ULL, &value) ||
		    __builtin_add_overflow(value, (unsigned long long)(text.ptr[i] - '0'), &value))
			return false;
	}
	*out = value;
	return true;
}
