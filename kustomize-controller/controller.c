#include "controller.h"

#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "decrypt.h"
#include "decrypt_identity.h"
#include "internal.h"

/* A hub of this many clusters still has memory and descriptors to spare. */
enum { MAX_CLUSTERS = 1000 };

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
	 "Size of all files that one build reads."},
	{"build-max-objects", FLAG_INT, AT(build_max_objects), "200000", NULL,
	 "Objects in one build."},
	{"build-timeout", FLAG_DURATION, AT(build_timeout_ms), "2m", NULL,
	 "How long one build may take."},
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

static void index_config(const char *kind, const char *ns, const json_t *reference, IndexAdd *add,
			 void *arg)
{
	if (!reference)
		return;
	autofree char *key =
		mem_printf("config/%s/%s/%s", kind, ns, json_text_or(reference, "name", ""));
	add(arg, key);
}

/* Index keys: what a Kustomization refers to, by the reference's own words. */
static void index_kustomization(const json_t *object, IndexAdd *add, void *arg)
{
	const json_t *spec = json_map(object, "spec"), *ref = json_map(spec, "sourceRef");
	const char *ns = object_namespace(object);
	autofree char *source =
		mem_printf("source/%s/%s/%s", json_text_or(ref, "kind", ""),
			   json_text_or(ref, "namespace", ns), json_text_or(ref, "name", ""));
	add(arg, source);
	size_t i;
	json_t *item;
	json_array_foreach(json_list(spec, "dependsOn"), i, item)
	{
		autofree char *dependency =
			mem_printf("dependency/%s/%s", json_text_or(item, "namespace", ns),
				   json_text_or(item, "name", ""));
		add(arg, dependency);
	}
	json_array_foreach(json_list(json_map(spec, "postBuild"), "substituteFrom"), i, item)
	{
		index_config(json_text_or(item, "kind", ""), ns, item, add, arg);
	}
	const json_t *remote = json_map(spec, "kubeConfig");
	index_config("Secret", ns, json_map(remote, "secretRef"), add, arg);
	index_config("ConfigMap", ns, json_map(remote, "configMapRef"), add, arg);
	index_config("Secret", ns, json_map(json_map(spec, "decryption"), "secretRef"), add, arg);
}

/* A dependency that is Ready wakes its dependents at once (design.md 3.1). */
static void kustomization_changed(Manager *manager, const Kind *kind, const char *ns,
				  const char *name, const json_t *object)
{
	const KustomizeContext *context = manager_context(manager);
	autofree char *ks_key = mem_printf("%s/%s", ns, name);
	if (!object) {
		memory_forget(context->memory, ks_key);
		clusters_leave(context->clusters, ks_key);
		return;
	}
	if (!condition_is(object, "Ready", "True"))
		return;
	autofree char *key = mem_printf("dependency/%s/%s", ns, name);
	manager_enqueue_indexed(manager, kind, key);
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
	if (event == INFORMER_DELETED || !artifact)
		return;
	const KustomizeContext *context = manager_context(manager);
	autofree char *key = mem_printf("source/%s/%s/%s", object_kind(object),
					object_namespace(object), object_name(object));
	/* Status writes that change no revision wake nobody (K11). */
	if (seen_revision(context->seen, key, json_text_or(artifact, "revision", ""),
			  json_text_or(artifact, "digest", "")))
		return;
	manager_enqueue_indexed(manager, kind, key);
}

static void config_changed(Manager *manager, const Kind *kind, InformerEvent event,
			   const json_t *object)
{
	(void)event;
	autofree char *key = mem_printf("config/%s/%s/%s", object_kind(object),
					object_namespace(object), object_name(object));
	manager_enqueue_indexed(manager, kind, key);
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

static void on_drift(void *arg, const char *ns, const char *name, int64_t after_ms)
{
	Manager *manager = arg;
	if (after_ms)
		manager_enqueue_after(manager, &kinds[0], ns, name, after_ms);
	else
		manager_enqueue(manager, &kinds[0], ns, name);
}

static void stop(void *arg)
{
	KustomizeContext *context = arg;
	clusters_free(context->clusters);
	drift_free(context->drift);
	artifact_cache_free(context->artifacts);
	decrypt_cloud_free(context->cloud);
	if (context->vault_http)
		httpc_free(context->vault_http);
	httpc_free(context->http);
	vec_dispose(&context->overridden);
	parsed_free(context->parsed);
	memory_free(context->memory);
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
static void start_drift(Manager *manager, KustomizeContext *context)
{
	static const char kubectl[] = "kubectl";
	const Vec *more = &context->flags->override_managers;
	vec_push(&context->overridden, (void *)(uintptr_t)kubectl);
	for (size_t i = 0; i < more->len; i++)
		vec_push(&context->overridden, more->items[i]);
	vec_push(&context->overridden, NULL);
	DriftConfig config = {.watch_ns = manager_watch_namespace(manager),
			      .overridden = (const char *const *)context->overridden.items,
			      .log = manager_log(manager),
			      .fn = on_drift,
			      .arg = manager};
	context->drift = drift_new(manager_client(manager), &config);
	context->clusters = clusters_new(manager_loop(manager), &config, MAX_CLUSTERS);
}

/* Accounts for logging in need the gate that lets objects name such accounts (facts 10). */
static bool check_accounts(Manager *manager, const KustomizeFlags *options, Error *err)
{
	const char *accounts[] = {options->default_decryption_service_account,
				  options->default_kubeconfig_service_account};
	static const char *const names[] = {"default-decryption-service-account",
					    "default-kubeconfig-service-account"};
	for (size_t i = 0; i < COUNT(accounts); i++)
		if (!cstr_empty(accounts[i]) &&
		    !manager_gate(manager, "ObjectLevelWorkloadIdentity"))
			return err_set(err, ERR_INVALID,
				       "--%s needs the feature gate ObjectLevelWorkloadIdentity",
				       names[i]);
	return true;
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
	context->parsed = parsed_new();
	context->seen = map_new(free);
	start_drift(manager, context);
	context->cloud = decrypt_cloud_new(manager);
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
