/*
 * Google access tokens.
 *
 * Environment: GOOGLE_APPLICATION_CREDENTIALS (a key file, of a service account or an external
 * account), GCE_METADATA_HOST. Endpoints that no key names: GOOGLE_STS_ENDPOINT and
 * GOOGLE_IAMCREDENTIALS_ENDPOINT (ours; for tests and private clouds).
 */
#ifndef CLOUD_GCP_H
#define CLOUD_GCP_H

#include "cloud/cloud.h"

#define GCP_SCOPE_PLATFORM "https://www.googleapis.com/auth/cloud-platform"
#define GCP_SCOPE_STORAGE_READ "https://www.googleapis.com/auth/devstorage.read_only"

/*
 * A token with the scope cloud-platform in out->secret: of the caller's account (annotations
 * iam.gke.io/gcp-service-account, gcp.auth.fluxcd.io/workload-identity-provider; by STS and, with
 * an e-mail, IAM credentials) or of the process: GOOGLE_APPLICATION_CREDENTIALS, else the metadata
 * server.
 */
bool gcp_token(Cloud *cloud, const CloudCaller *caller, Credential *out, Error *err) MUST_USE;

/*
 * A token with `scope` for the key of a service account (its JSON: client_email, private_key,
 * token_uri). ERR_INVALID says what the key lacks, and no part of it. ERR_UNSUPPORTED for another
 * type of credential: an external account's names files of this process, which only its own
 * environment may.
 */
bool gcp_token_of_key(Cloud *cloud, const CloudCaller *caller, const char *key_json,
		      const char *scope, Credential *out, Error *err) MUST_USE;

#endif
