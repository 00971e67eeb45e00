/* Tokens of our own, for those who exchange them for access: GitHub Apps, Google service accounts.
 */
#ifndef NOTIFY_JWT_SIGN_H
#define NOTIFY_JWT_SIGN_H

#include "data/json.h"

/* A JWT signed RS256 with a PEM key; `kid` may be NULL. ERR_INVALID for an unusable key, of which
 * the text says nothing. Owned. */
char *jwt_sign_rs256(const char *private_key_pem, const char *kid, const json_t *claims,
		     Error *err) MUST_USE;

#endif
