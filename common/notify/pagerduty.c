/* PagerDuty: an error triggers, an info resolves and is told as a change (N52). */
#include "notify/notify_internal.h"

#include <ctype.h>

#include "base/clock.h"
#include "base/mem.h"

static json_t *details_of(const json_t *event)
{
	json_t *metadata = json_map(event, "metadata");
	return json_pack("{s:s,s:O*}", "message", notify_message(event), "metadata", metadata);
}

/* "reason words: kind/name" */
static char *summary_of(const json_t *event)
{
	autofree char *words = notify_reason_words(event);
	autofree char *name = notify_kind_name(event);
	return mem_printf("%s: %s", words, name);
}

/* What incident and change have in common. */
static json_t *payload_of(const json_t *event)
{
	char timestamp[CLOCK_TEXT_SIZE];
	clock_format(notify_seconds(event) * 1000, timestamp);
	autofree char *summary = summary_of(event);
	autofree char *source = mem_printf("Flux %s", notify_controller(event));
	return json_pack("{s:s,s:s,s:s,s:o}", "summary", summary, "source", source, "timestamp",
			 timestamp, "custom_details", details_of(event));
}

static json_t *incident_of(const json_t *event, const char *routing_key)
{
	bool bad = notify_is_error(event);
	json_t *incident = json_pack("{s:s,s:s}", "routing_key", routing_key, "event_action",
				     bad ? "trigger" : "resolve");
	const char *uid = notify_object(event, "uid");
	if (*uid)
		json_put_text(incident, "dedup_key", uid);
	if (bad) {
		json_t *payload = payload_of(event);
		json_put_text(payload, "severity", "error");
		json_put_text(payload, "component", notify_object(event, "name"));
		json_put_text(payload, "group", notify_object(event, "kind"));
		json_object_set_new(incident, "payload", payload);
	}
	return incident;
}

/* What the change event needs, once the incident's is through. */
typedef struct {
	char *url;
	json_t *body;
} Change;

static void free_change(void *state)
{
	Change *change = state;
	free(change->url);
	json_decref(change->body);
	free(change);
}

static bool send_change(NotifyRequest *self, int status, Str reply, NotifyRequest *out_next,
			Error *err)
{
	(void)status;
	(void)reply;
	Change *change = self->state;
	return notify_set_json_at(steal(&change->url), change->body, out_next, err);
}

bool notify_build_pagerduty(const NotifyTarget *target, const json_t *event, NotifyRequest *out,
			    Error *err)
{
	const char *routing_key = target->channel ? target->channel : "";
	autofree char *origin = notify_origin(target, err);
	if (!origin)
		return false;
	if (notify_is_progressing(event))
		return true;
	autojson json_t *incident = incident_of(event, routing_key);
	if (!notify_set_json_at(mem_printf("%s/v2/enqueue", origin), incident, out, err))
		return false;
	if (!cstr_eq(notify_severity(event), "info"))
		return true;
	Change *change = mem_zalloc(1, sizeof(*change));
	change->url = mem_printf("%s/v2/change/enqueue", origin);
	change->body =
		json_pack("{s:s,s:o}", "routing_key", routing_key, "payload", payload_of(event));
	out->then = send_change;
	out->state = change;
	out->free_state = free_change;
	return true;
}
