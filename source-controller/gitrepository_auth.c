/* Secrets to a GitRemote: Basic, bearer, SSH, TLS, proxy (source.md 3 "HTTP secret" and on). */
#include "gitrepository.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "data/digest.h"
#include "github_app.h"
#include "net/httpc.h"
#include "net/url.h"

struct GitAuth {
	Run *run;
	const GitRepository *repo;
	Url home; /* spec.url */
	Secret *auth, *proxy;
	char *app_token; /* of a GitHub App's installation */
};

void git_auth_free(GitAuth *auth)
{
	if (!auth)
		return;
	secret_free(auth->auth);
	secret_free(auth->proxy);
	url_dispose(&auth->home);
	if (auth->app_token)
		mem_wipe(auth->app_token, strlen(auth->app_token));
	free(auth->app_token);
	free(auth);
}

static bool use_ssh(const Secret *auth, GitRemoteConfig *config, Error *err)
{
	config->ssh_identity = secret_text(auth, "identity");
	config->ssh_known_hosts = secret_text(auth, "known_hosts");
	config->ssh_passphrase = secret_text(auth, "password");
	if (cstr_empty(config->ssh_identity))
		return err_set(err, ERR_INVALID, "the secret lacks 'identity', which ssh needs");
	if (cstr_empty(config->ssh_known_hosts))
		return err_set(err, ERR_INVALID, "the secret lacks 'known_hosts', which ssh needs");
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
		return err_set(err, ERR_INVALID, "the secret has 'password' without 'username'");
	if (username && !password)
		return err_set(err, ERR_INVALID, "the secret has 'username' without 'password'");
	if (username) {
		config->username = username;
		config->password = password;
	}
	return true;
}

static bool use_tls(const Secret *auth, GitRemoteConfig *config, Error *err)
{
	config->ca_pem = secret_first(auth, "ca.crt", "caFile", NULL);
	config->cert_pem = secret_first(auth, "tls.crt", "certFile", NULL);
	config->key_pem = secret_first(auth, "tls.key", "keyFile", NULL);
	if (!config->cert_pem != !config->key_pem)
		return err_set(err, ERR_INVALID,
			       "the secret has only one of 'tls.crt' and 'tls.key'");
	return true;
}

static bool use_proxy(const Secret *proxy, GitRemoteConfig *config, Error *err)
{
	HttpClientConfig http = {0};
	if (!source_use_proxy(proxy, &http, err))
		return false;
	config->proxy = http.proxy;
	config->proxy_user = http.proxy_user;
	config->proxy_password = http.proxy_password;
	return true;
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
	GithubApp app = app_of(auth);
	if (auth->app_token)
		github_app_forget(context->tokens, &app);
}

/* Options of the API's client; those of the repository's own host hold for it too. */
static bool fetch_app_token(GitAuth *auth, Error *err)
{
	GitRemoteConfig config = {0};
	const SourceContext *context = run_context(auth->run);
	if (!use_tls(auth->auth, &config, err) || !use_proxy(auth->proxy, &config, err))
		return false;
	HttpClientConfig client = {.ca_pem = config.ca_pem,
				   .add_system_roots = true,
				   .cert_pem = config.cert_pem,
				   .key_pem = config.key_pem,
				   .proxy = config.proxy,
				   .proxy_user = config.proxy_user,
				   .proxy_password = config.proxy_password,
				   .env_proxy = true};
	autohttpc HttpClient *http = httpc_new(manager_loop(run_manager(auth->run)), &client, err);
	if (!http)
		return false;
	GithubApp app = app_of(auth);
	auth->app_token = github_app_token(context->tokens, http, &app, err);
	return auth->app_token != NULL;
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

/* The clouds' identities are not there yet: refused by name, so that nothing runs without. */
static bool use_cloud(GitAuth *auth, Error *err)
{
	static const char gate[] = "ObjectLevelWorkloadIdentity";
	if (!cstr_empty(auth->repo->service_account) &&
	    !manager_gate(run_manager(auth->run), gate)) {
		err_set(err, ERR_UNSUPPORTED,
			"to use spec.serviceAccountName for provider authentication please enable "
			"the %s feature gate in the controller",
			gate);
		return err_reason(err, "FeatureGateDisabled");
	}
	err_set(err, ERR_UNSUPPORTED, "spec.provider '%s' is not supported by this version",
		auth->repo->provider);
	return err_reason(err, "UnsupportedField");
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
	return use_cloud(auth, err);
}

GitAuth *git_auth_load(Run *run, const GitRepository *repo, Error *err)
{
	autogitauth GitAuth *auth = mem_zalloc(1, sizeof(*auth));
	auth->run = run;
	auth->repo = repo;
	if (!url_parse(repo->url, &auth->home, err) ||
	    !source_secret(run, repo->proxy_secret_name, "secret", &auth->proxy, err) ||
	    !source_secret(run, repo->secret_name, "secret", &auth->auth, err) ||
	    !use_provider(auth, err))
		return NULL;
	return steal(&auth);
}

/* --- remotes --- */

static int port_of(const Url *url)
{
	return url->port ? url->port : cstr_eq(url->scheme, "https") ? 443 : 80;
}

static bool is_home(const Url *home, const Url *url)
{
	return cstr_eq(home->scheme, url->scheme) && strcasecmp(home->host, url->host) == 0 &&
	       port_of(home) == port_of(url);
}

/* What authenticates to the repository's own host, and to no other. */
static bool use_login(const GitAuth *auth, const Url *url, GitRemoteConfig *config, Error *err)
{
	if (auth->app_token) {
		config->username = "x-access-token";
		config->password = auth->app_token;
		return use_tls(auth->auth, config, err);
	}
	if (!use_basic(auth->auth, &auth->home, config, err) || !use_tls(auth->auth, config, err))
		return false;
	if (!config->username && !config->bearer_token && !url->user) {
		config->username = auth->home.user;
		config->password = auth->home.password;
	}
	return true;
}

GitRemote *git_auth_remote(const GitAuth *auth, const char *text, Error *err)
{
	const SourceContext *context = run_context(auth->run);
	autourl Url url = {0};
	if (!url_parse(text, &url, err))
		return NULL;
	GitRemoteConfig config = {.url = text,
				  .timeout_ms = auth->repo->timeout_ms,
				  .ssh_kex_algos = context->ssh_kex_algos,
				  .ssh_hostkey_algos = context->ssh_hostkey_algos};
	bool ok = true;
	/* A key never leaves us, and known_hosts says which hosts are meant. */
	if (cstr_eq(url.scheme, "ssh"))
		ok = use_ssh(auth->auth, &config, err);
	else if (is_home(&auth->home, &url))
		ok = use_login(auth, &url, &config, err);
	else
		config.ca_pem = secret_first(auth->auth, "ca.crt", "caFile", NULL);
	if (!ok || !use_proxy(auth->proxy, &config, err))
		return NULL;
	return git_remote_new(manager_loop(run_manager(auth->run)), &config, err);
}

/* Who has other credentials may see other things: a hash of them is part of the key. */
static void fingerprint(const GitAuth *auth, Buf *out)
{
	const Secret *secrets[] = {auth->auth, auth->proxy};
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
	buf_printf(&key, "%s\n%s\n%s\n", auth->repo->url, url, auth->repo->provider);
	fingerprint(auth, &key);
	return git_cache_take(context->git_cache, buf_text(&key), err);
}
