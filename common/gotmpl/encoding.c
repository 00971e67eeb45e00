#include "base/mem.h"
#include "base/rand.h"
#include "data/base64.h"
#include "gotmpl/convert.h"
#include "gotmpl/decode.h"
#include "gotmpl/functions.h"

/* base64, base32, random bytes. What cannot be decoded gives Go's error as the result. */

static const char base64_letters[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static bool fn_b64enc(GoCall *call, GoValue *out)
{
	Str text = call->args[0].text;
	autofree char *encoded = base64_encode(text.ptr, text.len);
	*out = go_text(call_copy(call, str_of(encoded)));
	return true;
}

static bool is_line_end(char byte)
{
	return byte == '\n' || byte == '\r';
}

static size_t skip_line_ends(Str text, size_t at)
{
	while (at < text.len && is_line_end(text.ptr[at]))
		at++;
	return at;
}

/* What follows the first "=" of a group of which `have` letters are read. -1 when all is well, else
 * the position that Go names. */
static ptrdiff_t check_padding(Str text, size_t at, size_t have)
{
	if (have < 2)
		return (ptrdiff_t)at - 1;
	if (have == 2) {
		at = skip_line_ends(text, at);
		if (at == text.len)
			return (ptrdiff_t)text.len;
		if (text.ptr[at] != '=')
			return (ptrdiff_t)at - 1;
		at++;
	}
	at = skip_line_ends(text, at);
	return at < text.len ? (ptrdiff_t)at : -1;
}

static void put_group(const unsigned char *group, size_t count, Buf *out)
{
	uint32_t bits = (uint32_t)group[0] << 18 | (uint32_t)group[1] << 12 |
			(uint32_t)group[2] << 6 | group[3];
	for (size_t i = 0; i + 1 < count; i++)
		buf_putc(out, (char)(bits >> (16 - 8 * i)));
}

ptrdiff_t decode_base64(Str text, Buf *out)
{
	unsigned char group[4] = {0};
	size_t have = 0;
	for (size_t at = 0; at < text.len;) {
		char byte = text.ptr[at++];
		const char *letter = byte ? strchr(base64_letters, byte) : NULL;
		if (is_line_end(byte))
			continue;
		if (!letter && byte != '=')
			return (ptrdiff_t)at - 1;
		if (!letter) {
			ptrdiff_t bad = check_padding(text, at, have);
			if (bad < 0)
				put_group(group, have, out);
			return bad;
		}
		group[have++] = (unsigned char)(letter - base64_letters);
		if (have < 4)
			continue;
		put_group(group, 4, out);
		have = 0;
		memset(group, 0, sizeof(group));
	}
	return have ? (ptrdiff_t)(text.len - have) : -1;
}

static bool return_decoded(GoCall *call, const Buf *text, ptrdiff_t bad, const char *name,
			   GoValue *out)
{
	if (bad < 0)
		return call_return_text(call, text, out);
	*out = go_cstr(
		arena_printf(call_arena(call), "illegal %s data at input byte %td", name, bad));
	return true;
}

static bool fn_b64dec(GoCall *call, GoValue *out)
{
	autobuf Buf text = {0};
	ptrdiff_t bad = decode_base64(call->args[0].text, &text);
	return return_decoded(call, &text, bad, "base64", out);
}

static const char base32_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

static bool fn_b32enc(GoCall *call, GoValue *out)
{
	Str text = call->args[0].text;
	autobuf Buf result = {0};
	for (size_t at = 0; at < text.len; at += 5) {
		uint64_t bits = 0;
		size_t count = text.len - at < 5 ? text.len - at : 5;
		for (size_t i = 0; i < 5; i++)
			bits = bits << 8 | (i < count ? (unsigned char)text.ptr[at + i] : 0);
		size_t letters = (count * 8 + 4) / 5;
		for (size_t i = 0; i < 8; i++)
			buf_putc(&result,
				 i < letters ? base32_letters[bits >> (35 - 5 * i) & 31] : '=');
	}
	return call_return_text(call, &result, out);
}

static ptrdiff_t base32_padding(Str text, size_t at, size_t have)
{
	size_t left = text.len - at;
	if (left + have < 7)
		return (ptrdiff_t)text.len;
	for (size_t k = 0; k + have < 7; k++)
		if (left > k && text.ptr[at + k] != '=')
			return (ptrdiff_t)(at + k) - 1;
	return have == 1 || have == 3 || have == 6 ? (ptrdiff_t)at - 1 : -1;
}

static void put_base32(uint64_t bits, size_t have, Buf *out)
{
	bits <<= 5 * (8 - have);
	for (size_t i = 0; i < have * 5 / 8; i++)
		buf_putc(out, (char)(bits >> (32 - 8 * i)));
}

static ptrdiff_t decode_base32(Str text, Buf *out)
{
	uint64_t bits = 0;
	size_t have = 0, at = 0;
	while (at < text.len) {
		char byte = text.ptr[at++];
		if (byte == '=' && have >= 2 && text.len - at < 8) {
			ptrdiff_t bad = base32_padding(text, at, have);
			if (bad < 0)
				put_base32(bits, have, out);
			return bad;
		}
		const char *letter = byte ? strchr(base32_letters, byte) : NULL;
		if (!letter)
			return (ptrdiff_t)at - 1;
		bits = bits << 5 | (uint64_t)(letter - base32_letters);
		if (++have < 8)
			continue;
		put_base32(bits, 8, out);
		have = 0;
		bits = 0;
	}
	return have ? (ptrdiff_t)(text.len - have) : -1;
}

static bool fn_b32dec(GoCall *call, GoValue *out)
{
	Str text = call->args[0].text;
	autobuf Buf plain = {0};
	autobuf Buf result = {0};
	for (size_t i = 0; i < text.len; i++)
		if (!is_line_end(text.ptr[i]))
			buf_putc(&plain, text.ptr[i]);
	ptrdiff_t bad = decode_base32(buf_str(&plain), &result);
	return return_decoded(call, &result, bad, "base32", out);
}

/* RFC 1950, section 8.2 */
static bool fn_adler32sum(GoCall *call, GoValue *out)
{
	enum { MODULUS = 65521 };
	uint32_t a = 1, b = 0;
	Str text = call->args[0].text;
	for (size_t i = 0; i < text.len; i++) {
		a = (a + (unsigned char)text.ptr[i]) % MODULUS;
		b = (b + a) % MODULUS;
	}
	*out = go_cstr(arena_printf(call_arena(call), "%u", b << 16 | a));
	return true;
}

static bool fn_rand_bytes(GoCall *call, GoValue *out)
{
	int64_t count = call->args[0].integer;
	autoerror Error err = {0};
	if (count < 0)
		return call_fail(call, "runtime error: makeslice: len out of range");
	autofree char *bytes =
		mem_try_alloc((size_t)count + 1, call->run->limits.output_bytes, &err);
	if (!bytes)
		return call_fail(call, "result is too large");
	rand_bytes(bytes, (size_t)count);
	autofree char *encoded = base64_encode(bytes, (size_t)count);
	*out = go_text(call_copy(call, str_of(encoded)));
	return true;
}

static bool fn_uuidv4(GoCall *call, GoValue *out)
{
	char uuid[37];
	rand_uuid(uuid);
	*out = go_text(call_copy(call, str_of(uuid)));
	return true;
}

static bool random_text(GoCall *call, uint32_t from, uint32_t to, const char *set, GoValue *out)
{
	int64_t count = call->args[0].integer;
	autobuf Buf result = {0};
	size_t choices = set ? strlen(set) : to - from;
	if (count < 0) { /* upstream drops the error */
		*out = go_cstr("");
		return true;
	}
	if ((uint64_t)count > call->run->limits.output_bytes)
		return call_fail(call, "result is too large");
	for (int64_t i = 0; i < count; i++) {
		uint64_t choice = rand_below(choices);
		buf_putc(&result, set ? set[choice] : (char)(from + choice));
	}
	return call_return_text(call, &result, out);
}

static const char letters_and_digits[] =
	"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static bool fn_rand_alpha_num(GoCall *call, GoValue *out)
{
	return random_text(call, 0, 0, letters_and_digits, out);
}

static bool fn_rand_alpha(GoCall *call, GoValue *out)
{
	return random_text(call, 0, 0, letters_and_digits + 10, out);
}

static bool fn_rand_numeric(GoCall *call, GoValue *out)
{
	return random_text(call, '0', '9' + 1, NULL, out);
}

static bool fn_rand_ascii(GoCall *call, GoValue *out)
{
	return random_text(call, 32, 127, NULL, out);
}

const GoFn functions_encoding[] = {
	{"b64enc", "s", fn_b64enc},	    {"b64dec", "s", fn_b64dec},
	{"b32enc", "s", fn_b32enc},	    {"b32dec", "s", fn_b32dec},
	{"adler32sum", "s", fn_adler32sum}, {"randBytes", "i", fn_rand_bytes},
	{"uuidv4", "", fn_uuidv4},	    {"randAlphaNum", "i", fn_rand_alpha_num},
	{"randAlpha", "i", fn_rand_alpha},  {"randNumeric", "i", fn_rand_numeric},
	{"randAscii", "i", fn_rand_ascii},  {0},
};
