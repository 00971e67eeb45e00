/* Where a Kustomization's objects go and as whom (facts 9): this cluster or the one of
 * spec.kubeConfig, as the connection's own user or as a service account. */
#include "internal.h"

#include "base/mem.h"
#include "data/digest.h"
#include "kube/secret.h"

/* Of a request to another cluster (facts 9). */
enum { REMOTE_TIMEOUT_MS = 30000, REMOTE_TRIES = 3 };

const char *kustomization_account(Run *run, const Kustomization *ks)
{
	return cstr_empty(ks->service_account) ? manager_default_service_account(run_manager(run))
					       : ks->service_account;
}

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
static char *cluster_key(Str kubeconfig)
{
	char digest[DIGEST_TEXT_SIZE];
	digest_of(DIGEST_SHA256, kubeconfig.ptr, kubeconfig.len, digest);
	return mem_strdup(digest);
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
	config.timeout_ms = REMOTE_TIMEOUT_MS;
	config.max_tries = REMOTE_TRIES;
	autofree char *key = cluster_key(text);
	autofree char *ks_key = kustomization_key(run);
	return cluster_get(context->clusters, key, &config, ks_key, err);
}

static bool open_remote(Run *run, const json_t *reference, Target *target, Error *err)
{
	const KustomizeContext *context = run_context(run);
	autofree char *ks_key = kustomization_key(run);
	const json_t *secret = json_map(reference, "secretRef");
	if (!secret)
		return err_set(err, ERR_UNSUPPORTED,
			       "spec.kubeConfig.configMapRef is not supported by this version");
	target->cluster = cluster_of_secret(run, secret, err);
	if (!target->cluster)
		return false;
	target->client = cluster_client(target->cluster);
	target->drift = cluster_drift(target->cluster);
	/* It may have waited for something here before. */
	drift_wake_on_change(context->drift, ks_key, false);
	return true;
}

static void open_local(Run *run, Target *target)
{
	const KustomizeContext *context = run_context(run);
	autofree char *ks_key = kustomization_key(run);
	clusters_leave(context->clusters, ks_key);
	target->client = run_client(run);
	target->drift = context->drift;
}

bool target_open(Run *run, const Kustomization *ks, Target *out, Error *err)
{
	autotarget Target target = {0};
	const json_t *reference = json_map(ks->spec, "kubeConfig");
	const char *account = kustomization_account(run, ks);
	if (!reference) {
		open_local(run, &target);
	} else if (!open_remote(run, reference, &target, err)) {
		err_wrap(err, "failed to build kube client");
		return err_reason(err, "ReconciliationFailed");
	}
	if (!cstr_empty(account)) {
		autofree char *user =
			mem_printf("system:serviceaccount:%s:%s", run_namespace(run), account);
		target.client = kube_client_as(target.client, user, err);
		if (!target.client)
			return false;
	}
	*out = target;
	target = (Target){0};
	return true;
}

void target_close(Target *target)
{
	if (target->cluster)
		cluster_put(target->cluster);
	*target = (Target){0};
}
