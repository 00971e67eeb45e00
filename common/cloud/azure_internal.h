/* What azure.c (whose token), azure_assertion.c (certificates) share. */
#ifndef CLOUD_AZURE_INTERNAL_H
#define CLOUD_AZURE_INTERNAL_H

#include "cloud/azure.h"

/* The JWT by which an application with a certificate proves itself at `audience` (Entra,
 * "Certificate credentials"). ERR_INVALID for an unusable certificate. Owned, a secret. */
char *azure_assertion(const AzureApp *app, const char *audience, Error *err) MUST_USE;

#endif
