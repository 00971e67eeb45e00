/* Whether a webhook comes from whom it says: signatures over its body, and what its JSON holds.
 * Pure.
 */
#ifndef NOTIFY_VERIFY_H
#define NOTIFY_VERIFY_H

#include "data/digest.h"
#include "data/json.h"

/*
 * A header "ALGO=HEX" (sha1, sha256, sha512) against HMAC(key, body); hex digits of either case.
 * ERR_UNAUTHORIZED when it is absent, of another algorithm or wrong; compared in constant time.
 */
bool verify_signature_header(const char *header, Str key, Str body, Error *err) MUST_USE;

/* The same for bare hex digits (nexus: HMAC-SHA1). */
bool verify_signature_hex(DigestAlgo algo, const char *hex, Str key, Str body, Error *err) MUST_USE;

/* Equal in constant time; NULL equals nothing. */
bool verify_token(const char *given, const char *expected);

/* A CDEvents 0.4 message: a known type and what its schema asks for. ERR_INVALID says what is
 * wrong.
 */
bool verify_cdevent(const json_t *event, Error *err) MUST_USE;

#endif
