/*
 * What cosign leaves beside an image, checked with keys: the payload and signature of a "*.sig" tag
 * (cosign's SIGNATURE_SPEC.md), and bundles of version 0.3 with a DSSE envelope around an in-toto
 * statement. Pure: bytes in, verdict out. A signature counts only for the digest it names: a good
 * one for another image is none.
 */
#ifndef SIGN_COSIGN_H
#define SIGN_COSIGN_H

#include "base/error.h"
#include "base/str.h"
#include "sign/public_key.h"

#define COSIGN_PAYLOAD_TYPE "application/vnd.dev.cosign.simplesigning.v1+json"
#define COSIGN_SIGNATURE_ANNOTATION "dev.cosignproject.cosign/signature"
#define COSIGN_BUNDLE_TYPE_PREFIX "application/vnd.dev.sigstore.bundle"

enum { COSIGN_MAX_PAYLOAD = 1 << 20, COSIGN_MAX_BUNDLE = 4 << 20 };

/* Keys of which any may have signed; borrowed. */
typedef struct {
	PublicKey *const *items;
	size_t count;
} CosignKeys;

/* Whether one of the keys signed the message. */
bool cosign_keys_signed(const CosignKeys *keys, Str message, Str signature);

/* A payload of a "*.sig" tag with its signature in base64, for the image of `digest`
 * ("sha256:..."). ERR_FORBIDDEN when no key signed it, or it is for another image; ERR_INVALID when
 * malformed. */
bool cosign_verify_payload(Str payload, const char *signature_base64, const char *digest,
			   const CosignKeys *keys, Error *err) MUST_USE;

/* Whether a payload says that it is for the image of `digest`. For cosign_verify_payload and its
 * keyless kin. ERR_FORBIDDEN, ERR_INVALID. */
bool cosign_check_claims(Str payload, const char *digest, Error *err) MUST_USE;

/* A bundle for the image of `digest` that one of the keys signed. As above; ERR_UNSUPPORTED for
 * other versions than 0.1 to 0.3, and without an envelope. */
bool cosign_verify_bundle(Str bundle, const char *digest, const CosignKeys *keys,
			  Error *err) MUST_USE;

#endif
