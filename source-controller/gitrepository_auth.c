/* Secrets and identities to a GitRemote: Basic, bearer, SSH, TLS, proxy, providers (source.md 3
 * "HTTP secret" and on). */
#include "gitrepository.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cloud/aws.h"
#include "cloud/azure.h"
#include "cloud/sigv4.h"
#include "data/digest.h"
#include "github_app.h"
#include "net/httpc.h"
#include "net/url.h"

struct GitAuth {
	Run *run;
	const GitRepository *repo;
	Url home; /* spec.url */
	Secret *auth;
	TlsSecret tls;
	ProxySecret proxy;
	Credential login; /* of a provider; without a user a bearer token */
	char *account;	  /* "NS/NAME" whose identity `login` is, or NULL */
};

void git_auth_free(GitAuth *auth)
{
	if (!auth)
		return;
	secret_free(auth->auth);
	proxy_secret_dispose(&auth->proxy);
	url_dispose(&auth->home);
	credential_dispose(&auth->login);
	free(auth->account);
	free(auth);
}

static bool use_ssh(const Secret *auth, GitRemoteConfig *config, Error *err)
{
	if (!auth)
		return err_set(err, ERR_INVALID,
			       "ssh needs spec.secretRef: a Secret with 'identity' and "
			       "'known_hosts'");
	config->ssh_identity = secret_text(auth, "identity");
	config->ssh_known_hosts = secret_text(auth, "known_hosts");
	config->ssh_passphrase = secret_text(auth, "password");
	if (cstr_empty(config->ssh_identity))
		return err_set(err, ERR_INVALID, "'identity' is missing, which ssh needs");
	if (cstr_empty(config->ssh_known_hosts))
		return err_set(err, ERR_INVALID, "'known_hosts' is missing, which ssh needs");
	return true;
}

static bool use_basic(const Secret *auth, const Url *url, GitRemoteConfig *config, Error *err)
{
	const char *bearer = secret_text(auth, "bearerToken");
	const char *username = secret_text(auth, "username");
	const char *password = secret_text(auth, "password");
	if (bearer && url->user)
		return err_set(err, ERR_INVALID,
			       "bearerToken and credentials in the URL exclude each other");
	if (bearer) {
		config->bearer_token = bearer;
		return true;
	}
	if (password && cstr_empty(username))
		return err_set(err, ERR_INVALID, "'password' without 'username'");
	if (username && !password)
		return err_set(err, ERR_INVALID, "'username' without 'password'");
	if (username) {
		config->username = username;
		config->password = password;
	}
	return true;
}

static void use_tls(const TlsSecret *tls, GitRemoteConfig *config)
{
	config->ca_pem = tls->ca_pem;
	config->cert_pem = tls->cert_pem;
	config->key_pem = tls->key_pem;
}

/* --- providers --- */

static bool has_app_keys(const Secret *auth)
{
	return !cstr_empty(secret_text(auth, "githubAppID"));
}

static GithubApp app_of(const GitAuth *auth)
{
	return (GithubApp){.id = secret_text(auth->auth, "githubAppID"),
			   .private_key = secret_text(auth->auth, "githubAppPrivateKey"),
			   .installation_id = secret_text(auth->auth, "githubAppInstallationID"),
			   .installation_owner =
				   secret_text(auth->auth, "githubAppInstallationOwner"),
			   .base_url = secret_text(auth->auth, "githubAppBaseURL"),
			   .timeout_ms = auth->repo->timeout_ms};
}

void git_auth_refused(const GitAuth *auth)
{
	const SourceContext *context = run_context(auth->run);
	if (auth->login.secret)
		token_cache_forget_secret(cloud_tokens(context->cloud), auth->login.secret);
}

/* Upstream's words in front of what is wrong with the Secrets or with who gives tokens. */
static bool fail_options(Error *err)
{
	err_wrap(err, "failed to configure authentication options");
	return err_reason(err, "AuthenticationFailed");
}

/* Options of the API's client; those of the repository's own host hold for it too. */
static bool fetch_app_token(GitAuth *auth, Error *err)
{
	const SourceContext *context = run_context(auth->run);
	HttpClientConfig client = {0};
	tls_secret_use(&auth->tls, &client);
	proxy_secret_use(&auth->proxy, &client);
	autohttpc HttpClient *http = httpc_new(manager_loop(run_manager(auth->run)), &client, err);
	if (!http)
		return fail_options(err);
	GithubApp app = app_of(auth);
	auth->login.user = mem_strdup("x-access-token");
	const TokenUser user = run_token_user(auth->run, TOKEN_RECONCILE);
	auth->login.secret = github_app_token(cloud_tokens(context->cloud), &user, http, &app, err);
	return auth->login.secret || fail_options(err);
}

static bool use_github(GitAuth *auth, Error *err)
{
	static const char needed[] =
		"secretRef with github app data must be specified when provider is set to github";
	if (cstr_empty(auth->repo->secret_name)) {
		err_set(err, ERR_UNSUPPORTED, "%s", needed); /* stalls (S46) */
		return err_reason(err, "InvalidProviderConfiguration");
	}
	if (has_app_keys(auth->auth))
		return fetch_app_token(auth, err);
	err_set(err, ERR_INVALID, "%s", needed);
	return err_reason(err, "InvalidProviderConfiguration");
}

static bool use_generic(GitAuth *auth, Error *err)
{
	if (!has_app_keys(auth->auth))
		return true;
	err_set(err, ERR_INVALID,
		"secretRef '%s/%s' has github app data but provider is not set to github",
		run_namespace(auth->run), auth->repo->secret_name);
	return err_reason(err, "InvalidProviderConfiguration");
}

/* A token for the repositories of an organization: an identity of ours goes over TLS alone. */
static bool use_azure(GitAuth *auth, SourceCaller *caller, Error *err)
{
	const SourceContext *context = run_context(auth->run);
	if (cstr_eq(auth->home.scheme, "http"))
		return err_set(err, ERR_INVALID,
			       "Azure DevOps authentication requires an HTTPS Git URL");
	return azure_token(context->cloud, &caller->cloud, NULL, AZURE_SCOPE_DEVOPS, &auth->login,
			   err);
}

/* "git-codecommit.REGION.amazonaws.com"; its region, owned. NULL and err. */
static char *codecommit_region(const Url *url, Error *err)
{
	static const char *const prefixes[] = {"git-codecommit.", "git-codecommit-fips."};
	static const char *const suffixes[] = {"amazonaws.com", "amazonaws.com.cn"};
	Str region = {0}, domain = {0};
	if (!cstr_eq(url->scheme, "https"))
		return err_null(err, ERR_INVALID,
				"AWS CodeCommit authentication requires an HTTPS Git URL");
	for (size_t i = 0; i < COUNT(prefixes); i++)
		if (cstr_starts(url->host, prefixes[i]))
			str_cut(str_of(url->host + strlen(prefixes[i])), '.', &region, &domain);
	for (size_t i = 0; i < COUNT(suffixes); i++)
		if (region.len && str_eq(domain, str_of(suffixes[i])))
			return str_dup(region);
	return err_null(err, ERR_INVALID, "invalid AWS CodeCommit Git URL: %s", url->host);
}

/* What Git shows is a signature of the URL, good for 15 minutes: made for each run. */
static bool use_aws(GitAuth *auth, SourceCaller *caller, Error *err)
{
	const SourceContext *context = run_context(auth->run);
	autofree char *region = codecommit_region(&auth->home, err);
	autocredential Credential key = {0};
	if (!region || !aws_credentials(context->cloud, &caller->cloud, region, NULL, &key, err))
		return false;
	auth->login.user =
		key.session ? mem_printf("%s%%%s", key.user, key.session) : mem_strdup(key.user);
	auth->login.secret =
		sigv4_codecommit_password(&key, region, auth->repo->url, clock_wall_ms(), err);
	return auth->login.secret != NULL;
}

static bool use_cloud(GitAuth *auth, Error *err)
{
	const GitRepository *repo = auth->repo;
	bool (*use)(GitAuth * auth, SourceCaller * caller, Error * err) =
		cstr_eq(repo->provider, "aws") ? use_aws : use_azure;
	autosourcecaller SourceCaller caller = {0};
	if (!source_caller_open(auth->run, &auth->proxy, repo->timeout_ms, &caller, err) ||
	    !source_caller_as(&caller, repo->service_account, err) || !use(auth, &caller, err))
		return source_is_stall(err) ? false : fail_options(err);
	if (caller.cloud.account)
		auth->account = mem_printf("%s/%s", caller.workload.account.ns,
					   caller.workload.account.name);
	return true;
}

static const struct {
	const char *name;
	bool (*use)(GitAuth *auth, Error *err);
} providers[] = {
	{"generic", use_generic},
	{"github", use_github},
	{"azure", use_cloud},
	{"aws", use_cloud},
};

static bool use_provider(GitAuth *auth, Error *err)
{
	for (size_t i = 0; i < COUNT(providers); i++)
		if (cstr_eq(providers[i].name, auth->repo->provider))
			return providers[i].use(auth, err);
	err_set(err, ERR_UNSUPPORTED, "spec.provider '%s' is not supported", auth->repo->provider);
	return err_reason(err, "UnsupportedField");
}

static bool load_secrets(GitAuth *auth, Error *err)
{
	Run *run = auth->run;
	const GitRepository *repo = auth->repo;
	bool ok = proxy_secret_get(run, repo->proxy_secret_name, &auth->proxy, err);
	if (!ok)
		err_wrap(err, "failed to configure proxy options");
	if (!ok || !secret_ref_load(run, repo->secret_name, "secret", &auth->auth, err))
		return err_reason(err, "AuthenticationFailed");
	return (url_parse(repo->url, &auth->home, err) &&
		tls_secret_read(run, repo->secret_name, auth->auth, &auth->tls, err)) ||
	       fail_options(err);
}

GitAuth *git_auth_load(Run *run, const GitRepository *repo, Error *err)
{
	autogitauth GitAuth *auth = mem_zalloc(1, sizeof(*auth));
	auth->run = run;
	auth->repo = repo;
	return load_secrets(auth, err) && use_provider(auth, err) ? steal(&auth) : NULL;
}

/* --- remotes --- */

/* False, with the Secret that is at fault in front. */
static bool blame_secret(const GitAuth *auth, Error *err)
{
	if (auth->auth)
		err_wrap(err, "secret '%s/%s'", run_namespace(auth->run), auth->repo->secret_name);
	return false;
}

/* What authenticates to the repository's own host, and to no other. */
static bool use_login(const GitAuth *auth, const Url *url, GitRemoteConfig *config, Error *err)
{
	use_tls(&auth->tls, config);
	if (auth->login.secret) {
		config->username = auth->login.user;
		*(auth->login.user ? &config->password : &config->bearer_token) =
			auth->login.secret;
		return true;
	}
	if (!use_basic(auth->auth, &auth->home, config, err))
		return false;
	if (!config->username && !config->bearer_token && !url->user) {
		config->username = auth->home.user;
		config->password = auth->home.password;
	}
	return true;
}

static bool is_cancelled(void *run)
{
	return run_is_cancelled(run);
}

static bool configure(const GitAuth *auth, const char *text, GitRemoteConfig *out, Error *err)
{
	const SourceContext *context = run_context(auth->run);
	autourl Url url = {0};
	if (!url_parse(text, &url, err))
		return false;
	*out = (GitRemoteConfig){.url = text,
				 .proxy = auth->proxy.address,
				 .proxy_user = auth->proxy.username,
				 .proxy_password = auth->proxy.password,
				 .timeout_ms = auth->repo->timeout_ms,
				 .is_cancelled = is_cancelled,
				 .cancel_arg = auth->run,
				 .ssh_kex_algos = context->ssh_kex_algos,
				 .ssh_hostkey_algos = context->ssh_hostkey_algos};
	/* A key never leaves us, and known_hosts says which hosts are meant. */
	if (cstr_eq(url.scheme, "ssh"))
		return use_ssh(auth->auth, out, err) || blame_secret(auth, err);
	if (url_is_same_origin(&auth->home, &url))
		return use_login(auth, &url, out, err) || blame_secret(auth, err);
	out->ca_pem = auth->tls.ca_pem;
	return true;
}

/* What lacks a part is a matter of the Secret. A key or certificate that is there and cannot be
 * used is found out by upstream when it clones. */
GitRemote *git_auth_remote(const GitAuth *auth, const char *parent, const char *url, Error *err)
{
	GitRemoteConfig config;
	GitRemote *remote = NULL;
	autourl Url namer = {0};
	bool configured =
		(!parent || url_parse(parent, &namer, err)) && configure(auth, url, &config, err);
	config.named_by = namer.host;
	if (configured)
		remote = git_remote_new(manager_loop(run_manager(auth->run)), &config, err);
	if (!remote && (!configured || err->reason))
		fail_options(err);
	else if (!remote)
		err_wrap(err, "unable to construct auth method with options");
	return remote;
}

/* Who has other credentials may see other things: a hash of them is part of the key. */
static void fingerprint(const GitAuth *auth, Buf *out)
{
	const Secret *secrets[] = {auth->auth, auth->proxy.secret};
	autostrings Vec lines = {0};
	for (size_t i = 0; i < COUNT(secrets); i++) {
		size_t at = 0;
		const char *key;
		Str value;
		while (secrets[i] && secret_next(secrets[i], &at, &key, &value)) {
			char hex[DIGEST_TEXT_SIZE];
			digest_hex(DIGEST_SHA256, value.ptr, value.len, hex);
			vec_push(&lines, mem_printf("%zu %s %s\n", i, key, hex));
		}
	}
	vec_sort(&lines, vec_compare_strings);
	for (size_t i = 0; i < lines.len; i++)
		buf_puts(out, lines.items[i]);
}

GitLease *git_auth_lease(const GitAuth *auth, const char *url, Error *err)
{
	const SourceContext *context = run_context(auth->run);
	autobuf Buf key = {0};
	buf_printf(&key, "%s\n%s\n%s %s\n", auth->repo->url, url, auth->repo->provider,
		   auth->account ? auth->account : "");
	fingerprint(auth, &key);
	return git_cache_take(context->git_cache, buf_text(&key), err);
}
