/* Secrets and identities to a Registry. Static credentials beat the cloud's (S54). */
#include "source_registry.h"

#include <string.h>

#include "base/mem.h"
#include "cloud/registry.h"
#include "internal.h"
#include "kube/object.h"
#include "net/url.h"

#define URL_PREFIX "oci://"

/* One opening. The Secrets and what they say live as long as it does. */
typedef struct {
	Run *run;
	const SourceRegistry *spec;
	char *shown; /* spec.url for messages */
	Secret *own; /* of spec.secretRef */
	DockerConfig *logins;
	bool is_static; /* there are pull secrets, even if none of them is for this registry */
	RegistryAuth auth;
	TlsSecret tls;
	ProxySecret proxy;
} Opening;

static void opening_dispose(Opening *opening)
{
	free(opening->shown);
	secret_free(opening->own);
	docker_config_free(opening->logins);
	registry_auth_dispose(&opening->auth);
	tls_secret_dispose(&opening->tls);
	proxy_secret_dispose(&opening->proxy);
}

bool source_registry_url(const char *url, OciReference *out, Error *err)
{
	if (!cstr_starts(url, URL_PREFIX))
		return err_set(err, ERR_INVALID,
			       "URL must be in format 'oci://<domain>/<org>/<repo>'");
	const char *text = url + strlen(URL_PREFIX);
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

/* username and password of a HelmRepository's Secret; none of them is nobody. */
static bool add_basic(Opening *opening, Error *err)
{
	const char *user = secret_text(opening->own, "username");
	const char *password = secret_text(opening->own, "password");
	if (cstr_empty(user) && cstr_empty(password))
		return true;
	if (cstr_empty(user) || cstr_empty(password))
		return err_set(err, ERR_INVALID,
			       "invalid '%s' secret data: required fields 'username' and "
			       "'password'",
			       opening->spec->secret_name);
	opening->auth =
		(RegistryAuth){.username = mem_strdup(user), .password = mem_strdup(password)};
	return true;
}

static bool load_own(Opening *opening, Error *err)
{
	Run *run = opening->run;
	const char *ns = run_namespace(run), *name = opening->spec->secret_name;
	if (cstr_empty(name))
		return true;
	opening->is_static = true;
	opening->own = secret_get(run_client(run), ns, name, err);
	if (!opening->own && err->code == ERR_NOT_FOUND)
		run_event(run, EVENT_TRACE, "AuthenticationFailed", NULL,
			  "auth secret '%s' not found", name);
	if (opening->own && add_secret(opening->logins, opening->own, err) &&
	    (!opening->spec->helm || add_basic(opening, err)))
		return true;
	return err_wrap(err, "failed to get secret '%s/%s'", ns, name);
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

static bool add_named(Opening *opening, const char *name, Error *err)
{
	autosecret Secret *secret = secret_ref_get(opening->run, name, err);
	opening->is_static = true;
	return secret && add_secret(opening->logins, secret, err);
}

/* Those that the ServiceAccount names. */
static bool load_account(Opening *opening, Error *err)
{
	const char *name = opening->spec->service_account;
	if (cstr_empty(name))
		return true;
	autojson json_t *account = get_account(opening->run, name, err);
	if (!account)
		return false;
	size_t i;
	json_t *item;
	json_array_foreach(json_list(account, "imagePullSecrets"), i, item)
	{
		if (!add_named(opening, json_text_or(item, "name", ""), err))
			return err_wrap(
				err, "failed to get image pull secret for serviceaccount '%s/%s'",
				run_namespace(opening->run), name);
	}
	return true;
}

static bool load_secrets(Opening *opening, Error *err)
{
	const SourceRegistry *spec = opening->spec;
	if (!load_own(opening, err) || !load_account(opening, err))
		return err_wrap(err, "failed to get credential");
	if (!proxy_secret_get(opening->run, spec->proxy_secret_name, &opening->proxy, err))
		return err_wrap(err, "failed to get proxy address");
	if (!tls_secret_get(opening->run, spec->cert_secret_name, &opening->tls, err))
		return err_wrap(err, "failed to generate transport for '%s'", opening->shown);
	/* What is wrong with certificates of this kind upstream does not tell either. */
	autoerror Error ignored = {0};
	bool older = spec->helm && cstr_empty(spec->cert_secret_name);
	if (older && !tls_secret_read(opening->run, spec->secret_name, opening->own, &opening->tls,
				      &ignored))
		opening->tls = (TlsSecret){0};
	return true;
}

/* --- the cloud's login --- */

/* The host must be one of that provider's: nobody else may be given its tokens. */
static bool cloud_login(Opening *opening, const char *host, Error *err)
{
	const SourceRegistry *spec = opening->spec;
	const SourceContext *context = run_context(opening->run);
	autosourcecaller SourceCaller caller = {0};
	autocredential Credential login = {0};
	if (!source_caller_open(opening->run, &opening->proxy, spec->timeout_ms, &caller, err) ||
	    !source_caller_as(&caller, spec->service_account, err) ||
	    !registry_login(context->cloud, &caller.cloud, spec->provider, host, &login, err)) {
		if (source_is_stall(err))
			return false;
		err_wrap(err, "failed to get credential from %s", spec->provider);
		return err_reason(err, "AuthenticationFailed");
	}
	opening->auth.username = steal(&login.user);
	opening->auth.password = steal(&login.secret);
	return true;
}

static bool log_in(Opening *opening, const OciReference *url, Error *err)
{
	const SourceRegistry *spec = opening->spec;
	bool generic = cstr_empty(spec->provider) || cstr_eq(spec->provider, "generic");
	if (!opening->is_static && !generic)
		return cloud_login(opening, url->host, err);
	if (!registry_auth_is_empty(&opening->auth) ||
	    docker_config_find(opening->logins, url->host, url->repository, &opening->auth))
		return true;
	if (!spec->helm || docker_config_is_empty(opening->logins))
		return true;
	return err_set(err, ERR_INVALID,
		       "no auth config for '%s' in the docker-registry Secret '%s'", url->host,
		       spec->secret_name);
}

/* --- the registry --- */

static bool read_url(const Opening *opening, OciReference *out, Error *err)
{
	if (source_registry_url(opening->spec->url, out, err))
		return true;
	err_wrap(err, "URL validation failed for '%s'", opening->shown);
	return err_reason(err, "URLInvalid");
}

static Registry *open_registry(const Opening *opening, const OciReference *url, Error *err)
{
	const SourceRegistry *spec = opening->spec;
	const SourceContext *context = run_context(opening->run);
	const TlsSecret *tls = &opening->tls;
	autofree char *no_login = opening->is_static
					  ? mem_printf("the pull secrets have no login for %s/%s",
						       url->host, url->repository)
					  : NULL;
	const RegistryConfig config = {
		.host = url->host,
		.repository = url->repository,
		.auth = &opening->auth,
		.no_login = no_login,
		.named_by = spec->named_by,
		.ca_pem = tls->ca_pem,
		.cert_pem = tls->cert_pem,
		.key_pem = tls->key_pem,
		.allow_http = spec->insecure,
		.skip_verify = spec->insecure && !tls->ca_pem && !tls->cert_pem,
		.proxy = opening->proxy.address,
		.proxy_user = opening->proxy.username,
		.proxy_password = opening->proxy.password,
		.timeout_ms = spec->timeout_ms,
	};
	Registry *registry = registry_open(context->registries, &config, err);
	return registry ? registry
			: err_wrap_null(err, "failed to generate transport for '%s'",
					opening->shown);
}

Registry *source_registry_open(Run *run, const SourceRegistry *spec, OciReference *out_url,
			       Error *err)
{
	__attribute__((cleanup(opening_dispose)))
	Opening opening = {.run = run, .spec = spec, .logins = docker_config_new()};
	opening.shown = url_redacted(spec->url);
	Registry *registry = NULL;
	if (load_secrets(&opening, err) && read_url(&opening, out_url, err) &&
	    log_in(&opening, out_url, err))
		registry = open_registry(&opening, out_url, err);
	/* What the API server said of a Secret has a reason of its own, which is none of ours. */
	if (!registry && !source_is_stall(err))
		err_reason(err, "AuthenticationFailed");
	return registry;
}

void source_registry_failed(Run *run, const Registry *registry, const Error *err)
{
	enum { UNAUTHORIZED = 401 };
	const SourceContext *context = run_context(run);
	const char *password = registry_auth(registry)->password;
	if (err->http_status == UNAUTHORIZED && password)
		token_cache_forget_secret(cloud_tokens(context->cloud), password);
}
