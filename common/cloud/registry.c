/* A row a provider: which hosts are its own, how their login is got. */
#include "cloud/registry.h"

#include <string.h>

#include "cloud/azure_internal.h"
#include "base/mem.h"
#include "cloud/aws.h"
#include "cloud/azure.h"
#include "cloud/gcp.h"
#include "cloud/token.h"
#include "data/base64.h"
#include "data/regex.h"

#define ECR_PUBLIC "public.ecr.aws"
#define ECR_PATTERN                                                                                \
	"[0-9]+\\.dkr[.-]ecr(?:-fips)?\\.([a-z0-9-]+)\\.(?:amazonaws\\.com(?:\\.cn)?|"             \
	"amazonaws\\.eu|sc2s\\.sgov\\.gov|c2s\\.ic\\.gov|cloud\\.adc-e\\.uk|csp\\.hci\\.ic\\.gov|" \
	"on\\.aws)"
#define ACR_PATTERN ".+\\.azurecr\\.(?:io|cn|de|us)"
#define GAR_PATTERN                                                                                \
	"(?:(?:.+\\.)?gcr\\.io)|(?:.+-docker\\.pkg\\.dev)|(?:docker\\.s3nsregistry\\.fr)"
#define ACR_USER "00000000-0000-0000-0000-000000000000"
#define ACR_SCOPE "https://containerregistry.azure.net/.default"

enum { REPLY_MAX = 1 << 20 };

typedef struct {
	Cloud *cloud;
	const CloudCaller *caller;
	const char *provider, *host;
} Ask;

/* The host's match of the whole pattern; *out_group (may be NULL) is its first group, owned. */
static bool host_matches(const char *pattern, const char *host, char **out_group)
{
	autoerror Error ignored = {0};
	autoregex Regex *regex = regex_new(pattern, REGEX_ANCHORED, &ignored);
	long spans[4];
	if (!regex || !regex_find(regex, host, strlen(host), 0, spans, 2))
		return false;
	if (out_group)
		*out_group = mem_strndup(host + spans[2], (size_t)(spans[3] - spans[2]));
	return true;
}

static bool stranger(const Ask *ask, const char *name, const char *pattern, Error *err)
{
	return err_set(err, ERR_INVALID, "invalid %s registry: '%s'. must match %s", name,
		       ask->host, pattern);
}

/* --- Amazon --- */

/* The token is base64 of "USER:PASSWORD"; the time seconds since 1970. */
static bool parse_ecr(Str text, Credential *out, Error *err)
{
	autojson json_t *reply = json_parse(text.ptr, text.len, REPLY_MAX, err);
	const json_t *data = json_object_get(reply, "authorizationData");
	if (json_is_array(data))
		data = json_array_get(data, 0);
	const char *token = json_text(data, "authorizationToken");
	double expires_s = json_number_value(json_object_get(data, "expiresAt"));
	autobuf Buf login = {0};
	Str user, password;
	if (!reply)
		return false;
	if (!token || !base64_decode(token, strlen(token), &login, err) ||
	    !str_cut(buf_str(&login), ':', &user, &password) || !password.len) {
		error_dispose(err);
		return err_set(err, ERR_INVALID, "the reply of ECR has no login");
	}
	*out = (Credential){.user = str_dup(user), .secret = str_dup(password)};
	if (expires_s > 0 && expires_s < 1e11)
		out->expires_ms = (int64_t)(expires_s * 1000);
	buf_wipe(&login);
	return true;
}

static bool login_aws(const Ask *ask, Credential *out, Error *err)
{
	bool public = cstr_eq(ask->host, ECR_PUBLIC);
	autofree char *region = public ? mem_strdup("us-east-1") : NULL;
	if (!public && !host_matches(ECR_PATTERN, ask->host, &region))
		return stranger(ask, "AWS", ECR_PATTERN, err);
	autocredential Credential key = {0};
	if (!aws_credentials(ask->cloud, ask->caller, region, NULL, &key, err))
		return false;
	const char *service = public ? "ecr-public" : "ecr";
	autofree char *label = mem_printf("api.%s", service);
	autofree char *endpoint = aws_endpoint(ask->cloud, label, region);
	autofree char *url = mem_printf("%s/", endpoint);
	const AwsJsonCall call = {
		.url = url,
		.region = region,
		.service = service,
		.target = public ? "SpencerFrontendService.GetAuthorizationToken"
				 : "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken",
		.body = "{}",
		.credential = &key};
	autobuf Buf reply = {0};
	bool ok = aws_json_call(ask->cloud, ask->caller, &call, &reply, err) &&
		  parse_ecr(buf_str(&reply), out, err);
	buf_wipe(&reply);
	return ok ? true : err_wrap(err, "login at %s", ask->host);
}

/* --- Azure --- */

/* The claims of a token that a registry gave us: only when it ends is asked. */
static int64_t jwt_expiry_ms(const char *token)
{
	Str head, rest, body;
	autobuf Buf raw = {0};
	autoerror Error ignored = {0};
	str_cut(str_of(token), '.', &head, &rest);
	str_cut(rest, '.', &body, &rest);
	if (!base64url_decode(body.ptr, body.len, &raw, &ignored))
		return 0;
	autojson json_t *claims = json_parse(buf_text(&raw), raw.len, REPLY_MAX, &ignored);
	int64_t expires_s = json_int(claims, "exp", 0);
	return expires_s > 0 && expires_s < INT64_MAX / 1000 ? expires_s * 1000 : 0;
}

bool registry_exchange(HttpClient *http, const char *base_url, const char *host,
		       const char *access_token, int64_t timeout_ms, Credential *out, Error *err)
{
	autofree char *url = mem_printf("%s/oauth2/exchange", base_url);
	autobuf Buf form = {0}, reply = {0};
	cloud_form_add(&form, "grant_type", "access_token");
	cloud_form_add(&form, "service", host);
	cloud_form_add(&form, "access_token", access_token);
	if (!cloud_post_form(http, url, &form, timeout_ms, &reply, err))
		return err_wrap(err, "login at %s", host);
	autojson json_t *answer = json_parse(reply.ptr, reply.len, REPLY_MAX, err);
	buf_wipe(&reply);
	const char *token = json_text(answer, "refresh_token");
	if (!answer)
		return err_wrap(err, "login at %s", host);
	if (cstr_empty(token))
		return err_set(err, ERR_INVALID, "the reply of %s has no refresh token", host);
	*out = (Credential){.user = mem_strdup(ACR_USER),
			    .secret = mem_strdup(token),
			    .expires_ms = jwt_expiry_ms(token)};
	return true;
}

/* Below the suffix, not merely ending in its letters. */
static bool is_below(const char *host, const char *suffix)
{
	suffix += suffix && *suffix == '.' ? 1 : 0;
	if (cstr_empty(suffix) || !cstr_ends(host, suffix))
		return false;
	size_t before = strlen(host) - strlen(suffix);
	return before > 1 && host[before - 1] == '.';
}

static bool login_azure(const Ask *ask, Credential *out, Error *err)
{
	autojson json_t *environment = azure_environment(ask->cloud, err);
	if (err_is_set(err))
		return false;
	const char *suffix = json_text(environment, "containerRegistryDNSSuffix");
	const char *manager = json_text(environment, "resourceManagerEndpoint");
	if (!is_below(ask->host, suffix) && !host_matches(ACR_PATTERN, ask->host, NULL))
		return stranger(ask, "Azure", ACR_PATTERN, err);
	autofree char *scope = manager ? mem_printf("%s/.default", manager) : mem_strdup(ACR_SCOPE);
	autocredential Credential token = {0};
	HttpClient *http = cloud_http(ask->cloud, ask->caller, err);
	autofree char *base = mem_printf("https://%s", ask->host);
	return http && azure_token(ask->cloud, ask->caller, NULL, scope, &token, err) &&
	       registry_exchange(http, base, ask->host, token.secret, ask->caller->timeout_ms, out,
				 err);
}

/* --- Google --- */

static bool login_gcp(const Ask *ask, Credential *out, Error *err)
{
	if (!host_matches(GAR_PATTERN, ask->host, NULL))
		return stranger(ask, "GCP", GAR_PATTERN, err);
	if (!gcp_token(ask->cloud, ask->caller, out, err))
		return false;
	out->user = mem_strdup("oauth2accesstoken");
	return true;
}

/* --- all --- */

static bool fetch(void *arg, Credential *out, Error *err)
{
	static const struct {
		const char *provider;
		bool (*login)(const Ask *ask, Credential *out, Error *err);
	} rows[] = {{"aws", login_aws}, {"azure", login_azure}, {"gcp", login_gcp}};
	const Ask *ask = arg;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (cstr_eq(rows[i].provider, ask->provider))
			return rows[i].login(ask, out, err);
	return err_set(err, ERR_INVALID, "provider '%.64s' has no registries", ask->provider);
}

bool registry_login(Cloud *cloud, const CloudCaller *caller, const char *provider, const char *host,
		    Credential *out, Error *err)
{
	const CloudCaller within = cloud_caller_within(caller);
	Ask ask = {.cloud = cloud, .caller = &within, .provider = provider, .host = host};
	autofree char *identity = cloud_caller_key(caller);
	const char *const parts[] = {"registry", provider, host, identity, NULL};
	return cloud_cached(cloud, caller, parts, fetch, &ask, out, err);
}
