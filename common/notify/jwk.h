/* One public key of a JWK set (RFC 7517, RFC 7518 6, RFC 8037). Pure. */
#ifndef NOTIFY_JWK_H
#define NOTIFY_JWK_H

#include "base/str.h"
#include "data/json.h"

/* True when `signature` is the key's over `text` by the JWS algorithm ("RS256", ...); false also
 * for a key of another type or one that is unusable. */
bool jwk_verifies(const json_t *key, const char *algorithm, Str text, Str signature);

#endif
