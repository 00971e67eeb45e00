#include "cel/rune.h"

size_t rune_length(Str text, size_t at)
{
	size_t len = 1;
	while (at + len < text.len && ((unsigned char)text.ptr[at + len] & 0xc0) == 0x80)
		len++;
	return len;
}

size_t rune_at(Str text, size_t index)
{
	size_t at = 0;
	for (; index > 0 && at < text.len; index--)
		at += rune_length(text, at);
	return at;
}
