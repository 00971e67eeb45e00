/* Base64 (RFC 4648 section 4, and 5 for the URL alphabet without padding). */
#ifndef DATA_BASE64_H
#define DATA_BASE64_H

#include "base/buf.h"
#include "base/error.h"

/* Encoded text with padding, owned by the caller. */
char *base64_encode(const void *bytes, size_t len);

/* Appends the decoded bytes; line breaks are skipped; padding needed. ERR_INVALID. */
bool base64_decode(const char *text, size_t len, Buf *out, Error *err) MUST_USE;

char *base64url_encode(const void *bytes, size_t len);
bool base64url_decode(const char *text, size_t len, Buf *out, Error *err) MUST_USE;

#endif
