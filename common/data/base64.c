#include "data/base64.h"

#include <stdint.h>

#include "base/mem.h"

/* RFC 4648. Decoding is strict as Go's is: full quanta, zero bits under the padding ignored. */

static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static char *encode(const unsigned char *in, size_t len, const char *alphabet, bool padded)
{
	autobuf Buf out = {0};
	buf_reserve(&out, len / 3 * 4 + 4);
	for (size_t at = 0; at < len; at += 3) {
		size_t left = len - at;
		uint32_t group = (uint32_t)in[at] << 16;
		group |= left > 1 ? (uint32_t)in[at + 1] << 8 : 0;
		group |= left > 2 ? in[at + 2] : 0;
		char quad[4] = {alphabet[group >> 18], alphabet[group >> 12 & 63],
				left > 1 ? alphabet[group >> 6 & 63] : '=',
				left > 2 ? alphabet[group & 63] : '='};
		buf_append(&out, quad, padded || left > 2 ? 4 : left + 1);
	}
	return buf_steal(&out);
}

char *base64_encode(const void *bytes, size_t len)
{
	return encode(bytes, len, standard, true);
}

char *base64url_encode(const void *bytes, size_t len)
{
	return encode(bytes, len, url_safe, false);
}

/* 0-63, or -1. `plus` and `slash` are the alphabet's last two. */
static int sextet(char byte, const char *alphabet)
{
	if (byte >= 'A' && byte <= 'Z')
		return byte - 'A';
	if (byte >= 'a' && byte <= 'z')
		return byte - 'a' + 26;
	if (byte >= '0' && byte <= '9')
		return byte - '0' + 52;
	if (byte == alphabet[62])
		return 62;
	return byte == alphabet[63] ? 63 : -1;
}

/* Ends a text of `digits` digits and `pads` padding signs, with `rest` the open quantum's bits. */
static bool finish(uint32_t rest, size_t digits, size_t pads, bool padded, Buf *out)
{
	size_t open = digits % 4;
	size_t want = padded && open ? 4 - open : 0;
	if (open == 1 || pads != want)
		return false;
	if (open == 2)
		buf_putc(out, (char)(rest >> 4 & 255));
	if (open == 3) {
		buf_putc(out, (char)(rest >> 10 & 255));
		buf_putc(out, (char)(rest >> 2 & 255));
	}
	return true;
}

static bool decode(const char *text, size_t len, const char *alphabet, bool padded, Buf *out)
{
	uint32_t bits = 0;
	size_t digits = 0, pads = 0;
	buf_reserve(out, len / 4 * 3 + 3);
	for (size_t at = 0; at < len; at++) {
		if (text[at] == '\n' || text[at] == '\r')
			continue;
		if (padded && text[at] == '=') {
			pads++;
			continue;
		}
		int value = sextet(text[at], alphabet);
		if (value < 0 || pads > 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
		if (++digits % 4 == 0) {
			const char three[3] = {(char)(bits >> 16 & 255), (char)(bits >> 8 & 255),
					       (char)(bits & 255)};
			buf_append(out, three, 3);
		}
	}
	return finish(bits, digits, pads, padded, out);
}

static bool decode_or_undo(const char *text, size_t len, bool url, Buf *out, Error *err)
{
	size_t before = out->len;
	if (decode(text, len, url ? url_safe : standard, !url, out))
		return true;
	out->len = before;
	out->ptr[before] = '\0';
	return err_set(err, ERR_INVALID, "not valid base64");
}

bool base64_decode(const char *text, size_t len, Buf *out, Error *err)
{
	return decode_or_undo(text, len, false, out, err);
}

bool base64url_decode(const char *text, size_t len, Buf *out, Error *err)
{
	return decode_or_undo(text, len, true, out, err);
}
