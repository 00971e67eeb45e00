/*
 * Image references as the distribution specification and Go's name package read them:
 * "HOST/REPOSITORY", perhaps with ":TAG" or "@DIGEST". The first part is a host only when it has a
 * "." or ":"; else the host is index.docker.io, where a bare name stands below "library/".
 */
#ifndef OCI_REFERENCE_H
#define OCI_REFERENCE_H

#include <stdbool.h>

#include "base/auto.h"
#include "base/error.h"

#define OCI_DEFAULT_HOST "index.docker.io"
#define OCI_DEFAULT_TAG "latest"

typedef struct {
	char *host;	  /* "registry.example:5000"; docker.io is index.docker.io */
	char *repository; /* "library/debian" */
	char *tag;	  /* NULL when there is none */
	char *digest;	  /* "sha256:..."; NULL when there is none */
} OciReference;

void oci_reference_dispose(OciReference *reference);
#define autoocireference __attribute__((cleanup(oci_reference_dispose)))

/* Host and repository only; ERR_INVALID for anything behind them, such as a tag. */
bool oci_repository_parse(const char *text, OciReference *out, Error *err) MUST_USE;

/* With a tag or a digest, or both (then the digest decides); neither: no tag is put in. */
bool oci_reference_parse(const char *text, OciReference *out, Error *err) MUST_USE;

/* "HOST/REPOSITORY:TAG", "HOST/REPOSITORY@DIGEST" (the digest beats the tag) or without either.
 * Owned. */
char *oci_reference_text(const OciReference *reference);

/* ERR_INVALID unless 1 to 128 of the characters that tags have. */
bool oci_tag_check(const char *tag, Error *err);

/* ERR_INVALID unless "sha256:" or "sha512:" and its count of lower-case hex digits. */
bool oci_digest_check(const char *digest, Error *err);

/*
 * Hosts that are asked by plain http when https is not spoken there, without anybody saying
 * "insecure": localhost, *.localhost, 127.0.0.1, ::1 and the addresses of RFC 1918 (source.md 4).
 */
bool oci_host_is_local(const char *host);

#endif
