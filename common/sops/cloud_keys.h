/*
 * Key services of the clouds: AWS KMS, Google Cloud KMS, Azure Key Vault. Who we are there comes
 * through functions: this layer knows the three calls, not how credentials are got.
 */
#ifndef SOPS_CLOUD_KEYS_H
#define SOPS_CLOUD_KEYS_H

#include "net/httpc.h"
#include "sops/sops.h"

/* A call of AWS KMS. */
typedef struct {
	const char *region;
	const char *role;   /* whose ARN is to be taken on for it, or NULL */
	const char *target; /* "TrentService.Decrypt" */
	const char *body;   /* JSON */
} AwsKmsCall;

typedef struct {
	HttpClient *http;

	/* Makes a call, signed; appends the reply's body. */
	bool (*aws_call)(void *arg, const AwsKmsCall *call, Buf *out, Error *err);

	/* Access tokens for Google Cloud and for Azure Key Vault; owned, secrets. */
	char *(*gcp_token)(void *arg, Error *err);
	char *(*azure_token)(void *arg, Error *err);
	void *arg;

	/* In place of https://cloudkms.googleapis.com; or NULL. */
	const char *gcp_endpoint;
	/* A server that may be asked beside Azure's own ("https://HOST" as the files spell it): a
	 * file says where its key is, and whoever is asked sees the token. Or NULL. */
	const char *azure_vault;
} CloudKeys;

/* Rows for metadata's "kms", "gcp_kms" and "azure_kv" lists. `keys` is borrowed. */
SopsKeyService aws_key_service(const CloudKeys *keys);
SopsKeyService gcp_key_service(const CloudKeys *keys);
SopsKeyService azure_key_service(const CloudKeys *keys);

#endif
