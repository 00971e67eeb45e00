/*
 * Detached OpenPGP signatures, checked by GnuPG's gpgv with a keyring of nothing but the given
 * keys. What gpgv gets to read is framed here first, so that a signature is only that and a key
 * ring holds no secret key.
 */
#ifndef SIGN_OPENPGP_H
#define SIGN_OPENPGP_H

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

/*
 * Verifies an armored signature over payload. `keyrings` are armored public keys; those that cannot
 * be read are passed over unless none can. *out_key, owned, is the primary key's id, 16 upper-case
 * hex digits. ERR_FORBIDDEN when no key verifies it: unknown, expired or revoked keys, expired
 * signatures, SHA-1 and older digests, more than one signature. ERR_INVALID for what is no armor.
 */
bool openpgp_verify(Str signature, Str payload, const Str *keyrings, size_t keyring_count,
		    char **out_key, Error *err) MUST_USE;

/* The framing of packets (RFC 9580 4.2). Each tag must be set in `tags`, a bit mask; at least one
 * packet. ERR_INVALID. For openpgp_verify and the fuzz target. */
bool openpgp_check_packets(Str bytes, uint64_t tags, Error *err) MUST_USE;

#endif
