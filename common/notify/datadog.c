/* Datadog: an event with tags in lower case (N53). */
#include "notify/notify_internal.h"

#include <ctype.h>

#include "base/mem.h"

static void add_tag(json_t *tags, const char *key, const char *value)
{
	autofree char *tag = mem_printf("%s:%s", key, value ? value : "");
	for (char *c = tag; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	json_array_append_new(tags, json_string(tag));
}

static json_t *tags_of(const json_t *event)
{
	json_t *tags = json_array();
	add_tag(tags, "flux_reporting_controller", notify_controller(event));
	add_tag(tags, "flux_reason", notify_reason(event));
	add_tag(tags, "kube_kind", notify_object(event, "kind"));
	add_tag(tags, "kube_name", notify_object(event, "name"));
	add_tag(tags, "kube_namespace", notify_object(event, "namespace"));
	const char *key;
	json_t *value;
	json_object_foreach(json_map(event, "metadata"), key, value)
	{
		add_tag(tags, key, json_string_value(value));
	}
	return tags;
}

bool notify_build_datadog(const NotifyTarget *target, const json_t *event, NotifyRequest *out,
			  Error *err)
{
	if (!notify_need(target, target->token, "token", err))
		return false;
	autofree char *origin = notify_origin(target, err);
	if (!origin)
		return false;
	autofree char *title =
		mem_printf("Events from the %s %s/%s", notify_object(event, "kind"),
			   notify_object(event, "name"), notify_object(event, "namespace"));
	autojson json_t *body =
		json_pack("{s:s,s:s,s:o,s:s,s:I,s:s}", "title", title, "text",
			  notify_message(event), "tags", tags_of(event), "source_type_name",
			  "fluxcd", "date_happened", (json_int_t)notify_seconds(event),
			  "alert_type", notify_is_error(event) ? "error" : "info");
	if (!notify_set_json_at(mem_printf("%s/api/v1/events", origin), body, out, err))
		return false;
	notify_add_header(out, "DD-API-KEY", target->token);
	return true;
}
