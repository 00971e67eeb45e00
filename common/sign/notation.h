/*
 * Signatures of the Notary Project (notaryproject/specifications): envelopes in JWS and COSE,
 * checked with a trust policy and the certificates it trusts. Pure: bytes in, verdict out. What is
 * refused follows notation-go. Not here: plugins (a signature that asks for one is refused), and
 * asking for revocations (a certificate that names where to ask counts as unknown).
 */
#ifndef SIGN_NOTATION_H
#define SIGN_NOTATION_H

#include <stdint.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/str.h"
#include "base/vec.h"

#define NOTATION_ARTIFACT_TYPE "application/vnd.cncf.notary.signature"
#define NOTATION_POLICY_KEY "trustpolicy.json"

enum { NOTATION_MAX_ENVELOPE = 10 << 20, NOTATION_MAX_POLICY = 1 << 20 };

/* --- trust policies --- */

typedef struct NotationPolicy NotationPolicy;
typedef struct NotationStatement NotationStatement;

/* A document of version 1.0, checked whole; of statements of level skip, trust stores and
 * identities do not count. ERR_INVALID, ERR_LIMIT. Owned. */
NotationPolicy *notation_policy_parse(Str json, Error *err) MUST_USE;
void notation_policy_free(NotationPolicy *policy);
AUTO_POINTER(NotationPolicy, notation_policy_free, auto_notation_policy);
#define autonotationpolicy __attribute__((cleanup(auto_notation_policy)))

/* The statement whose registryScopes have "HOST/REPOSITORY", else that of "*". ERR_NOT_FOUND.
 * Borrowed. */
const NotationStatement *notation_policy_find(const NotationPolicy *policy, const char *scope,
					      Error *err) MUST_USE;

/* Whether it asks for no verification at all. */
bool notation_statement_skips(const NotationStatement *statement);

/* --- certificates --- */

/* What all trust stores hold. */
typedef struct NotationStore NotationStore;
NotationStore *notation_store_new(void);
void notation_store_free(NotationStore *store);
AUTO_POINTER(NotationStore, notation_store_free, auto_notation_store);
#define autonotationstore __attribute__((cleanup(auto_notation_store)))

/* Adds a certificate: the first of a PEM text (as upstream reads it), or one in DER. One that
 * cannot be read makes all signatures unauthentic, when they are verified. ERR_LIMIT. */
bool notation_store_add(NotationStore *store, const char *name, Str text, Error *err) MUST_USE;

/* --- verdicts --- */

typedef struct {
	const char *media_type, *digest; /* of the artifact's manifest */
	int64_t size;
} NotationTarget;

typedef enum {
	NOTATION_VERIFIED,
	NOTATION_TOLERATED, /* not authentic, which the policy only logs */
} NotationVerdict;

/*
 * An envelope of the media type "application/jose+json" or "application/cose". now_s is in seconds
 * since 1970. ERR_FORBIDDEN with the first check that the statement enforces and that fails;
 * ERR_INVALID, ERR_UNSUPPORTED, ERR_LIMIT for envelopes that are none.
 */
bool notation_verify(Str envelope, const char *media_type, const NotationTarget *target,
		     const NotationStatement *statement, const NotationStore *store, int64_t now_s,
		     NotationVerdict *out, Error *err) MUST_USE;

#endif
