/*
 * Whose credentials: those of a ServiceAccount's role, or the process's. Both are shared among all
 * who ask with the same inputs, and never between two accounts (D40).
 */
#include "cloud/aws.h"

#include <ctype.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "cloud/aws_internal.h"
#include "cloud/sigv4.h"
#include "cloud/token.h"
#include "data/regex.h"
#include "net/url.h"

#define ROLE_ANNOTATION "eks.amazonaws.com/role-arn"
#define ROLE_PATTERN "^arn:aws[\\w-]*:iam::[0-9]{1,30}:role/.{1,200}$"
#define STS_PATTERN "^https://(.+\\.)?sts(-fips)?(\\.[^.]+)?(\\.vpce)?\\.amazonaws\\.com$"
#define AUDIENCE "sts.amazonaws.com"

static bool matches(const char *pattern, const char *text)
{
	autoerror Error err = {0};
	autoregex Regex *regex = regex_new(pattern, REGEX_ANCHORED, &err);
	return regex && regex_matches(regex, text, strlen(text));
}

bool aws_is_role(const char *arn)
{
	return matches(ROLE_PATTERN, arn);
}

const char *aws_env_region(const Cloud *cloud)
{
	const char *region = cloud_env(cloud, "AWS_REGION");
	return region ? region : cloud_env(cloud, "AWS_DEFAULT_REGION");
}

/* --- endpoints --- */

/* The environment's own endpoint of a service, or NULL. */
static const char *env_endpoint(const Cloud *cloud, const char *service)
{
	const char *label = strrchr(service, '.');
	autofree char *name = mem_printf("AWS_ENDPOINT_URL_%s", label ? label + 1 : service);
	for (char *at = name; *at; at++)
		*at = *at == '-' ? '_' : (char)toupper((unsigned char)*at);
	const char *endpoint = cloud_env(cloud, name);
	return endpoint ? endpoint : cloud_env(cloud, "AWS_ENDPOINT_URL");
}

static char *without_slash(const char *url)
{
	char *copy = mem_strdup(url);
	size_t len = strlen(copy);
	while (len && copy[len - 1] == '/')
		copy[--len] = '\0';
	return copy;
}

char *aws_endpoint(const Cloud *cloud, const char *service, const char *region)
{
	static const struct {
		const char *prefix, *suffix;
	} partitions[] = {{"cn-", "amazonaws.com.cn"},
			  {"us-isob-", "sc2s.sgov.gov"},
			  {"us-iso-", "c2s.ic.gov"},
			  {"eusc-", "amazonaws.eu"},
			  {"", "amazonaws.com"}};
	const char *own = env_endpoint(cloud, service);
	if (own)
		return without_slash(own);
	size_t i = 0;
	while (!cstr_starts(region, partitions[i].prefix))
		i++;
	return mem_printf("https://%s.%s.%s", service, region, partitions[i].suffix);
}

bool aws_check_sts_endpoint(const Cloud *cloud, const char *endpoint, Error *err)
{
	if (matches(STS_PATTERN, endpoint) || cstr_eq(endpoint, env_endpoint(cloud, "sts")))
		return true;
	autofree char *shown = url_redacted(endpoint);
	return err_set(err, ERR_INVALID, "invalid STS endpoint: '%s'. must match %s", shown,
		       STS_PATTERN);
}

/* --- credentials --- */

static bool account_credentials(const AwsAsk *ask, Credential *out, Error *err)
{
	enum { SESSION_NAME_MAX = 64 };
	const CloudAccount *account = ask->caller->account;
	autofree char *session =
		mem_printf("%s.%s.%s.fluxcd.io", account->name, account->ns, ask->region);
	if (strlen(session) > SESSION_NAME_MAX)
		session[SESSION_NAME_MAX] = '\0';
	autofree char *token = cloud_account_token(account, AUDIENCE, err);
	if (!token)
		return false;
	bool ok = aws_assume_role(ask, ask->role_arn, session, token, out, err);
	mem_wipe(token, strlen(token));
	return ok ? true
		  : err_wrap(err,
			     "failed to create provider access token for service account '%s/%s'",
			     account->ns, account->name);
}

static bool fetch(void *arg, Credential *out, Error *err)
{
	const AwsAsk *ask = arg;
	if (ask->caller->account)
		return account_credentials(ask, out, err);
	if (aws_process_credentials(ask, out, err))
		return true;
	return err_wrap(err, "failed to create provider access token for the controller");
}

static bool check_account(AwsAsk *ask, Error *err)
{
	const CloudAccount *account = ask->caller->account;
	if (!account)
		return true;
	if (!ask->region)
		return err_set(err, ERR_INVALID,
			       "an AWS region is required for authenticating with a service "
			       "account: name one in the object's spec");
	ask->role_arn = account->annotation(account->arg, ROLE_ANNOTATION);
	if (ask->role_arn && aws_is_role(ask->role_arn))
		return true;
	return err_set(err, ERR_INVALID,
		       "service account '%s/%s': invalid %s annotation: '%s'. must match %s",
		       account->ns, account->name, ROLE_ANNOTATION,
		       ask->role_arn ? ask->role_arn : "", ROLE_PATTERN);
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

bool aws_credentials(Cloud *cloud, const CloudCaller *caller, const char *region,
		     const char *sts_endpoint, Credential *out, Error *err)
{
	const CloudAccount *account = caller->account;
	AwsAsk ask = {.cloud = cloud,
		      .caller = caller,
		      .region = cstr_empty(region) ? NULL : region,
		      .sts_endpoint = cstr_empty(sts_endpoint) ? NULL : sts_endpoint};
	if (!check_account(&ask, err) ||
	    (ask.sts_endpoint && !aws_check_sts_endpoint(cloud, ask.sts_endpoint, err)))
		return false;
	if (!ask.region)
		ask.region = aws_env_region(cloud);
	const char *const parts[] = {"aws",
				     account ? account->ns : "",
				     account ? account->name : "",
				     or_empty(ask.role_arn),
				     or_empty(ask.region),
				     or_empty(ask.sts_endpoint),
				     or_empty(caller->proxy),
				     NULL};
	return cloud_cached(cloud, caller, parts, fetch, &ask, out, err);
}

/* --- calls --- */

bool aws_post(Cloud *cloud, const CloudCaller *caller, const AwsPost *call, Buf *out, Error *err)
{
	HttpClient *http = cloud_http(cloud, caller, err);
	if (!http)
		return false;
	const SigV4Request sign = {.credential = call->credential,
				   .region = call->region,
				   .service = call->service,
				   .now_ms = clock_wall_ms(),
				   .method = "POST",
				   .url = call->url,
				   .headers = call->headers,
				   .body = call->body,
				   .body_len = strlen(call->body)};
	__attribute__((cleanup(sigv4_headers_dispose))) Vec lines = {0};
	for (size_t i = 0; call->headers[i]; i++)
		vec_push(&lines, mem_strdup(call->headers[i]));
	if (!sigv4_sign(&sign, &lines, err))
		return false;
	vec_push(&lines, NULL);
	const HttpRequest request = {.method = "POST",
				     .url = call->url,
				     .headers = (const char *const *)lines.items,
				     .body = call->body,
				     .body_len = sign.body_len,
				     .timeout_ms = caller->timeout_ms};
	bool ok = cloud_call(http, &request, out, err);
	lines.len--;
	return ok;
}

bool aws_json_call(Cloud *cloud, const CloudCaller *caller, const AwsJsonCall *call, Buf *out,
		   Error *err)
{
	autofree char *target = mem_printf("X-Amz-Target: %s", call->target);
	const AwsPost post = {.url = call->url,
			      .region = call->region,
			      .service = call->service,
			      .headers = (const char *const[]){"Content-Type: "
							       "application/x-amz-json-1.1",
							       target, NULL},
			      .body = call->body,
			      .credential = call->credential};
	return aws_post(cloud, caller, &post, out, err);
}
