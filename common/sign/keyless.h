/*
 * cosign's signatures without keys of one's own: a certificate that Fulcio gave for an identity,
 * and Rekor's word on when it was used. The trusted root says whose word counts. Pure: bytes in,
 * verdict out; the time of day does not matter. What is refused and what is not follows
 * sigstore-go.
 */
#ifndef SIGN_KEYLESS_H
#define SIGN_KEYLESS_H

#include "data/regex.h"
#include "sign/trusted_root.h"

/* RE2, searched for; NULL for an empty one. */
typedef struct {
	Regex *issuer, *subject;
} KeylessIdentity;

enum { KEYLESS_MAX_IDENTITIES = 100 };

typedef struct {
	KeylessIdentity items[KEYLESS_MAX_IDENTITIES];
	size_t count;
} KeylessIdentities;

void keyless_identities_dispose(KeylessIdentities *identities);
#define autoidentities __attribute__((cleanup(keyless_identities_dispose)))

/* Adds one of spec.verify.matchOIDCIdentity. ERR_INVALID for a bad pattern, ERR_LIMIT. */
bool keyless_identities_add(KeylessIdentities *identities, const char *issuer, const char *subject,
			    Error *err) MUST_USE;

typedef struct {
	const TrustedRoot *root;
	const KeylessIdentities *identities; /* any may match */
} KeylessTrust;

/* A bundle (0.1 to 0.3) with a DSSE envelope for the image of `digest`. Without identities none is
 * good. ERR_FORBIDDEN, ERR_INVALID, ERR_UNSUPPORTED, ERR_LIMIT. */
bool keyless_verify_bundle(Str bundle, const char *digest, const KeylessTrust *trust,
			   Error *err) MUST_USE;

/* What the annotations of a layer of a "*.sig" tag hold; NULL when absent. */
typedef struct {
	const char *signature;	 /* base64 */
	const char *certificate; /* PEM */
	const char *log_entry;	 /* dev.sigstore.cosign/bundle */
} KeylessSignature;

#define KEYLESS_CERTIFICATE_ANNOTATION "dev.sigstore.cosign/certificate"
#define KEYLESS_BUNDLE_ANNOTATION "dev.sigstore.cosign/bundle"

/* A payload of a "*.sig" tag. Without identities any is good, as with upstream; the log is not
 * asked over the net for an entry that is not there. Errors as above. */
bool keyless_verify_payload(Str payload, const KeylessSignature *signature, const char *digest,
			    const KeylessTrust *trust, Error *err) MUST_USE;

#endif
