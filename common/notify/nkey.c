#include "notify/nkey.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "data/base64.h"

enum {
	PREFIX_SEED = 18 << 3,
	PREFIX_USER = 20 << 3,
	KEY_BYTES = 32,
	SEED_RAW = 2 + KEY_BYTES + 2,	/* two bytes of prefixes, the seed, the checksum */
	PUBLIC_RAW = 1 + KEY_BYTES + 2, /* one byte of prefix */
	SIGNATURE_BYTES = 64,
};

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/* CRC-16 with polynomial 0x1021, as XMODEM has it. */
static unsigned checksum(const unsigned char *bytes, size_t len)
{
	unsigned crc = 0;
	for (size_t i = 0; i < len; i++) {
		crc ^= (unsigned)bytes[i] << 8;
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1;
	}
	return crc & 0xffff;
}

/* RFC 4648 6 without padding; false unless exactly `len` bytes come out. */
static bool base32_decode(Str text, unsigned char *out, size_t len)
{
	unsigned bits = 0, count = 0;
	size_t at = 0;
	for (size_t i = 0; i < text.len; i++) {
		const char *hit = text.ptr[i] ? strchr(alphabet, text.ptr[i]) : NULL;
		if (!hit)
			return false;
		bits = bits << 5 | (unsigned)(hit - alphabet);
		count += 5;
		if (count < 8)
			continue;
		count -= 8;
		if (at == len)
			return false;
		out[at++] = (unsigned char)(bits >> count);
		bits &= (1U << count) - 1;
	}
	return at == len;
}

static char *base32_encode(const unsigned char *bytes, size_t len)
{
	Buf out = {0};
	unsigned bits = 0, count = 0;
	for (size_t i = 0; i < len; i++) {
		bits = (bits << 8 | bytes[i]) & 0xffff;
		for (count += 8; count >= 5; count -= 5)
			buf_putc(&out, alphabet[bits >> (count - 5) & 31]);
	}
	if (count)
		buf_putc(&out, alphabet[bits << (5 - count) & 31]);
	return buf_steal(&out);
}

static bool is_user_seed(const unsigned char *raw)
{
	unsigned kind = (raw[0] & 7U) << 5 | (raw[1] & 0xf8U) >> 3;
	unsigned sum = raw[SEED_RAW - 2] | (unsigned)raw[SEED_RAW - 1] << 8;
	return (raw[0] & 0xf8) == PREFIX_SEED && kind == PREFIX_USER &&
	       sum == checksum(raw, SEED_RAW - 2);
}

static char *public_text(EVP_PKEY *key)
{
	unsigned char raw[PUBLIC_RAW] = {PREFIX_USER};
	size_t len = KEY_BYTES;
	EVP_PKEY_get_raw_public_key(key, raw + 1, &len);
	unsigned sum = checksum(raw, PUBLIC_RAW - 2);
	raw[PUBLIC_RAW - 2] = (unsigned char)sum;
	raw[PUBLIC_RAW - 1] = (unsigned char)(sum >> 8);
	return base32_encode(raw, sizeof(raw));
}

static char *signature_text(EVP_PKEY *key, const char *text)
{
	unsigned char raw[SIGNATURE_BYTES];
	size_t len = sizeof(raw);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool good =
		EVP_DigestSignInit_ex(context, NULL, NULL, NULL, NULL, key, NULL) == 1 &&
		EVP_DigestSign(context, raw, &len, (const unsigned char *)text, strlen(text)) == 1;
	EVP_MD_CTX_free(context);
	return good ? base64url_encode(raw, len) : NULL;
}

bool nkey_sign(Str seed, const char *text, char **out_public, char **out_signature, Error *err)
{
	unsigned char raw[SEED_RAW];
	EVP_PKEY *key = NULL;
	if (base32_decode(str_trim(seed), raw, sizeof(raw)) && is_user_seed(raw))
		key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, raw + 2, KEY_BYTES);
	mem_wipe(raw, sizeof(raw));
	if (!key)
		return err_set(err, ERR_INVALID, "the NATS key is no user's seed");
	char *signature = signature_text(key, text);
	if (signature) {
		*out_signature = signature;
		*out_public = public_text(key);
	}
	EVP_PKEY_free(key);
	return signature || err_set(err, ERR_INTERNAL, "could not sign with the NATS key");
}
