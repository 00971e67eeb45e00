/* Secrets to a GitRemote: Basic, bearer, SSH, TLS, proxy (source.md 3 "HTTP secret" and on). */
#include "gitrepository.h"

#include <string.h>

#include "net/url.h"

typedef struct {
	Secret *auth, *proxy;
} Secrets;

static void secrets_dispose(Secrets *secrets)
{
	secret_free(secrets->auth);
	secret_free(secrets->proxy);
}

static bool load(Run *run, const char *name, Secret **out, Error *err)
{
	if (cstr_empty(name))
		return true;
	*out = secret_get(run_client(run), run_namespace(run), name, err);
	return *out ? true
		    : err_wrap(err, "failed to get secret '%s/%s'", run_namespace(run), name);
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
	enum { ADDRESS_MAX = 2048 };
	const char *address = secret_text(proxy, "address");
	if (cstr_empty(address))
		return err_set(err, ERR_INVALID, "the proxy secret lacks 'address'");
	if (strlen(address) > ADDRESS_MAX)
		return err_set(err, ERR_INVALID, "the proxy address is longer than %d bytes",
			       ADDRESS_MAX);
	autourl Url url = {0};
	if (!url_parse(address, &url, err))
		return err_wrap(err, "proxy address");
	if (!cstr_eq(url.scheme, "http") && !cstr_eq(url.scheme, "https") &&
	    !cstr_eq(url.scheme, "socks5"))
		return err_set(err, ERR_INVALID,
			       "the proxy address must start with http, https or socks5");
	config->proxy = address;
	config->proxy_user = secret_text(proxy, "username");
	config->proxy_password = secret_text(proxy, "password");
	return true;
}

static bool has_app_keys(const Secret *auth)
{
	return secret_first(auth, "githubAppID", "githubAppPrivateKey", NULL) != NULL;
}

GitRemote *gitrepository_remote(Run *run, const GitRepository *repo, Error *err)
{
	const SourceContext *context = run_context(run);
	__attribute__((cleanup(secrets_dispose))) Secrets secrets = {0};
	autourl Url url = {0};
	if (!url_parse(repo->url, &url, err) || !load(run, repo->secret_name, &secrets.auth, err) ||
	    !load(run, repo->proxy_secret_name, &secrets.proxy, err))
		return NULL;
	GitRemoteConfig config = {.url = repo->url,
				  .timeout_ms = repo->timeout_ms,
				  .ssh_kex_algos = context->ssh_kex_algos,
				  .ssh_hostkey_algos = context->ssh_hostkey_algos};
	if (has_app_keys(secrets.auth))
		return err_null(err, ERR_INVALID,
				"secretRef '%s/%s' has github app data but provider is not set to "
				"github",
				run_namespace(run), repo->secret_name);
	bool ssh = cstr_eq(url.scheme, "ssh");
	bool ok = ssh ? use_ssh(secrets.auth, &config, err)
		      : use_basic(secrets.auth, &url, &config, err) &&
				  use_tls(secrets.auth, &config, err);
	if (!ok || (secrets.proxy && !use_proxy(secrets.proxy, &config, err)))
		return NULL;
	return git_remote_new(manager_loop(run_manager(run)), &config, err);
}
