#include "data/packed.h"

#include <stdlib.h>
#include <zlib.h>

#include "base/mem.h"

/* Raw deflate with a window and tables that take 24 KiB while it works: the texts are small. */
enum { WINDOW = -12, MEM_LEVEL = 4, LEVEL = 3 };

struct Packed {
	size_t text_len, len;
	unsigned char bytes[];
};

static unsigned char *bytes_of(const char *text)
{
	return (unsigned char *)(uintptr_t)text; /* zlib reads but never writes through next_in */
}

Packed *packed_new(const char *text, size_t len)
{
	z_stream zip = {0};
	if (len > PACKED_MAX ||
	    deflateInit2(&zip, LEVEL, Z_DEFLATED, WINDOW, MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
		return NULL;
	size_t bound = deflateBound(&zip, len);
	Packed *packed = mem_alloc(sizeof(*packed) + bound);
	zip.next_in = bytes_of(text);
	zip.avail_in = (uInt)len;
	zip.next_out = packed->bytes;
	zip.avail_out = (uInt)bound;
	deflate(&zip, Z_FINISH); /* cannot fail with that much room */
	packed->text_len = len;
	packed->len = zip.total_out;
	deflateEnd(&zip);
	return mem_realloc(packed, sizeof(*packed) + packed->len);
}

void packed_free(Packed *packed)
{
	if (!packed)
		return;
	mem_wipe(packed->bytes, packed->len);
	free(packed);
}

char *packed_text(const Packed *packed, size_t *out_len)
{
	z_stream zip = {0};
	if (inflateInit2(&zip, WINDOW) != Z_OK)
		return NULL;
	char *text = mem_alloc(packed->text_len + 1);
	zip.next_in = (unsigned char *)(uintptr_t)packed->bytes;
	zip.avail_in = (uInt)packed->len;
	zip.next_out = (unsigned char *)text;
	zip.avail_out = (uInt)packed->text_len;
	inflate(&zip, Z_FINISH);
	inflateEnd(&zip);
	text[packed->text_len] = '\0';
	*out_len = packed->text_len;
	return text;
}

size_t packed_size(const Packed *packed)
{
	return sizeof(*packed) + packed->len;
}
