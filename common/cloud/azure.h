/*
 * Azure: Entra access tokens, and the signature of storage accounts.
 *
 * Environment: AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET,
 * AZURE_CLIENT_CERTIFICATE_PATH, AZURE_CLIENT_CERTIFICATE_PASSWORD, AZURE_FEDERATED_TOKEN_FILE,
 * AZURE_AUTHORITY_HOST; IDENTITY_ENDPOINT, IDENTITY_HEADER (App Service),
 * AZURE_POD_IDENTITY_AUTHORITY_HOST (instead of the instance's metadata service).
 */
#ifndef CLOUD_AZURE_H
#define CLOUD_AZURE_H

#include "base/str.h"
#include "cloud/cloud.h"

#define AZURE_SCOPE_STORAGE "https://storage.azure.com/.default"
#define AZURE_SCOPE_DEVOPS "499b84ac-1321-427f-aa17-267ca6975798/.default"
#define AZURE_SCOPE_VAULT "https://vault.azure.net/.default"

/* Which of Azure's clouds the process is at. */
typedef struct {
	const char *authority; /* part of the hosts that give tokens; "" for the public one */
	const char *manager, *manager_audience; /* URLs of Resource Manager */
	const char *event_hubs;			/* domain of the namespaces of Event Hubs */
} AzureCloud;

/* The one of $AZURE_AUTHORITY_HOST, else the public one. */
const AzureCloud *azure_cloud(const Cloud *cloud);

/* The authority itself, NULL when the environment has none. Borrowed. */
const char *azure_authority(const Cloud *cloud);

/* A token for `scope` in out->secret: of the caller's account (annotations
 * azure.workload.identity/tenant-id and /client-id) or of the process: environment, workload
 * identity, managed identity, the first that is configured. `authority_host` (or NULL) beats the
 * environment's. */
bool azure_token(Cloud *cloud, const CloudCaller *caller, const char *authority_host,
		 const char *scope, Credential *out, Error *err) MUST_USE;

/* An application that a Secret names. All borrowed. */
typedef struct {
	const char *tenant_id, *client_id;
	const char *client_secret;	  /* or */
	Str certificate;		  /* PEM with the key, or PKCS #12 */
	const char *certificate_password; /* or NULL */
	bool send_chain;
	const char *authority_host; /* NULL: $AZURE_AUTHORITY_HOST, else the public one */
} AzureApp;

/* A token of an application; without a tenant, of the managed identity client_id. ERR_INVALID for
 * an unusable certificate. */
bool azure_token_of_app(Cloud *cloud, const CloudCaller *caller, const AzureApp *app,
			const char *scope, Credential *out, Error *err) MUST_USE;

/*
 * The value of the Authorization header for a request to Blob storage signed with the account's key
 * ("Authorize with Shared Key"). `headers` are the "Name: value" lines that will be sent, x-ms-date
 * and x-ms-version among them. Pure. ERR_INVALID for a key that is not base64. Owned, a secret.
 */
char *azure_shared_key(const char *account, const char *key_base64, const char *method,
		       const char *url, const char *const *headers, Error *err) MUST_USE;

#endif
