/*
 * The cluster that spec.kubeConfig names (kustomize-controller.md 9): a kubeconfig in a Secret, or
 * a ConfigMap that says where the cluster is and whose token it takes: a service account's, or that
 * of an identity at the cloud which runs it.
 */
#include "delivery/target.h"
#include "delivery_internal.h"

#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "cloud/cluster_login.h"
#include "data/base64.h"
#include "data/digest.h"
#include "kube/secret.h"
#include "identity/workload.h"
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

/* Only this cluster may say of something that it is not there: what a file or a cloud lacks may be
 * there the next time, and nobody may take a release for one that nobody can reach any more. */
static Error *missing_elsewhere(Error *err)
{
	if (err->code == ERR_NOT_FOUND)
		err->code = ERR_UNAVAILABLE;
	return err;
}

/* Only who has the same bytes shares a connection. */
static char *cluster_key(Str way)
{
	char digest[DIGEST_TEXT_SIZE];
	digest_of(DIGEST_SHA256, way.ptr, way.len, digest);
	return mem_strdup(digest);
}

static Cluster *join(Run *run, const Targets *targets, Str way, KubeConfig *config, Error *err)
{
	config->timeout_ms = REMOTE_TIMEOUT_MS;
	config->max_tries = REMOTE_TRIES;
	autofree char *key = cluster_key(way);
	autofree char *owner = run_key(run);
	Cluster *cluster = cluster_get(targets->clusters, key, config, owner, err);
	if (!cluster)
		missing_elsewhere(err);
	return cluster;
}

static Cluster *cluster_of_secret(Run *run, const Targets *targets, const json_t *ref, Error *err)
{
	const KubeConfigRules rules = {.allow_exec = targets->config.allow_exec,
				       .allow_insecure = targets->config.allow_insecure};
	const char *name = json_text_or(ref, "name", "");
	autosecret Secret *secret = secret_get(run_client(run), run_namespace(run), name, err);
	Str text;
	autokubeconfig KubeConfig config = {0};
	if (!secret || !kubeconfig_text(secret, json_text(ref, "key"), &text, err) ||
	    !kube_config_parse(text.ptr, text.len, "", NULL, &rules, &config, err))
		return err_wrap_null(err, "KubeConfig secret '%s/%s'", run_namespace(run), name);
	return join(run, targets, text, &config, err);
}

/* --- by a service account's token --- */

/* Whose token: "ns/name"; owned. */
static char *own_account(Error *err)
{
	autobuf Buf token = {0}, claims = {0};
	Str header, rest, body, signature;
	if (!file_read(OWN_TOKEN, OWN_TOKEN_MAX, &token, err))
		return err_wrap_null(missing_elsewhere(err),
				     "the controller's own service account");
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

/* The account named in the ConfigMap or by flag; *out is "" when it is to be the controller's own
 * identity. */
static bool named_account(Run *run, const Targets *targets, const Secret *settings,
			  const char **out, Error *err)
{
	const char *name = secret_text(settings, "serviceAccountName");
	if (cstr_empty(name))
		name = targets->config.default_account;
	*out = name ? name : "";
	return !**out || manager_gate(run_manager(run), "ObjectLevelWorkloadIdentity") ||
	       err_set(err, ERR_FORBIDDEN,
		       "a service account for spec.kubeConfig needs the feature gate "
		       "ObjectLevelWorkloadIdentity");
}

/* "ns/name" of it; owned. */
static char *token_account(Run *run, const Targets *targets, const Secret *settings, Error *err)
{
	const char *name = NULL;
	if (!named_account(run, targets, settings, &name, err))
		return NULL;
	return *name ? mem_printf("%s/%s", run_namespace(run), name) : own_account(err);
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

static Cluster *cluster_by_token(Run *run, const Targets *targets, const Secret *settings,
				 Error *err)
{
	const char *address = secret_text(settings, "address");
	if (cstr_empty(address))
		return err_null(err, ERR_INVALID, "no key 'address'");
	autokubeconfig KubeConfig config = {.server = server_of(address, err)};
	autofree char *account = config.server ? token_account(run, targets, settings, err) : NULL;
	if (!account)
		return NULL;
	config.ca_pem = mem_strdup(secret_text(settings, "ca.crt"));
	autojson json_t *audiences = audiences_of(settings, config.server);
	autofree char *for_whom = json_dump(audiences);
	autofree char *way = mem_printf("generic\n%s\n%s\n%s\n%s", account, config.server, for_whom,
					config.ca_pem ? config.ca_pem : "");
	Cluster *cluster = join(run, targets, str_of(way), &config, err);
	if (!cluster || refresh_token(run, cluster, account, audiences, err))
		return cluster;
	cluster_put(cluster);
	return NULL;
}

/* --- by an identity at a cloud --- */

static Cluster *cluster_by_cloud(Run *run, const Targets *targets, const Secret *settings,
				 Error *err)
{
	const CloudCluster query = {.provider = secret_text(settings, "provider"),
				    .resource = secret_text(settings, "cluster"),
				    .address = secret_text(settings, "address"),
				    .ca_pem = secret_text(settings, "ca.crt")};
	const char *account = NULL;
	CloudCaller caller = {.timeout_ms = REMOTE_TIMEOUT_MS,
			      .user = run_token_user(run, targets->config.login_operation)};
	autoworkloadidentity WorkloadIdentity identity = {0};
	autocredential Credential login = {0};
	if (!named_account(run, targets, settings, &account, err) ||
	    !workload_identity(run, account, &identity, &caller.account, err))
		return NULL;
	if (!cloud_cluster_login(targets->cloud, &caller, &query, &login, err)) {
		missing_elsewhere(err);
		return NULL;
	}
	autokubeconfig KubeConfig config = {.server = server_of(login.user, err),
					    .ca_pem = mem_strdup(login.session)};
	if (!config.server)
		return NULL;
	autofree char *way = mem_printf("%s\n%s\n%s\n%s\n%s", query.provider,
					query.resource ? query.resource : "", account,
					config.server, config.ca_pem ? config.ca_pem : "");
	Cluster *cluster = join(run, targets, str_of(way), &config, err);
	if (!cluster || cluster_set_token(cluster, login.secret, login.expires_ms, err))
		return cluster;
	cluster_put(cluster);
	return NULL;
}

static Cluster *cluster_by_provider(Run *run, const Targets *targets, const Secret *settings,
				    Error *err)
{
	static const char *const clouds[] = {"aws", "azure", "gcp"};
	const char *provider = secret_text(settings, "provider");
	if (cstr_eq(provider, "generic"))
		return cluster_by_token(run, targets, settings, err);
	for (size_t i = 0; i < COUNT(clouds); i++)
		if (cstr_eq(provider, clouds[i]))
			return cluster_by_cloud(run, targets, settings, err);
	return err_null(err, ERR_UNSUPPORTED, "provider '%.100s' is not supported",
			provider ? provider : "");
}

static Cluster *cluster_of_configmap(Run *run, const Targets *targets, const json_t *ref,
				     Error *err)
{
	const char *name = json_text_or(ref, "name", "");
	autojson json_t *object =
		kube_get(run_client(run), "v1", "ConfigMap", run_namespace(run), name, err);
	autosecret Secret *settings = object ? secret_of_object(object, err) : NULL;
	Cluster *cluster = settings ? cluster_by_provider(run, targets, settings, err) : NULL;
	return cluster ? cluster
		       : err_wrap_null(err, "KubeConfig configmap '%s/%s'", run_namespace(run),
				       name);
}

Cluster *remote_cluster(Run *run, const Targets *targets, const json_t *reference, Error *err)
{
	const json_t *secret = json_map(reference, "secretRef");
	return secret ? cluster_of_secret(run, targets, secret, err)
		      : cluster_of_configmap(run, targets, json_map(reference, "configMapRef"),
					     err);
}
