/* ASCII armor: OpenPGP's (RFC 9580 6.2) and that of SSH signatures (PROTOCOL.sshsig). */
#ifndef SIGN_ARMOR_H
#define SIGN_ARMOR_H

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

/* True when text, blanks aside, starts with "-----BEGIN LABEL-----". */
bool armor_is(Str text, const char *label);

/*
 * Decodes the first block of that label in *text and moves *text behind it. Headers are skipped; so
 * is the checksum, which RFC 9580 forbids to insist on. ERR_NOT_FOUND without a block, ERR_INVALID
 * for one that has no end or is no base64.
 */
bool armor_decode(Str *text, const char *label, Buf *out, Error *err) MUST_USE;

#endif
