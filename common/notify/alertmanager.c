/* Prometheus Alertmanager: one firing alert, which its resolve_timeout ends (N50). */
#include "notify/notify_internal.h"

#include <ctype.h>

#include "base/clock.h"
#include "base/mem.h"

/* [Q] A title's letters: of each word the first one is upper, the others are lower case. */
static char *alert_name(const json_t *event)
{
	char *reason = mem_strdup(notify_reason(event));
	bool inside = false;
	for (char *c = reason; *c; c++) {
		bool letter = isalnum((unsigned char)*c) || *c == '_' || *c == '\'';
		*c = (char)(inside ? tolower((unsigned char)*c) : toupper((unsigned char)*c));
		inside = letter;
	}
	char *name = mem_printf("Flux%s%s", notify_object(event, "kind"), reason);
	free(reason);
	return name;
}

static json_t *labels_of(const json_t *event)
{
	static const char *const parts[] = {"kind", "name", "namespace"};
	json_t *labels = notify_metadata_copy(event);
	json_object_del(labels, "summary");
	autofree char *name = alert_name(event);
	json_put_text(labels, "alertname", name);
	json_put_text(labels, "severity", notify_severity(event));
	json_put_text(labels, "reason", notify_reason(event));
	json_put_text(labels, "reportingcontroller", notify_controller(event));
	for (size_t i = 0; i < COUNT(parts); i++)
		json_put_text(labels, parts[i], notify_object(event, parts[i]));
	return labels;
}

bool notify_build_alertmanager(const NotifyTarget *target, const json_t *event, NotifyRequest *out,
			       Error *err)
{
	char starts_at[CLOCK_TEXT_SIZE];
	clock_format(notify_seconds(event) * 1000, starts_at);
	json_t *annotations = json_pack("{s:s}", "message", notify_message(event));
	json_put_text(annotations, "summary", json_text(json_map(event, "metadata"), "summary"));
	/* [Q] endsAt is Go's zero time, which Alertmanager reads as not set. */
	autojson json_t *body = json_pack("[{s:s,s:o,s:o,s:s,s:s}]", "status", "firing", "labels",
					  labels_of(event), "annotations", annotations, "startsAt",
					  starts_at, "endsAt", "0001-01-01T00:00:00Z");
	if (!notify_set_json(target, body, out, err))
		return false;
	if (!cstr_empty(target->username) && !cstr_empty(target->secret_password))
		notify_add_basic(out, target->username, target->secret_password);
	else if (!cstr_empty(target->token))
		notify_add_auth(out, "Bearer", target->token);
	return true;
}
