/*
 * One call of a registry. The first one on a host learns what it asks for; the hub remembers, so
 * that the next repository starts with a token. There is no request to "/v2/" beforehand, but for
 * hosts that may speak http: the refusal of the first real request says as much.
 */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/address.h"
#include "oci/reference.h"
#include "oci/registry_internal.h"

enum {
	DEFAULT_TIMEOUT_MS = 60000,
	MAX_ATTEMPTS = 3,
	MAX_HEADERS = 5,
	BAD_REQUEST = 400,
	UNAUTHORIZED = 401
};

static bool is_led_elsewhere(const RegistryConfig *config)
{
	autofree char *url = mem_printf("https://%s", config->host);
	return address_leads_elsewhere(config->named_by, url);
}

Registry *registry_open(RegistryHub *hub, const RegistryConfig *config, Error *err)
{
	bool may_http = config->allow_http || oci_host_is_local(config->host);
	RegistryIdentity *identity = hub_identity_take(hub, config, may_http, err);
	if (!identity)
		return NULL;
	int64_t timeout_ms = config->timeout_ms > 0 ? config->timeout_ms : DEFAULT_TIMEOUT_MS;
	Registry *registry = mem_zalloc(1, sizeof(*registry));
	*registry = (Registry){.hub = hub,
			       .identity = identity,
			       .host = mem_strdup(config->host),
			       .repository = mem_strdup(config->repository),
			       .proxy_user = mem_strdup(config->proxy_user),
			       .proxy_password = mem_strdup(config->proxy_password),
			       .may_http = may_http,
			       .push = config->push,
			       .is_guarded = is_led_elsewhere(config),
			       .deadline_ms = clock_mono_ms() + timeout_ms};
	registry_auth_copy(&registry->auth, config->auth);
	registry->no_login = mem_strdup(config->no_login);
	return registry;
}

static void forget_token(Registry *registry)
{
	if (registry->token)
		mem_wipe(registry->token, strlen(registry->token));
	free(steal(&registry->token));
}

void registry_close(Registry *registry)
{
	if (!registry)
		return;
	hub_identity_release(registry->hub, registry->identity);
	registry_auth_dispose(&registry->auth);
	free(registry->no_login);
	text_wipe(&registry->proxy_user);
	text_wipe(&registry->proxy_password);
	forget_token(registry);
	buf_dispose(&registry->kept);
	oci_descriptor_dispose(&registry->kept_as);
	free(registry->host);
	free(registry->repository);
	free(registry);
}

const RegistryAuth *registry_auth(const Registry *registry)
{
	return &registry->auth;
}

char *registry_scope(const Registry *registry)
{
	return mem_printf("repository:%s:%s", registry->repository,
			  registry->push ? "pull,push" : "pull");
}

/* --- one request --- */

typedef struct {
	const RegistryCall *call;
	HttpResponse *reply;
	bool overlong; /* an error's body was cut off */
} Stream;

/* Bytes that were asked for go to the caller, an error's text into the reply. */
static bool on_stream_data(void *arg, const char *bytes, size_t len)
{
	Stream *stream = arg;
	int status = stream->reply->status;
	if (status == 200 || status == 206)
		return stream->call->on_data(stream->call->arg, stream->reply, bytes, len);
	size_t room = REGISTRY_MAX_ERROR_BODY - stream->reply->body.len;
	buf_append(&stream->reply->body, bytes, len < room ? len : room);
	stream->overlong = len > room;
	return !stream->overlong;
}

bool registry_send(Registry *registry, const HttpRequest *request, const RegistryCall *call,
		   HttpResponse *out, Error *err)
{
	HttpClient *http = registry->identity->http;
	HttpRequest timed = *request;
	timed.timeout_ms = registry->deadline_ms - clock_mono_ms();
	timed.idle_timeout_ms = REGISTRY_IDLE_TIMEOUT_MS;
	if (timed.timeout_ms <= 0)
		return err_set(err, ERR_TIMEOUT, "the time limit of the registry's calls is over");
	http_response_dispose(out);
	atomic_fetch_add(&registry->hub->requests, 1);
	if (!call || !call->on_data)
		return httpc_do(http, &timed, out, err);
	Stream stream = {.call = call, .reply = out};
	if (httpc_stream(http, &timed, on_stream_data, &stream, out, err))
		return true;
	if (stream.overlong)
		error_dispose(err);
	return stream.overlong;
}

/* --- credentials --- */

/* What went with a request. */
typedef struct {
	ChallengeKind kind;
	bool fresh; /* the token was made for this request */
	char *header;
} Shown;

static void shown_dispose(Shown *shown)
{
	if (shown->header)
		mem_wipe(shown->header, strlen(shown->header));
	free(shown->header);
}
#define autoshown __attribute__((cleanup(shown_dispose)))

static bool show(Registry *registry, const Challenge *asked, bool fresh, Shown *out, Error *err)
{
	const RegistryAuth *auth = &registry->auth;
	if (asked->kind == CHALLENGE_BASIC && auth->username)
		out->kind = CHALLENGE_BASIC;
	if (asked->kind != CHALLENGE_BEARER)
		return true;
	char *token = registry_token(registry, asked, fresh, &out->fresh, err);
	if (!token)
		return false;
	forget_token(registry);
	registry->token = token;
	out->kind = CHALLENGE_BEARER;
	out->header = mem_printf("Authorization: Bearer %s", token);
	return true;
}

/* `shown` is NULL where a redirect has led. */
static bool send_shown(Registry *registry, const RegistryCall *call, const char *url,
		       const Shown *shown, HttpResponse *out, Error *err)
{
	const char *headers[MAX_HEADERS + 1] = {0};
	size_t count = 0;
	for (; call->headers && call->headers[count] && count < MAX_HEADERS - 1; count++)
		headers[count] = call->headers[count];
	headers[count] = shown ? shown->header : NULL;
	bool basic = shown && shown->kind == CHALLENGE_BASIC;
	const HttpRequest request = {.method = call->method,
				     .url = url,
				     .headers = headers,
				     .body = call->body,
				     .body_len = call->body_len,
				     .max_body = call->max_body,
				     .no_internal = registry->is_guarded ||
						    (!shown && !registry_is_inside(registry)),
				     .user = basic ? registry->auth.username : NULL,
				     .password = basic ? registry->auth.password : NULL};
	return registry_send(registry, &request, call, out, err);
}

/* The first challenge in any of the reply's headers that we can answer. */
static bool read_challenge(const HttpResponse *reply, Challenge *out)
{
	Str rest = buf_str(&reply->headers), line, name, value;
	while (str_next(&rest, '\n', &line)) {
		str_cut(line, ':', &name, &value);
		if (str_eq(name, STR("www-authenticate")) && challenge_parse(str_trim(value), out))
			return true;
	}
	return false;
}

/* Whether another try with what the refusal asks for could end otherwise. */
static bool may_try_again(const Registry *registry, const Challenge *asked, const Shown *shown,
			  const char *scope_before)
{
	if (asked->kind == CHALLENGE_BASIC)
		return shown->kind != CHALLENGE_BASIC && registry->auth.username;
	if (asked->kind != CHALLENGE_BEARER)
		return false;
	return shown->kind != CHALLENGE_BEARER || !shown->fresh ||
	       (asked->scope && !cstr_eq(asked->scope, scope_before));
}

/*
 * To the registry itself: shows what it is known to want, and answers its challenges. What is known
 * may be of yesterday: when no token comes of it, the registry is asked anew. Only a challenge
 * whose answer was good is remembered, so that one bad reply does not stay.
 */
static bool send_own(Registry *registry, const RegistryCall *call, const char *url,
		     HttpResponse *out, Error *err)
{
	autochallenge Challenge asked = {0};
	hub_host_facts(registry->hub, registry->identity, registry->host, &asked);
	bool remembered = asked.kind != CHALLENGE_NONE, fresh = false;
	for (int attempt = 0;; attempt++) {
		autoshown Shown shown = {0};
		if (!show(registry, &asked, fresh, &shown, err)) {
			if (!remembered || err->not_yet)
				return false;
			error_dispose(err);
			challenge_dispose(&asked);
			remembered = false;
		}
		if (!send_shown(registry, call, url, &shown, out, err))
			return false;
		autochallenge Challenge now = {0};
		bool refused = out->status == UNAUTHORIZED;
		if (!refused || attempt + 1 >= MAX_ATTEMPTS || !read_challenge(out, &now) ||
		    !may_try_again(registry, &now, &shown, asked.scope)) {
			if (!refused && !remembered)
				hub_host_set_challenge(registry->hub, registry->identity,
						       registry->host, &asked);
			return true;
		}
		fresh = shown.kind == CHALLENGE_BEARER;
		remembered = false;
		challenge_dispose(&asked);
		challenge_copy(&asked, &now);
	}
}

/* --- redirects --- */

static bool send_following(Registry *registry, const RegistryCall *call, const char *first,
			   HttpResponse *out, char **out_url, Error *err)
{
	autofree char *url = mem_strdup(first);
	for (int hop = 0; hop <= REGISTRY_MAX_REDIRECTS; hop++) {
		bool own = url_same_origin(first, url);
		if (!(own ? send_own(registry, call, url, out, err)
			  : send_shown(registry, call, url, NULL, out, err)))
			return false;
		autofree char *location = http_response_header(out, "location");
		if (!http_status_redirects(out->status) || !location) {
			*out_url = steal(&url);
			return true;
		}
		autofree char *next = url_resolve(url, location, err);
		if (!next || !url_check_follow(registry, url, next, err))
			return err_wrap(err, "%s", registry->host);
		free(url);
		url = steal(&next);
	}
	return err_set(err, ERR_LIMIT, "%s redirects more than %d times", registry->host,
		       REGISTRY_MAX_REDIRECTS);
}

/* --- the call --- */

static char *call_url(const Registry *registry, const RegistryCall *call, const char *scheme)
{
	if (strstr(call->path, "://"))
		return mem_strdup(call->path);
	return mem_printf("%s://%s/v2/%s", scheme, registry->host, call->path);
}

/* What a TLS port says to plain http, or where a host sends that has gone over to TLS. */
static bool hints_at_tls(const Registry *registry, const HttpResponse *reply, const char *answered)
{
	autofree char *by_tls = mem_printf("https://%s/", registry->host);
	return reply->status == BAD_REQUEST || cstr_starts(answered, by_tls);
}

/* Whether a host that was asked by plain http speaks https by now. */
static bool has_gone_to_tls(Registry *registry, const char *asked)
{
	autoerror Error ignored = {0};
	return cstr_starts(asked, "http:") && cstr_eq(registry_scheme(registry, &ignored), "https");
}

/* Nothing of what came was handed on, and the URL is made of the host's scheme. */
static bool may_repeat(const RegistryCall *call, bool replied, int status)
{
	return !strstr(call->path, "://") && (replied ? status / 100 != 2 : !call->on_data);
}

/* What a host spoke is forgotten when nobody is there any more, or it may speak otherwise. */
bool registry_call(Registry *registry, const RegistryCall *call, HttpResponse *out, char **out_url,
		   Error *err)
{
	const char *scheme = registry_scheme(registry, err);
	if (!scheme)
		return false;
	autofree char *url = call_url(registry, call, scheme), *answered = NULL;
	bool ok = send_following(registry, call, url, out, &answered, err);
	bool doubt = ok ? cstr_eq(scheme, "http") && hints_at_tls(registry, out, answered)
			: registry->may_http && err->code == ERR_UNAVAILABLE;
	if (doubt)
		hub_host_set_scheme(registry->hub, registry->identity, registry->host, NULL);
	if (doubt && may_repeat(call, ok, out->status) && has_gone_to_tls(registry, url)) {
		autofree char *by_tls = call_url(registry, call, "https");
		error_dispose(err);
		return send_following(registry, call, by_tls, out, out_url, err);
	}
	if (ok)
		*out_url = steal(&answered);
	return ok;
}

bool registry_expect(Registry *registry, const RegistryCall *call, int want, HttpResponse *out,
		     Error *err)
{
	autofree char *url = NULL;
	if (!registry_call(registry, call, out, &url, err))
		return false;
	return out->status == want || registry_reply_fail(registry, call->method, url, out, err);
}
