/* The Security Token Service: POSTs of a form, answered in XML. */
#include "base/clock.h"
#include "base/mem.h"
#include "cloud/aws_internal.h"
#include "cloud/token.h"
#include "data/xml.h"

#define STS_VERSION "2011-06-15"

bool aws_set_expiry(Credential *credential, const char *text, Error *err)
{
	if (clock_parse(text ? text : "", &credential->expires_ms))
		return true;
	return err_set(err, ERR_INVALID, "the credentials' expiration is no time");
}

static void put(char **slot, Str text)
{
	free(*slot);
	*slot = str_dup(text);
}

/* Whatever the action: AssumeRoleWith...Response/AssumeRoleWith...Result/Credentials/NAME. */
static bool on_end(void *arg, const char *path, Str text, Error *err)
{
	Credential *out = arg;
	const struct {
		const char *end;
		char **slot;
	} rows[] = {{"/Credentials/AccessKeyId", &out->user},
		    {"/Credentials/SecretAccessKey", &out->secret},
		    {"/Credentials/SessionToken", &out->session}};
	for (size_t i = 0; i < COUNT(rows); i++)
		if (cstr_ends(path, rows[i].end))
			put(rows[i].slot, text);
	if (!cstr_ends(path, "/Credentials/Expiration"))
		return true;
	autofree char *time = str_dup(text);
	return aws_set_expiry(out, time, err);
}

bool aws_sts_parse(Str xml, Credential *out, Error *err)
{
	autocredential Credential got = {0};
	const XmlHandler handler = {.on_end = on_end, .arg = &got};
	if (!xml_parse(xml, &handler, err))
		return err_wrap(err, "reply of STS");
	if (cstr_empty(got.user) || cstr_empty(got.secret))
		return err_set(err, ERR_INVALID, "the reply of STS has no credentials");
	*out = got;
	got = (Credential){0};
	return true;
}

static bool post(HttpClient *http, const char *url, Buf *form, int64_t timeout_ms, Credential *out,
		 Error *err)
{
	autobuf Buf reply = {0};
	bool ok = cloud_post_form(http, url, form, timeout_ms, &reply, err) &&
		  aws_sts_parse(buf_str(&reply), out, err);
	buf_wipe(&reply);
	return ok;
}

bool aws_assume_role(const AwsAsk *ask, const char *role_arn, const char *session_name,
		     const char *token, Credential *out, Error *err)
{
	if (!ask->region)
		return err_set(err, ERR_INVALID,
			       "no AWS region is set, neither in the object's "
			       "spec nor as AWS_REGION in the environment");
	HttpClient *http = cloud_http(ask->cloud, ask->caller, err);
	if (!http)
		return false;
	autofree char *url = ask->sts_endpoint ? mem_strdup(ask->sts_endpoint)
					       : aws_endpoint(ask->cloud, "sts", ask->region);
	autobuf Buf form = {0};
	cloud_form_add(&form, "Action", "AssumeRoleWithWebIdentity");
	cloud_form_add(&form, "Version", STS_VERSION);
	cloud_form_add(&form, "RoleArn", role_arn);
	cloud_form_add(&form, "RoleSessionName", session_name);
	cloud_form_add(&form, "WebIdentityToken", token);
	bool ok = post(http, url, &form, ask->caller->timeout_ms, out, err);
	return ok ? true : err_wrap(err, "assume role %s", role_arn);
}

bool aws_take_role(Cloud *cloud, const CloudCaller *caller, const AwsRole *role, Credential *out,
		   Error *err)
{
	if (!aws_is_role(role->role_arn))
		return err_set(err, ERR_INVALID, "role is not the ARN of one");
	autofree char *url = aws_endpoint(cloud, "sts", role->region);
	autobuf Buf form = {0}, reply = {0};
	cloud_form_add(&form, "Action", "AssumeRole");
	cloud_form_add(&form, "Version", STS_VERSION);
	cloud_form_add(&form, "RoleArn", role->role_arn);
	cloud_form_add(&form, "RoleSessionName", role->session_name);
	cloud_form_add(&form, "DurationSeconds", "900");
	const AwsPost post = {.url = url,
			      .region = role->region,
			      .service = "sts",
			      .headers = (const char *const[]){CLOUD_FORM_TYPE, NULL},
			      .body = buf_text(&form),
			      .credential = role->credential};
	bool ok = aws_post(cloud, caller, &post, &reply, err) &&
		  aws_sts_parse(buf_str(&reply), out, err);
	buf_wipe(&reply);
	return ok ? true : err_wrap(err, "assume role %s", role->role_arn);
}

bool aws_ldap_credentials(HttpClient *http, const char *endpoint, const char *user,
			  const char *password, int64_t timeout_ms, Credential *out, Error *err)
{
	autobuf Buf form = {0};
	cloud_form_add(&form, "Action", "AssumeRoleWithLDAPIdentity");
	cloud_form_add(&form, "Version", STS_VERSION);
	cloud_form_add(&form, "LDAPUsername", user ? user : "");
	cloud_form_add(&form, "LDAPPassword", password ? password : "");
	bool ok = post(http, endpoint, &form, timeout_ms, out, err);
	if (!ok && !cstr_empty(password))
		err_hide(err, password);
	return ok ? true : err_wrap(err, "STS by LDAP identity");
}
