/* Public keys in PEM and what they sign, as sigstore's tools use them: RSA (PKCS #1 v1.5) over
 * SHA-256, ECDSA over SHA-256 or the hash that fits the curve, Ed25519. */
#ifndef SIGN_PUBLIC_KEY_H
#define SIGN_PUBLIC_KEY_H

#include <openssl/types.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/str.h"

typedef struct PublicKey PublicKey;

/* ERR_INVALID for what is no public key of these kinds, or an RSA key below 2048 bits. Owned. */
PublicKey *public_key_of_pem(Str pem, Error *err) MUST_USE;

/* As public_key_of_pem for a SubjectPublicKeyInfo in DER, with nothing behind it. Owned. */
PublicKey *public_key_of_der(Str der, Error *err) MUST_USE;
void public_key_free(PublicKey *key);
AUTO_POINTER(PublicKey, public_key_free, auto_public_key);
#define autopublickey __attribute__((cleanup(auto_public_key)))

/* Whether the signature (raw bytes; ECDSA's in DER) is the key's over the message. */
bool public_key_verify(const PublicKey *key, Str message, Str signature);

/* The SHA-256 of its SubjectPublicKeyInfo: what logs name their keys by. */
enum { PUBLIC_KEY_ID = 32 };
void public_key_id(const PublicKey *key, unsigned char out[PUBLIC_KEY_ID]);

bool public_key_is_ecdsa(const PublicKey *key);

/* The OpenSSL key, for what else verifies by it. Borrowed. */
EVP_PKEY *public_key_evp(const PublicKey *key);

#endif
