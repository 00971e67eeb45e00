/* A Provider and its Secrets to a request, and the request on its way (notification.md 4 and 5). */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "data/duration.h"
#include "data/yaml.h"
#include "internal.h"
#include "kube/secret.h"
#include "net/url.h"

enum { ADDRESS_MAX = 2048, DEFAULT_TIMEOUT_MS = 15000, HEADERS_MAX = 64 << 10 };

/* What the Provider's Secrets say, for as long as the request is built. */
typedef struct {
	Secret *secret, *cert, *proxy;
	json_t *headers;
	char *address;
} Material;

static void material_dispose(Material *material)
{
	secret_free(material->secret);
	secret_free(material->cert);
	secret_free(material->proxy);
	json_decref(material->headers);
	free(material->address);
}

static bool load(NotificationContext *context, const json_t *provider, const char *reference,
		 Secret **out, Error *err)
{
	const char *name = json_text_at(provider, "spec", reference, "name", NULL);
	if (!name)
		return true;
	const char *ns = object_namespace(provider);
	*out = secret_get(manager_client(context->manager), ns, name, err);
	return *out ? true : err_wrap(err, "failed to read %s '%s/%s'", reference, ns, name);
}

static bool read_address(const json_t *provider, Material *material, Error *err)
{
	const char *own = secret_text(material->secret, "address");
	Str address =
		str_trim(str_of(own ? own : json_text(json_map(provider, "spec"), "address")));
	if (address.len > ADDRESS_MAX)
		return err_set(err, ERR_INVALID, "the address is longer than %d bytes",
			       ADDRESS_MAX);
	material->address = address.len ? str_dup(address) : NULL;
	return true;
}

static bool read_headers(Material *material, Error *err)
{
	const char *text = secret_text(material->secret, "headers");
	if (!text)
		return true;
	/* The parser's own text would quote the input, which is secret. */
	autoerror Error hidden = {0};
	material->headers = yaml_parse(text, strlen(text), HEADERS_MAX, "headers", &hidden);
	if (material->headers && json_is_object(material->headers))
		return true;
	return err_set(err, ERR_INVALID, "the secret's 'headers' is not a YAML map of strings");
}

static bool load_material(NotificationContext *context, const json_t *provider, Material *out,
			  Error *err)
{
	return load(context, provider, "secretRef", &out->secret, err) &&
	       load(context, provider, "certSecretRef", &out->cert, err) &&
	       load(context, provider, "proxySecretRef", &out->proxy, err) &&
	       read_address(provider, out, err) && read_headers(out, err);
}

static bool set_proxy(const json_t *provider, const Material *material, HttpClientConfig *config,
		      Error *err)
{
	const char *proxy = json_text(json_map(provider, "spec"), "proxy");
	if (secret_text(material->secret, "proxy"))
		proxy = secret_text(material->secret, "proxy");
	if (material->proxy) {
		proxy = secret_text(material->proxy, "address");
		config->proxy_user = secret_text(material->proxy, "username");
		config->proxy_password = secret_text(material->proxy, "password");
		if (cstr_empty(proxy))
			return err_set(err, ERR_INVALID, "the proxy secret lacks 'address'");
	}
	if (cstr_empty(proxy))
		return true;
	autourl Url url = {0};
	if (!url_parse(proxy, &url, err))
		return err_wrap(err, "proxy address");
	if (!cstr_eq(url.scheme, "http") && !cstr_eq(url.scheme, "https") &&
	    !cstr_eq(url.scheme, "socks5"))
		return err_set(err, ERR_INVALID,
			       "the proxy address must start with http, https or socks5");
	config->proxy = proxy;
	return true;
}

static bool set_tls(const Material *material, HttpClientConfig *config, Error *err)
{
	if (!material->cert)
		return true;
	config->ca_pem = secret_first(material->cert, "ca.crt", "caFile", NULL);
	config->cert_pem = secret_first(material->cert, "tls.crt", "certFile", NULL);
	config->key_pem = secret_first(material->cert, "tls.key", "keyFile", NULL);
	if (!config->cert_pem != !config->key_pem)
		return err_set(err, ERR_INVALID,
			       "certSecretRef has only one of 'tls.crt' and 'tls.key'");
	if (!config->ca_pem && !config->cert_pem)
		return err_set(err, ERR_INVALID, "certSecretRef has no certificates");
	return true;
}

/* A client of the Provider's own when it has TLS or proxy settings; else NULL without err: the
 * shared one serves. */
static HttpClient *own_client(NotificationContext *context, const json_t *provider,
			      const Material *material, Error *err)
{
	HttpClientConfig config = {0};
	if (!set_proxy(provider, material, &config, err) || !set_tls(material, &config, err))
		return NULL;
	if (!config.proxy && !config.ca_pem && !config.cert_pem)
		return NULL;
	config.env_proxy = !config.proxy;
	return httpc_new(manager_loop(context->manager), &config, err);
}

/* A delivery under way; loop's thread once sent. */
typedef struct {
	NotificationContext *context;
	json_t *alert;
	HttpClient *own;
	char *token; /* to be masked in errors */
} Sending;

static void free_sending(Sending *sending)
{
	json_decref(sending->alert);
	if (sending->token)
		mem_wipe(sending->token, strlen(sending->token));
	free(sending->token);
	free(sending);
}

/* Text without the token, which a provider's reply may echo (N30). Owned. */
static char *masked(const char *text, const char *token)
{
	Buf out = {0};
	Str secret = str_trim(str_of(token));
	autofree char *needle = str_dup(secret);
	for (const char *hit; secret.len && (hit = strstr(text, needle)); text = hit + secret.len) {
		buf_append(&out, text, (size_t)(hit - text));
		buf_puts(&out, "*****");
	}
	buf_puts(&out, text);
	return buf_steal(&out);
}

static void free_client(void *client)
{
	httpc_free(client);
}

static bool is_closing(NotificationContext *context)
{
	pthread_mutex_lock(&context->lock);
	bool closing = context->closing;
	pthread_mutex_unlock(&context->lock);
	return closing;
}

static void count_sending(NotificationContext *context, int change)
{
	pthread_mutex_lock(&context->lock);
	context->sending += (size_t)change;
	if (!context->sending)
		pthread_cond_broadcast(&context->idle);
	pthread_mutex_unlock(&context->lock);
}

bool provider_drain(NotificationContext *context, int64_t timeout_ms)
{
	int64_t deadline = clock_wall_ms() + timeout_ms;
	struct timespec at = {.tv_sec = deadline / 1000, .tv_nsec = (deadline % 1000) * 1000000};
	pthread_mutex_lock(&context->lock);
	while (context->sending &&
	       pthread_cond_timedwait(&context->idle, &context->lock, &at) == 0)
		;
	context->closing = true;
	bool idle = context->sending == 0;
	pthread_mutex_unlock(&context->lock);
	return idle;
}

static void on_done(void *arg, const Error *err)
{
	Sending *sending = arg;
	NotificationContext *context = sending->context;
	if (err_is_set(err) && !is_closing(context)) {
		autofree char *text = masked(err_text(err), sending->token);
		autofree char *message = mem_printf("failed to send notification: %s", text);
		alert_warn(sending->context, sending->alert, "NotificationDispatchFailed", NULL,
			   message);
	}
	/* Not from within one of the client's own callbacks. */
	if (sending->own)
		loop_post(manager_loop(context->manager), free_client, sending->own);
	free_sending(sending);
	count_sending(context, -1);
}

static NotifyTarget target_of(const json_t *provider, const Material *material)
{
	const json_t *spec = json_map(provider, "spec");
	const char *username = secret_text(material->secret, "username");
	const char *password = secret_text(material->secret, "password");
	/* [Q] With one of the pair missing all of the secret's credentials are left out (N36). */
	bool half = !username != !password;
	return (NotifyTarget){
		.type = json_text_or(spec, "type", ""),
		.address = material->address,
		.channel = json_text(spec, "channel"),
		.username = username ? username : json_text(spec, "username"),
		.token = half ? NULL : secret_text(material->secret, "token"),
		.secret_username = half ? NULL : username,
		.secret_password = half ? NULL : password,
		.headers = material->headers,
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

static bool send_to(NotificationContext *context, const json_t *provider, const json_t *alert,
		    const json_t *event, Error *err)
{
	__attribute__((cleanup(material_dispose))) Material material = {0};
	autonotifyrequest NotifyRequest request = {0};
	if (!load_material(context, provider, &material, err))
		return false;
	autojson json_t *merged = merged_event(context, alert, event);
	NotifyTarget target = target_of(provider, &material);
	if (!notify_build(&target, merged, &request, err))
		return false;
	HttpClient *own = own_client(context, provider, &material, err);
	if (err_is_set(err))
		return false;
	Sending *sending = mem_zalloc(1, sizeof(*sending));
	sending->context = context;
	sending->alert = json_deep_copy(alert);
	sending->own = own;
	sending->token = mem_strdup(secret_text(material.secret, "token"));
	const char *timeout = json_text(json_map(provider, "spec"), "timeout");
	count_sending(context, 1);
	notify_send(manager_loop(context->manager), own ? own : context->http, &request,
		    duration_ms_or(timeout, DEFAULT_TIMEOUT_MS), on_done, sending);
	return true;
}

bool provider_deliver(NotificationContext *context, const json_t *alert, const json_t *event,
		      Error *err)
{
	const char *ns = object_namespace(alert);
	const char *name = json_text_at(alert, "spec", "providerRef", "name", NULL);
	const char *event_ns = json_text_at(event, "involvedObject", "namespace", NULL);
	if (context->flags->no_cross_namespace_refs && !cstr_eq(ns, event_ns))
		return err_set(err, ERR_FORBIDDEN,
			       "alert '%s/%s' can't process event from '%s', cross-namespace "
			       "references have been blocked",
			       ns, object_name(alert), event_ns);
	autojson json_t *provider = manager_peer_get(context->manager, NOTIFICATION_VERSION,
						     "Provider", ns, name ? name : "");
	if (!provider)
		provider = kube_get(manager_client(context->manager), NOTIFICATION_VERSION,
				    "Provider", ns, name ? name : "", err);
	if (!provider)
		return err_wrap(err, "failed to read provider '%s/%s'", ns, name ? name : "");
	if (json_flag(json_map(provider, "spec"), "suspend", false))
		return true;
	/* A commit status is for machines that show commits; only generic receivers want it besides
	 * (N64). */
	const char *type = json_text_or(json_map(provider, "spec"), "type", "");
	bool is_status = cstr_eq(event_own_metadata(event, "commit_status"), "update");
	if (is_status && !cstr_starts(type, "generic"))
		return true;
	return send_to(context, provider, alert, event, err);
}
