/* What notation's files share: envelopes by their two forms, chains, names, statements. */
#ifndef SIGN_NOTATION_INTERNAL_H
#define SIGN_NOTATION_INTERNAL_H

#include "base/buf.h"
#include "base/map.h"
#include "data/jose.h"
#include "sign/certificate.h"
#include "sign/notation.h"

#define NOTATION_PAYLOAD_TYPE "application/vnd.cncf.notary.payload.v1+json"

/* --- envelopes: notation_jws.c, notation_cose.c --- */

typedef struct {
	bool is_authority; /* signing scheme notary.x509.signingAuthority, else notary.x509 */
	char *content_type;
	Buf payload, signature;
	Vec chain; /* X509, leaf first */
	const JoseAlgorithm *algorithm;
	int64_t signed_s, expiry_s; /* since 1970; no expiry: INT64_MAX */
	Buf timestamp;		    /* RFC 3161 token; empty: none */
} NotationEnvelope;

void notation_envelope_dispose(NotationEnvelope *envelope);
#define autoenvelope __attribute__((cleanup(notation_envelope_dispose)))

/* Read an envelope and verify its signature with the key of its first certificate. ERR_INVALID,
 * ERR_FORBIDDEN, ERR_UNSUPPORTED. */
bool notation_jws_read(Str text, NotationEnvelope *out, Error *err) MUST_USE;
bool notation_cose_read(Str bytes, NotationEnvelope *out, Error *err) MUST_USE;

/* Both forms name their headers alike. */
#define NOTATION_EXPIRY "io.cncf.notary.expiry"
#define NOTATION_SCHEME "io.cncf.notary.signingScheme"
#define NOTATION_SIGNED "io.cncf.notary.signingTime"
#define NOTATION_AUTHENTIC "io.cncf.notary.authenticSigningTime"
#define NOTATION_TIMESTAMP "io.cncf.notary.timestampSignature"

/* Sets is_authority. ERR_UNSUPPORTED for other schemes. */
bool notation_envelope_scheme(NotationEnvelope *envelope, const char *scheme, Error *err) MUST_USE;

/* The signature over `covered` is that of the leaf's key, by the one algorithm for such keys.
 * ERR_FORBIDDEN, ERR_UNSUPPORTED. */
bool notation_envelope_signed(const NotationEnvelope *envelope, Str covered, Error *err) MUST_USE;

/* --- notation_chain.c --- */

/* The rules for a chain of code signing certificates (signature-specification.md "Certificate
 * Requirements"): each issued by the next, up to a self-signed one. ERR_INVALID. */
bool notation_chain_check(const Vec *chain, Error *err) MUST_USE;

/* The algorithm for keys of that kind and size; NULL: none. Static. */
const JoseAlgorithm *notation_key_algorithm(const X509 *certificate);

/* A certificate below the root that names where to ask for its revocation, or NULL. Borrowed. */
const X509 *notation_chain_revocable(const Vec *chain);

/* --- notation_dn.c --- */

/* A distinguished name (RFC 4514) as a map of attribute to value; C, ST and O must be there, none
 * twice. ERR_INVALID. Owned. */
Map *notation_dn_parse(const char *text, Error *err) MUST_USE;

/* The subject of a certificate as such. ERR_INVALID. Owned. */
Map *notation_dn_of(const X509 *certificate, Error *err) MUST_USE;

/* Whether `whole` has all that `part` has. */
bool notation_dn_within(const Map *part, const Map *whole);

/* --- notation_policy.c --- */

typedef enum {
	CHECK_AUTHENTICITY,
	CHECK_TIMESTAMP,
	CHECK_EXPIRY,
	CHECK_REVOCATION,
	CHECK_COUNT
} NotationCheck;
typedef enum { ACTION_ENFORCE, ACTION_LOG, ACTION_SKIP } NotationAction;

struct NotationStatement {
	char *name;
	Vec scopes; /* owned strings */
	bool skips;
	NotationAction actions[CHECK_COUNT];
	bool after_expiry;		     /* verifyTimestamp: afterCertExpiry */
	bool has_ca, has_authority, has_tsa; /* trust stores of that type */
	bool any_identity;
	Vec identities; /* Map of distinguished names */
};

#endif
