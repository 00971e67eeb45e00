/* An Alert's Provider: whether it wants the event, its Secrets to a request, the request on its way
 * (notification.md 4 and 5). */
#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "cel/expression.h"
#include "data/duration.h"
#include "internal.h"
#include "material.h"
#include "net/url.h"

enum { DEFAULT_TIMEOUT_MS = 15000 };

/* What the end of a delivery needs to tell of it. */
typedef struct {
	NotificationContext *context;
	json_t *alert; /* apiVersion, kind, metadata */
	char *object;  /* "Kind/namespace/name" of the event */
	Vec secrets;   /* owned texts, to be masked in errors */
} Sending;

static void free_sending(Sending *sending)
{
	json_decref(sending->alert);
	for (size_t i = 0; i < sending->secrets.len; i++)
		mem_wipe(sending->secrets.items[i], strlen(sending->secrets.items[i]));
	vec_dispose_strings(&sending->secrets);
	free(sending->object);
	free(sending);
}

/* Text without one secret. Owned. */
static char *without(const char *text, const char *secret)
{
	Buf out = {0};
	size_t len = strlen(secret);
	for (const char *hit; (hit = strstr(text, secret)); text = hit + len) {
		buf_append(&out, text, (size_t)(hit - text));
		buf_puts(&out, "*****");
	}
	buf_puts(&out, text);
	return buf_steal(&out);
}

/* What a provider's reply may echo, and what an error says of the address (N30). Owned. */
static char *masked(const char *text, const Vec *secrets)
{
	char *out = mem_strdup(text);
	for (size_t i = 0; i < secrets->len; i++) {
		char *next = without(out, secrets->items[i]);
		free(out);
		out = next;
	}
	return out;
}

static void add_secret(Vec *secrets, const char *text)
{
	Str trimmed = str_trim(str_of(text));
	if (trimmed.len)
		vec_push(secrets, str_dup(trimmed));
}

/* An address that a Secret holds often has its secret in the path: that of incoming webhooks. */
static void add_secrets(Vec *secrets, const Material *material)
{
	enum { ROOT = 1 };
	add_secret(secrets, secret_text(material->secret, "token"));
	add_secret(secrets, secret_text(material->secret, "password"));
	const char *address = secret_text(material->secret, "address");
	autourl Url url = {0};
	autoerror Error ignored = {0};
	if (address && material->address && url_parse(material->address, &url, &ignored) &&
	    strlen(url.path) > ROOT)
		add_secret(secrets, url.path);
}

static char *involved(const json_t *event)
{
	const json_t *object = json_map(event, "involvedObject");
	return mem_printf("%s/%s/%s", json_text_or(object, "kind", ""),
			  json_text_or(object, "namespace", ""), json_text_or(object, "name", ""));
}

static void on_done(void *arg, const Error *err)
{
	Sending *sending = arg;
	manager_note_work(sending->context->manager);
	if (err_is_set(err) && err->code != ERR_CANCELLED) {
		autofree char *text = masked(err_text(err), &sending->secrets);
		autofree char *message =
			mem_printf("failed to send notification for %s: %s", sending->object, text);
		alert_warn(sending->context, sending->alert, "NotificationDispatchFailed", NULL,
			   message);
	}
	free_sending(sending);
}

static const char *secret_key(const void *secret, const char *key)
{
	return secret_text(secret, key);
}

static NotifyTarget target_of(const json_t *provider, const json_t *alert, const Material *material)
{
	const json_t *spec = json_map(provider, "spec");
	return (NotifyTarget){
		.type = json_text_or(spec, "type", ""),
		.address = material->address,
		.channel = json_text(spec, "channel"),
		.username = material->username ? material->username : json_text(spec, "username"),
		.token = material->token,
		.secret_username = material->username,
		.secret_password = material->password,
		.headers = material->headers,
		.provider_uid = object_uid(provider),
		.alert_namespace = object_namespace(alert),
		.alert_name = object_name(alert),
		.alert_uid = object_uid(alert),
		.secret_key = secret_key,
		.secret = material->secret,
	};
}

static json_t *merged_event(NotificationContext *context, const json_t *alert, const json_t *event)
{
	autojson json_t *conflicts = NULL;
	json_t *merged = event_for_alert(event, alert, &conflicts);
	if (conflicts)
		alert_warn(
			context, alert, "MetadataAppendFailed", conflicts,
			"metadata key conflicts detected (please refer to the Alert API docs and "
			"Flux RFC 0008 for more information)");
	return merged;
}

static Sending *sending_new(NotificationContext *context, const json_t *alert, const json_t *event,
			    const Material *material)
{
	Sending *sending = mem_zalloc(1, sizeof(*sending));
	sending->context = context;
	sending->alert = json_pack("{s:s,s:s,s:O}", "apiVersion", object_api_version(alert), "kind",
				   object_kind(alert), "metadata", json_map(alert, "metadata"));
	sending->object = involved(event);
	add_secrets(&sending->secrets, material);
	return sending;
}

/* spec.commitStatusExpr (N65, N66). */
static char *status_id_by_expression(const char *text, const json_t *provider, const json_t *alert,
				     const json_t *event, Error *err)
{
	static const char *const variables[] = {"event", "alert", "provider", NULL};
	autoexpression Expression *expression = expression_new(text, variables, CEL_STRING, err);
	if (!expression)
		return err_wrap_null(
			err,
			"failed to create commit status: failed to evaluate the "
			"spec.commitStatusExpr CEL expression for the event: failed to compile "
			"expression");
	autojson json_t *data = json_pack("{s:O,s:O,s:O}", "event", json_borrow(event), "alert",
					  json_borrow(alert), "provider", json_borrow(provider));
	char *id = expression_text(expression, data, err);
	return id ? id
		  : err_wrap_null(err, "failed to create commit status: failed to evaluate the "
				       "spec.commitStatusExpr CEL expression for the event");
}

/* Names this object's status among those of others, and this cluster's among those of other
 * clusters (N65): kind, name, first part of the Provider's UID, in lower case. Owned. */
static char *status_id(const json_t *provider, const json_t *alert, const json_t *event, Error *err)
{
	const char *expression = json_text_or(json_map(provider, "spec"), "commitStatusExpr", "");
	if (*expression)
		return status_id_by_expression(expression, provider, alert, event, err);
	const json_t *object = json_map(event, "involvedObject");
	const char *uid = object_uid(provider);
	char *id = mem_printf("%s/%s/%.*s", json_text_or(object, "kind", ""),
			      json_text_or(object, "name", ""), (int)strcspn(uid, "-"), uid);
	for (char *c = id; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return id;
}

static bool send_to(NotificationContext *context, const json_t *provider, const json_t *alert,
		    const json_t *event, Error *err)
{
	automaterial Material material = {0};
	autonotifyrequest NotifyRequest request = {0};
	const json_t *spec = json_map(provider, "spec");
	unsigned traits = notify_traits(json_text_or(spec, "type", ""));
	autojson json_t *merged = merged_event(context, alert, event);
	if (!material_load(manager_client(context->manager), provider, traits, &material, err))
		return false;
	autofree char *id =
		traits & NOTIFY_COMMIT_STATUS ? status_id(provider, alert, merged, err) : NULL;
	if (err_is_set(err))
		return false;
	NotifyTarget target = target_of(provider, alert, &material);
	target.status_id = id;
	target.tokens = cloud_tokens(context->cloud);
	target.user = (TokenUser){"Provider", object_name(provider), object_namespace(provider),
				  TOKEN_POST};
	target.event_hub_domain = azure_cloud(context->cloud)->event_hubs;
	if (!notify_build(&target, merged, &request, err))
		return err_wrap(err, "failed to initialize notifier for provider '%s'",
				object_name(provider));
	if (!request.url)
		return true;
	Sending *sending = sending_new(context, alert, event, &material);
	autofree char *lane = material_lane(&material, provider);
	NotifyDelivery delivery = {
		.lane = lane,
		.client = material.own_client ? &material.client : NULL,
		.timeout_ms = duration_ms_or(json_text(spec, "timeout"), DEFAULT_TIMEOUT_MS),
		.on_done = on_done,
		.arg = sending};
	if (notify_send(context->sender, &request, &delivery, err))
		return true;
	free_sending(sending);
	return false;
}

/* A commit status is for what shows commits; only generic receivers want it besides (N64). */
static bool wants(NotificationContext *context, unsigned traits, const json_t *alert,
		  const json_t *event)
{
	const json_t *metadata = json_map(event, "metadata");
	bool is_status = cstr_eq(event_own_metadata(event, "commit_status"), "update");
	if (is_status)
		return traits & (NOTIFY_COMMIT_STATUS | NOTIFY_GENERIC);
	const char *why = NULL;
	if ((traits & NOTIFY_COMMIT_STATUS) && !cstr_eq(json_text(event, "severity"), "error") &&
	    cstr_empty(json_text(metadata, EVENT_PREFIX "commit")))
		why = "event dropped: a commit status provider needs the commit metadata key";
	if ((traits & NOTIFY_COMMENT) &&
	    cstr_empty(json_text(metadata, EVENT_PREFIX "change_request")))
		why = "event dropped: a comment provider needs the change_request metadata key";
	if (why)
		log_info(manager_log(context->manager), why, "alert", object_name(alert),
			 "namespace", object_namespace(alert), NULL);
	return !why;
}

static json_t *find_provider(NotificationContext *context, const json_t *alert, Error *err)
{
	const char *ns = object_namespace(alert);
	const char *name = json_text_at(alert, "spec", "providerRef", "name", NULL);
	json_t *provider = manager_peer_get(context->manager, NOTIFICATION_VERSION, "Provider", ns,
					    name ? name : "");
	if (!provider)
		provider = kube_do(manager_client(context->manager),
				   &(KubeRequest){.verb = KUBE_GET,
						  .api_version = NOTIFICATION_VERSION,
						  .kind = "Provider",
						  .ns = ns,
						  .name = name ? name : "",
						  .timeout_ms = EVENT_READ_MS},
				   err);
	if (!provider)
		err_wrap(err, "failed to read provider '%s/%s'", ns, name ? name : "");
	return provider;
}

static bool check_gate(NotificationContext *context, const json_t *spec, Error *err)
{
	static const char gate[] = "ObjectLevelWorkloadIdentity";
	if (cstr_empty(json_text(spec, "serviceAccountName")) ||
	    manager_gate(context->manager, gate))
		return true;
	return err_set(err, ERR_UNSUPPORTED,
		       "spec.serviceAccountName needs the feature gate %s to be enabled", gate);
}

bool provider_deliver(NotificationContext *context, const json_t *alert, const json_t *event,
		      Error *err)
{
	const char *event_ns = json_text_at(event, "involvedObject", "namespace", NULL);
	if (context->flags->no_cross_namespace_refs && !cstr_eq(object_namespace(alert), event_ns))
		return err_set(err, ERR_FORBIDDEN,
			       "alert '%s/%s' can't process event from '%s', cross-namespace "
			       "references have been blocked",
			       object_namespace(alert), object_name(alert), event_ns);
	autojson json_t *provider = find_provider(context, alert, err);
	if (!provider)
		return false;
	const json_t *spec = json_map(provider, "spec");
	if (json_flag(spec, "suspend", false))
		return true;
	if (!wants(context, notify_traits(json_text_or(spec, "type", "")), alert, event))
		return true;
	return check_gate(context, spec, err) && send_to(context, provider, alert, event, err);
}
