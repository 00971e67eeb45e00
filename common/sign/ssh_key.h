/*
 * SSH public keys and what they sign (RFC 4253 6.6, RFC 5656, RFC 8332, RFC 8709, OpenSSH's
 * PROTOCOL.u2f). Private to common/sign.
 */
#ifndef SIGN_SSH_KEY_H
#define SIGN_SSH_KEY_H

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

/* Takes a uint32 or a length-prefixed string (RFC 4251 5) off *rest; false when it is cut short. */
bool ssh_take_u32(Str *rest, uint32_t *out);
bool ssh_take_string(Str *rest, Str *out);
void ssh_put_string(Buf *out, Str value);

/* True for the types that ssh_key_verify knows: ssh-ed25519, ecdsa-sha2-nistp*, ssh-rsa with SHA-2,
 * and the two of security keys. */
bool ssh_key_type_is_known(Str type);

/* Verifies a signature blob over message with a public key blob. ERR_FORBIDDEN when it does not
 * fit, ERR_INVALID for malformed ones, RSA keys below 1024 bits among them. */
bool ssh_key_verify(Str key_blob, Str signature_blob, Str message, Error *err) MUST_USE;

/* "SHA256:..." without padding, as ssh-keygen -l prints it; owned. */
char *ssh_key_fingerprint(Str key_blob);

/*
 * The keys of an authorized_keys file: calls fn with each blob until it returns true. Blank lines
 * and comments are skipped, and so are keys of types that cannot verify (DSA, certificates); any
 * other line without a key is ERR_INVALID. *out_found tells whether fn returned true.
 */
bool ssh_authorized_keys_each(Str text, bool (*fn)(void *arg, Str key_blob), void *arg,
			      bool *out_found, Error *err) MUST_USE;

#endif
