/* What source-controller's kinds share. */
#ifndef SOURCE_CONTROLLER_INTERNAL_H
#define SOURCE_CONTROLLER_INTERNAL_H

#include "artifact/store.h"
#include "cloud/cloud.h"
#include "ctrl/manager.h"
#include "git/cache.h"
#include "identity/workload.h"
#include "base/map.h"
#include "base/workdir.h"
#include "kube/secret.h"
#include "net/httpd.h"
#include "oci/registry.h"
#include "secret_refs.h"

#define SOURCE_GROUP "source.toolkit.fluxcd.io"
#define SOURCE_VERSION SOURCE_GROUP "/v1"

/* The controller's own flags; rows are in controller.c. */
typedef struct {
	char *storage_path, *storage_addr, *storage_adv_addr;
	int64_t retention_ttl_ms;
	int retention_records;
	char *digest_algo;
	int64_t requeue_dependency_ms;
	Vec ssh_kex_algos, ssh_hostkey_algos;
	int helm_index_max_size, helm_chart_max_size, helm_chart_file_max_size;
	int helm_cache_max_size;
	int64_t helm_cache_ttl_ms, helm_cache_purge_ms;
	char *cosign_trusted_root; /* a file; "": none */
} SourceOptions;

/* Process-wide; made once, read by all workers. */
typedef struct {
	const SourceOptions *options;
	Store *store;
	WorkDir *workdir; /* trees on their way into artifacts */
	Cloud *cloud;	  /* its tokens are those of GitHub Apps, too */
	struct BucketMemory *buckets;
	Httpd *httpd;				 /* leader only (S99) */
	char *ssh_kex_algos, *ssh_hostkey_algos; /* joined by commas, NULL when unset */
	GitCache *git_cache;			 /* thread-safe */
	Map *seen; /* the artifact that each source was last seen with; loop's thread */
	RegistryHub *registries;
	HttpClient *http; /* for peers that need no certificates of their own */
	struct HelmIndexes *indexes;
	struct HelmEtags *etags;
} SourceContext;

/*
 * The storage step, first in each run: drops an artifact whose file is missing or damaged from
 * status (S12, S13), sweeps old files (S11), brings the URL up to date (S15).
 */
void source_check_storage(Run *run);

/* The current artifact of status; false when there is none. */
bool source_artifact(Run *run, Artifact *out);

/* Puts an artifact into status, with ArtifactInStorage True. */
void source_set_artifact(Run *run, const Artifact *artifact, const char *reason);

/*
 * Sets Ready from the other conditions by the kind's order (source.md 1.7 and 7 "Ready"). `err` is
 * the run's failure, or empty.
 */
void source_summarize(Run *run, const char *const *order, const Error *err);

/* A failure of the run: sets the condition True with err's text, gives err the reason, emits the
 * Warning event. Returns false for `return source_fail(...)`. */
bool source_fail(Run *run, const char *condition, const char *reason, Error *err);

/* Normal event NewArtifact or, when it healed a failure, Succeeded (source.md 1.8). `failed_before`
 * tells that a fail condition stood at the start of the run. */
void source_announce(Run *run, const Artifact *before, const Artifact *now, bool failed_before,
		     const char *message);

/*
 * A run from storage to summary: source_check_storage, then update(run, view, err), which has
 * called source_fail when it is false; then Ready by `order`, and the outcome: again after
 * interval_ms, failed, or stalled by the reason of err (source.md 1.7 "Stalled").
 */
typedef bool SourceUpdate(Run *run, const void *view, Error *err);
extern const char *const source_order[]; /* of kinds that have no more than every kind */
Outcome source_run(Run *run, const char *const *order, int64_t interval_ms, SourceUpdate *update,
		   const void *view, Error *err);

/* As source_announce under other reasons than those: the event's for a new artifact and for one
 * that healed. */
void source_announce_as(Run *run, const Artifact *before, const Artifact *now, bool failed_before,
			const char *reason_new, const char *reason_healed, const char *message);

/* True when a condition stands that tells of a failure of the kinds' own. */
bool source_has_failure(const json_t *object);

/* Takes those and ArtifactOutdated off. */
void source_clear_failures(json_t *object);

/* Something is to be fetched: ArtifactOutdated with that reason (when there is an artifact),
 * Reconciling, Ready Unknown. */
void source_note_change(Run *run, const char *reason, bool has_artifact, const char *message);

/* True when a source is in another state than when `key` was last asked for; NULL: it has none.
 * Loop's thread. */
bool source_is_new(SourceContext *context, const char *key, const char *state);

/* What only a change of the spec, or somebody's asking, can cure (source.md 1.7 "Stalled"). */
bool source_is_stall(const Error *err);

/* What a file or directory on its way into storage came to: a full disk is told by its name.
 * Returns false. */
bool source_temp_failed(Error *err);

/* Why the .sourceignore files of a tree could not be read, with its reason. Returns false. */
#define SOURCE_IGNORE_ERROR "SourceIgnoreError"
bool source_rules_failed(Error *err);

/* The link `name` beside the artifact, and status.url (S17); best effort. */
void source_alias(Run *run, const Artifact *artifact, const char *name);

/* --- source_identity.c --- */

/* As whom an object asks a cloud. `cloud` borrows from the rest: it may not be moved. */
typedef struct {
	Run *run;
	HttpClient *http; /* of the object's proxy, or NULL */
	WorkloadIdentity workload;
	CloudCaller cloud;
} SourceCaller;
void source_caller_dispose(SourceCaller *caller);
#define autosourcecaller __attribute__((cleanup(source_caller_dispose)))

/* As the controller itself; `proxy` is borrowed and may be empty; timeout_ms is that of each
 * request. */
bool source_caller_open(Run *run, const ProxySecret *proxy, int64_t timeout_ms, SourceCaller *out,
			Error *err) MUST_USE;

/* As spec.serviceAccountName, or --default-service-account, or still the controller. An object may
 * only name an account where the gate is open (D41): else ERR_FORBIDDEN with the reason
 * FeatureGateDisabled, which stalls. */
bool source_caller_as(SourceCaller *caller, const char *service_account, Error *err) MUST_USE;

/* Deletion: the object's directory goes (S16). */
Outcome source_finalize(Run *run, Error *err);

Outcome gitrepository_reconcile(Run *run, Error *err);
Outcome bucket_reconcile(Run *run, Error *err);
Outcome bucket_finalize(Run *run, Error *err);

/* helmrepository.c */
Outcome helmrepository_reconcile(Run *run, Error *err);
Outcome helmrepository_finalize(Run *run, Error *err);
bool helmrepository_is_static(const json_t *object);

/* helmchart.c */
Outcome helmchart_reconcile(Run *run, Error *err);
void helmchart_index(const json_t *object, IndexAdd *add, void *arg);
/* A source of that kind changed, or went (NULL): the charts from it run when its artifact is a new
 * one (S80). `charts` is HelmChart's row. */
void helmchart_source_changed(Manager *manager, const Kind *charts, const char *kind,
			      const char *ns, const char *name, const json_t *object);

/* ocirepository.c */
Outcome ocirepository_reconcile(Run *run, Error *err);

#endif
