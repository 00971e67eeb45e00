/* Secrets, ServiceAccounts and STS to a bucket that can be asked (source.md 6, "credentials"). */
#include <string.h>

#include "base/mem.h"
#include "bucket.h"
#include "cloud/aws.h"
#include "cloud/azure.h"
#include "cloud/gcp.h"
#include "net/retry.h"
#include "net/url.h"

/* What opening a bucket works with; `view` is borrowed, the rest goes when it is opened. */
typedef struct {
	Run *run;
	Cloud *cloud;
	const Bucket *view;
	Secret *auth, *sts;
	TlsSecret tls, sts_tls;
	ProxySecret proxy;
	SourceCaller caller;
	CloudBucketConfig config;
	Credential credential;
	HttpClientConfig http;
	const char *reason; /* of a failure */
} Opening;

static void opening_dispose(Opening *opening)
{
	secret_free(opening->auth);
	secret_free(opening->sts);
	tls_secret_dispose(&opening->tls);
	tls_secret_dispose(&opening->sts_tls);
	proxy_secret_dispose(&opening->proxy);
	source_caller_dispose(&opening->caller);
	credential_dispose(&opening->credential);
}

static bool load_secrets(Opening *opening, Error *err)
{
	Run *run = opening->run;
	const Bucket *view = opening->view;
	const char *sts = json_text_at(view->sts, "secretRef", "name", NULL);
	const char *sts_tls = json_text_at(view->sts, "certSecretRef", "name", NULL);
	if (!secret_ref_load(run, view->secret_name, "secret", &opening->auth, err) ||
	    !secret_ref_load(run, sts, "STS secret", &opening->sts, err))
		return false;
	if (!proxy_secret_get(run, view->proxy_secret_name, &opening->proxy, err))
		return err_wrap(err, "failed to get proxy URL");
	if (!view->insecure && !tls_secret_get(run, view->cert_secret_name, &opening->tls, err))
		return err_wrap(err, "failed to get TLS config");
	if (!tls_secret_get(run, sts_tls, &opening->sts_tls, err))
		return err_wrap(err, "failed to get STS TLS config");
	return true;
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
	const Secret *secret = opening->sts;
	const char *user = secret ? secret_text(secret, "username") : NULL;
	const char *password = secret ? secret_text(secret, "password") : NULL;
	if (secret && (cstr_empty(user) || cstr_empty(password)))
		return err_set(err, ERR_INVALID,
			       "invalid '%s' secret data for 'ldap' STS provider: required fields "
			       "username, password",
			       json_text_at(view->sts, "secretRef", "name", NULL));
	HttpClientConfig http = {0};
	proxy_secret_use(&opening->proxy, &http);
	tls_secret_use(&opening->sts_tls, &http);
	autohttpc HttpClient *client =
		httpc_new(manager_loop(run_manager(opening->run)), &http, err);
	return client &&
	       aws_ldap_credentials(client, json_text_or(view->sts, "endpoint", ""), user, password,
				    view->timeout_ms, &opening->credential, err);
}

static bool by_aws(Opening *opening, Error *err)
{
	const Bucket *view = opening->view;
	return source_caller_as(&opening->caller, opening->view->service_account, err) &&
	       aws_credentials(opening->cloud, &opening->caller.cloud, view->region,
			       json_text(view->sts, "endpoint"), &opening->credential, err);
}

static bool by_keys(Opening *opening, Error *err)
{
	const Secret *secret = opening->auth;
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
			(Credential){.user = mem_strdup(user), .secret = mem_strdup(key)};
	return true;
}

static bool open_s3(Opening *opening, Error *err)
{
	const Bucket *view = opening->view;
	bool aws = cstr_eq(view->provider, "aws");
	if (!check_sts(opening, err))
		return false;
	tls_secret_use(&opening->tls, &opening->http);
	bool ok = true;
	if (opening->auth)
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
	const Secret *secret = opening->auth;
	const char *emulator = cloud_env(opening->cloud, "STORAGE_EMULATOR_HOST");
	const char *key = secret ? secret_text(secret, "serviceaccount") : NULL;
	opening->config.type = BUCKET_GCS;
	opening->config.endpoint = emulator;
	if (secret && !key)
		return err_set(err, ERR_INVALID,
			       "invalid '%s' secret data: required fields 'serviceaccount'",
			       opening->view->secret_name);
	bool ok = true;
	if (key)
		ok = gcp_token_of_key(opening->cloud, &opening->caller.cloud, key,
				      GCP_SCOPE_STORAGE_READ, &opening->credential, err);
	else if (!emulator)
		ok = source_caller_as(&opening->caller, opening->view->service_account, err) &&
		     gcp_token(opening->cloud, &opening->caller.cloud, &opening->credential, err);
	opening->config.bearer = opening->credential.secret;
	return ok;
}

/* --- Azure --- */

static const char *azure_key(const Opening *opening, const char *key)
{
	const char *value = opening->auth ? secret_text(opening->auth, key) : NULL;
	return cstr_empty(value) ? NULL : value;
}

static bool check_azure_secret(const Opening *opening, Error *err)
{
	if (!opening->auth ||
	    secret_first(opening->auth, "clientId", "accountKey", "sasKey", "authorityHost", NULL))
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
	secret_bytes(opening->auth, "clientCertificate", &app.certificate);
	/* Without anything to prove it by, the client is a managed identity. */
	if (!app.client_secret && !app.certificate.len)
		app.tenant_id = NULL;
	return azure_token_of_app(opening->cloud, &opening->caller.cloud, &app, AZURE_SCOPE_STORAGE,
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
	return !opening->caller.cloud.account && !azure_key(opening, "authorityHost") &&
	       !err->http_status && retry_is_worth_it(err);
}

static bool by_azure_identity(Opening *opening, Error *err)
{
	if (!source_caller_as(&opening->caller, opening->view->service_account, err))
		return false;
	if (azure_token(opening->cloud, &opening->caller.cloud, azure_key(opening, "authorityHost"),
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
	Loop *loop = manager_loop(run_manager(opening->run));
	proxy_secret_use(&opening->proxy, &opening->http);
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
	__attribute__((cleanup(opening_dispose)))
	Opening opening = {.run = run,
			   .cloud = context->cloud,
			   .view = view,
			   .reason = "AuthenticationFailed"};
	CloudBucket *bucket = NULL;
	/* Credentials are asked for by the same proxy, but not by the bucket's own TLS. */
	if (load_secrets(&opening, err) &&
	    source_caller_open(run, &opening.proxy, view->timeout_ms, &opening.caller, err))
		bucket = open_with(&opening, http, err);
	/* Services have reasons of their own, which are not a condition's. */
	if (!bucket && !source_is_stall(err))
		err_reason(err, opening.reason);
	return bucket;
}
