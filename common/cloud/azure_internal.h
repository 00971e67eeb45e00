/* What azure.c (whose token), azure_assertion.c (certificates) and those that log in somewhere with
 * a token share. */
#ifndef CLOUD_AZURE_INTERNAL_H
#define CLOUD_AZURE_INTERNAL_H

#include "cloud/azure.h"
#include "data/json.h"

/* The JWT by which an application with a certificate proves itself at `audience` (Entra,
 * "Certificate credentials"). ERR_INVALID for an unusable certificate. Owned, a secret. */
char *azure_assertion(const AzureApp *app, const char *audience, Error *err) MUST_USE;

/* AZURE_ENVIRONMENT_FILEPATH: a private cloud's names (containerRegistryDNSSuffix,
 * resourceManagerEndpoint, tokenAudience). Owned; NULL and no error when there is none. */
json_t *azure_environment(const Cloud *cloud, Error *err) MUST_USE;

#endif
