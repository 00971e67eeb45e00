#include "sops/bech32.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

enum { CHECKSUM_LEN = 6, TEXT_MAX = 4096 };

static uint32_t polymod_step(uint32_t sum, unsigned value)
{
	static const uint32_t generator[] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
					     0x2a1462b3};
	uint32_t top = sum >> 25;
	sum = (sum & 0x1ffffff) << 5 ^ value;
	for (unsigned i = 0; i < 5; i++)
		sum ^= top >> i & 1 ? generator[i] : 0;
	return sum;
}

static bool is_one_case(Str text)
{
	bool upper = false, lower = false;
	for (size_t i = 0; i < text.len; i++) {
		upper |= isupper((unsigned char)text.ptr[i]) != 0;
		lower |= islower((unsigned char)text.ptr[i]) != 0;
	}
	return !(upper && lower);
}

static int value_of(char letter)
{
	static const char alphabet[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
	const char *found = letter ? strchr(alphabet, tolower((unsigned char)letter)) : NULL;
	return found ? (int)(found - alphabet) : -1;
}

static bool checksum_fits(const char *prefix, Str data)
{
	uint32_t sum = 1;
	for (const char *at = prefix; *at; at++)
		sum = polymod_step(sum, (unsigned char)*at >> 5);
	sum = polymod_step(sum, 0);
	for (const char *at = prefix; *at; at++)
		sum = polymod_step(sum, (unsigned char)*at & 31);
	for (size_t i = 0; i < data.len; i++) {
		int value = value_of(data.ptr[i]);
		if (value < 0)
			return false;
		sum = polymod_step(sum, (unsigned)value);
	}
	return sum == 1;
}

/* Five bits a letter to bytes; what is left over must be zeros, fewer than five. */
static bool regroup(Str letters, Buf *out)
{
	unsigned pending = 0, bits = 0;
	for (size_t i = 0; i < letters.len; i++) {
		pending = (pending << 5 | (unsigned)value_of(letters.ptr[i])) & 0xfff;
		bits += 5;
		if (bits < 8)
			continue;
		bits -= 8;
		buf_putc(out, (char)(pending >> bits & 0xff));
	}
	return bits < 5 && (pending & ((1u << bits) - 1)) == 0;
}

bool bech32_decode(Str text, const char *prefix, Buf *out)
{
	size_t prefix_len = strlen(prefix);
	if (text.len > TEXT_MAX || text.len < prefix_len + 1 + CHECKSUM_LEN || !is_one_case(text) ||
	    strncasecmp(text.ptr, prefix, prefix_len) != 0 || text.ptr[prefix_len] != '1')
		return false;
	Str data = str_slice(text, prefix_len + 1, text.len);
	buf_reserve(out, data.len);
	return checksum_fits(prefix, data) &&
	       regroup(str_slice(data, 0, data.len - CHECKSUM_LEN), out);
}
