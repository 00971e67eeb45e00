/*
 * Where a process finds its own credentials, in the order of AWS' SDKs: environment, web identity
 * (IRSA), container (EKS Pod Identity, ECS), instance metadata (IMDSv2). The first that is
 * configured counts: one that fails is not passed over.
 */
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "cloud/aws_internal.h"
#include "cloud/token.h"
#include "data/json.h"
#include "net/url.h"

enum { REPLY_MAX = 64 << 10, METADATA_TIMEOUT_MS = 5000 };

#define ECS_HOST "http://169.254.170.2"
#define IMDS_HOST "http://169.254.169.254"

static bool from_env(const AwsAsk *ask, Credential *out, Error *err)
{
	(void)err;
	out->user = mem_strdup(cloud_env(ask->cloud, "AWS_ACCESS_KEY_ID"));
	out->secret = mem_strdup(cloud_env(ask->cloud, "AWS_SECRET_ACCESS_KEY"));
	out->session = mem_strdup(cloud_env(ask->cloud, "AWS_SESSION_TOKEN"));
	return true;
}

static bool from_web_identity(const AwsAsk *ask, Credential *out, Error *err)
{
	const char *session = cloud_env(ask->cloud, "AWS_ROLE_SESSION_NAME");
	autofree char *token =
		cloud_read_token(cloud_env(ask->cloud, "AWS_WEB_IDENTITY_TOKEN_FILE"), err);
	if (!token)
		return err_wrap(err, "AWS_WEB_IDENTITY_TOKEN_FILE");
	bool ok = aws_assume_role(ask, cloud_env(ask->cloud, "AWS_ROLE_ARN"),
				  session ? session : "sluice", token, out, err);
	mem_wipe(token, strlen(token));
	return ok;
}

/* What container and instance reply: {"AccessKeyId", "SecretAccessKey", "Token", "Expiration"}. */
static bool parse_json(Str text, Credential *out, Error *err)
{
	autojson json_t *reply = json_parse(text.ptr, text.len, REPLY_MAX, err);
	if (!reply)
		return false;
	const char *code = json_text(reply, "Code");
	const char *user = json_text(reply, "AccessKeyId"),
		   *secret = json_text(reply, "SecretAccessKey");
	if (code && !cstr_eq(code, "Success"))
		return err_set(err, ERR_UNAUTHORIZED, "the metadata service replied %.64s", code);
	if (cstr_empty(user) || cstr_empty(secret))
		return err_set(err, ERR_INVALID, "the reply has no credentials");
	Credential got = {.user = mem_strdup(user),
			  .secret = mem_strdup(secret),
			  .session = mem_strdup(json_text(reply, "Token"))};
	if (!aws_set_expiry(&got, json_text(reply, "Expiration"), err)) {
		credential_dispose(&got);
		return false;
	}
	*out = got;
	return true;
}

static bool get(const AwsAsk *ask, const char *method, const char *url, const char *header,
		Buf *out, Error *err)
{
	HttpClient *http = cloud_http_direct(ask->cloud, err);
	const HttpRequest request = {.method = method,
				     .url = url,
				     .headers = (const char *const[]){header, NULL},
				     .timeout_ms = METADATA_TIMEOUT_MS};
	return http && cloud_call(http, &request, out, err);
}

/* Only https, loopback and the addresses of ECS and EKS agents may be sent the token. */
static bool check_container_url(const char *text, Error *err)
{
	static const char *const hosts[] = {"169.254.170.2", "169.254.170.23", "fd00:ec2::23"};
	autourl Url url = {0};
	if (!url_parse(text, &url, err))
		return false;
	bool good = cstr_eq(url.scheme, "https") || cloud_is_loopback(url.host);
	for (size_t i = 0; i < COUNT(hosts); i++)
		good = good || cstr_eq(url.host, hosts[i]);
	return good ? true
		    : err_set(err, ERR_FORBIDDEN,
			      "host %s is neither https, loopback nor a container agent's",
			      url.host);
}

static bool from_container(const AwsAsk *ask, Credential *out, Error *err)
{
	const char *relative = cloud_env(ask->cloud, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
	const char *full = cloud_env(ask->cloud, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
	const char *file = cloud_env(ask->cloud, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	autofree char *url = relative ? path_join(ECS_HOST, relative) : mem_strdup(full);
	if (!check_container_url(url, err))
		return err_wrap(err, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
	autofree char *token =
		file ? cloud_read_token(file, err)
		     : mem_strdup(cloud_env(ask->cloud, "AWS_CONTAINER_AUTHORIZATION_TOKEN"));
	if (file && !token)
		return err_wrap(err, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	autofree char *header = token ? mem_printf("Authorization: %s", token) : NULL;
	autobuf Buf reply = {0};
	bool ok =
		get(ask, "GET", url, header, &reply, err) && parse_json(buf_str(&reply), out, err);
	buf_wipe(&reply);
	return ok ? true : err_wrap(err, "container credentials");
}

/* IMDSv2: a session first, then the name of the instance's role, then its credentials. */
static bool ask_instance(const AwsAsk *ask, const char *host, Credential *out, Error *err)
{
	autobuf Buf session = {0}, role = {0}, reply = {0};
	autofree char *session_url = path_join(host, "latest/api/token");
	if (!get(ask, "PUT", session_url, "X-aws-ec2-metadata-token-ttl-seconds: 21600", &session,
		 err))
		return false;
	autofree char *header = mem_printf("X-aws-ec2-metadata-token: %s", buf_text(&session));
	autofree char *url = path_join(host, "latest/meta-data/iam/security-credentials/");
	if (!get(ask, "GET", url, header, &role, err))
		return false;
	Str name = str_trim(buf_str(&role)), rest;
	str_cut(name, '\n', &name, &rest);
	autofree char *text = str_dup(name), *escaped = url_escape(text, false);
	autofree char *role_url = mem_printf("%s%s", url, escaped);
	bool ok = get(ask, "GET", role_url, header, &reply, err) &&
		  parse_json(buf_str(&reply), out, err);
	buf_wipe(&reply);
	return ok;
}

static bool from_instance(const AwsAsk *ask, Credential *out, Error *err)
{
	const char *disabled = cloud_env(ask->cloud, "AWS_EC2_METADATA_DISABLED");
	const char *host = cloud_env(ask->cloud, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
	if (cstr_eq(disabled, "true"))
		return err_set(err, ERR_UNAUTHORIZED,
			       "no AWS credentials: neither environment, web identity nor "
			       "container has any, and instance metadata is disabled");
	if (ask_instance(ask, host ? host : IMDS_HOST, out, err))
		return true;
	err_wrap(err, "no AWS credentials: neither environment, web identity nor container has "
		      "any, and of the instance's metadata");
	if (err->code == ERR_NOT_FOUND)
		err->code = ERR_UNAUTHORIZED;
	return false;
}

bool aws_process_credentials(const AwsAsk *ask, Credential *out, Error *err)
{
	static const struct {
		const char *needs[2]; /* variables; the first one always */
		bool (*get)(const AwsAsk *ask, Credential *out, Error *err);
	} sources[] = {
		{{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}, from_env},
		{{"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"}, from_web_identity},
		{{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", NULL}, from_container},
		{{"AWS_CONTAINER_CREDENTIALS_FULL_URI", NULL}, from_container},
	};
	for (size_t i = 0; i < COUNT(sources); i++)
		if (cloud_env(ask->cloud, sources[i].needs[0]) &&
		    (!sources[i].needs[1] || cloud_env(ask->cloud, sources[i].needs[1])))
			return sources[i].get(ask, out, err);
	return from_instance(ask, out, err);
}
