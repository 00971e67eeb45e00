/*
 * Azure Event Hubs: one event, by the REST interface that every hub has beside AMQP (N56). Access
 * is a shared access signature made from the connection string, or a token that the Secret brings.
 */
#include "notify/notify_internal.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "data/base64.h"
#include "data/digest.h"
#include "net/url.h"

enum { SIGNATURE_S = 3600 };

/* The value of NAME in "NAME=VALUE;NAME=VALUE", owned; NULL when it is not there. */
static char *setting(const char *text, const char *name)
{
	Str rest = str_of(text), piece, key, value;
	while (str_next(&rest, ';', &piece)) {
		str_cut(piece, '=', &key, &value);
		if (str_eq(str_trim(key), str_of(name)))
			return str_dup(str_trim(value));
	}
	return NULL;
}

/* SharedAccessSignature sr=RESOURCE&sig=HMAC-SHA256(RESOURCE \n EXPIRY)&se=EXPIRY&skn=NAME */
static void add_signature(NotifyRequest *out, const char *resource, const char *name,
			  const char *key)
{
	autofree char *sr = url_escape(resource, false);
	autofree char *skn = url_escape(name, false);
	long long expiry = (long long)(clock_wall_ms() / 1000 + SIGNATURE_S);
	autofree char *text = mem_printf("%s\n%lld", sr, expiry);
	unsigned char raw[DIGEST_MAX_BYTES];
	size_t len = digest_hmac(DIGEST_SHA256, key, strlen(key), text, strlen(text), raw);
	autofree char *encoded = base64_encode(raw, len);
	autofree char *sig = url_escape(encoded, false);
	autofree char *value = mem_printf("sr=%s&sig=%s&se=%lld&skn=%s", sr, sig, expiry, skn);
	notify_add_auth(out, "SharedAccessSignature", value);
}

/* Endpoint=sb://HOST/;SharedAccessKeyName=N;SharedAccessKey=K;EntityPath=HUB */
static bool use_connection_string(const NotifyTarget *target, NotifyRequest *out, Error *err)
{
	autofree char *endpoint = setting(target->address, "Endpoint");
	autofree char *name = setting(target->address, "SharedAccessKeyName");
	autofree char *key = setting(target->address, "SharedAccessKey");
	autofree char *hub = setting(target->address, "EntityPath");
	autourl Url url = {0};
	if (!cstr_empty(target->token))
		return err_set(err, ERR_INVALID,
			       "a connection string and a token exclude each other");
	if (cstr_empty(endpoint) || cstr_empty(name) || cstr_empty(key) || cstr_empty(hub))
		return err_set(err, ERR_INVALID,
			       "the connection string needs Endpoint, SharedAccessKeyName, "
			       "SharedAccessKey and EntityPath");
	/* The parser's text would quote the endpoint only. */
	if (!url_parse(endpoint, &url, err))
		return false;
	autofree char *resource = mem_printf("https://%s/%s", url.host, hub);
	out->url = mem_printf("%s/messages", resource);
	add_signature(out, resource, name, key);
	return true;
}

static bool use_token(const NotifyTarget *target, NotifyRequest *out, Error *err)
{
	if (!notify_need(target, target->address, "address (the hub)", err) ||
	    !notify_need(target, target->channel, "channel (the namespace)", err))
		return false;
	if (cstr_empty(target->token))
		return err_set(err, ERR_UNSUPPORTED,
			       "azureeventhub without a token needs workload identity, which is "
			       "not supported by this version");
	autofree char *hub = url_escape(target->address, true);
	bool whole = strstr(target->channel, ".servicebus.") != NULL;
	const char *domain =
		target->event_hub_domain ? target->event_hub_domain : "servicebus.windows.net";
	out->url = mem_printf("https://%s%s%s/%s/messages", target->channel, whole ? "" : ".",
			      whole ? "" : domain, hub);
	notify_add_auth(out, "Bearer", target->token);
	return true;
}

bool notify_build_azureeventhub(const NotifyTarget *target, const json_t *event, NotifyRequest *out,
				Error *err)
{
	bool shared = target->address && strstr(target->address, "SharedAccessKey");
	if (!(shared ? use_connection_string(target, out, err) : use_token(target, out, err)))
		return false;
	autofree char *text = json_dump_go(event);
	buf_puts(&out->body, text);
	notify_add_header(out, "Content-Type", "application/json");
	return true;
}
