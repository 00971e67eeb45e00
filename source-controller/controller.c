#include "controller.h"

#include <string.h>

#include "artifact/serve.h"
#include "base/fd.h"
#include "base/mem.h"
#include "bucket_memory.h"
#include "base/path.h"
#include "data/digest.h"
#include "gitrepository.h"
#include "helm_etags.h"
#include "helm_indexes.h"

#define AT(member) offsetof(SourceOptions, member)

static const Flag flags[] = {
	{"storage-path", FLAG_TEXT, AT(storage_path), "/data", "STORAGE_PATH",
	 "Directory that artifacts are stored in; must exist."},
	{"storage-addr", FLAG_TEXT, AT(storage_addr), ":9090", "STORAGE_ADDRESS",
	 "Address that artifacts are served on."},
	{"storage-adv-addr", FLAG_TEXT, AT(storage_adv_addr), "", "STORAGE_ADV_ADDR",
	 "Address that consumers reach the artifact server by."},
	{"artifact-retention-ttl", FLAG_DURATION, AT(retention_ttl_ms), "1m", NULL,
	 "How long a superseded artifact is kept."},
	{"artifact-retention-records", FLAG_INT, AT(retention_records), "2", NULL,
	 "How many artifacts of an object are kept."},
	{"artifact-digest-algo", FLAG_TEXT, AT(digest_algo), "sha256", NULL,
	 "sha256, sha384, sha512 or blake3."},
	{"requeue-dependency", FLAG_DURATION, AT(requeue_dependency_ms), "30s", NULL,
	 "Longest wait for a source that another one includes."},
	{"ssh-kex-algos", FLAG_LIST, AT(ssh_kex_algos), NULL, NULL,
	 "SSH key exchange algorithms, best first."},
	{"ssh-hostkey-algos", FLAG_LIST, AT(ssh_hostkey_algos), NULL, NULL,
	 "SSH host key algorithms, best first."},
	{"helm-index-max-size", FLAG_INT, AT(helm_index_max_size), "52428800", NULL,
	 "Largest repository index, in bytes."},
	{"helm-chart-max-size", FLAG_INT, AT(helm_chart_max_size), "10485760", NULL,
	 "Largest chart, in bytes."},
	{"helm-chart-file-max-size", FLAG_INT, AT(helm_chart_file_max_size), "5242880", NULL,
	 "Largest file in a chart, in bytes."},
	{"helm-cache-max-size", FLAG_INT, AT(helm_cache_max_size), "0", NULL,
	 "Repository indexes kept in memory."},
	{"helm-cache-ttl", FLAG_DURATION, AT(helm_cache_ttl_ms), "15m", NULL,
	 "How long an index is kept in memory."},
	{"helm-cache-purge-interval", FLAG_DURATION, AT(helm_cache_purge_ms), "1m", NULL,
	 "How often old indexes are dropped."},
	{"cosign-trusted-root", FLAG_TEXT, AT(cosign_trusted_root), "", NULL,
	 "File (trusted_root.json) that keyless signatures are verified with where no Secret is "
	 "named."},
};

static const FeatureGate gates[] = {
	{"CacheSecretsAndConfigMaps", false},
	{"ObjectLevelWorkloadIdentity", false},
};

enum { KIND_HELMCHART }; /* its place in the table */

static void source_changed(Manager *manager, const Kind *kind, const char *ns, const char *name,
			   const json_t *object)
{
	helmchart_source_changed(manager, &source_controller.kinds[KIND_HELMCHART], kind->kind, ns,
				 name, object);
}

static void git_changed(Manager *manager, const Kind *kind, const char *ns, const char *name,
			const json_t *object)
{
	gitrepository_changed(manager, kind, ns, name, object);
	source_changed(manager, kind, ns, name, object);
}

static const Kind kinds[] = {
	[KIND_HELMCHART] = {.api_version = SOURCE_VERSION,
			    .kind = "HelmChart",
			    .reconcile = helmchart_reconcile,
			    .finalize = source_finalize,
			    .index = helmchart_index},
	{.api_version = SOURCE_VERSION,
	 .kind = "GitRepository",
	 .reconcile = gitrepository_reconcile,
	 .finalize = source_finalize,
	 .index = gitrepository_index,
	 .changed = git_changed},
	{.api_version = SOURCE_VERSION,
	 .kind = "Bucket",
	 .reconcile = bucket_reconcile,
	 .finalize = bucket_finalize,
	 .changed = source_changed},
	{.api_version = SOURCE_VERSION,
	 .kind = "HelmRepository",
	 .reconcile = helmrepository_reconcile,
	 .finalize = helmrepository_finalize,
	 .changed = source_changed,
	 .is_static = helmrepository_is_static},
	{.api_version = SOURCE_VERSION,
	 .kind = "OCIRepository",
	 .reconcile = ocirepository_reconcile,
	 .finalize = source_finalize},
};

/* storage-addr as others reach it: an empty host is localhost, 0.0.0.0 the host's name (source.md 2
 * "adv"). Owned. */
static char *advertised(const SourceOptions *options)
{
	if (!cstr_empty(options->storage_adv_addr))
		return mem_strdup(options->storage_adv_addr);
	const char *colon = strrchr(options->storage_addr, ':');
	const char *port = colon ? colon : ":9090";
	size_t len = colon ? (size_t)(colon - options->storage_addr) : 0;
	Str host = str_sized(options->storage_addr, len);
	const char *name = getenv("HOSTNAME");
	if (host.len == 0)
		return mem_printf("localhost%s", port);
	if (str_eq(host, STR("0.0.0.0")) && !cstr_empty(name))
		return mem_printf("%s%s", name, port);
	return mem_strdup(options->storage_addr);
}

static char *join(const Vec *list)
{
	Buf out = {0};
	for (size_t i = 0; i < list->len; i++)
		buf_printf(&out, "%s%s", i ? "," : "", (const char *)list->items[i]);
	return out.len ? buf_steal(&out) : NULL;
}

static void stop(void *arg)
{
	enum { DRAIN_MS = 5000 };
	SourceContext *context = arg;
	if (context->httpd)
		httpd_stop(context->httpd, DRAIN_MS);
	helm_indexes_free(context->indexes);
	if (context->http)
		httpc_free(context->http);
	helm_etags_free(context->etags);
	registry_hub_free(context->registries);
	store_free(context->store);
	cloud_free(context->cloud);
	bucket_memory_free(context->buckets);
	free(context->ssh_kex_algos);
	free(context->ssh_hostkey_algos);
	git_cache_free(context->git_cache);
	workdir_free(context->workdir);
	map_free(context->seen);
	free(context);
}

/* Below TMPDIR, where a container that crashed finds it again; one for each storage. Where somebody
 * else has taken that name, one of our own. */
static GitCache *open_git_cache(const SourceContext *context, Error *err)
{
	static const uint64_t max_bytes = 1ull << 30;
	const char *root = store_root(context->store);
	char hex[DIGEST_TEXT_SIZE];
	digest_hex(DIGEST_SHA256, root, strlen(root), hex);
	autofree char *prefix = mem_printf("source-controller-git-%.8s", hex);
	autofree char *dir = path_join(dir_temp(), prefix);
	autoerror Error taken = {0};
	GitCache *cache = git_cache_new(dir, max_bytes, &taken);
	if (cache)
		return cache;
	if (taken.code != ERR_FORBIDDEN) {
		err_move(err, &taken);
		return NULL;
	}
	autofree char *own = dir_make_temp(dir_temp(), prefix, err);
	return own ? git_cache_new(own, max_bytes, err) : NULL;
}

static bool make_helm(Manager *manager, SourceContext *context, Error *err)
{
	const HttpClientConfig config = {.env_proxy = true};
	context->indexes = helm_indexes_new(manager_loop(manager), context->options);
	context->etags = helm_etags_new();
	context->http = httpc_new(manager_loop(manager), &config, err);
	return context->http != NULL;
}

/* The lockdown would be none if an object's account could not be used (source.md 7). */
static bool check_lockdown(Manager *manager, Error *err)
{
	if (cstr_empty(manager_default_service_account(manager)) ||
	    manager_gate(manager, "ObjectLevelWorkloadIdentity"))
		return true;
	return err_set(err, ERR_INVALID,
		       "--default-service-account needs the feature gate "
		       "ObjectLevelWorkloadIdentity");
}

static void *start(Manager *manager, const void *arg, Error *err)
{
	const SourceOptions *options = arg;
	DigestAlgo algo;
	if (!digest_algo_parse(options->digest_algo, &algo) || algo == DIGEST_SHA1)
		return err_null(err, ERR_INVALID,
				"--artifact-digest-algo: unknown algorithm \"%s\"",
				options->digest_algo);
	if (!check_lockdown(manager, err))
		return NULL;
	autofree char *adv = advertised(options);
	SourceContext *context = mem_zalloc(1, sizeof(*context));
	context->options = options;
	context->seen = map_new(free);
	context->ssh_kex_algos = join(&options->ssh_kex_algos);
	context->ssh_hostkey_algos = join(&options->ssh_hostkey_algos);
	context->registries = registry_hub_new(manager_loop(manager));
	context->store = store_new(&(StoreConfig){.root = options->storage_path,
						  .adv_addr = adv,
						  .algo = algo,
						  .ttl_ms = options->retention_ttl_ms,
						  .records = options->retention_records},
				   err);
	if (context->store)
		context->workdir = workdir_new("source-controller", err);
	if (context->workdir)
		context->git_cache = open_git_cache(context, err);
	if (!context->git_cache || !make_helm(manager, context, err)) {
		stop(context);
		return NULL;
	}
	context->cloud = workload_cloud_new(manager);
	context->buckets = bucket_memory_new();
	return context;
}

static bool lead(Manager *manager, void *arg, Error *err)
{
	(void)manager;
	SourceContext *context = arg;
	context->httpd = artifact_serve(context->store, context->options->storage_addr, err);
	return context->httpd != NULL;
}

const ManagerSpec source_controller = {
	.name = "source-controller",
	.kinds = kinds,
	.kind_count = COUNT(kinds),
	.flags = flags,
	.flag_count = COUNT(flags),
	.options_size = sizeof(SourceOptions),
	.gates = gates,
	.gate_count = COUNT(gates),
	.default_concurrent = 8,
	.start = start,
	.lead = lead,
	.stop = stop,
};
