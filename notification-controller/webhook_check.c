/* Whether a webhook comes from whom it says (notification.md 8 "Check"; N79-N88). One row a type.
 */
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "data/base64.h"
#include "net/url.h"
#include "notify/jwt.h"
#include "notify/verify.h"
#include "receiver.h"
#include "receiver_exprs.h"

enum { JSON_MAX = 4 << 20 };

typedef struct {
	NotificationContext *context;
	const json_t *spec;
	const Secret *secret; /* NULL for generic-oidc */
	Str token;
	const HttpdRequest *request;
	Str body;
	json_t **out_claims; /* of generic-oidc */
} Check;

/* The body as JSON, an object when `object`. */
static json_t *body_json(const Check *check, bool object, Error *err)
{
	autojson json_t *value = json_parse(check->body.ptr, check->body.len, JSON_MAX, err);
	if (value && object && !json_is_object(value))
		return err_null(err, ERR_INVALID, "the body is no JSON object");
	return steal(&value);
}

/* `events` empty: all; letters' case does not count (N82). */
static bool check_event(const Check *check, const char *header, Error *err)
{
	const json_t *events = json_list(check->spec, "events");
	const char *name = httpd_header(check->request, header);
	size_t i;
	json_t *item;
	if (!json_array_size(events))
		return true;
	json_array_foreach(json_borrow(events), i, item)
	{
		if (json_is_string(item) &&
		    strcasecmp(json_string_value(item), name ? name : "") == 0)
			return true;
	}
	return err_set(err, ERR_FORBIDDEN, "the event of header %s is not authorised", header);
}

/* The media type without parameters, compared without case. */
static bool has_media_type(const Check *check, const char *type)
{
	const char *header = httpd_header(check->request, "Content-Type");
	Str value = str_of(header), rest;
	str_cut(value, ';', &value, &rest);
	value = str_trim(value);
	return value.len == strlen(type) && strncasecmp(value.ptr, type, value.len) == 0;
}

/* GitHub's way: signed bytes, sent as JSON or as a form with the JSON in `payload`. */
static bool check_hub(const Check *check, const char *event_header, Error *err)
{
	const char *header = httpd_header(check->request, "X-Hub-Signature-256");
	if (cstr_empty(header))
		header = httpd_header(check->request, "X-Hub-Signature");
	if (!has_media_type(check, "application/json") &&
	    !has_media_type(check, "application/x-www-form-urlencoded"))
		return err_set(err, ERR_UNSUPPORTED,
			       "the Content-Type is neither application/json nor a form");
	return verify_signature_header(header, check->token, check->body, err) &&
	       check_event(check, event_header, err);
}

static bool check_generic(const Check *check, Error *err)
{
	(void)check;
	(void)err;
	return true;
}

static bool check_generic_hmac(const Check *check, Error *err)
{
	return verify_signature_header(httpd_header(check->request, "X-Signature"), check->token,
				       check->body, err);
}

static bool check_github(const Check *check, Error *err)
{
	return check_hub(check, "X-GitHub-Event", err);
}

static bool check_bitbucket(const Check *check, Error *err)
{
	return check_hub(check, "X-Event-Key", err);
}

/* A header that is the token itself (N81). */
static bool check_header(const Check *check, const char *name, Error *err)
{
	const char *given = httpd_header(check->request, name);
	const char *token = secret_text(check->secret, "token");
	return verify_token(given ? given : "", token) ||
	       err_set(err, ERR_UNAUTHORIZED, "the %s header does not match the token", name);
}

static bool check_gitlab(const Check *check, Error *err)
{
	return check_header(check, "X-Gitlab-Token", err) &&
	       check_event(check, "X-Gitlab-Event", err);
}

static bool check_harbor(const Check *check, Error *err)
{
	return check_header(check, "Authorization", err);
}

static bool check_json(const Check *check, Error *err)
{
	autojson json_t *body = body_json(check, true, err);
	return body != NULL;
}

static bool check_nexus(const Check *check, Error *err)
{
	const char *signature = httpd_header(check->request, "X-Nexus-Webhook-Signature");
	if (cstr_empty(signature))
		return err_set(err, ERR_UNAUTHORIZED, "the signature is missing");
	return verify_signature_hex(DIGEST_SHA1, signature, check->token, check->body, err) &&
	       check_json(check, err);
}

static bool check_cdevents(const Check *check, Error *err)
{
	autojson json_t *event = body_json(check, true, err);
	return event && verify_cdevent(event, err) && check_event(check, "Ce-Type", err);
}

/* The token of "Authorization: Bearer TOKEN", or NULL. */
static const char *bearer(const Check *check, Error *err)
{
	static const char prefix[] = "Bearer ";
	const char *header = httpd_header(check->request, "Authorization");
	if (header && cstr_starts(header, prefix) && header[strlen(prefix)])
		return header + strlen(prefix);
	return err_null(err, ERR_UNAUTHORIZED, "the Authorization header is missing or malformed");
}

static bool check_google_claims(const json_t *claims, const char *email, Error *err)
{
	const char *issuer = json_text_or(claims, "iss", "");
	if (!cstr_eq(issuer, "accounts.google.com") &&
	    !cstr_eq(issuer, "https://accounts.google.com"))
		return err_set(err, ERR_UNAUTHORIZED, "the token is not Google's");
	if (!cstr_eq(json_text(claims, "email"), email))
		return err_set(err, ERR_UNAUTHORIZED, "the token is of another account");
	if (!json_flag(claims, "email_verified", false))
		return err_set(err, ERR_UNAUTHORIZED, "the token's account is not verified");
	return true;
}

/* A Pub/Sub push message: {message: {data: base64 of the registry's JSON}}. */
static bool check_pubsub_body(const Check *check, Error *err)
{
	autojson json_t *body = body_json(check, true, err);
	if (!body)
		return false;
	const char *data = json_text_at(body, "message", "data", NULL);
	autobuf Buf raw = {0};
	if (!data || !base64_decode(data, strlen(data), &raw, err))
		return err_is_set(err) ? false
				       : err_set(err, ERR_INVALID, "the body has no message.data");
	autojson json_t *inner = json_parse(buf_text(&raw), raw.len, JSON_MAX, err);
	return inner && (json_is_object(inner) ||
			 err_set(err, ERR_INVALID, "message.data is no JSON object"));
}

static bool check_gcr(const Check *check, Error *err)
{
	const char *email = secret_text(check->secret, "email");
	const char *audience = secret_text(check->secret, "audience");
	if (cstr_empty(email) || cstr_empty(audience))
		return err_set(err, ERR_INVALID, "the secret lacks 'email' or 'audience'");
	const char *token = bearer(check, err);
	if (!token)
		return false;
	autojson json_t *claims = oidc_verify_with_keys(
		check->context->keys, check->context->flags->gcr_keys_url, audience, token, err);
	return claims && check_google_claims(claims, email, err) && check_pubsub_body(check, err);
}

static const json_t *provider_of(const Check *check, const char *issuer)
{
	size_t i;
	json_t *provider;
	json_array_foreach(json_list(check->spec, "oidcProviders"), i, provider)
	{
		if (cstr_eq(json_text(provider, "issuerURL"), issuer))
			return provider;
	}
	return NULL;
}

/* The provider by what the token says of its issuer, before anything of it is believed; what is
 * believed comes from the issuer's keys (N87). */
static json_t *oidc_claims(const Check *check, Error *err)
{
	const char *token = bearer(check, err);
	if (!token)
		return NULL;
	autojson json_t *said = jwt_unverified_claims(token, err);
	const char *issuer = json_text_or(said, "iss", "");
	if (!said)
		return NULL;
	const json_t *provider = provider_of(check, issuer);
	if (!provider)
		return err_null(err, ERR_UNAUTHORIZED, "no oidcProvider is for the token's issuer");
	return oidc_verify(check->context->keys, issuer,
			   json_text_or(provider, "audience", "notification-controller"), token,
			   err);
}

static bool check_generic_oidc(const Check *check, Error *err)
{
	autojson json_t *claims = oidc_claims(check, err);
	const json_t *provider =
		claims ? provider_of(check, json_text_or(claims, "iss", "")) : NULL;
	if (!provider || !claims_accept(provider, claims, err))
		return err_is_set(err) ? false
				       : err_set(err, ERR_UNAUTHORIZED,
						 "no oidcProvider is for the token's issuer");
	*check->out_claims = steal(&claims);
	return true;
}

static const struct {
	const char *type;
	bool (*check)(const Check *check, Error *err);
} rows[] = {
	{"generic", check_generic},
	{"generic-hmac", check_generic_hmac},
	{"generic-oidc", check_generic_oidc},
	{"github", check_github},
	{"gitlab", check_gitlab},
	{"bitbucket", check_bitbucket},
	{"harbor", check_harbor},
	{"dockerhub", check_json},
	{"quay", check_json},
	{"acr", check_json},
	{"gcr", check_gcr},
	{"nexus", check_nexus},
	{"cdevents", check_cdevents},
};

bool webhook_check(NotificationContext *context, const json_t *receiver,
		   const HttpdRequest *request, json_t **out_claims, Error *err)
{
	const json_t *spec = json_map(receiver, "spec");
	Check check = {.context = context,
		       .out_claims = out_claims,
		       .spec = spec,
		       .token = STR(""),
		       .request = request,
		       .body = httpd_body(request)};
	const char *name = json_text_at(spec, "secretRef", "name", NULL);
	autosecret Secret *secret = NULL;
	if (name) {
		secret = secret_get(manager_client(context->manager), object_namespace(receiver),
				    name, err);
		if (!secret)
			return false;
		check.secret = secret;
		if (!secret_bytes(secret, "token", &check.token))
			return err_set(err, ERR_INVALID, "the secret has no key 'token'");
	}
	const char *type = json_text_or(spec, "type", "");
	for (size_t i = 0; i < COUNT(rows); i++)
		if (cstr_eq(rows[i].type, type))
			return rows[i].check(&check, err);
	return err_set(err, ERR_UNSUPPORTED, "the receiver's type is not supported");
}
