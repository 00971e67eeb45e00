#include "base/visible.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

/* The bytes of the character at text and its number; 0 when it is none (RFC 3629). */
static size_t read_character(const char *text, uint32_t *out)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char first = (unsigned char)*text;
	size_t len = first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	uint32_t value = len == 1 ? first : first & (0xffU >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | ((unsigned char)text[i] & 0x3f);
	}
	bool good = len && first < 0xf8 && value >= least[len] && value <= 0x10ffff &&
		    (value & 0xfffff800) != 0xd800;
	*out = value;
	return good ? len : 0;
}

/* C0, DEL, C1; marks and embeddings of direction; line and paragraph separators. */
static bool is_hidden(uint32_t value)
{
	return value < 0x20 || (value >= 0x7f && value < 0xa0) || value == 0x61c ||
	       value == 0x200e || value == 0x200f || (value >= 0x2028 && value <= 0x202e) ||
	       (value >= 0x2066 && value <= 0x2069);
}

char *visible_text(const char *text, size_t max)
{
	static const char dots[] = "...";
	const size_t room = max < strlen(dots) ? 0 : max - strlen(dots);
	size_t cut = 0; /* where the dots would go */
	Buf out = {0};
	if (!text)
		return NULL;
	while (*text && out.len <= max) {
		uint32_t value = 0;
		size_t len = read_character(text, &value);
		if (len == 0)
			buf_putc(&out, '?');
		else if (is_hidden(value))
			buf_putc(&out, ' ');
		else
			buf_append(&out, text, len);
		text += len ? len : 1;
		cut = out.len <= room ? out.len : cut;
	}
	if (out.len > max) {
		out.len = cut;
		buf_append(&out, dots, max < strlen(dots) ? max : strlen(dots));
	}
	return buf_steal(&out);
}
