/* Bundles (sigstore protobuf-specs, Bundle in protobuf's JSON) of the versions 0.1 to 0.3 with a
 * DSSE envelope: what those that a key signed and those of a certificate share. Private to
 * common/sign. */
#ifndef SIGN_BUNDLE_H
#define SIGN_BUNDLE_H

#include "base/buf.h"
#include "data/json.h"
#include "sign/cosign.h"

typedef struct {
	json_t *root;
	int version;		/* 1 to 3, of 0.1 to 0.3 */
	const json_t *material; /* verificationMaterial, borrowed, or NULL */
	const char *type;	/* of the payload, borrowed */
	Buf payload, signature;
} SigstoreBundle;

void sigstore_bundle_dispose(SigstoreBundle *bundle);
#define autosigstorebundle __attribute__((cleanup(sigstore_bundle_dispose)))

/* ERR_INVALID; ERR_UNSUPPORTED for other versions and for what has no envelope. Verifies nothing.
 */
bool sigstore_bundle_read(Str text, SigstoreBundle *out, Error *err) MUST_USE;

/* The one signature is that of one of the keys, and it is over a statement about the digest.
 * ERR_FORBIDDEN, ERR_UNSUPPORTED. */
bool sigstore_bundle_signed(const SigstoreBundle *bundle, const CosignKeys *keys,
			    const char *digest, Error *err) MUST_USE;

#endif
