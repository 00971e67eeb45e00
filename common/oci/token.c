/*
 * Token servers (Docker's "Token Authentication", OAuth2 refresh by POST). Tokens are kept by all
 * that makes another one: connection, realm, service, scope, credentials.
 */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "data/json.h"
#include "net/url.h"
#include "oci/reference.h"
#include "oci/registry_internal.h"

enum { MAX_TOKEN_BODY = 64 * 1024, DEFAULT_EXPIRY_S = 60, MAX_EXPIRY_S = 86400, NOT_FOUND = 404 };

static const char *text_or_none(const char *text)
{
	return text ? text : "";
}

/* The challenge's scope when it is another one than ours, which then stands beside it. */
static const char *other_scope(const Challenge *challenge, const char *scope)
{
	return cstr_eq(challenge->scope, scope) ? NULL : challenge->scope;
}

static char *token_key(const Registry *registry, const Challenge *challenge, const char *scope)
{
	const RegistryAuth *auth = &registry->auth;
	return token_cache_key((const char *const[]){
		registry->identity->key, challenge->realm, text_or_none(challenge->service), scope,
		text_or_none(other_scope(challenge, scope)), text_or_none(auth->username),
		text_or_none(auth->password), text_or_none(auth->identity_token), NULL});
}

/* The challenge's scope stands first: some servers look at the first one only. */
static void add_scopes(Buf *out, const Challenge *challenge, const char *scope, const char *before,
		       const char *between)
{
	const char *other = other_scope(challenge, scope);
	autofree char *asked = url_escape(other ? other : scope, false);
	autofree char *own = url_escape(scope, false);
	buf_printf(out, "%s%s", before, asked);
	if (other)
		buf_printf(out, "%s%s", between, own);
}

static char *get_url(const Challenge *challenge, const char *scope)
{
	Buf out = {0};
	buf_printf(&out, "%s%s", challenge->realm, strchr(challenge->realm, '?') ? "&" : "?");
	add_scopes(&out, challenge, scope, "scope=", "&scope=");
	autofree char *service = url_escape(text_or_none(challenge->service), false);
	buf_printf(&out, "&service=%s", service);
	return buf_steal(&out);
}

static char *post_body(const Registry *registry, const Challenge *challenge, const char *scope)
{
	Buf out = {0};
	autofree char *token = url_escape(registry->auth.identity_token, false);
	autofree char *service = url_escape(text_or_none(challenge->service), false);
	buf_printf(&out, "grant_type=refresh_token&client_id=flux&service=%s", service);
	add_scopes(&out, challenge, scope, "&scope=", "%20");
	buf_printf(&out, "&refresh_token=%s", token);
	mem_wipe(token, strlen(token));
	return buf_steal(&out);
}

/* Sends, following redirects to where tokens may come from; credentials to the realm only. */
static bool ask(Registry *registry, const char *first, const char *body, HttpResponse *out,
		Error *err)
{
	static const char *const form[] = {"Content-Type: application/x-www-form-urlencoded", NULL};
	const RegistryAuth *auth = &registry->auth;
	const char *scheme = cstr_starts(first, "http:") ? "http" : "https";
	autofree char *home = mem_printf("%s://%s", scheme, registry->host);
	autofree char *url = mem_strdup(first);
	for (int hop = 0; hop <= REGISTRY_MAX_REDIRECTS; hop++) {
		bool own = url_same_origin(first, url);
		if (!own && body)
			return err_set(err, ERR_FORBIDDEN,
				       "the token server redirects a request with credentials");
		const HttpRequest request = {.method = body ? "POST" : "GET",
					     .url = url,
					     .headers = body ? form : NULL,
					     .body = body,
					     .body_len = body ? strlen(body) : 0,
					     .max_body = MAX_TOKEN_BODY,
					     .no_internal = registry->is_guarded ||
							    (!url_same_origin(home, url) &&
							     !oci_host_is_local(registry->host)),
					     .user = own && !body ? auth->username : NULL,
					     .password = own && !body ? auth->password : NULL};
		if (!registry_send(registry, &request, NULL, out, err))
			return false;
		autofree char *location = http_response_header(out, "location");
		if (!http_status_redirects(out->status) || !location)
			return out->status == 200 ||
			       registry_reply_fail(registry, request.method, url, out, err);
		autofree char *next = url_resolve(url, location, err);
		if (!next || !url_check_realm(registry, scheme, next, err))
			return false;
		free(url);
		url = steal(&next);
	}
	return err_set(err, ERR_LIMIT, "the token server redirects more than %d times",
		       REGISTRY_MAX_REDIRECTS);
}

/* A refresh token goes by POST; servers that do not know that get a GET. */
static bool fetch(Registry *registry, const Challenge *challenge, const char *scope,
		  HttpResponse *out, Error *err)
{
	autofree char *url = get_url(challenge, scope);
	if (!registry->auth.identity_token)
		return ask(registry, url, NULL, out, err);
	autofree char *body = post_body(registry, challenge, scope);
	bool ok = ask(registry, challenge->realm, body, out, err);
	mem_wipe(body, strlen(body));
	if (ok || err->http_status != NOT_FOUND)
		return ok;
	error_dispose(err);
	return ask(registry, url, NULL, out, err);
}

/* A token goes into a header: visible characters only. */
static bool is_clean(const char *token)
{
	for (; *token; token++)
		if ((unsigned char)*token <= ' ' || (unsigned char)*token >= 0x7f)
			return false;
	return true;
}

static char *read_token(const HttpResponse *reply, int64_t *out_expires_ms, Error *err)
{
	autoerror Error ignored = {0};
	autojson json_t *root =
		json_parse(buf_text(&reply->body), reply->body.len, MAX_TOKEN_BODY, &ignored);
	const char *token = json_text(root, "access_token");
	if (cstr_empty(token))
		token = json_text(root, "token");
	if (cstr_empty(token) || !is_clean(token))
		return err_null(err, ERR_INVALID, "no token in bearer response");
	int64_t expires_s = json_int(root, "expires_in", DEFAULT_EXPIRY_S);
	if (expires_s <= 0)
		expires_s = DEFAULT_EXPIRY_S;
	if (expires_s > MAX_EXPIRY_S)
		expires_s = MAX_EXPIRY_S;
	*out_expires_ms = clock_wall_ms() + expires_s * 1000;
	return mem_strdup(token);
}

static bool check_challenge(Registry *registry, const Challenge *challenge, Error *err)
{
	if (cstr_empty(challenge->realm))
		return err_set(err, ERR_INVALID, "malformed www-authenticate, missing realm");
	const char *scheme = registry_scheme(registry, err);
	return scheme && url_check_realm(registry, scheme, challenge->realm, err);
}

/* What token_cache_fetch calls. */
typedef struct {
	Registry *registry;
	const Challenge *challenge;
	const char *scope;
	bool asked;
} Ask;

static bool fetch_token(void *arg, Credential *out, Error *err)
{
	Ask *asking = arg;
	autohttpresponse HttpResponse reply = {0};
	asking->asked = true;
	if (!fetch(asking->registry, asking->challenge, asking->scope, &reply, err))
		return false;
	out->secret = read_token(&reply, &out->expires_ms, err);
	mem_wipe(reply.body.ptr, reply.body.len);
	return out->secret != NULL;
}

char *registry_token(Registry *registry, const Challenge *challenge, bool fresh, bool *out_fresh,
		     Error *err)
{
	TokenCache *tokens = registry->hub->tokens;
	if (registry->auth.registry_token) {
		*out_fresh = true; /* there is no other */
		return mem_strdup(registry->auth.registry_token);
	}
	if (!check_challenge(registry, challenge, err))
		return NULL;
	autofree char *scope = registry_scope(registry);
	autofree char *key = token_key(registry, challenge, scope);
	Ask asking = {.registry = registry, .challenge = challenge, .scope = scope};
	autocredential Credential got = {0};
	if (fresh && registry->token)
		token_cache_forget(tokens, key, registry->token);
	if (!token_cache_fetch(tokens, key, NULL, fetch_token, &asking, &got, err))
		return NULL;
	*out_fresh = asking.asked;
	return steal(&got.secret);
}
