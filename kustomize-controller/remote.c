/*
 * The cluster that spec.kubeConfig names (facts 9): a kubeconfig in a Secret, or a ConfigMap that
 * says where the cluster is and which service account's token it takes. Clouds' own ways of logging
 * in are not there yet.
 */
#include "internal.h"

#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "data/base64.h"
#include "data/digest.h"
#include "kube/secret.h"
#include "kube/service_account.h"
#include "net/url.h"

#define OWN_TOKEN "/var/run/secrets/kubernetes.io/serviceaccount/token"

/* Of a request to another cluster (facts 9). */
enum { REMOTE_TIMEOUT_MS = 30000, REMOTE_TRIES = 3, OWN_TOKEN_MAX = 64 * 1024 };

/* The kubeconfig in a Secret: the key asked for, or one of the usual two. */
static bool kubeconfig_text(const Secret *secret, const char *key, Str *out, Error *err)
{
	if (!cstr_empty(key))
		return secret_bytes(secret, key, out) ||
		       err_set(err, ERR_INVALID, "no key '%s' with a kubeconfig", key);
	return secret_bytes(secret, "value", out) || secret_bytes(secret, "value.yaml", out) ||
	       err_set(err, ERR_INVALID, "no key 'value' with a kubeconfig");
}

/* Only who has the same bytes shares a connection. */
static char *cluster_key(Str way)
{
	char digest[DIGEST_TEXT_SIZE];
	digest_of(DIGEST_SHA256, way.ptr, way.len, digest);
	return mem_strdup(digest);
}

static Cluster *join(Run *run, Str way, KubeConfig *config, Error *err)
{
	const KustomizeContext *context = run_context(run);
	config->timeout_ms = REMOTE_TIMEOUT_MS;
	config->max_tries = REMOTE_TRIES;
	autofree char *key = cluster_key(way);
	autofree char *ks_key = kustomization_key(run);
	return cluster_get(context->clusters, key, config, ks_key, err);
}

static Cluster *cluster_of_secret(Run *run, const json_t *ref, Error *err)
{
	const KustomizeContext *context = run_context(run);
	const KubeConfigRules rules = {.allow_exec = context->flags->insecure_kubeconfig_exec,
				       .allow_insecure = context->flags->insecure_kubeconfig_tls};
	const char *name = json_text_or(ref, "name", "");
	autosecret Secret *secret = secret_get(run_client(run), run_namespace(run), name, err);
	Str text;
	autokubeconfig KubeConfig config = {0};
	if (!secret || !kubeconfig_text(secret, json_text(ref, "key"), &text, err) ||
	    !kube_config_parse(text.ptr, text.len, "", NULL, &rules, &config, err))
		return err_wrap_null(err, "KubeConfig secret '%s/%s'", run_namespace(run), name);
	return join(run, text, &config, err);
}

/* --- by a service account's token --- */

/* Whose token: "ns/name"; owned. */
static char *own_account(Error *err)
{
	autobuf Buf token = {0}, claims = {0};
	Str header, rest, body, signature;
	if (!file_read(OWN_TOKEN, OWN_TOKEN_MAX, &token, err))
		return err_wrap_null(err, "the controller's own service account");
	str_cut(buf_str(&token), '.', &header, &rest);
	str_cut(rest, '.', &body, &signature);
	autofree char *text = str_dup(body);
	autojson json_t *object = NULL;
	if (base64url_decode(text, strlen(text), &claims, err))
		object = json_parse(buf_text(&claims), claims.len, OWN_TOKEN_MAX, err);
	static const char prefix[] = "system:serviceaccount:";
	const char *subject = json_text_or(object, "sub", "");
	if (!cstr_starts(subject, prefix) || !strchr(subject + strlen(prefix), ':')) {
		error_dispose(err);
		return err_null(err, ERR_INVALID, "the controller's own token names no account");
	}
	char *account = mem_strdup(subject + strlen(prefix));
	*strchr(account, ':') = '/';
	return account;
}

/* The account named in the ConfigMap, by flag, or the controller's own. */
static char *token_account(Run *run, const Secret *settings, Error *err)
{
	const KustomizeContext *context = run_context(run);
	const char *name = secret_text(settings, "serviceAccountName");
	if (cstr_empty(name))
		name = context->flags->default_kubeconfig_service_account;
	if (cstr_empty(name))
		return own_account(err);
	if (!manager_gate(run_manager(run), "ObjectLevelWorkloadIdentity"))
		return err_null(err, ERR_FORBIDDEN,
				"a service account for spec.kubeConfig needs the feature gate "
				"ObjectLevelWorkloadIdentity");
	return mem_printf("%s/%s", run_namespace(run), name);
}

/* Lines of "audiences"; the cluster's address when there are none. Owned. */
static json_t *audiences_of(const Secret *settings, const char *server)
{
	json_t *audiences = json_array();
	const char *lines = secret_text(settings, "audiences");
	Str rest = str_of(lines ? lines : ""), line;
	for (bool more = true; more;) {
		more = str_cut(rest, '\n', &line, &rest);
		line = str_trim(line);
		if (line.len)
			json_array_append_new(audiences, json_stringn(line.ptr, line.len));
	}
	if (!json_array_size(audiences))
		json_array_append_new(audiences, json_string(server));
	return audiences;
}

static bool refresh_token(Run *run, Cluster *cluster, const char *account, json_t *audiences,
			  Error *err)
{
	if (!cluster_token_due(cluster))
		return true;
	Str ns, name;
	str_cut(str_of(account), '/', &ns, &name);
	autofree char *ns_text = str_dup(ns), *name_text = str_dup(name);
	int64_t until = 0;
	autofree char *token =
		service_account_token(run_client(run), ns_text, name_text, audiences, &until, err);
	if (!token)
		return err_wrap(err, "failed to get a token of service account '%s'", account);
	return cluster_set_token(cluster, token, until, err);
}

/* https only, host and port. Owned. */
static char *server_of(const char *address, Error *err)
{
	autofree char *full =
		strstr(address, "://") ? mem_strdup(address) : mem_printf("https://%s", address);
	autourl Url url = {0};
	if (!url_parse(full, &url, err))
		return NULL;
	if (!cstr_eq(url.scheme, "https") || cstr_empty(url.host))
		return err_null(err, ERR_INVALID, "address must be an https URL");
	bool bare_v6 = strchr(url.host, ':') != NULL;
	return mem_printf("https://%s%s%s:%d", bare_v6 ? "[" : "", url.host, bare_v6 ? "]" : "",
			  url.port ? url.port : 443);
}

static Cluster *cluster_by_token(Run *run, const Secret *settings, Error *err)
{
	const char *provider = secret_text(settings, "provider");
	const char *address = secret_text(settings, "address");
	if (!cstr_eq(provider, "generic"))
		return err_null(err, ERR_UNSUPPORTED, "provider '%.100s' is not supported",
				provider ? provider : "");
	if (cstr_empty(address))
		return err_null(err, ERR_INVALID, "no key 'address'");
	autokubeconfig KubeConfig config = {.server = server_of(address, err)};
	autofree char *account = config.server ? token_account(run, settings, err) : NULL;
	if (!account)
		return NULL;
	config.ca_pem = mem_strdup(secret_text(settings, "ca.crt"));
	autojson json_t *audiences = audiences_of(settings, config.server);
	autofree char *for_whom = json_dump(audiences);
	autofree char *way = mem_printf("generic\n%s\n%s\n%s\n%s", account, config.server, for_whom,
					config.ca_pem ? config.ca_pem : "");
	Cluster *cluster = join(run, str_of(way), &config, err);
	if (!cluster || refresh_token(run, cluster, account, audiences, err))
		return cluster;
	cluster_put(cluster);
	return NULL;
}

static Cluster *cluster_of_configmap(Run *run, const json_t *ref, Error *err)
{
	const char *name = json_text_or(ref, "name", "");
	autojson json_t *object =
		kube_get(run_client(run), "v1", "ConfigMap", run_namespace(run), name, err);
	autosecret Secret *settings = object ? secret_of_object(object, err) : NULL;
	Cluster *cluster = settings ? cluster_by_token(run, settings, err) : NULL;
	return cluster ? cluster
		       : err_wrap_null(err, "KubeConfig configmap '%s/%s'", run_namespace(run),
				       name);
}

Cluster *remote_cluster(Run *run, const json_t *reference, Error *err)
{
	const json_t *secret = json_map(reference, "secretRef");
	return secret ? cluster_of_secret(run, secret, err)
		      : cluster_of_configmap(run, json_map(reference, "configMapRef"), err);
}
