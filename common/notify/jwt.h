/* JSON Web Tokens (RFC 7519) signed by one of a set of public keys (RFC 7517). Pure. */
#ifndef NOTIFY_JWT_H
#define NOTIFY_JWT_H

#include <stdint.h>

#include "data/json.h"

enum { JWT_MAX = 16 << 10 };

/* What a token must be, beside signed. */
typedef struct {
	const char *issuer;   /* NULL: any */
	const char *audience; /* must be, or be among, `aud` */
	int64_t now_ms;
} JwtRules;

/* The claims of a token whose signature nobody has looked at: only to find out whose key to ask
 * for. ERR_UNAUTHORIZED when it is no token. Owned. */
json_t *jwt_unverified_claims(const char *token, Error *err) MUST_USE;

/*
 * The claims of a token that is signed (RS256/384/512, PS256/384/512, ES256/384/512, EdDSA with
 * Ed25519) by one of `keys` (a JWK set {"keys": [...]}), has not expired and follows the rules.
 * ERR_NOT_FOUND when no key of the set is meant: a fresh set may have it. ERR_UNAUTHORIZED for all
 * else. Owned.
 */
json_t *jwt_verify(const char *token, const json_t *keys, const JwtRules *rules,
		   Error *err) MUST_USE;

#endif
