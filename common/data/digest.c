#include "data/digest.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "data/digest_blake3.h"

/* OpenSSL's EVP for the SHA family, own code for BLAKE3. */

typedef struct {
	const char *name;
	const EVP_MD *(*evp)(void); /* NULL: BLAKE3 */
	size_t bytes;
} Algorithm;

static const Algorithm algorithms[] = {
	[DIGEST_SHA1] = {"sha1", EVP_sha1, 20},
	[DIGEST_SHA256] = {"sha256", EVP_sha256, 32},
	[DIGEST_SHA384] = {"sha384", EVP_sha384, 48},
	[DIGEST_SHA512] = {"sha512", EVP_sha512, 64},
	[DIGEST_BLAKE3] = {"blake3", NULL, BLAKE3_OUT},
};

struct Digest {
	DigestAlgo algo;
	EVP_MD_CTX *evp; /* NULL for BLAKE3 */
	Blake3 blake3;
};

bool digest_algo_parse(const char *name, DigestAlgo *out)
{
	for (size_t i = 0; i < COUNT(algorithms); i++) {
		if (cstr_eq(name, algorithms[i].name)) {
			*out = (DigestAlgo)i;
			return true;
		}
	}
	return false;
}

const char *digest_algo_name(DigestAlgo algo)
{
	return algorithms[algo].name;
}

Digest *digest_new(DigestAlgo algo)
{
	Digest *digest = mem_zalloc(1, sizeof(*digest));
	digest->algo = algo;
	blake3_init(&digest->blake3);
	if (!algorithms[algo].evp)
		return digest;
	digest->evp = EVP_MD_CTX_new();
	int ready = digest->evp && EVP_DigestInit_ex(digest->evp, algorithms[algo].evp(), NULL);
	if (!ready)
		abort(); /* memory, or an OpenSSL without its default provider */
	return digest;
}

void digest_free(Digest *digest)
{
	if (!digest)
		return;
	EVP_MD_CTX_free(digest->evp);
	free(digest);
}

void digest_update(Digest *digest, const void *bytes, size_t len)
{
	if (digest->evp)
		EVP_DigestUpdate(digest->evp, bytes, len);
	else
		blake3_update(&digest->blake3, bytes, len);
}

size_t digest_final_raw(Digest *digest, unsigned char out[DIGEST_MAX_BYTES])
{
	if (digest->evp)
		EVP_DigestFinal_ex(digest->evp, out, NULL);
	else
		blake3_final(&digest->blake3, out);
	return algorithms[digest->algo].bytes;
}

void digest_final(Digest *digest, char out[DIGEST_TEXT_SIZE])
{
	unsigned char raw[DIGEST_MAX_BYTES];
	size_t count = digest_final_raw(digest, raw);
	int prefix = snprintf(out, DIGEST_TEXT_SIZE, "%s:", algorithms[digest->algo].name);
	hex_encode(raw, count, out + prefix);
}

void digest_of(DigestAlgo algo, const void *bytes, size_t len, char out[DIGEST_TEXT_SIZE])
{
	autodigest Digest *digest = digest_new(algo);
	digest_update(digest, bytes, len);
	digest_final(digest, out);
}

void digest_hex(DigestAlgo algo, const void *bytes, size_t len, char out[DIGEST_TEXT_SIZE])
{
	autodigest Digest *digest = digest_new(algo);
	digest_update(digest, bytes, len);
	unsigned char raw[DIGEST_MAX_BYTES];
	hex_encode(raw, digest_final_raw(digest, raw), out);
}

bool digest_parse(const char *text, DigestAlgo *out_algo, const char **out_hex, Error *err)
{
	const char *colon = strchr(text, ':');
	const char *hex = colon ? colon + 1 : text;
	autofree char *name =
		colon ? mem_strndup(text, (size_t)(colon - text)) : mem_strdup("sha256");
	DigestAlgo algo;
	if (!digest_algo_parse(name, &algo))
		return err_set(err, ERR_INVALID, "unknown digest algorithm \"%.32s\"", name);
	size_t want = algorithms[algo].bytes * 2;
	if (strlen(hex) != want || strspn(hex, "0123456789abcdef") != want)
		return err_set(err, ERR_INVALID, "a %s digest has %zu lower-case hex digits", name,
			       want);
	*out_algo = algo;
	*out_hex = hex;
	return true;
}

/* RFC 2104 with BLAKE3's 64-byte blocks. */
static void blake3_hmac(const void *key, size_t key_len, const void *bytes, size_t len,
			unsigned char out[BLAKE3_OUT])
{
	unsigned char pad[BLAKE3_BLOCK] = {0};
	Blake3 state;
	if (key_len > sizeof(pad)) {
		blake3_init(&state);
		blake3_update(&state, key, key_len);
		blake3_final(&state, pad);
	} else if (key_len > 0) {
		memcpy(pad, key, key_len);
	}
	for (size_t i = 0; i < sizeof(pad); i++)
		pad[i] ^= 0x36;
	blake3_init(&state);
	blake3_update(&state, pad, sizeof(pad));
	blake3_update(&state, bytes, len);
	blake3_final(&state, out);
	for (size_t i = 0; i < sizeof(pad); i++)
		pad[i] ^= 0x36 ^ 0x5c;
	blake3_init(&state);
	blake3_update(&state, pad, sizeof(pad));
	blake3_update(&state, out, BLAKE3_OUT);
	blake3_final(&state, out);
	mem_wipe(pad, sizeof(pad));
}

size_t digest_hmac(DigestAlgo algo, const void *key, size_t key_len, const void *bytes, size_t len,
		   unsigned char out[DIGEST_MAX_BYTES])
{
	assert(key_len <= INT32_MAX);
	if (!algorithms[algo].evp) {
		blake3_hmac(key, key_len, bytes, len, out);
		return BLAKE3_OUT;
	}
	unsigned count = 0;
	if (!HMAC(algorithms[algo].evp(), key, (int)key_len, bytes, len, out, &count))
		abort();
	return count;
}

void hex_encode(const unsigned char *bytes, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[2 * len] = '\0';
}

bool digest_equal(const char *a, const char *b)
{
	size_t len = strlen(a);
	return len == strlen(b) && CRYPTO_memcmp(a, b, len) == 0;
}
