/*
 * Secrets to a Registry: pull secrets of the object and of its ServiceAccount, else the cloud's
 * login, else nobody; certificates; proxy (source.md 4 "Auth"). Static credentials beat the cloud.
 */
#include "ocirepository.h"

#include <string.h>

#include "base/mem.h"
#include "kube/object.h"
#include "secret_refs.h"

#define URL_PREFIX "oci://"

/* --- the URL --- */

bool ocirepository_url(const OCIRepository *repo, OciReference *out, Error *err)
{
	if (!cstr_starts(repo->url, URL_PREFIX))
		return err_set(err, ERR_INVALID,
			       "URL must be in format 'oci://<domain>/<org>/<repo>'");
	const char *text = repo->url + strlen(URL_PREFIX);
	const char *slash = strrchr(text, '/');
	const char *colon = strchr(slash ? slash : text, ':');
	if (colon && strchr(colon, '@') == NULL)
		return err_set(err, ERR_INVALID, "URL must not contain a tag; remove '%s'", colon);
	return oci_repository_parse(text, out, err);
}

/* --- pull secrets --- */

static bool add_secret(DockerConfig *config, const Secret *secret, Error *err)
{
	static const struct {
		const char *key;
		bool legacy;
	} rows[] = {{".dockerconfigjson", false}, {".dockercfg", true}};
	for (size_t i = 0; i < COUNT(rows); i++) {
		Str text;
		if (secret_bytes(secret, rows[i].key, &text) && text.len &&
		    !docker_config_add(config, text.ptr, text.len, rows[i].legacy, err))
			return false;
	}
	return true;
}

/* The object's own Secret. */
static bool add_own(Run *run, const OCIRepository *repo, DockerConfig *config, Error *err)
{
	const char *ns = run_namespace(run), *name = repo->secret_name;
	autosecret Secret *secret = secret_get(run_client(run), ns, name, err);
	if (secret && add_secret(config, secret, err))
		return true;
	if (!secret && err->code == ERR_NOT_FOUND)
		run_event(run, EVENT_TRACE, "AuthenticationFailed", NULL,
			  "auth secret '%s' not found", name);
	return err_wrap(err, "failed to get secret '%s/%s'", ns, name);
}

static bool add_named(Run *run, const char *name, DockerConfig *config, Error *err)
{
	const char *ns = run_namespace(run);
	autosecret Secret *secret = secret_get(run_client(run), ns, name, err);
	if (secret)
		return add_secret(config, secret, err);
	if (err->code != ERR_NOT_FOUND)
		return err_wrap(err, "failed to get secret '%s/%s'", ns, name);
	error_dispose(err);
	return err_set(err, ERR_NOT_FOUND, "secret '%s/%s' not found", ns, name);
}

static json_t *get_account(Run *run, const char *name, Error *err)
{
	const char *ns = run_namespace(run);
	json_t *account = kube_get(run_client(run), "v1", "ServiceAccount", ns, name, err);
	if (account)
		return account;
	if (err->code != ERR_NOT_FOUND)
		return err_wrap_null(err, "failed to get serviceaccount '%s/%s'", ns, name);
	error_dispose(err);
	return err_null(err, ERR_NOT_FOUND, "serviceaccount '%s/%s' not found", ns, name);
}

/* Those that the ServiceAccount names; *out_count of them. */
static bool add_account(Run *run, const OCIRepository *repo, DockerConfig *config,
			size_t *out_count, Error *err)
{
	autojson json_t *account = get_account(run, repo->service_account, err);
	if (!account)
		return false;
	size_t i;
	json_t *item;
	json_array_foreach(json_list(account, "imagePullSecrets"), i, item)
	{
		if (!add_named(run, json_text_or(item, "name", ""), config, err))
			return err_wrap(
				err, "failed to get image pull secret for serviceaccount '%s/%s'",
				run_namespace(run), repo->service_account);
		(*out_count)++;
	}
	return true;
}

/* *out_static: there are pull secrets, even if none of them is for this registry. */
static bool static_login(Run *run, const OCIRepository *repo, DockerConfig *config,
			 bool *out_static, Error *err)
{
	size_t count = repo->secret_name ? 1 : 0;
	if (repo->secret_name && !add_own(run, repo, config, err))
		return err_wrap(err, "failed to get credential");
	if (!cstr_empty(repo->service_account) && !add_account(run, repo, config, &count, err))
		return err_wrap(err, "failed to get credential");
	*out_static = count > 0;
	return true;
}

/* --- the cloud's login --- */

/*
 * Where common/cloud's registry logins go: fills *out for the host from the provider's identity.
 * Until then a provider is refused by its name.
 */
static bool cloud_login(Run *run, const OCIRepository *repo, RegistryAuth *out, Error *err)
{
	(void)out;
	if (!cstr_empty(repo->service_account) &&
	    !manager_gate(run_manager(run), "ObjectLevelWorkloadIdentity")) {
		err_set(err, ERR_FORBIDDEN,
			"to use spec.serviceAccountName for provider authentication please enable "
			"the ObjectLevelWorkloadIdentity feature gate in the controller");
		return err_reason(err, "FeatureGateDisabled");
	}
	err_set(err, ERR_UNSUPPORTED,
		"failed to get credential from %s: spec.provider %s is not supported by this "
		"version",
		repo->provider, repo->provider);
	return err_reason(err, "UnsupportedField");
}

static bool log_in(Run *run, const OCIRepository *repo, DockerConfig *config, RegistryAuth *out,
		   Error *err)
{
	bool is_static = false;
	if (!static_login(run, repo, config, &is_static, err))
		return false;
	if (is_static || cstr_empty(repo->provider) || cstr_eq(repo->provider, "generic"))
		return true;
	return cloud_login(run, repo, out, err);
}

/* --- the registry --- */

static bool check_url(const OCIRepository *repo, OciReference *out, Error *err)
{
	if (ocirepository_url(repo, out, err))
		return true;
	err_wrap(err, "URL validation failed for '%s'", repo->url);
	return err_reason(err, "URLInvalid");
}

Registry *ocirepository_registry(Run *run, const OCIRepository *repo, OciReference *out_url,
				 Error *err)
{
	const SourceContext *context = run_context(run);
	autodockerconfig DockerConfig *logins = docker_config_new();
	autoregistryauth RegistryAuth auth = {0};
	autotlssecret TlsSecret tls = {0};
	autoproxysecret ProxySecret proxy = {0};
	if (!log_in(run, repo, logins, &auth, err))
		return NULL;
	if (!proxy_secret_get(run, repo->proxy_secret_name, &proxy, err))
		return err_wrap_null(err, "failed to get proxy address");
	if (!tls_secret_get(run, repo->cert_secret_name, &tls, err))
		return err_wrap_null(err, "failed to generate transport for '%s'", repo->url);
	if (!check_url(repo, out_url, err))
		return NULL;
	if (registry_auth_is_empty(&auth))
		docker_config_find(logins, out_url->host, out_url->repository, &auth);
	const RegistryConfig config = {
		.host = out_url->host,
		.repository = out_url->repository,
		.auth = &auth,
		.ca_pem = tls.ca_pem,
		.cert_pem = tls.cert_pem,
		.key_pem = tls.key_pem,
		.allow_http = repo->insecure,
		.skip_verify = repo->insecure && !tls.secret,
		.proxy = proxy.address,
		.proxy_user = proxy.username,
		.proxy_password = proxy.password,
		.timeout_ms = repo->timeout_ms,
	};
	Registry *registry = registry_open(context->registries, &config, err);
	return registry ? registry
			: err_wrap_null(err, "failed to generate transport for '%s'", repo->url);
}
