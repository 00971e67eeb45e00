/* Signatures of Git objects, whatever made them: the armor says. */
#ifndef SIGN_SIGNATURE_H
#define SIGN_SIGNATURE_H

#include "base/error.h"
#include "base/str.h"

/* The keys that are trusted; borrowed. */
typedef struct {
	const Str *keyrings; /* armored OpenPGP public keys */
	size_t keyring_count;
	const Str *authorized; /* files of authorized_keys lines */
	size_t authorized_count;
} SignKeys;

/* "openpgp", "ssh", "x509", "empty" or "unknown". Static. */
const char *signature_type(Str signature);

/* Verifies; *out_key, owned, names the key: an OpenPGP key id or an SSH key's SHA256 fingerprint.
 * ERR_UNSUPPORTED for other types, ERR_INVALID, ERR_FORBIDDEN when no key verifies it. */
bool signature_verify(Str signature, Str payload, const SignKeys *keys, char **out_key,
		      Error *err) MUST_USE;

#endif
