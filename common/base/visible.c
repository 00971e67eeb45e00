#include "base/visible.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/rune.h"

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
	for (Str rest = str_of(text); rest.len && out.len <= max;) {
		size_t width;
		uint32_t value = rune_decode(rest, &width);
		if (value == RUNE_ERROR && width == 1)
			buf_putc(&out, '?');
		else if (is_hidden(value))
			buf_putc(&out, ' ');
		else
			buf_append(&out, rest.ptr, width);
		rest = str_slice(rest, width, rest.len);
		cut = out.len <= room ? out.len : cut;
	}
	if (out.len > max) {
		out.len = cut;
		buf_append(&out, dots, max < strlen(dots) ? max : strlen(dots));
	}
	return buf_steal(&out);
}
