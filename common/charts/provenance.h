/*
 * Provenance of charts (NAME-VERSION.tgz.prov): a text signed in the clear (RFC 9580 7) that holds
 * Chart.yaml, a line "..." and the digests of files.
 */
#ifndef CHARTS_PROVENANCE_H
#define CHARTS_PROVENANCE_H

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

enum { PROVENANCE_MAX = 1 << 20, KEYRING_MAX = 8 << 20 };

/* A signed text's parts. */
typedef struct {
	Buf plain;     /* the text, dashes unescaped, lines end in "\n" */
	Buf canonical; /* what is signed: without blanks at the ends of lines, which end in "\r\n"
			*/
	Str signature; /* armored; borrowed from the text */
} Provenance;

void provenance_dispose(Provenance *provenance);
#define autoprovenance __attribute__((cleanup(provenance_dispose)))

/* ERR_INVALID for what is no signed text, ERR_LIMIT above PROVENANCE_MAX. Checks no signature. */
bool provenance_parse(Str text, Provenance *out, Error *err) MUST_USE;

/* The digest, "sha256:HEX", that a parsed text has for a file; ERR_INVALID. Owned. */
char *provenance_digest(const Provenance *provenance, const char *file, Error *err) MUST_USE;

/*
 * Verifies that a key of the keyring (binary packets, as `gpg --export` writes them) signed the
 * text and that the text has the archive's digest for `file`. ERR_FORBIDDEN when it is not so,
 * ERR_INVALID, and those of openpgp_verify.
 */
bool provenance_verify(Str text, Str archive, const char *file, Str keyring, Error *err) MUST_USE;

#endif
