/* Message digests in the form "algorithm:hex" (OCI image-spec, descriptor digests). */
#ifndef DATA_DIGEST_H
#define DATA_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"
#include "base/error.h"

typedef enum {
	DIGEST_SHA1, /* Git object names only */
	DIGEST_SHA256,
	DIGEST_SHA384,
	DIGEST_SHA512,
	DIGEST_BLAKE3,
} DigestAlgo;

enum { DIGEST_TEXT_SIZE = 8 + 128 + 1, DIGEST_MAX_BYTES = 64 };

/* "sha256", ... ; false when unknown. */
bool digest_algo_parse(const char *name, DigestAlgo *out);
const char *digest_algo_name(DigestAlgo algo);

/* A running digest. */
typedef struct Digest Digest;
Digest *digest_new(DigestAlgo algo);
void digest_free(Digest *digest);
AUTO_POINTER(Digest, digest_free, auto_digest);
#define autodigest __attribute__((cleanup(auto_digest)))
void digest_update(Digest *digest, const void *bytes, size_t len);

/* Ends it: "sha256:hex" into out; and the raw bytes, whose count it returns. Once each. */
void digest_final(Digest *digest, char out[DIGEST_TEXT_SIZE]);
size_t digest_final_raw(Digest *digest, unsigned char out[DIGEST_MAX_BYTES]);

/* At once: "sha256:hex" of bytes; digest_hex leaves the algorithm away. */
void digest_of(DigestAlgo algo, const void *bytes, size_t len, char out[DIGEST_TEXT_SIZE]);
void digest_hex(DigestAlgo algo, const void *bytes, size_t len, char out[DIGEST_TEXT_SIZE]);

/* Splits "algo:hex" (bare 64 hex digits are sha256, K7); *out_hex points into text. ERR_INVALID for
 * an unknown algorithm or a wrong length. */
bool digest_parse(const char *text, DigestAlgo *out_algo, const char **out_hex, Error *err);

/* HMAC; returns the count of raw bytes. */
size_t digest_hmac(DigestAlgo algo, const void *key, size_t key_len, const void *bytes, size_t len,
		   unsigned char out[DIGEST_MAX_BYTES]);

/* Lower-case hex of bytes, with NUL, into out (2 * len + 1 bytes). */
void hex_encode(const unsigned char *bytes, size_t len, char *out);

/* True when equal, in a time that does not depend on where they differ. */
bool digest_equal(const char *a, const char *b);

#endif
