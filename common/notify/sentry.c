/* Sentry: errors as events, the rest as transactions, in an envelope to the project that the DSN
 * names (N54). */
#include "notify/notify_internal.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rand.h"
#include "data/digest.h"
#include "net/url.h"

static void random_hex(char *out, size_t bytes)
{
	unsigned char raw[16];
	rand_bytes(raw, bytes);
	hex_encode(raw, bytes, out);
}

/* What event and transaction have in common. */
static json_t *base_of(const NotifyTarget *target, const json_t *event, const char *id)
{
	autofree char *name =
		mem_printf("%s: %s/%s", notify_object(event, "kind"),
			   notify_object(event, "namespace"), notify_object(event, "name"));
	return json_pack(
		"{s:s,s:s,s:s,s:s,s:s,s:I}", "event_id", id, "platform", "other", "environment",
		cstr_empty(target->channel) ? "production" : target->channel, "transaction", name,
		"message", notify_message(event), "timestamp", (json_int_t)notify_seconds(event));
}

static json_t *event_of(const NotifyTarget *target, const json_t *event, const char *id)
{
	json_t *out = base_of(target, event, id);
	json_put_text(out, "level", notify_severity(event));
	json_put_text(out, "server_name", notify_controller(event));
	json_object_set_new(json_make_at(out, "contexts", NULL), "metadata",
			    notify_metadata_copy(event));
	return out;
}

static json_t *tags_of(const json_t *event)
{
	json_t *tags = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "flux_involved_object_kind",
				 notify_object(event, "kind"), "flux_involved_object_namespace",
				 notify_object(event, "namespace"), "flux_involved_object_name",
				 notify_object(event, "name"), "flux_reporting_controller",
				 notify_controller(event), "flux_reporting_instance",
				 json_text_or(event, "reportingInstance", ""), "flux_reason",
				 notify_reason(event));
	json_object_update(tags, json_map(event, "metadata"));
	return tags;
}

static json_t *transaction_of(const NotifyTarget *target, const json_t *event, const char *id)
{
	char trace_id[33], span_id[17];
	random_hex(trace_id, 16);
	random_hex(span_id, 8);
	json_int_t at = (json_int_t)notify_seconds(event);
	autojson json_t *tags = tags_of(event);
	json_t *out = base_of(target, event, id);
	json_put_text(out, "type", "transaction");
	json_object_set_new(out, "start_timestamp", json_integer(at));
	json_object_set(out, "tags", tags);
	json_object_set_new(json_make_at(out, "contexts", NULL), "trace",
			    json_pack("{s:s,s:s,s:s}", "trace_id", trace_id, "span_id", span_id,
				      "op", "event"));
	json_object_set_new(out, "spans",
			    json_pack("[{s:s,s:s,s:s,s:I,s:I,s:O}]", "trace_id", trace_id,
				      "span_id", span_id, "op", "event", "start_timestamp", at,
				      "timestamp", at, "tags", tags));
	return out;
}

/* A DSN is SCHEME://KEY[:SECRET]@HOST[/PREFIX]/PROJECT. */
static bool set_endpoint(Url *dsn, NotifyRequest *out, Error *err)
{
	char *project = strrchr(dsn->path, '/');
	if (cstr_empty(dsn->user) || !project || !project[1])
		return err_set(err, ERR_INVALID, "the address is no Sentry DSN");
	autofree char *auth =
		mem_printf("Sentry sentry_version=7, sentry_client=sluice/1.0, sentry_key=%s%s%s",
			   dsn->user, cstr_empty(dsn->password) ? "" : ", sentry_secret=",
			   dsn->password ? dsn->password : "");
	char *path = mem_printf("%.*s/api/%s/envelope/", (int)(project - dsn->path), dsn->path,
				project + 1);
	free(dsn->path);
	dsn->path = path;
	free(dsn->user);
	free(dsn->password);
	dsn->user = dsn->password = NULL;
	out->url = url_text(dsn, false);
	notify_add_header(out, "X-Sentry-Auth", auth);
	notify_add_header(out, "Content-Type", "application/x-sentry-envelope");
	return true;
}

bool notify_build_sentry(const NotifyTarget *target, const json_t *event, NotifyRequest *out,
			 Error *err)
{
	autourl Url dsn = {0};
	if (!notify_need(target, target->address, "address", err))
		return false;
	if (!url_parse(target->address, &dsn, err) || !set_endpoint(&dsn, out, err))
		return false;
	bool bad = notify_is_error(event);
	char id[33], now[CLOCK_TEXT_SIZE];
	random_hex(id, 16);
	clock_format(clock_wall_ms(), now);
	autojson json_t *item =
		bad ? event_of(target, event, id) : transaction_of(target, event, id);
	autofree char *text = json_dump(item);
	buf_printf(&out->body, "{\"event_id\":\"%s\",\"sent_at\":\"%s\"}\n", id, now);
	buf_printf(&out->body, "{\"type\":\"%s\",\"length\":%zu}\n%s\n",
		   bad ? "event" : "transaction", strlen(text), text);
	return true;
}
