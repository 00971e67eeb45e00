/* Opsgenie: alerts that the alias keeps together (N49). */
#include "notify/notify_internal.h"

#include <string.h>

#include "base/mem.h"
#include "data/digest.h"

bool notify_build_opsgenie(const NotifyTarget *target, const json_t *event, NotifyRequest *out,
			   Error *err)
{
	if (!notify_need(target, target->token, "token", err))
		return false;
	autofree char *key =
		mem_printf("%s/%s/%s/%s/%s", target->provider_uid ? target->provider_uid : "",
			   notify_object(event, "kind"), notify_object(event, "namespace"),
			   notify_object(event, "name"), notify_reason(event));
	char alias[DIGEST_TEXT_SIZE];
	digest_hex(DIGEST_SHA256, key, strlen(key), alias);
	autofree char *message =
		mem_printf("%s/%s", notify_object(event, "kind"), notify_object(event, "name"));
	json_t *details = notify_metadata_copy(event);
	json_put_text(details, "severity", notify_severity(event));
	autojson json_t *body = json_pack("{s:s,s:s,s:s,s:o}", "message", message, "alias", alias,
					  "description", notify_message(event), "details", details);
	if (!notify_set_json(target, body, out, err))
		return false;
	notify_add_auth(out, "GenieKey", target->token);
	return true;
}
