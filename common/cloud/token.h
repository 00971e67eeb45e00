/* What the exchanges of tokens have in common, for the files of common/cloud. */
#ifndef CLOUD_TOKEN_H
#define CLOUD_TOKEN_H

#include "cloud/cloud.h"
#include "data/json.h"

#define CLOUD_FORM_TYPE "Content-Type: application/x-www-form-urlencoded; charset=utf-8"

/* Overwrites a buffer that held a secret; it stays usable. */
void buf_wipe(Buf *buf);

/* A token that a volume keeps fresh, without blanks around; up to 64 KiB. Owned, a secret. */
char *cloud_read_token(const char *path, Error *err) MUST_USE;

/* POSTs a form, which is wiped. */
bool cloud_post_form(HttpClient *http, const char *url, Buf *form, int64_t timeout_ms, Buf *out,
		     Error *err) MUST_USE;

/* {"access_token", "expires_in": seconds, as number or text} (RFC 6749 5.1). */
bool cloud_parse_token(Str reply, Credential *out, Error *err) MUST_USE;

/* POSTs a form that is answered by a token. */
bool cloud_token_by_form(HttpClient *http, const char *url, Buf *form, int64_t timeout_ms,
			 Credential *out, Error *err) MUST_USE;

/* GETs a token of a metadata service on the node; `header` is "Name: value", or NULL. */
bool cloud_token_of_node(Cloud *cloud, const char *url, const char *header, Credential *out,
			 Error *err) MUST_USE;

/* The account's Kubernetes token for an audience, with its name in the error. Owned, a secret. */
char *cloud_account_token(const CloudAccount *account, const char *audience, Error *err) MUST_USE;

/* Who asks, and by which proxy: part of a kept login's key. It has the annotations that say as whom
 * an account logs in, for the login must not outlive their change. Owned. */
char *cloud_caller_key(const CloudCaller *caller);

/* True for 127.0.0.1, ::1 and localhost, which secrets may be sent to without TLS. */
bool cloud_is_loopback(const char *host);

#endif
