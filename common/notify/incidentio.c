/* incident.io: an alert that the object's UID fires and resolves (N60). */
#include "notify/notify_internal.h"

#include "base/mem.h"

bool notify_build_incidentio(const NotifyTarget *target, const json_t *event, NotifyRequest *out,
			     Error *err)
{
	if (!notify_need(target, target->token, "token", err) ||
	    !notify_need(target, target->address, "address", err))
		return false;
	if (notify_is_progressing(event))
		return true;
	autofree char *name = notify_object_name(event);
	autofree char *title = mem_printf("%s: %s", name, notify_reason(event));
	json_t *metadata = notify_metadata_copy(event);
	json_put_text(metadata, "severity", notify_severity(event));
	json_put_text(metadata, "reason", notify_reason(event));
	if (*notify_controller(event))
		json_put_text(metadata, "reportingController", notify_controller(event));
	autojson json_t *body =
		json_pack("{s:s,s:s,s:s,s:o}", "title", title, "status",
			  notify_is_error(event) ? "firing" : "resolved", "deduplication_key",
			  notify_object(event, "uid"), "metadata", metadata);
	if (body && *notify_message(event))
		json_put_text(body, "description", notify_message(event));
	if (!notify_set_json(target, body, out, err))
		return false;
	notify_add_auth(out, "Bearer", target->token);
	return true;
}
