/* Packet lines in and out. The parser looks at what is there and never waits. */
#include "git/pktline.h"

#include <assert.h>

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Checks the digits that are there, so that a peer which is no Git server is noticed at its first
 * byte. *out_len is -1 while some are missing. */
static bool parse_length(Str bytes, int *out_len, Error *err)
{
	int len = 0;
	size_t count = bytes.len < PKT_HEAD ? bytes.len : PKT_HEAD;
	for (size_t i = 0; i < count; i++) {
		int digit = hex_digit(bytes.ptr[i]);
		if (digit < 0)
			return err_set(err, ERR_INVALID, "not a packet line");
		len = len * 16 + digit;
	}
	*out_len = count == PKT_HEAD ? len : -1;
	return true;
}

bool pkt_parse(Str bytes, Pkt *out, size_t *out_used, Error *err)
{
	int len = 0;
	if (!parse_length(bytes, &len, err))
		return false;
	if (len == 3 || len > PKT_MAX)
		return err_set(err, ERR_INVALID, "packet line of impossible length %d", len);
	*out_used = 0;
	if (len < 0 || (len >= PKT_HEAD && bytes.len < (size_t)len))
		return true;
	static const PktKind marks[] = {PKT_FLUSH, PKT_DELIM, PKT_END};
	if (len < PKT_HEAD) {
		*out = (Pkt){.kind = marks[len]};
		*out_used = PKT_HEAD;
		return true;
	}
	*out = (Pkt){PKT_DATA, str_sized(bytes.ptr + PKT_HEAD, (size_t)len - PKT_HEAD)};
	*out_used = (size_t)len;
	return true;
}

Str pkt_line(const Pkt *pkt)
{
	Str line = pkt->data;
	if (line.len && line.ptr[line.len - 1] == '\n')
		line.len--;
	return line;
}

void pkt_put(Buf *out, const char *format, ...)
{
	autobuf Buf text = {0};
	va_list args;
	va_start(args, format);
	buf_vprintf(&text, format, args);
	va_end(args);
	assert(text.len + PKT_HEAD <= PKT_MAX);
	buf_printf(out, "%04x", (unsigned)(text.len + PKT_HEAD));
	buf_add(out, buf_str(&text));
}

void pkt_put_flush(Buf *out)
{
	buf_puts(out, "0000");
}

void pkt_put_delim(Buf *out)
{
	buf_puts(out, "0001");
}
