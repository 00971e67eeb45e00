/* What the key services that speak JSON over HTTP share. */
#ifndef SOPS_REST_H
#define SOPS_REST_H

#include "data/json.h"
#include "net/httpc.h"

typedef struct {
	const char *url;
	const char *const *headers; /* as HttpRequest's */
	const char *type;	    /* of the body; NULL: application/json */
	const char *body;
	const char *secret; /* that the peer may echo: not shown in errors; or NULL */
} RestCall;

/* Posts and parses the reply; a status of 300 or more is an error with what the reply says of it.
 * Owned. */
json_t *rest_post(HttpClient *http, const RestCall *call, Error *err) MUST_USE;

/* Appends the bytes of a base64 member, which is wiped in the reply; `url`: of the URL alphabet.
 * ERR_INVALID. */
bool rest_bytes(json_t *reply, const char *key, bool url, Buf *out, Error *err) MUST_USE;

#endif
