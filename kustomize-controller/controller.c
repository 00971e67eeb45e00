#include "controller.h"

#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "decrypt.h"
#include "delivery/wake.h"
#include "internal.h"

#define AT(member) offsetof(KustomizeFlags, member)

static const Flag flags[] = {
	{"concurrent-ssa", FLAG_INT, AT(concurrent_ssa), "4", NULL,
	 "Accepted for compatibility; a stage is sent as one batch."},
	{"requeue-dependency", FLAG_DURATION, AT(requeue_dependency_ms), "30s", NULL,
	 "Longest wait for a dependency; its watch wakes dependents earlier."},
	{"http-retry", FLAG_INT, AT(http_retry), "9", NULL, "Retries of an artifact's download."},
	{"no-remote-bases", FLAG_BOOL, AT(no_remote_bases), "false", NULL,
	 "Refuse remote bases in kustomizations."},
	{"no-cross-namespace-refs", FLAG_BOOL, AT(no_cross_namespace_refs), "false", NULL,
	 "Refuse sources of other namespaces."},
	{"insecure-kubeconfig-exec", FLAG_BOOL, AT(insecure_kubeconfig_exec), "false", NULL,
	 "Allow exec in kubeconfig Secrets."},
	{"insecure-kubeconfig-tls", FLAG_BOOL, AT(insecure_kubeconfig_tls), "false", NULL,
	 "Allow kubeconfig Secrets that do not verify the server."},
	{"default-decryption-service-account", FLAG_TEXT, AT(default_decryption_service_account),
	 "", NULL, "Service account for decryption where none is named."},
	{"default-kubeconfig-service-account", FLAG_TEXT, AT(default_kubeconfig_service_account),
	 "", NULL, "Service account for remote clusters where none is named."},
	{"sops-age-secret", FLAG_TEXT, AT(sops_age_secret), "", NULL,
	 "Secret with age keys for all Kustomizations."},
	{"sops-ignore-mac", FLAG_BOOL, AT(sops_ignore_mac), "false", NULL,
	 "Decrypt SOPS files that were changed beside their encrypted values."},
	{"sops-vault-configmap", FLAG_TEXT, AT(sops_vault_configmap), "", NULL,
	 "ConfigMap with the Vault instances that may be used."},
	{"override-manager", FLAG_LIST, AT(override_managers), NULL, NULL,
	 "Field manager whose changes are undone; repeatable."},
	{"custom-apply-stage-kinds", FLAG_LIST, AT(custom_stage_kinds), NULL, NULL,
	 "Kinds applied in a stage of their own, before the rest."},
	{"build-max-file-bytes", FLAG_INT, AT(build_max_file_bytes), "52428800", NULL,
	 "Size of one file in a build; 52428800 is the most."},
	{"build-max-bytes", FLAG_INT, AT(build_max_bytes), "536870912", NULL,
	 "Size of all files that one build reads, and of what substitution writes."},
	{"build-max-objects", FLAG_INT, AT(build_max_objects), "200000", NULL,
	 "Objects in one build."},
	{"build-timeout", FLAG_DURATION, AT(build_timeout_ms), "2m", NULL,
	 "How long one build may take, and then substitution."},
};

static const FeatureGate gates[] = {
	{"DisableStatusPollerCache", true},
	{"StrictPostBuildSubstitutions", true},
	{"CacheSecretsAndConfigMaps", false},
	{"DisableFailFastBehavior", false},
	{"GroupChangeLog", false},
	{"AdditiveCELDependencyCheck", false},
	{"ExternalArtifact", false},
	{"CancelHealthCheckOnNewRevision", false},
	{"DisableConfigWatchers", false},
	{"DirectSourceFetch", false},
	{"MigrateAPIVersion", false},
	{"ObjectLevelWorkloadIdentity", false},
};

/* Index keys: what a Kustomization refers to, by the reference's own words. */
static void index_kustomization(const json_t *object, IndexAdd *add, void *arg)
{
	const json_t *spec = json_map(object, "spec"), *ref = json_map(spec, "sourceRef");
	const char *ns = object_namespace(object);
	autofree char *source =
		wake_source_key(json_text_or(ref, "kind", ""), json_text_or(ref, "namespace", ns),
				json_text_or(ref, "name", ""));
	add(arg, source);
	wake_add_dependencies(spec, ns, add, arg);
	wake_add_kubeconfig(spec, ns, add, arg);
	wake_add_config("Secret", ns, json_map(json_map(spec, "decryption"), "secretRef"), add,
			arg);
	size_t i;
	json_t *item;
	json_array_foreach(json_list(json_map(spec, "postBuild"), "substituteFrom"), i, item)
	{
		wake_add_config(json_text_or(item, "kind", ""), ns, item, add, arg);
	}
}

static void kustomization_changed(Manager *manager, const Kind *kind, const char *ns,
				  const char *name, const json_t *object)
{
	const KustomizeContext *context = manager_context(manager);
	autofree char *ks_key = mem_printf("%s/%s", ns, name);
	wake_dependents(manager, kind, context->seen, ns, name, object);
	if (!object) {
		memory_forget(context->memory, ks_key);
		drift_end(context->targets.drift, ks_key);
		source_waits_over(context->waits, ks_key);
		clusters_leave(context->targets.clusters, ks_key);
	}
}

/* True when this revision and digest were the last told of a source; remembers them. Loop's thread.
 */
static bool seen_revision(Map *seen, const char *key, const char *revision, const char *digest)
{
	char *now = mem_printf("%s %s", revision, digest);
	bool same = cstr_eq(map_get(seen, key), now);
	map_put(seen, key, now);
	return same;
}

/* A source with an artifact, new or changed, wakes those that use it; an event that carries the
 * revision they hold already finds them at it and costs no request. */
static void source_changed(Manager *manager, const Kind *kind, InformerEvent event,
			   const json_t *object)
{
	const json_t *artifact = json_at(object, "status", "artifact", NULL);
	const KustomizeContext *context = manager_context(manager);
	autofree char *key =
		wake_source_key(object_kind(object), object_namespace(object), object_name(object));
	if (event == INFORMER_DELETED)
		map_remove(context->seen, key);
	if (event == INFORMER_DELETED || !artifact)
		return;
	/* Status writes that change no revision wake nobody (K11). */
	if (seen_revision(context->seen, key, json_text_or(artifact, "revision", ""),
			  json_text_or(artifact, "digest", "")))
		return;
	source_waits_moved(context->waits);
	manager_enqueue_indexed(manager, kind, key);
}

/* What was built of one is to be built anew, also by those who wait for what was applied of it. */
static void config_changed(Manager *manager, const Kind *kind, InformerEvent event,
			   const json_t *object)
{
	KustomizeContext *context = manager_context(manager);
	atomic_fetch_add(&context->configs, 1);
	wake_by_config(manager, kind, event, object);
}

#define SOURCE_WATCH(name)                                                                         \
	{                                                                                          \
		.api_version = "source.toolkit.fluxcd.io/v1", .kind = name, .keep_objects = true,  \
		.map = source_changed                                                              \
	}

static const KindWatch watches[] = {
	SOURCE_WATCH("GitRepository"),
	SOURCE_WATCH("OCIRepository"),
	SOURCE_WATCH("Bucket"),
	SOURCE_WATCH("ExternalArtifact"),
	{.api_version = "v1",
	 .kind = "ConfigMap",
	 .configs = true,
	 .metadata_only = true,
	 .map = config_changed},
	{.api_version = "v1",
	 .kind = "Secret",
	 .configs = true,
	 .metadata_only = true,
	 .map = config_changed},
};

static const Kind kinds[] = {
	{.api_version = KS_VERSION,
	 .kind = KS_KIND,
	 .reconcile = kustomization_reconcile,
	 .finalize = kustomization_finalize,
	 .index = index_kustomization,
	 .changed = kustomization_changed,
	 .watches = watches,
	 .watch_count = COUNT(watches)},
};

static void stop(void *arg)
{
	KustomizeContext *context = arg;
	targets_close(&context->targets);
	artifact_cache_free(context->artifacts);
	if (context->vault_http)
		httpc_free(context->vault_http);
	httpc_free(context->http);
	parsed_free(context->parsed);
	memory_free(context->memory);
	source_waits_free(context->waits);
	map_free(context->seen);
	workdir_free(context->workdir);
	free(context);
}

static bool start_fetching(Manager *manager, KustomizeContext *context, Error *err)
{
	context->workdir = workdir_new("kustomize-controller", err);
	if (!context->workdir)
		return false;
	context->http =
		httpc_new(manager_loop(manager), &(HttpClientConfig){.env_proxy = true}, err);
	if (!context->http)
		return false;
	context->artifacts = artifact_cache_new(
		context->http,
		&(ArtifactCacheConfig){.dir = workdir_path(context->workdir),
				       .retries = context->flags->http_retry,
				       .localhost_env = getenv("SOURCE_CONTROLLER_LOCALHOST"),
				       .watcher_localhost_env = getenv("SOURCE_WATCHER_LOCALHOST")},
		err);
	return context->artifacts != NULL && decrypt_start(manager, context, err);
}

/* Whose fields are taken over: kubectl's always, others' by flag (K57-K59). */
static void open_targets(Manager *manager, KustomizeContext *context)
{
	const KustomizeFlags *options = context->flags;
	const TargetsConfig config = {.kind = &kinds[0],
				      .drift = {.owner_name = KS_OWNER_NAME,
						.owner_namespace = KS_OWNER_NAMESPACE,
						.field_manager = KS_FIELD_MANAGER,
						.is_exempt = object_is_exempt,
						.is_merged = object_is_merged},
				      .overridden = "kubectl",
				      .override_managers = &options->override_managers,
				      .allow_exec = options->insecure_kubeconfig_exec,
				      .allow_insecure = options->insecure_kubeconfig_tls,
				      .login_operation = TOKEN_FETCH_KUBECONFIG,
				      .default_account =
					      options->default_kubeconfig_service_account};
	targets_open(&context->targets, manager, &config);
}

/* Many Kustomizations of few bases: it stays near what the bases have. */
static void collect_builds(void *arg, Buf *out)
{
	KustomizeContext *context = arg;
	buf_printf(
		out,
		"# HELP sluice_kustomize_files_parsed_total Files of objects that builds parsed.\n"
		"# TYPE sluice_kustomize_files_parsed_total counter\n"
		"sluice_kustomize_files_parsed_total %zu\n"
		"# HELP sluice_kustomize_sources_kept Sources whose parsed files are kept.\n"
		"# TYPE sluice_kustomize_sources_kept gauge\n"
		"sluice_kustomize_sources_kept %zu\n",
		atomic_load(&context->files_parsed), parsed_count(context->parsed));
}

static bool check_accounts(Manager *manager, const KustomizeFlags *options, Error *err)
{
	return targets_check_account(manager, "default-decryption-service-account",
				     options->default_decryption_service_account, err) &&
	       targets_check_account(manager, "default-kubeconfig-service-account",
				     options->default_kubeconfig_service_account, err);
}

static bool check_limits(const KustomizeFlags *options, Error *err)
{
	return (options->build_max_file_bytes > 0 && options->build_max_bytes > 0 &&
		options->build_max_objects > 0 && options->build_timeout_ms > 0) ||
	       err_set(err, ERR_INVALID, "limits of builds (--build-...) must be above 0");
}

static void *start(Manager *manager, const void *options, Error *err)
{
	if (!check_accounts(manager, options, err) || !check_limits(options, err))
		return NULL;
	KustomizeContext *context = mem_zalloc(1, sizeof(*context));
	context->flags = options;
	context->memory = memory_new();
	context->waits = source_waits_new();
	context->parsed = parsed_new(manager_loop(manager));
	metrics_collect_with(manager_metrics(manager), collect_builds, context);
	context->seen = map_new(free);
	open_targets(manager, context);
	if (!start_fetching(manager, context, err)) {
		stop(context);
		return NULL;
	}
	return context;
}

const ManagerSpec kustomize_controller = {
	.name = "kustomize-controller",
	.field_manager = "gotk-kustomize-controller",
	.kinds = kinds,
	.kind_count = COUNT(kinds),
	.flags = flags,
	.flag_count = COUNT(flags),
	.options_size = sizeof(KustomizeFlags),
	.gates = gates,
	.gate_count = COUNT(gates),
	.default_concurrent = 4,
	.start = start,
	.stop = stop,
};
