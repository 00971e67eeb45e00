/*
 * OpenTelemetry: one span by OTLP over HTTP, as protobuf written by hand: the message is small and
 * its shape fixed (N61). All events of one Alert about one revision make one trace.
 */
#include "notify/notify_internal.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rand.h"
#include "data/digest.h"
#include "net/url.h"

enum { TRACE_ID = 16, SPAN_ID = 8 };

/* --- protobuf (encoding spec): a field is its number and wire type, then the value --- */

enum { VARINT = 0, FIXED64 = 1, BYTES = 2 };

static void put_varint(Buf *out, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		buf_putc(out, (char)(value | 0x80));
	buf_putc(out, (char)value);
}

static void put_tag(Buf *out, unsigned field, unsigned wire)
{
	put_varint(out, field << 3 | wire);
}

static void put_bytes(Buf *out, unsigned field, const void *bytes, size_t len)
{
	put_tag(out, field, BYTES);
	put_varint(out, len);
	buf_append(out, bytes, len);
}

static void put_text(Buf *out, unsigned field, const char *text)
{
	put_bytes(out, field, text, strlen(text));
}

static void put_message(Buf *out, unsigned field, const Buf *message)
{
	put_bytes(out, field, buf_text(message), message->len);
}

static void put_number(Buf *out, unsigned field, uint64_t value)
{
	put_tag(out, field, VARINT);
	put_varint(out, value);
}

static void put_fixed64(Buf *out, unsigned field, uint64_t value)
{
	put_tag(out, field, FIXED64);
	for (int i = 0; i < 8; i++, value >>= 8)
		buf_putc(out, (char)value);
}

/* --- opentelemetry.proto.trace.v1 --- */

/* KeyValue {key = 1, AnyValue value = 2 {string_value = 1}} */
static void put_attribute(Buf *out, unsigned field, const char *key, const char *text)
{
	autobuf Buf value = {0}, pair = {0};
	put_text(&value, 1, text);
	put_text(&pair, 1, key);
	put_message(&pair, 2, &value);
	put_message(out, field, &pair);
}

static const char *revision_of(const json_t *event, char **out_owned)
{
	const json_t *metadata = json_map(event, "metadata");
	const char *digest = json_text(metadata, "oci-digest");
	const char *app = json_text(metadata, "app-version");
	if (digest && app)
		return *out_owned = mem_printf("%s@%s", app, digest);
	return json_text_or(metadata, "revision", "unknown");
}

static void put_trace_id(Buf *out, const NotifyTarget *target, const json_t *event)
{
	autofree char *owned = NULL;
	const char *revision = revision_of(event, &owned);
	autofree char *text =
		mem_printf("%s:%s", target->alert_uid ? target->alert_uid : "", revision);
	unsigned char raw[DIGEST_MAX_BYTES];
	autodigest Digest *digest = digest_new(DIGEST_SHA256);
	digest_update(digest, text, strlen(text));
	digest_final_raw(digest, raw);
	put_bytes(out, 1, raw, TRACE_ID);
}

/* Status {message = 2, code = 3}; only an error's message is kept. */
static void put_status(Buf *out, const json_t *event)
{
	enum { OK = 1, ERROR = 2 };
	autobuf Buf status = {0};
	if (notify_is_error(event))
		put_text(&status, 2, notify_message(event));
	put_number(&status, 3, notify_is_error(event) ? ERROR : OK);
	put_message(out, 15, &status);
}

static void put_span(Buf *out, const NotifyTarget *target, const json_t *event)
{
	enum { KIND_INTERNAL = 1 };
	static const char *const parts[] = {"uid", "kind", "name", "namespace"};
	unsigned char span_id[SPAN_ID];
	rand_bytes(span_id, sizeof(span_id));
	autobuf Buf span = {0};
	autofree char *name =
		mem_printf("%s: %s/%s", notify_object(event, "kind"),
			   notify_object(event, "namespace"), notify_object(event, "name"));
	put_trace_id(&span, target, event);
	put_bytes(&span, 2, span_id, sizeof(span_id));
	put_text(&span, 5, name);
	put_number(&span, 6, KIND_INTERNAL);
	put_fixed64(&span, 7, (uint64_t)notify_seconds(event) * 1000000000);
	put_fixed64(&span, 8, (uint64_t)clock_wall_ns());
	for (size_t i = 0; i < COUNT(parts); i++) {
		autofree char *key = mem_printf("object.%s", parts[i]);
		put_attribute(&span, 9, key, notify_object(event, parts[i]));
	}
	const char *key;
	json_t *value;
	json_object_foreach(json_map(event, "metadata"), key, value)
	{
		put_attribute(&span, 9, key,
			      json_string_value(value) ? json_string_value(value) : "");
	}
	put_status(&span, event);
	put_message(out, 2, &span);
}

/* ResourceSpans {resource = 1 {attributes = 1}, scope_spans = 2 {scope = 1 {name = 1}, spans = 2}}
 */
static void put_request(Buf *out, const NotifyTarget *target, const json_t *event)
{
	autobuf Buf resource = {0}, scope = {0}, scope_spans = {0}, spans = {0};
	const char *ns = target->alert_namespace ? target->alert_namespace : "";
	autofree char *service =
		mem_printf("%s/%s", ns, target->alert_name ? target->alert_name : "");
	put_attribute(&resource, 1, "service.name", service);
	put_attribute(&resource, 1, "service.namespace", ns);
	put_attribute(&resource, 1, "service.instance.id",
		      target->alert_uid ? target->alert_uid : "");
	put_text(&scope, 1, "flux:notification-controller");
	put_message(&scope_spans, 1, &scope);
	put_span(&scope_spans, target, event);
	put_message(&spans, 1, &resource);
	put_message(&spans, 2, &scope_spans);
	put_message(out, 1, &spans);
}

/* The Secret's own Authorization wins; then user and password, then the token. */
static void add_credentials(const NotifyTarget *target, NotifyRequest *out)
{
	const char *token = notify_token_or_password(target);
	const char *name;
	json_t *value;
	bool own = false;
	json_object_foreach(json_borrow(target->headers), name, value)
	{
		own = own || cstr_eq(name, "Authorization");
		if (json_is_string(value))
			notify_add_header(out, name, json_string_value(value));
	}
	if (own || cstr_empty(token))
		return;
	if (cstr_empty(target->username))
		notify_add_auth(out, "Bearer", token);
	else
		notify_add_basic(out, target->username, token);
}

bool notify_build_otel(const NotifyTarget *target, const json_t *event, NotifyRequest *out,
		       Error *err)
{
	autourl Url url = {0};
	if (!notify_need(target, target->address, "address", err) ||
	    !url_parse(target->address, &url, err))
		return false;
	if (cstr_eq(notify_object(event, "kind"), "HelmRepository"))
		return true;
	if (cstr_empty(url.path)) {
		free(url.path);
		url.path = mem_strdup("/v1/traces");
	}
	out->url = url_text(&url, false);
	put_request(&out->body, target, event);
	notify_add_header(out, "Content-Type", "application/x-protobuf");
	add_credentials(target, out);
	return true;
}
