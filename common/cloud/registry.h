/*
 * Logins of the clouds' own registries: Amazon's ECR (private and public), Azure's Container
 * Registry, Google's Artifact Registry, each from an identity of aws.h, azure.h, gcp.h.
 */
#ifndef CLOUD_REGISTRY_H
#define CLOUD_REGISTRY_H

#include "cloud/cloud.h"

/*
 * User and password (out->user, out->secret) for a registry by its host (with a port, if any),
 * shared and kept like all credentials. `provider` is "aws", "azure" or "gcp". ERR_INVALID when the
 * host is none of that provider's: nobody else may be given its tokens.
 */
bool registry_login(Cloud *cloud, const CloudCaller *caller, const char *provider, const char *host,
		    Credential *out, Error *err) MUST_USE;

/* The exchange at an Azure registry (POST BASE/oauth2/exchange), for tests too: *out gets user,
 * secret and when it ends. */
bool registry_exchange(HttpClient *http, const char *base_url, const char *host,
		       const char *access_token, int64_t timeout_ms, Credential *out,
		       Error *err) MUST_USE;

#endif
