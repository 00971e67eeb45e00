/* NATS' Ed25519 keys in their text form: base32 of prefix, key and checksum. Pure. */
#ifndef NOTIFY_NKEY_H
#define NOTIFY_NKEY_H

#include "base/error.h"
#include "base/str.h"

/*
 * Signs a text with a user's seed ("SU..."). *out_public is the public key's text form ("U..."),
 * *out_signature base64url without padding; both owned. ERR_INVALID for a text that is no seed, of
 * which the error says nothing.
 */
bool nkey_sign(Str seed, const char *text, char **out_public, char **out_signature,
	       Error *err) MUST_USE;

#endif
