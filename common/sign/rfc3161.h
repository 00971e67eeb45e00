/* Signed timestamps (RFC 3161) over a signature. Private to common/sign. */
#ifndef SIGN_RFC3161_H
#define SIGN_RFC3161_H

#include <stdint.h>

#include "sign/trusted_root.h"

enum { RFC3161_MAX = 256 * 1024 };

/* When it was, within the accuracy that the timestamp claims; seconds since 1970. */
typedef struct {
	int64_t from_s, to_s;
} Rfc3161Time;

/*
 * The time that a response (TimeStampResp in DER) tells for `message`, seconds since 1970, when one
 * of the authorities signed it with a certificate that was good at that time, and counts at it.
 * ERR_FORBIDDEN, ERR_INVALID, ERR_LIMIT.
 */
bool rfc3161_verify(Str response, Str message, const TrustedAuthorities *authorities,
		    int64_t *out_time_s, Error *err) MUST_USE;

/* As rfc3161_verify for a bare token (TimeStampToken), which has the certificates of its signer
 * with it; `roots` (X509) are trusted. */
bool rfc3161_verify_token(Str token, Str message, const Vec *roots, Rfc3161Time *out,
			  Error *err) MUST_USE;

#endif
