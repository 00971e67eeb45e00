#include "kube/service_account.h"

#include "base/clock.h"
#include "base/mem.h"

char *service_account_token(KubeClient *client, const char *ns, const char *name,
			    const json_t *audiences, int64_t *out_expires_ms, Error *err)
{
	autojson json_t *body =
		json_pack("{s:s,s:s,s:{s:O}}", "apiVersion", "authentication.k8s.io/v1", "kind",
			  "TokenRequest", "spec", "audiences", json_borrow(audiences));
	autojson json_t *reply = kube_do(client,
					 &(KubeRequest){.verb = KUBE_CREATE,
							.api_version = "v1",
							.kind = "ServiceAccount",
							.ns = ns,
							.name = name,
							.subresource = "token",
							.body = body},
					 err);
	if (!reply)
		return NULL;
	const json_t *status = json_map(reply, "status");
	int64_t until_ms = 0;
	if (!clock_parse(json_text_or(status, "expirationTimestamp", ""), &until_ms) ||
	    !json_text(status, "token"))
		return err_null(err, ERR_UNAVAILABLE, "the server gave no token");
	if (out_expires_ms)
		*out_expires_ms = until_ms;
	return mem_strdup(json_text(status, "token"));
}
