#include "delivery/target.h"

#include "base/clock.h"
#include "base/mem.h"
#include "delivery_internal.h"
#include "identity/workload.h"

/* A hub of this many clusters still has memory and descriptors to spare. */
enum { MAX_CLUSTERS = 1000 };

static void on_drift(void *arg, const char *ns, const char *name, int64_t after_ms)
{
	const Targets *targets = arg;
	const Kind *kind = targets->config.kind;
	if (after_ms)
		manager_enqueue_after(targets->manager, kind, ns, name, after_ms);
	else
		manager_enqueue(targets->manager, kind, ns, name);
}

static void add_overridden(Targets *targets)
{
	const Vec *more = targets->config.override_managers;
	if (targets->config.overridden)
		vec_push(&targets->overridden, (void *)(uintptr_t)targets->config.overridden);
	for (size_t i = 0; i < more->len; i++)
		vec_push(&targets->overridden, more->items[i]);
	vec_push(&targets->overridden, NULL);
}

void targets_open(Targets *targets, Manager *manager, const TargetsConfig *config)
{
	*targets = (Targets){.config = *config, .manager = manager};
	add_overridden(targets);
	DriftConfig *drift = &targets->config.drift;
	drift->watch_ns = manager_watch_namespace(manager);
	drift->overridden = (const char *const *)targets->overridden.items;
	drift->log = manager_log(manager);
	drift->fn = on_drift;
	drift->arg = targets;
	targets->drift = drift_new(manager_client(manager), drift);
	targets->clusters = clusters_new(manager_loop(manager), drift, MAX_CLUSTERS);
	targets->cloud = workload_cloud_new(manager);
}

void targets_close(Targets *targets)
{
	clusters_free(targets->clusters);
	drift_free(targets->drift);
	cloud_free(targets->cloud);
	vec_dispose(&targets->overridden);
}

bool targets_check_account(Manager *manager, const char *flag, const char *account, Error *err)
{
	static const char gate[] = "ObjectLevelWorkloadIdentity";
	return cstr_empty(account) || manager_gate(manager, gate) ||
	       err_set(err, ERR_INVALID, "--%s needs the feature gate %s", flag, gate);
}

const char *target_account(Run *run, const json_t *spec)
{
	const char *account = json_text(spec, "serviceAccountName");
	return cstr_empty(account) ? manager_default_service_account(run_manager(run)) : account;
}

static bool open_remote(Run *run, const Targets *targets, const json_t *reference, Target *target,
			Error *err)
{
	autofree char *owner = run_key(run);
	target->cluster = remote_cluster(run, targets, reference, err);
	if (!target->cluster)
		return false;
	target->client = cluster_client(target->cluster);
	target->drift = cluster_drift(target->cluster);
	/* It may have waited for something here before. */
	drift_wake_on_change(targets->drift, owner, false);
	drift_end(targets->drift, owner);
	return true;
}

static void open_local(Run *run, const Targets *targets, Target *target)
{
	autofree char *owner = run_key(run);
	clusters_leave(targets->clusters, owner);
	target->client = run_client(run);
	target->drift = targets->drift;
}

bool target_open(Run *run, const Targets *targets, const json_t *spec, Target *out, Error *err)
{
	autotarget Target target = {.opened_ms = clock_mono_ms()};
	const json_t *reference = json_map(spec, "kubeConfig");
	const char *account = target_account(run, spec);
	if (!reference)
		open_local(run, targets, &target);
	else if (!open_remote(run, targets, reference, &target, err))
		return err_wrap(err, "failed to build kube client");
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
