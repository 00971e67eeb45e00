/* DSSE envelopes and the in-toto statements in them. */
#ifndef SIGN_DSSE_H
#define SIGN_DSSE_H

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

#define DSSE_STATEMENT_TYPE "application/vnd.in-toto+json"

enum { DSSE_MAX_PAYLOAD = 4 << 20, DSSE_MAX_SIGNATURE = 16 * 1024 };

/* What a signature covers (DSSE protocol, "PAE"). */
void dsse_covered(const char *type, Str payload, Buf *out);

/* Base64 of at most `limit` characters; NULL, "" and too long a one are ERR_INVALID. */
bool dsse_decode(const char *base64, size_t limit, Buf *out, Error *err) MUST_USE;

/* Whether an in-toto statement has the digest ("sha256:...") among its subjects. ERR_FORBIDDEN;
 * ERR_INVALID for what is no statement. */
bool dsse_statement_names(Str statement, const char *digest, Error *err) MUST_USE;

#endif
