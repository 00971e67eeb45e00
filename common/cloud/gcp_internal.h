/* What gcp.c (whose token) and gcp_exchange.c (keys and exchanges) share. */
#ifndef CLOUD_GCP_INTERNAL_H
#define CLOUD_GCP_INTERNAL_H

#include "cloud/gcp.h"

#define GCP_METADATA_HEADER "Metadata-Flavor: Google"

/* Where the metadata server says `path`. Owned. */
char *gcp_metadata_url(const Cloud *cloud, const char *path);

/* Someone's JWT for an access token. All borrowed. */
typedef struct {
	const char *token_url, *audience, *subject_token;
	const char *subject_token_type; /* NULL: a JWT */
	const char *impersonate_url;	/* or NULL */
} GcpExchange;
bool gcp_exchange(Cloud *cloud, const CloudCaller *caller, const GcpExchange *exchange,
		  Credential *out, Error *err) MUST_USE;

/* GOOGLE_APPLICATION_CREDENTIALS, else the metadata server's. */
bool gcp_process_token(Cloud *cloud, const CloudCaller *caller, Credential *out,
		       Error *err) MUST_USE;

#endif
