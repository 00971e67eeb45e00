/* A HelmRepository's Secrets to a client of its repository. */
#include "helmrepository.h"

#include "base/mem.h"
#include "secret_refs.h"

/* What the client is made of; the Secret lives as long as that takes. */
typedef struct {
	Run *run;
	const HelmRepository *repo;
	Secret *secret; /* NULL: none */
	TlsSecret tls;
	HelmClientConfig config;
} Opening;

static void opening_dispose(Opening *opening)
{
	tls_secret_dispose(&opening->tls);
	secret_free(opening->secret);
}

static bool half(const Opening *opening, const char *present, const char *missing, Error *err)
{
	return err_set(err, ERR_INVALID,
		       "failed to detect authentication methods: secret '%s/%s': malformed basic "
		       "auth - has '%s' but missing '%s'",
		       run_namespace(opening->run), opening->repo->secret_name, present, missing);
}

static bool read_basic(Opening *opening, Error *err)
{
	HelmClientConfig *config = &opening->config;
	config->user = secret_text(opening->secret, "username");
	config->password = secret_text(opening->secret, "password");
	if (config->user && !config->password)
		return half(opening, "username", "password", err);
	if (config->password && !config->user)
		return half(opening, "password", "username", err);
	return true;
}

/* TLS from secretRef is upstream's older way: certSecretRef wins. */
static bool read_tls(Opening *opening, Error *err)
{
	const HelmRepository *repo = opening->repo;
	TlsSecret *tls = &opening->tls;
	if (repo->cert_secret_name)
		return tls_secret_get(opening->run, repo->cert_secret_name, tls, err) ||
		       err_wrap(err, "failed to construct Helm client's TLS config");
	if (!tls_secret_read(opening->run, repo->secret_name, opening->secret, tls, err))
		return err_wrap(err, "failed to detect authentication methods");
	if (tls->ca_pem || tls->cert_pem)
		log_info(run_log(opening->run),
			 "warning: specifying TLS authentication data via `.spec.secretRef` is "
			 "deprecated, please use `.spec.certSecretRef` instead",
			 NULL);
	return true;
}

static bool read_secrets(Opening *opening, Error *err)
{
	if (!secret_ref_load(opening->run, opening->repo->secret_name, "authentication secret",
			     &opening->secret, err))
		return false;
	if (opening->secret && !read_basic(opening, err))
		return false;
	return read_tls(opening, err);
}

/* Connections are shared where nothing but the request says who asks. */
static bool open_http(Opening *opening, Error *err)
{
	const SourceContext *context = run_context(opening->run);
	const TlsSecret *tls = &opening->tls;
	HelmClientConfig *config = &opening->config;
	HttpClientConfig http = {.env_proxy = true};
	config->own_http = tls->ca_pem || tls->cert_pem;
	tls_secret_use(tls, &http);
	config->http = config->own_http
			       ? httpc_new(manager_loop(run_manager(opening->run)), &http, err)
			       : context->http;
	return config->http || err_wrap(err, "failed to construct Helm client's TLS config");
}

HelmClient *helmrepository_client(Run *run, const HelmRepository *repo, Error *err)
{
	autofree char *url = helm_url_normal(repo->url, err);
	if (!url) {
		err_wrap(err, "invalid Helm repository URL");
		err_reason(err, "URLInvalid");
		return NULL;
	}
	__attribute__((cleanup(opening_dispose)))
	Opening opening = {.run = run,
			   .repo = repo,
			   .config = {.url = url,
				      .named_by = repo->named_by,
				      .pass_all = repo->pass_credentials,
				      .timeout_ms = repo->timeout_ms}};
	HelmClient *client = NULL;
	if (read_secrets(&opening, err) && open_http(&opening, err))
		client = helm_client_new(&opening.config, err);
	if (!client && opening.config.own_http)
		httpc_free(opening.config.http);
	if (!client)
		err_reason(err, "AuthenticationFailed");
	return client;
}
