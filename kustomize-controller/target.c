/* Where a Kustomization's objects go and as whom (facts 9): this cluster or the one of
 * spec.kubeConfig, as the connection's own user or as a service account. */
#include "internal.h"

#include "base/mem.h"

const char *kustomization_account(Run *run, const Kustomization *ks)
{
	return cstr_empty(ks->service_account) ? manager_default_service_account(run_manager(run))
					       : ks->service_account;
}

static bool open_remote(Run *run, const json_t *reference, Target *target, Error *err)
{
	const KustomizeContext *context = run_context(run);
	autofree char *ks_key = kustomization_key(run);
	target->cluster = remote_cluster(run, reference, err);
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
