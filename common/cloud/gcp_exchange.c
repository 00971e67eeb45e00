/* How a Google token is got: a JWT signed by a key, another issuer's JWT, the metadata server. */
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "cloud/gcp_internal.h"
#include "cloud/token.h"
#include "data/jwt_sign.h"

#define OAUTH "urn:ietf:params:oauth:"
#define SCOPES GCP_SCOPE_PLATFORM " https://www.googleapis.com/auth/userinfo.email"

enum { KEY_MAX = 64 << 10, JWT_LIFE_S = 3600, REPLY_MAX = 1 << 20 };

/* --- an exchange (RFC 8693) and impersonation --- */

static bool parse_impersonated(Str text, Credential *out, Error *err)
{
	autojson json_t *reply = json_parse(text.ptr, text.len, REPLY_MAX, err);
	const char *token = json_text(reply, "accessToken");
	int64_t expires_ms = 0;
	if (!reply)
		return false;
	if (cstr_empty(token) || !clock_parse(json_text_or(reply, "expireTime", ""), &expires_ms))
		return err_set(err, ERR_INVALID, "the reply has no access token");
	*out = (Credential){.secret = mem_strdup(token), .expires_ms = expires_ms};
	return true;
}

static bool impersonate(HttpClient *http, const char *url, const Credential *federated,
			int64_t timeout_ms, Credential *out, Error *err)
{
	static const char body[] =
		"{\"scope\":[\"" GCP_SCOPE_PLATFORM "\"],\"lifetime\":\"3600s\"}";
	autofree char *bearer = mem_printf("Authorization: Bearer %s", federated->secret);
	const HttpRequest request = {
		.method = "POST",
		.url = url,
		.headers = (const char *const[]){"Content-Type: application/json", bearer, NULL},
		.body = body,
		.body_len = sizeof(body) - 1,
		.timeout_ms = timeout_ms};
	autobuf Buf reply = {0};
	bool ok = cloud_call(http, &request, &reply, err) &&
		  parse_impersonated(buf_str(&reply), out, err);
	buf_wipe(&reply);
	mem_wipe(bearer, strlen(bearer));
	return ok ? true : err_wrap(err, "impersonate");
}

bool gcp_exchange(Cloud *cloud, const CloudCaller *caller, const GcpExchange *exchange,
		  Credential *out, Error *err)
{
	HttpClient *http = cloud_http(cloud, caller, err);
	if (!http)
		return false;
	const char *type = exchange->subject_token_type;
	autobuf Buf form = {0};
	cloud_form_add(&form, "grant_type", OAUTH "grant-type:token-exchange");
	cloud_form_add(&form, "audience", exchange->audience);
	cloud_form_add(&form, "scope", exchange->impersonate_url ? GCP_SCOPE_PLATFORM : SCOPES);
	cloud_form_add(&form, "requested_token_type", OAUTH "token-type:access_token");
	cloud_form_add(&form, "subject_token", exchange->subject_token);
	cloud_form_add(&form, "subject_token_type", type ? type : OAUTH "token-type:jwt");
	autocredential Credential federated = {0};
	if (!cloud_token_by_form(http, exchange->token_url, &form, caller->timeout_ms, &federated,
				 err))
		return err_wrap(err, "exchange the token");
	if (exchange->impersonate_url)
		return impersonate(http, exchange->impersonate_url, &federated, caller->timeout_ms,
				   out, err);
	*out = federated;
	federated = (Credential){0};
	return true;
}

/* --- keys --- */

/* One asking with a key; all borrowed. */
typedef struct {
	Cloud *cloud;
	const CloudCaller *caller;
	const json_t *key;
	const char *scope;
} KeyAsk;

static bool fetch_by_key(void *arg, Credential *out, Error *err)
{
	const KeyAsk *ask = arg;
	HttpClient *http = cloud_http(ask->cloud, ask->caller, err);
	if (!http)
		return false;
	const char *uri =
		json_text_or(ask->key, "token_uri", "https://oauth2.googleapis.com/token");
	json_int_t now_s = clock_wall_ms() / 1000;
	autojson json_t *claims = json_pack(
		"{s:s,s:s,s:s,s:I,s:I}", "iss", json_text_or(ask->key, "client_email", ""), "scope",
		ask->scope, "aud", uri, "iat", now_s, "exp", now_s + JWT_LIFE_S);
	autofree char *jwt = jwt_sign_rs256(json_text_or(ask->key, "private_key", ""),
					    json_text(ask->key, "private_key_id"), claims, err);
	if (!jwt)
		return false;
	autobuf Buf form = {0};
	cloud_form_add(&form, "grant_type", OAUTH "grant-type:jwt-bearer");
	cloud_form_add(&form, "assertion", jwt);
	mem_wipe(jwt, strlen(jwt));
	return cloud_token_by_form(http, uri, &form, ask->caller->timeout_ms, out, err);
}

static bool token_of_service_account(Cloud *cloud, const CloudCaller *caller, const json_t *key,
				     const char *scope, Credential *out, Error *err)
{
	static const char *const needed[] = {"client_email", "private_key"};
	for (size_t i = 0; i < COUNT(needed); i++)
		if (cstr_empty(json_text(key, needed[i])))
			return err_set(err, ERR_INVALID, "the service account's key lacks '%s'",
				       needed[i]);
	KeyAsk ask = {.cloud = cloud, .caller = caller, .key = key, .scope = scope};
	const char *const parts[] = {"gcp-key",
				     json_text_or(key, "client_email", ""),
				     json_text_or(key, "private_key", ""),
				     json_text_or(key, "token_uri", ""),
				     scope,
				     caller->proxy ? caller->proxy : "",
				     NULL};
	if (cloud_cached(cloud, caller, parts, fetch_by_key, &ask, out, err))
		return true;
	return err_wrap(err, "access token of service account %s",
			json_text_or(key, "client_email", ""));
}

/* The JSON of a credential, which no error shows. Owned. */
static json_t *parse_key(Str text, Error *err)
{
	autoerror Error why = {0};
	autojson json_t *key = json_parse(text.ptr, text.len, KEY_MAX, &why);
	if (!json_is_object(key))
		return err_null(err, ERR_INVALID, "the service account's key is no JSON object");
	return steal(&key);
}

/* jansson frees what it holds as it is. */
static void forget_key(json_t **key)
{
	json_t *secret = json_object_get(*key, "private_key");
	const char *text = json_string_value(secret);
	if (text)
		mem_wipe((char *)(uintptr_t)text, json_string_length(secret));
	json_decref(*key);
}
#define autokey __attribute__((cleanup(forget_key)))

bool gcp_token_of_key(Cloud *cloud, const CloudCaller *caller, const char *key_json,
		      const char *scope, Credential *out, Error *err)
{
	autokey json_t *key = parse_key(str_of(key_json), err);
	if (!key)
		return false;
	const char *type = json_text_or(key, "type", "service_account");
	if (cstr_eq(type, "service_account"))
		return token_of_service_account(cloud, caller, key, scope, out, err);
	return err_set(err, ERR_UNSUPPORTED,
		       "a credential of type '%.64s' cannot come from a Secret: "
		       "it must be a service account's key",
		       type);
}

/* --- the process's own --- */

/* The subject's token lies in a file, as text or as a member of JSON. Owned, a secret. */
static char *subject_token(const json_t *source, Error *err)
{
	const char *path = json_text(source, "file");
	const json_t *format = json_map(source, "format");
	if (!path)
		return err_null(err, ERR_UNSUPPORTED,
				"only a file is understood as the credential's source");
	autofree char *text = cloud_read_token(path, err);
	if (!text || !cstr_eq(json_text(format, "type"), "json"))
		return steal(&text);
	autojson json_t *value = parse_key(str_of(text), err);
	mem_wipe(text, strlen(text));
	const char *field = json_text_or(format, "subject_token_field_name", "access_token");
	const char *token = json_text(value, field);
	if (value && !token)
		return err_null(err, ERR_INVALID, "%s has no '%s'", path, field);
	return mem_strdup(token);
}

static bool token_of_external(Cloud *cloud, const CloudCaller *caller, const json_t *key,
			      Credential *out, Error *err)
{
	autofree char *token = subject_token(json_map(key, "credential_source"), err);
	if (!token)
		return false;
	const GcpExchange exchange = {
		.token_url = json_text_or(key, "token_url", "https://sts.googleapis.com/v1/token"),
		.audience = json_text_or(key, "audience", ""),
		.subject_token = token,
		.subject_token_type = json_text(key, "subject_token_type"),
		.impersonate_url = json_text(key, "service_account_impersonation_url")};
	bool ok = gcp_exchange(cloud, caller, &exchange, out, err);
	mem_wipe(token, strlen(token));
	return ok;
}

static bool token_of_file(Cloud *cloud, const CloudCaller *caller, const char *path,
			  Credential *out, Error *err)
{
	autobuf Buf text = {0};
	if (!file_read(path, KEY_MAX, &text, err))
		return false;
	autokey json_t *key = parse_key(buf_str(&text), err);
	buf_wipe(&text);
	const char *type = json_text_or(key, "type", "");
	if (!key)
		return false;
	if (cstr_eq(type, "service_account"))
		return token_of_service_account(cloud, caller, key, GCP_SCOPE_PLATFORM, out, err);
	if (cstr_eq(type, "external_account"))
		return token_of_external(cloud, caller, key, out, err);
	return err_set(err, ERR_UNSUPPORTED, "credentials of type '%.64s' are not supported", type);
}

bool gcp_process_token(Cloud *cloud, const CloudCaller *caller, Credential *out, Error *err)
{
	const char *path = cloud_env(cloud, "GOOGLE_APPLICATION_CREDENTIALS");
	if (path)
		return token_of_file(cloud, caller, path, out, err)
			       ? true
			       : err_wrap(err, "GOOGLE_APPLICATION_CREDENTIALS");
	autofree char *url = gcp_metadata_url(cloud, "instance/service-accounts/default/"
						     "token?scopes=" GCP_SCOPE_PLATFORM);
	if (cloud_token_of_node(cloud, url, GCP_METADATA_HEADER, out, err))
		return true;
	return err_wrap(err, "token of the metadata service");
}
