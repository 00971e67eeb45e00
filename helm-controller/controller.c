#include "controller.h"

#include <signal.h>

#include "delivery/wake.h"
#include "helm/limits.h"
#include "internal.h"

#include "base/mem.h"

enum {
	MAX_CHART_BYTES = 16 << 20, /* of charts that nobody uses at the moment */
	MAX_IDLE_ARTIFACTS = 2,
	MAX_ARTIFACT_BYTES = 100 << 20,
};

#define AT(member) offsetof(HelmFlags, member)

static const Flag flags[] = {
	{"requeue-dependency", FLAG_DURATION, AT(requeue_dependency_ms), "30s", NULL,
	 "Longest wait for a dependency or a source; their watches wake earlier."},
	{"http-retry", FLAG_INT, AT(http_retry), "9", NULL, "Retries of a chart's download."},
	{"http-timeout", FLAG_DURATION, AT(http_timeout_ms), "30s", NULL,
	 "How long a chart's download may stand still."},
	{"no-cross-namespace-refs", FLAG_BOOL, AT(no_cross_namespace_refs), "false", NULL,
	 "Refuse charts of other namespaces."},
	{"insecure-kubeconfig-exec", FLAG_BOOL, AT(insecure_kubeconfig_exec), "false", NULL,
	 "Allow exec in kubeconfig Secrets."},
	{"insecure-kubeconfig-tls", FLAG_BOOL, AT(insecure_kubeconfig_tls), "false", NULL,
	 "Allow kubeconfig Secrets that do not verify the server."},
	{"default-kubeconfig-service-account", FLAG_TEXT, AT(default_kubeconfig_service_account),
	 "", NULL, "Service account for remote clusters where none is named."},
	{"snapshot-digest-algo", FLAG_TEXT, AT(snapshot_digest_algo), "sha256", NULL,
	 "Digest of snapshots and values: sha256, sha384, sha512 or blake3."},
	{"override-manager", FLAG_LIST, AT(override_managers), NULL, NULL,
	 "Field manager whose changes are undone by drift detection; repeatable."},
	{"max-output", FLAG_TEXT, AT(max_output), "", NULL,
	 "Bytes that a chart's template may give (default 64 MiB)."},
	{"max-memory", FLAG_TEXT, AT(max_memory), "", NULL,
	 "Bytes of values while a chart is rendered (default 512 MiB)."},
	{"max-steps", FLAG_TEXT, AT(max_steps), "", NULL,
	 "Actions and calls of a render (default 100 million)."},
	{"max-depth", FLAG_TEXT, AT(max_depth), "", NULL,
	 "Templates within templates (default: as Helm bounds them)."},
	{"max-time", FLAG_TEXT, AT(max_time), "", NULL,
	 "Time that a render may take (default 1m)."},
	{"oom-watch-memory-threshold", FLAG_INT, AT(oom_threshold), "95", NULL,
	 "Percent of the memory limit at which the daemon stops by itself (gate OOMWatch)."},
	{"oom-watch-interval", FLAG_DURATION, AT(oom_interval_ms), "500ms", NULL,
	 "How often memory is looked at, 50ms at least (gate OOMWatch)."},
	{"oom-watch-max-memory-path", FLAG_TEXT, AT(oom_max_path), "", NULL,
	 "File of the memory limit; found by itself where there is a control group."},
	{"oom-watch-current-memory-path", FLAG_TEXT, AT(oom_current_path), "", NULL,
	 "File of the memory in use; found by itself where there is a control group."},
};

static const FeatureGate gates[] = {
	{"AllowDNSLookups", false},
	{"OOMWatch", false},
	{"CacheSecretsAndConfigMaps", false},
	{"DisableChartDigestTracking", false},
	{"AdditiveCELDependencyCheck", false},
	{"ExternalArtifact", false},
	{"DisableConfigWatchers", false},
	{"DirectSourceFetch", false},
	{"UseHelm3Defaults", false},
	{"CancelHealthCheckOnNewRevision", false},
	{"DefaultToRetryOnFailure", false},
	{"ObjectLevelWorkloadIdentity", false},
	/* Of older versions: without effect. */
	{"DetectDrift", false},
	{"CorrectDrift", false},
	{"AdoptLegacyReleases", false},
};

/* --- who is woken by what --- */

static void index_helmrelease(const json_t *object, IndexAdd *add, void *arg)
{
	ReleaseSpec spec __attribute__((cleanup(release_spec_dispose)));
	release_spec_parse(object, &spec);
	autofree char *source = wake_source_key(spec.source_kind, spec.source_ns, spec.source_name);
	add(arg, source);
	wake_add_dependencies(spec.spec, spec.ns, add, arg);
	wake_add_kubeconfig(spec.spec, spec.ns, add, arg);
	size_t i;
	json_t *item;
	json_array_foreach(json_list(spec.spec, "valuesFrom"), i, item)
	{
		wake_add_config(json_text_or(item, "kind", ""), spec.ns, item, add, arg);
	}
}

/* A status that holds what a step did has reached the API server. */
static void note_written(HelmContext *context, const char *key, const json_t *object)
{
	autojson json_t *kept = attempts_kept_status(context->attempts, key);
	if (kept && history_has_reached(json_map(object, "status"), kept))
		attempts_keep_status(context->attempts, key, NULL);
}

static void helmrelease_changed(Manager *manager, const Kind *kind, const char *ns,
				const char *name, const json_t *object)
{
	HelmContext *context = manager_context(manager);
	autofree char *key = mem_printf("%s/%s", ns, name);
	wake_dependents(manager, kind, context->seen, ns, name, object);
	if (!object) {
		attempts_forget(context->attempts, key);
		source_waits_over(context->waits, key);
		clusters_leave(context->targets.clusters, key);
		return;
	}
	note_written(context, key, object);
}

/* What of a source concerns its users: the artifact, and whether it is Ready. */
static char *told_of(const json_t *object)
{
	const json_t *artifact = json_at(object, "status", "artifact", NULL);
	return mem_printf("%s %s %d %lld", json_text_or(artifact, "revision", ""),
			  json_text_or(artifact, "digest", ""),
			  condition_is(object, "Ready", "True"),
			  (long long)json_int(json_map(object, "status"), "observedGeneration", 0));
}

static void source_changed(Manager *manager, const Kind *kind, InformerEvent event,
			   const json_t *object)
{
	HelmContext *context = manager_context(manager);
	if (event == INFORMER_SYNCED)
		return;
	autofree char *key =
		wake_source_key(object_kind(object), object_namespace(object), object_name(object));
	if (event == INFORMER_DELETED) {
		map_remove(context->seen, key);
		return;
	}
	if (!json_at(object, "status", "artifact", NULL))
		return;
	char *now = told_of(object);
	bool same = cstr_eq(map_get(context->seen, key), now);
	map_put(context->seen, key, now);
	if (same)
		return;
	source_waits_moved(context->waits);
	manager_enqueue_indexed(manager, kind, key);
}

#define SOURCE_WATCH(name)                                                                         \
	{                                                                                          \
		.api_version = SOURCE_VERSION, .kind = name, .keep_objects = true,                 \
		.map = source_changed                                                              \
	}

static const KindWatch watches[] = {
	SOURCE_WATCH("HelmChart"),
	SOURCE_WATCH("OCIRepository"),
	SOURCE_WATCH("ExternalArtifact"),
	{.api_version = "v1",
	 .kind = "ConfigMap",
	 .configs = true,
	 .metadata_only = true,
	 .map = wake_by_config},
	{.api_version = "v1",
	 .kind = "Secret",
	 .configs = true,
	 .metadata_only = true,
	 .map = wake_by_config},
};

static const Kind kinds[] = {
	{.api_version = HR_VERSION,
	 .kind = HR_KIND,
	 .reconcile = helmrelease_reconcile,
	 .finalize = helmrelease_finalize,
	 .suspended = helmrelease_suspended,
	 .index = index_helmrelease,
	 .changed = helmrelease_changed,
	 .watches = watches,
	 .watch_count = COUNT(watches)},
};

/* --- start and stop --- */

/* Actions under way are stored as failed, so that nothing stays pending (H96). */
static void abort_actions(HelmContext *context)
{
	char *key = NULL;
	Attempt *attempt;
	while ((attempt = attempts_take_any(context->attempts, &key))) {
		ActionTarget where = action_target_of(&attempt->target);
		if (attempt->action)
			action_abort(attempt->action, &where, "the controller was stopped");
		attempt_free(attempt);
		free(key);
		key = NULL;
	}
}

static void stop(void *arg)
{
	HelmContext *context = arg;
	oom_watch_stop(context->oom);
	abort_actions(context);
	attempts_free(context->attempts);
	source_waits_free(context->waits);
	release_watch_free(context->releases);
	targets_close(&context->targets);
	helm_chart_cache_free(context->charts.cache);
	artifact_cache_free(context->charts.artifacts);
	if (context->http)
		httpc_free(context->http);
	map_free(context->seen);
	workdir_free(context->workdir);
	free(context);
}

/* Many releases of few charts: both stay at what the charts have. */
static void collect_charts(void *arg, Buf *out)
{
	const HelmContext *context = arg;
	const ChartCounts *counts = &context->chart_counts;
	buf_printf(out,
		   "# HELP sluice_helm_charts_loaded_total Charts that were fetched and read.\n"
		   "# TYPE sluice_helm_charts_loaded_total counter\n"
		   "sluice_helm_charts_loaded_total %zu\n"
		   "# HELP sluice_helm_templates_parsed_total Templates that were parsed.\n"
		   "# TYPE sluice_helm_templates_parsed_total counter\n"
		   "sluice_helm_templates_parsed_total %zu\n",
		   atomic_load(&counts->loaded), atomic_load(&counts->parsed));
}

static bool start_fetching(Manager *manager, HelmContext *context, Error *err)
{
	context->workdir = workdir_new("helm-controller", err);
	if (!context->workdir)
		return false;
	context->http =
		httpc_new(manager_loop(manager), &(HttpClientConfig){.env_proxy = true}, err);
	if (!context->http)
		return false;
	context->charts.counts = &context->chart_counts;
	metrics_collect_with(manager_metrics(manager), collect_charts, context);
	context->charts.cache = helm_chart_cache_new(MAX_CHART_BYTES);
	context->charts.artifacts = artifact_cache_new(
		context->http,
		&(ArtifactCacheConfig){.dir = workdir_path(context->workdir),
				       .retries = context->flags->http_retry,
				       .max_trees = MAX_IDLE_ARTIFACTS,
				       .max_bytes = MAX_ARTIFACT_BYTES,
				       .as_files = true,
				       .idle_timeout_ms = context->flags->http_timeout_ms,
				       .localhost_env = getenv("SOURCE_CONTROLLER_LOCALHOST"),
				       .watcher_localhost_env = getenv("SOURCE_WATCHER_LOCALHOST")},
		err);
	return context->charts.artifacts != NULL;
}

static void open_targets(Manager *manager, HelmContext *context)
{
	const HelmFlags *options = context->flags;
	const TargetsConfig config = {.kind = &kinds[0],
				      .drift = {.owner_name = HR_OWNER_NAME,
						.owner_namespace = HR_OWNER_NAMESPACE,
						.field_manager = HR_FIELD_MANAGER,
						.is_exempt = drift_is_exempt},
				      .override_managers = &options->override_managers,
				      .allow_exec = options->insecure_kubeconfig_exec,
				      .allow_insecure = options->insecure_kubeconfig_tls,
				      .default_account =
					      options->default_kubeconfig_service_account};
	targets_open(&context->targets, manager, &config);
}

static bool read_limits(const HelmFlags *options, GotmplLimits *out, Error *err)
{
	const HelmLimits limits = {.max_output = options->max_output,
				   .max_memory = options->max_memory,
				   .max_steps = options->max_steps,
				   .max_depth = options->max_depth,
				   .max_time = options->max_time};
	return helm_limits_read(&limits, out, err);
}

static bool check_flags(Manager *manager, const HelmFlags *options, DigestAlgo *out, Error *err)
{
	if (!digest_algo_parse(options->snapshot_digest_algo, out) || *out == DIGEST_SHA1)
		return err_set(err, ERR_INVALID, "--snapshot-digest-algo: '%s' is not known",
			       options->snapshot_digest_algo);
	return targets_check_account(manager, "default-kubeconfig-service-account",
				     options->default_kubeconfig_service_account, err);
}

static void warn_of_gates(Manager *manager)
{
	static const char *const inert[] = {"DetectDrift", "CorrectDrift", "AdoptLegacyReleases"};
	for (size_t i = 0; i < COUNT(inert); i++)
		if (manager_gate(manager, inert[i]))
			log_info(manager_log(manager), "feature gate has no effect any more",
				 "gate", inert[i], NULL);
}

/* A release must not stay pending because the kernel had no memory left: the daemon stops. */
static void stop_for_memory(void *arg)
{
	(void)arg;
	kill(getpid(), SIGTERM);
}

static bool watch_memory(Manager *manager, HelmContext *context, Error *err)
{
	const HelmFlags *options = context->flags;
	if (!manager_gate(manager, "OOMWatch"))
		return true;
	context->oom =
		oom_watch_start(manager_loop(manager),
				&(OomWatchConfig){.max_path = options->oom_max_path,
						  .current_path = options->oom_current_path,
						  .threshold_percent = options->oom_threshold,
						  .interval_ms = options->oom_interval_ms,
						  .log = manager_log(manager),
						  .near_limit = stop_for_memory},
				err);
	return context->oom || err_wrap(err, "unable to setup OOM watcher");
}

static void *start(Manager *manager, const void *options, Error *err)
{
	DigestAlgo algo;
	GotmplLimits limits = {0};
	if (!check_flags(manager, options, &algo, err) || !read_limits(options, &limits, err))
		return NULL;
	warn_of_gates(manager);
	HelmContext *context = mem_zalloc(1, sizeof(*context));
	context->manager = manager;
	context->flags = options;
	context->algo = algo;
	context->limits = limits;
	context->retries_by_default = manager_gate(manager, "DefaultToRetryOnFailure");
	context->helm3_defaults = manager_gate(manager, "UseHelm3Defaults");
	context->attempts = attempts_new();
	context->waits = source_waits_new();
	context->seen = map_new(free);
	open_targets(manager, context);
	context->releases = release_watch_new(
		manager_client(manager), manager_watch_namespace(manager), manager_log(manager));
	if (!start_fetching(manager, context, err) || !watch_memory(manager, context, err)) {
		stop(context);
		return NULL;
	}
	return context;
}

const ManagerSpec helm_controller = {
	.name = "helm-controller",
	.kinds = kinds,
	.kind_count = COUNT(kinds),
	.flags = flags,
	.flag_count = COUNT(flags),
	.options_size = sizeof(HelmFlags),
	.gates = gates,
	.gate_count = COUNT(gates),
	.default_concurrent = 8,
	.default_grace = "600s",
	.start = start,
	.stop = stop,
};
