/* Tokens of ServiceAccounts by the TokenRequest API. */
#ifndef KUBE_SERVICE_ACCOUNT_H
#define KUBE_SERVICE_ACCOUNT_H

#include "kube/client.h"

/* A token of the account for the audiences (a list of strings), owned, a secret; *out_expires_ms
 * (wall clock; may be NULL) is when it ends. */
char *service_account_token(KubeClient *client, const char *ns, const char *name,
			    const json_t *audiences, int64_t *out_expires_ms, Error *err) MUST_USE;

#endif
