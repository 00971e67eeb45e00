/* What keyless.c and keyless_bundle.c share. */
#ifndef SIGN_KEYLESS_INTERNAL_H
#define SIGN_KEYLESS_INTERNAL_H

#include "sign/certificate.h"
#include "sign/keyless.h"
#include "sign/rekor.h"

/* Whether the logged key, in PEM, is the certificate. ERR_FORBIDDEN, ERR_INVALID. */
bool keyless_check_key(const Buf *logged, const X509 *leaf, Error *err) MUST_USE;

/* The path from the leaf to a root at that time, and a certificate transparency log's word on it.
 * The path is appended to out_chain, leaf first. ERR_FORBIDDEN. */
bool keyless_check_path(X509 *leaf, const TrustedRoot *root, int64_t time_s, Vec *out_chain,
			Error *err) MUST_USE;

/* Whether an entry of the log's second version is that of this signature over an envelope (payload
 * and its type). ERR_FORBIDDEN, ERR_UNSUPPORTED. */
bool keyless_check_second(const RekorEntry *entry, const X509 *leaf, const Buf *signature,
			  const char *type, const Buf *payload, Error *err) MUST_USE;

#endif
