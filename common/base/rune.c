#include "base/rune.h"

static bool is_tail(Str text, size_t at)
{
	return at < text.len && ((unsigned char)text.ptr[at] & 0xc0) == 0x80;
}

uint32_t rune_decode(Str text, size_t *out_width)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char lead = (unsigned char)text.ptr[0];
	*out_width = 1;
	if (lead < 0x80)
		return lead;
	size_t width = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
	if (lead < 0xc2 || lead > 0xf4)
		return RUNE_ERROR;
	uint32_t rune = lead & (0xffu >> (width + 1));
	for (size_t i = 1; i < width; i++) {
		if (!is_tail(text, i))
			return RUNE_ERROR;
		rune = rune << 6 | ((unsigned char)text.ptr[i] & 0x3fu);
	}
	if (rune < least[width] || rune > RUNE_MAX || (rune >= 0xd800 && rune <= 0xdfff))
		return RUNE_ERROR;
	*out_width = width;
	return rune;
}

bool rune_all_valid(Str text)
{
	size_t width;
	for (size_t at = 0; at < text.len; at += width)
		if (rune_decode(str_slice(text, at, text.len), &width) == RUNE_ERROR && width == 1)
			return false;
	return true;
}
