/* Secrets, ServiceAccounts and STS to a bucket that can be asked (source.md 6, "credentials"). */
#include <string.h>

#include "base/mem.h"
#include "bucket.h"
#include "cloud/aws.h"
#include "cloud/azure.h"
#include "cloud/gcp.h"
#include "net/retry.h"
#include "net/url.h"

typedef struct {
	Secret *auth, *cert, *proxy, *sts, *sts_cert;
} Secrets;

static void secrets_dispose(Secrets *secrets)
{
	Secret *const all[] = {secrets->auth, secrets->cert, secrets->proxy, secrets->sts,
			       secrets->sts_cert};
	for (size_t i = 0; i < COUNT(all); i++)
		secret_free(all[i]);
}

/* What opening a bucket works with; all borrowed but `credential`. */
typedef struct {
	Run *run;
	Cloud *cloud;
	const Bucket *view;
	const Secrets *secrets;
	CloudCaller caller;
	CloudBucketConfig config;
	CloudCredential credential;
	HttpClientConfig http;
	const char *reason; /* of a failure */
} Opening;

static bool load_secrets(Run *run, const Bucket *view, Secrets *out, Error *err)
{
	const struct {
		const char *name, *what;
		Secret **slot;
	} rows[] = {{view->secret_name, "secret", &out->auth},
		    {json_text_at(view->sts, "secretRef", "name", NULL), "STS secret", &out->sts},
		    {view->proxy_secret_name, "proxy secret", &out->proxy},
		    {view->cert_secret_name, "TLS secret", &out->cert},
		    {json_text_at(view->sts, "certSecretRef", "name", NULL), "STS TLS secret",
		     &out->sts_cert}};
	for (size_t i = 0; i < COUNT(rows); i++)
		if (!source_secret(run, rows[i].name, rows[i].what, rows[i].slot, err))
			return false;
	return true;
}

/* The identity's token asked for by the bucket's own proxy. */
static bool with_account(Opening *opening, SourceIdentity *identity, Error *err)
{
	return source_identity(opening->run, opening->view->service_account, identity,
			       &opening->caller.account, err);
}

/* --- S3 --- */

static bool check_sts(Opening *opening, Error *err)
{
	const Bucket *view = opening->view;
	const char *provider = json_text_or(view->sts, "provider", "");
	const char *wanted = cstr_eq(view->provider, "aws") ? "aws" : "ldap";
	autourl Url url = {0};
	if (!view->sts)
		return true;
	if (!cstr_eq(provider, wanted)) {
		opening->reason = "InvalidSTSConfiguration";
		return err_set(err, ERR_INVALID,
			       "STS provider '%s' is not supported for '%s' bucket provider",
			       provider, view->provider);
	}
	if (!url_parse(json_text_or(view->sts, "endpoint", ""), &url, err)) {
		opening->reason = "URLInvalid";
		return err_wrap(err, "failed to parse STS endpoint");
	}
	return true;
}

static bool by_ldap(Opening *opening, Error *err)
{
	const Bucket *view = opening->view;
	const Secret *secret = opening->secrets->sts;
	const char *user = secret ? secret_text(secret, "username") : NULL;
	const char *password = secret ? secret_text(secret, "password") : NULL;
	if (secret && (cstr_empty(user) || cstr_empty(password)))
		return err_set(err, ERR_INVALID,
			       "invalid '%s' secret data for 'ldap' STS provider: required fields "
			       "username, password",
			       json_text_at(view->sts, "secretRef", "name", NULL));
	HttpClientConfig http = {.env_proxy = true};
	if (!source_use_proxy(opening->secrets->proxy, &http, err))
		return err_wrap(err, "failed to get proxy URL");
	if (!source_use_tls(opening->secrets->sts_cert, &http, err))
		return err_wrap(err, "failed to get STS TLS config");
	autohttpc HttpClient *client =
		httpc_new(manager_loop(run_manager(opening->run)), &http, err);
	return client &&
	       aws_ldap_credentials(client, json_text_or(view->sts, "endpoint", ""), user, password,
				    view->timeout_ms, &opening->credential, err);
}

static bool by_aws(Opening *opening, Error *err)
{
	const Bucket *view = opening->view;
	autosourceidentity SourceIdentity identity = {0};
	return with_account(opening, &identity, err) &&
	       aws_credentials(opening->cloud, &opening->caller, view->region,
			       json_text(view->sts, "endpoint"), &opening->credential, err);
}

static bool by_keys(Opening *opening, Error *err)
{
	const Secret *secret = opening->secrets->auth;
	const char *user = secret_text(secret, "accesskey"),
		   *key = secret_text(secret, "secretkey");
	if (!user || !key)
		return err_set(err, ERR_INVALID,
			       "invalid '%s' secret data: required fields 'accesskey' and "
			       "'secretkey'",
			       opening->view->secret_name);
	/* Both empty: nobody in particular, as upstream. */
	if (*user && *key)
		opening->credential =
			(CloudCredential){.user = mem_strdup(user), .secret = mem_strdup(key)};
	return true;
}

static bool open_s3(Opening *opening, Error *err)
{
	const Bucket *view = opening->view;
	bool aws = cstr_eq(view->provider, "aws");
	if (!check_sts(opening, err))
		return false;
	if (!view->insecure && !source_use_tls(opening->secrets->cert, &opening->http, err))
		return err_wrap(err, "failed to get TLS config");
	bool ok = true;
	if (opening->secrets->auth)
		ok = by_keys(opening, err);
	else if (aws)
		ok = by_aws(opening, err);
	else if (view->sts)
		ok = by_ldap(opening, err);
	opening->config.type = BUCKET_S3;
	opening->config.endpoint = view->endpoint;
	opening->config.region = view->region;
	opening->config.insecure = view->insecure;
	opening->config.keys = opening->credential.user ? &opening->credential : NULL;
	return ok;
}

/* --- Google --- */

/* The variable that Google's own clients know an emulator by; upstream has no endpoint of the
 * spec's either. */
static bool open_gcs(Opening *opening, Error *err)
{
	const Secret *secret = opening->secrets->auth;
	const char *emulator = cloud_env(opening->cloud, "STORAGE_EMULATOR_HOST");
	const char *key = secret ? secret_text(secret, "serviceaccount") : NULL;
	opening->config.type = BUCKET_GCS;
	opening->config.endpoint = emulator;
	if (secret && !key)
		return err_set(err, ERR_INVALID,
			       "invalid '%s' secret data: required fields 'serviceaccount'",
			       opening->view->secret_name);
	bool ok = true;
	autosourceidentity SourceIdentity identity = {0};
	if (key)
		ok = gcp_token_of_key(opening->cloud, &opening->caller, key, GCP_SCOPE_STORAGE_READ,
				      &opening->credential, err);
	else if (!emulator)
		ok = with_account(opening, &identity, err) &&
		     gcp_token(opening->cloud, &opening->caller, &opening->credential, err);
	opening->config.bearer = opening->credential.secret;
	return ok;
}

/* --- Azure --- */

static const char *azure_key(const Opening *opening, const char *key)
{
	const char *value =
		opening->secrets->auth ? secret_text(opening->secrets->auth, key) : NULL;
	return cstr_empty(value) ? NULL : value;
}

static bool check_azure_secret(const Opening *opening, Error *err)
{
	if (!opening->secrets->auth || secret_first(opening->secrets->auth, "clientId",
						    "accountKey", "sasKey", "authorityHost", NULL))
		return true;
	return err_set(err, ERR_INVALID,
		       "invalid '%s' secret data: requires a 'clientId' or 'accountKey' field, a "
		       "combination of 'tenantId', 'clientId' and 'clientSecret', or 'tenantId', "
		       "'clientId' and 'clientCertificate'",
		       opening->view->secret_name);
}

static bool is_true(const char *text)
{
	return cstr_eq(text, "1") || (text && strcasecmp(text, "true") == 0);
}

static bool by_azure_app(Opening *opening, Error *err)
{
	AzureApp app = {.tenant_id = azure_key(opening, "tenantId"),
			.client_id = azure_key(opening, "clientId"),
			.client_secret = azure_key(opening, "clientSecret"),
			.certificate_password = azure_key(opening, "clientCertificatePassword"),
			.send_chain = is_true(azure_key(opening, "clientCertificateSendChain")),
			.authority_host = azure_key(opening, "authorityHost")};
	secret_bytes(opening->secrets->auth, "clientCertificate", &app.certificate);
	/* Without anything to prove it by, the client is a managed identity. */
	if (!app.client_secret && !app.certificate.len)
		app.tenant_id = NULL;
	return azure_token_of_app(opening->cloud, &opening->caller, &app, AZURE_SCOPE_STORAGE,
				  &opening->credential, err);
}

/* Where no identity was set up and no metadata service answers, the container is public or it is
 * not: its own reply says it better. */
static bool may_be_public(const Opening *opening, const Error *err)
{
	static const char *const set_up[] = {"AZURE_CLIENT_ID", "IDENTITY_ENDPOINT",
					     "AZURE_POD_IDENTITY_AUTHORITY_HOST"};
	for (size_t i = 0; i < COUNT(set_up); i++)
		if (cloud_env(opening->cloud, set_up[i]))
			return false;
	return !opening->caller.account && !azure_key(opening, "authorityHost") &&
	       !err->http_status && retry_is_worth_it(err);
}

static bool by_azure_identity(Opening *opening, Error *err)
{
	autosourceidentity SourceIdentity identity = {0};
	if (!with_account(opening, &identity, err))
		return false;
	if (azure_token(opening->cloud, &opening->caller, azure_key(opening, "authorityHost"),
			AZURE_SCOPE_STORAGE, &opening->credential, err))
		return true;
	if (!may_be_public(opening, err))
		return false;
	error_dispose(err);
	return true;
}

static bool open_azure(Opening *opening, Error *err)
{
	CloudBucketConfig *config = &opening->config;
	config->type = BUCKET_AZURE;
	config->endpoint = opening->view->endpoint;
	config->account_key = azure_key(opening, "accountKey");
	config->sas = azure_key(opening, "sasKey");
	if (!check_azure_secret(opening, err))
		return false;
	bool ok = true;
	if (azure_key(opening, "clientId")) {
		config->account_key = config->sas = NULL;
		ok = by_azure_app(opening, err);
	} else if (config->account_key) {
		config->sas = NULL;
	} else if (!config->sas) {
		ok = by_azure_identity(opening, err);
	}
	config->bearer = opening->credential.secret;
	return ok;
}

/* --- all --- */

static bool is_cancelled(void *run)
{
	return run_is_cancelled(run);
}

static CloudBucket *open_with(Opening *opening, HttpClient **http, Error *err)
{
	static const struct {
		const char *provider;
		bool (*open)(Opening *opening, Error *err);
	} rows[] = {{"gcp", open_gcs}, {"azure", open_azure}, {"", open_s3}};
	size_t i = 0;
	while (*rows[i].provider && !cstr_eq(rows[i].provider, opening->view->provider))
		i++;
	opening->http.env_proxy = true;
	if (!source_use_proxy(opening->secrets->proxy, &opening->http, err))
		return err_wrap_null(err, "failed to get proxy URL");
	Loop *loop = manager_loop(run_manager(opening->run));
	/* Credentials are asked for by the same proxy, but not by the bucket's own TLS. */
	__attribute__((cleanup(auto_httpc))) HttpClient *plain = NULL;
	if (opening->secrets->proxy) {
		plain = httpc_new(loop, &opening->http, err);
		if (!plain)
			return NULL;
		opening->caller.http = plain;
		opening->caller.proxy = opening->http.proxy;
	}
	if (!rows[i].open(opening, err))
		return NULL;
	opening->config.name = opening->view->bucket_name;
	*http = httpc_new(loop, &opening->http, err);
	opening->config.http = *http;
	opening->config.is_cancelled = is_cancelled;
	opening->config.cancel_arg = opening->run;
	return *http ? bucket_new(&opening->config, err) : NULL;
}

CloudBucket *bucket_open(Run *run, const Bucket *view, HttpClient **http, Error *err)
{
	const SourceContext *context = run_context(run);
	__attribute__((cleanup(secrets_dispose))) Secrets secrets = {0};
	Opening opening = {.run = run,
			   .cloud = context->cloud,
			   .view = view,
			   .secrets = &secrets,
			   .caller = {.timeout_ms = view->timeout_ms},
			   .reason = "AuthenticationFailed"};
	CloudBucket *bucket =
		load_secrets(run, view, &secrets, err) ? open_with(&opening, http, err) : NULL;
	cloud_credential_dispose(&opening.credential);
	/* Services have reasons of their own, which are not a condition's. */
	if (!bucket)
		err_reason(err, opening.reason);
	return bucket;
}
