/*
 * AWS Signature Version 4 (AWS General Reference, "Signing AWS API requests"). Pure: no clock, no
 * requests, no environment.
 */
#ifndef CLOUD_SIGV4_H
#define CLOUD_SIGV4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/vec.h"
#include "cloud/cloud.h"

/* Payload hashes for what is not hashed, and for no payload. */
#define SIGV4_UNSIGNED "UNSIGNED-PAYLOAD"
#define SIGV4_EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* What is signed. All borrowed. */
typedef struct {
	const Credential *credential;
	const char *region, *service; /* "us-east-1", "s3" */
	int64_t now_ms;		      /* wall clock */
	const char *method;
	const char *url; /* with the query, percent-encoded as it will be sent */
	/* "Name: value" strings to be signed beside host and date; NULL-terminated, or NULL. */
	const char *const *headers;
	const char *payload_hash; /* lower-case hex, SIGV4_UNSIGNED, or NULL: of body */
	const void *body;
	size_t body_len;
	/* S3 takes the path as it is and wants x-amz-content-sha256; other services have their path
	 * normalized and encoded once more. Taken from `service` being "s3". */
} SigV4Request;

/*
 * Appends the owned header lines "X-Amz-Date: ...", "X-Amz-Security-Token: ..." (with a session),
 * "X-Amz-Content-Sha256: ..." (S3) and "Authorization: ..." to `out`. They are secrets: free them
 * with sigv4_headers_dispose. ERR_INVALID for a URL without a host.
 */
bool sigv4_sign(const SigV4Request *request, Vec *out, Error *err) MUST_USE;
void sigv4_headers_dispose(Vec *headers);

/* The URL with the signature in its query, good for expires_s (1 to 604800) seconds; the session
 * token is in it. Owned, a secret. */
char *sigv4_presign(const SigV4Request *request, int expires_s, Error *err) MUST_USE;

/* CodeCommit's Git password: "YYYYMMDDTHHMMSSZ" and the signature of `GIT` on the URL's path.
 * Owned, a secret; the user is the access key's id, with "%" and the session token behind it. */
char *sigv4_codecommit_password(const Credential *credential, const char *region, const char *url,
				int64_t now_ms, Error *err) MUST_USE;

#endif
