/* What age's files share. */
#ifndef SOPS_AGE_INTERNAL_H
#define SOPS_AGE_INTERNAL_H

#include "sops/age.h"

enum { AGE_FILE_KEY_SIZE = 16 };

struct AgeIdentities {
	unsigned char (*keys)[AGE_KEY_SIZE]; /* X25519 private keys */
	size_t len;
};

/* HKDF-SHA-256 to 32 bytes. */
bool age_hkdf(Str secret, Str salt, const char *info, unsigned char out[AGE_KEY_SIZE]);

/* ChaCha20-Poly1305 with the tag behind; out has sealed.len - 16 bytes of room. */
bool age_open(const unsigned char key[AGE_KEY_SIZE], const unsigned char nonce[12], Str sealed,
	      unsigned char *out);

/* Unwraps the file key of an X25519 stanza; false when it is not for this key. */
bool age_unwrap(const unsigned char key[AGE_KEY_SIZE], Str ephemeral, Str body,
		unsigned char out[AGE_FILE_KEY_SIZE]);

#endif
