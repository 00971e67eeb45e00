/*
 * Whose token: a ServiceAccount's, an application's that a Secret names, or the process's
 * (environment, workload identity, managed identity: the first that is configured, no shell).
 */
#include "cloud/azure.h"

#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "cloud/azure_internal.h"
#include "cloud/token.h"
#include "data/digest.h"
#include "net/url.h"

#define TENANT_ANNOTATION "azure.workload.identity/tenant-id"
#define CLIENT_ANNOTATION "azure.workload.identity/client-id"
#define AUDIENCE "api://AzureADTokenExchange"
#define PUBLIC_AUTHORITY "https://login.microsoftonline.com/"
#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

enum { CERTIFICATE_MAX = 256 << 10, ENVIRONMENT_MAX = 1 << 20 };

/* One asking; all borrowed. */
typedef struct {
	Cloud *cloud;
	const CloudCaller *caller;
	const char *scope;
	AzureApp app; /* tenant and client, or client alone, or neither */
} Ask;

/* Entra is asked by https; by http only on this machine. */
static char *token_url(const AzureApp *app, Error *err)
{
	const char *authority = app->authority_host ? app->authority_host : PUBLIC_AUTHORITY;
	autourl Url url = {0};
	if (!url_parse(authority, &url, err))
		return err_wrap_null(err, "authority host");
	if (!cstr_eq(url.scheme, "https") && !cloud_is_loopback(url.host))
		return err_null(err, ERR_INVALID, "authority host '%s' is not https", url.host);
	autofree char *tenant = url_escape(app->tenant_id, false);
	const char *slash = cstr_ends(authority, "/") ? "" : "/";
	return mem_printf("%s%s%s/oauth2/v2.0/token", authority, slash, tenant);
}

/* Proves the application with what `name` is called and asks. */
static bool ask_entra(const Ask *ask, const char *url, const char *name, const char *secret,
		      Credential *out, Error *err)
{
	HttpClient *http = cloud_http(ask->cloud, ask->caller, err);
	if (!http)
		return false;
	autobuf Buf form = {0};
	cloud_form_add(&form, "grant_type", "client_credentials");
	cloud_form_add(&form, "client_id", ask->app.client_id);
	cloud_form_add(&form, "scope", ask->scope);
	if (cstr_eq(name, "client_assertion"))
		cloud_form_add(&form, "client_assertion_type", ASSERTION_TYPE);
	cloud_form_add(&form, name, secret);
	return cloud_token_by_form(http, url, &form, ask->caller->timeout_ms, out, err);
}

static bool by_assertion(const Ask *ask, char *take_assertion, Credential *out, Error *err)
{
	autofree char *assertion = take_assertion, *url = token_url(&ask->app, err);
	bool ok = url && ask_entra(ask, url, "client_assertion", assertion, out, err);
	mem_wipe(assertion, strlen(assertion));
	return ok;
}

static bool by_app(const Ask *ask, Credential *out, Error *err)
{
	autofree char *url = token_url(&ask->app, err);
	if (!url)
		return false;
	if (!cstr_empty(ask->app.client_secret))
		return ask_entra(ask, url, "client_secret", ask->app.client_secret, out, err);
	char *assertion = azure_assertion(&ask->app, url, err);
	return assertion && by_assertion(ask, assertion, out, err);
}

/* App Service has an endpoint of its own; elsewhere it is the instance's metadata service. */
static bool by_managed_identity(const Ask *ask, Credential *out, Error *err)
{
	const char *endpoint = cloud_env(ask->cloud, "IDENTITY_ENDPOINT");
	const char *code = cloud_env(ask->cloud, "IDENTITY_HEADER");
	const char *host = cloud_env(ask->cloud, "AZURE_POD_IDENTITY_AUTHORITY_HOST");
	bool app_service = endpoint && code;
	autobuf Buf query = {0};
	Str scope = str_of(ask->scope);
	if (str_ends(scope, STR("/.default")))
		scope.len -= strlen("/.default");
	autofree char *resource = str_dup(scope);
	cloud_form_add(&query, "api-version", app_service ? "2019-08-01" : "2018-02-01");
	cloud_form_add(&query, "resource", resource);
	if (ask->app.client_id)
		cloud_form_add(&query, "client_id", ask->app.client_id);
	autofree char *url =
		app_service ? mem_printf("%s?%s", endpoint, buf_text(&query))
			    : mem_printf("%s/metadata/identity/oauth2/token?%s",
					 host ? host : "http://169.254.169.254", buf_text(&query));
	autofree char *header = app_service ? mem_printf("X-IDENTITY-HEADER: %s", code)
					    : mem_strdup("Metadata: true");
	if (cloud_token_of_node(ask->cloud, url, header, out, err))
		return true;
	return err_wrap(err, "managed identity");
}

/* --- the process's own --- */

static bool by_env_certificate(Ask *ask, Credential *out, Error *err)
{
	autobuf Buf pem = {0};
	if (!file_read(cloud_env(ask->cloud, "AZURE_CLIENT_CERTIFICATE_PATH"), CERTIFICATE_MAX,
		       &pem, err))
		return err_wrap(err, "AZURE_CLIENT_CERTIFICATE_PATH");
	ask->app.certificate = buf_str(&pem);
	ask->app.certificate_password = cloud_env(ask->cloud, "AZURE_CLIENT_CERTIFICATE_PASSWORD");
	bool ok = by_app(ask, out, err);
	buf_wipe(&pem);
	return ok;
}

static bool by_env_secret(Ask *ask, Credential *out, Error *err)
{
	ask->app.client_secret = cloud_env(ask->cloud, "AZURE_CLIENT_SECRET");
	return by_app(ask, out, err);
}

static bool by_env_token_file(Ask *ask, Credential *out, Error *err)
{
	char *token = cloud_read_token(cloud_env(ask->cloud, "AZURE_FEDERATED_TOKEN_FILE"), err);
	return token ? by_assertion(ask, token, out, err)
		     : err_wrap(err, "AZURE_FEDERATED_TOKEN_FILE");
}

static bool by_process(Ask *ask, Credential *out, Error *err)
{
	static const struct {
		const char *needs;
		bool (*get)(Ask *ask, Credential *out, Error *err);
	} sources[] = {{"AZURE_CLIENT_SECRET", by_env_secret},
		       {"AZURE_CLIENT_CERTIFICATE_PATH", by_env_certificate},
		       {"AZURE_FEDERATED_TOKEN_FILE", by_env_token_file}};
	const Cloud *cloud = ask->cloud;
	ask->app.tenant_id = cloud_env(cloud, "AZURE_TENANT_ID");
	ask->app.client_id = cloud_env(cloud, "AZURE_CLIENT_ID");
	for (size_t i = 0; i < COUNT(sources); i++)
		if (ask->app.tenant_id && ask->app.client_id && cloud_env(cloud, sources[i].needs))
			return sources[i].get(ask, out, err);
	return by_managed_identity(ask, out, err);
}

/* --- who asks --- */

static bool fetch_by_account(void *arg, Credential *out, Error *err)
{
	const Ask *ask = arg;
	const CloudAccount *account = ask->caller->account;
	char *token = cloud_account_token(account, AUDIENCE, err);
	if (!token)
		return false;
	if (by_assertion(ask, token, out, err))
		return true;
	return err_wrap(err, "failed to create provider access token for service account '%s/%s'",
			account->ns, account->name);
}

static bool fetch_by_process(void *arg, Credential *out, Error *err)
{
	if (by_process(arg, out, err))
		return true;
	return err_wrap(err, "failed to create provider access token for the controller");
}

static bool fetch_by_app(void *arg, Credential *out, Error *err)
{
	const Ask *ask = arg;
	return ask->app.tenant_id ? by_app(ask, out, err) : by_managed_identity(ask, out, err);
}

static bool account_annotation(const CloudAccount *account, const char *key, const char **out,
			       Error *err)
{
	*out = account->annotation(account->arg, key);
	return *out ? true
		    : err_set(err, ERR_INVALID, "service account '%s/%s' lacks the annotation %s",
			      account->ns, account->name, key);
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

/* NULL: the public one. */
static const char *authority_of(const Cloud *cloud, const char *named)
{
	return cstr_empty(named) ? azure_authority(cloud) : named;
}

bool azure_token(Cloud *cloud, const CloudCaller *caller, const char *authority_host,
		 const char *scope, Credential *out, Error *err)
{
	const CloudAccount *account = caller->account;
	Ask ask = {.cloud = cloud, .caller = caller, .scope = scope};
	ask.app.authority_host = authority_of(cloud, authority_host);
	if (account && (!account_annotation(account, TENANT_ANNOTATION, &ask.app.tenant_id, err) ||
			!account_annotation(account, CLIENT_ANNOTATION, &ask.app.client_id, err)))
		return false;
	const char *const parts[] = {"azure",
				     scope,
				     account ? account->ns : "",
				     account ? account->name : "",
				     or_empty(ask.app.tenant_id),
				     or_empty(ask.app.client_id),
				     or_empty(ask.app.authority_host),
				     or_empty(caller->proxy),
				     NULL};
	return cloud_cached(cloud, caller, parts, account ? fetch_by_account : fetch_by_process,
			    &ask, out, err);
}

bool azure_token_of_app(Cloud *cloud, const CloudCaller *caller, const AzureApp *app,
			const char *scope, Credential *out, Error *err)
{
	Ask ask = {.cloud = cloud, .caller = caller, .scope = scope, .app = *app};
	ask.app.authority_host = authority_of(cloud, app->authority_host);
	char certificate[DIGEST_TEXT_SIZE];
	digest_of(DIGEST_SHA256, or_empty(app->certificate.ptr), app->certificate.len, certificate);
	const char *const parts[] = {"azure-app",
				     scope,
				     or_empty(app->tenant_id),
				     or_empty(app->client_id),
				     or_empty(app->client_secret),
				     certificate,
				     or_empty(app->certificate_password),
				     app->send_chain ? "chain" : "",
				     or_empty(ask.app.authority_host),
				     or_empty(caller->proxy),
				     NULL};
	return cloud_cached(cloud, caller, parts, fetch_by_app, &ask, out, err);
}

json_t *azure_environment(const Cloud *cloud, Error *err)
{
	const char *path = cloud_env(cloud, "AZURE_ENVIRONMENT_FILEPATH");
	autobuf Buf text = {0};
	if (!path)
		return NULL;
	if (!file_read(path, ENVIRONMENT_MAX, &text, err))
		return err_wrap_null(err, "AZURE_ENVIRONMENT_FILEPATH");
	return json_parse(text.ptr, text.len, ENVIRONMENT_MAX, err);
}
