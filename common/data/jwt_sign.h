/* Tokens of our own, for those who exchange them for access: GitHub Apps, Google service accounts,
 * Entra applications with a certificate. */
#ifndef DATA_JWT_SIGN_H
#define DATA_JWT_SIGN_H

#include "data/json.h"

/* A JWT signed RS256 with a PEM key; `kid` may be NULL. ERR_INVALID for an unusable key, of which
 * the text says nothing. Owned. */
char *jwt_sign_rs256(const char *private_key_pem, const char *kid, const json_t *claims,
		     Error *err) MUST_USE;

/* As jwt_sign_rs256 with further members of the header ("x5t"); `header` may be NULL. */
char *jwt_sign_rs256_with(const char *private_key_pem, const json_t *header, const json_t *claims,
			  Error *err) MUST_USE;

#endif
