/* What source-controller's kinds share. */
#ifndef SOURCE_CONTROLLER_INTERNAL_H
#define SOURCE_CONTROLLER_INTERNAL_H

#include "artifact/store.h"
#include "cloud/cloud.h"
#include "ctrl/manager.h"
#include "git/cache.h"
#include "base/map.h"
#include "base/workdir.h"
#include "kube/secret.h"
#include "net/httpd.h"
#include "net/tokens.h"
#include "oci/registry.h"

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
} SourceOptions;

/* Process-wide; made once, read by all workers. */
typedef struct {
	const SourceOptions *options;
	Store *store;
	WorkDir *workdir; /* trees on their way into artifacts */
	Cloud *cloud;
	struct BucketMemory *buckets;
	Httpd *httpd;				 /* leader only (S99) */
	char *ssh_kex_algos, *ssh_hostkey_algos; /* joined by commas, NULL when unset */
	GitCache *git_cache;			 /* thread-safe */
	TokenCache *tokens;			 /* of GitHub Apps; thread-safe */
	Map *seen; /* the artifact that each GitRepository was last seen with; loop's thread */
	RegistryHub *registries;
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

/* Links NAME beside the artifact's file to it and puts its URL into status.url (S17). A failure is
 * told and harmless. */
void source_link(Run *run, const Artifact *artifact, const char *name);

/*
 * Sets Ready from the other conditions by the kind's order (source.md 1.7 and 7 "Ready"). `err` is
 * the run's failure, or empty.
 */
void source_summarize(Run *run, const char *const *order, const Error *err);

/* A failure of the run: sets the condition True with err's text, gives err the reason, emits the
 * Warning event. Returns false for `return source_fail(...)`. */
bool source_fail(Run *run, const char *condition, const char *reason, Error *err);

/* As source_fail for a signature: SourceVerified False with the reason VerificationError. */
bool source_verify_fail(Run *run, Error *err);

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
Outcome source_run(Run *run, const char *const *order, int64_t interval_ms, SourceUpdate *update,
		   const void *view, Error *err);

/* True when a condition stands that tells of a failure of the kinds' own. */
bool source_has_failure(const json_t *object);

/* Takes those and ArtifactOutdated off. */
void source_clear_failures(json_t *object);

/* Something is to be fetched: ArtifactOutdated with that reason (when there is an artifact),
 * Reconciling, Ready Unknown. */
void source_note_change(Run *run, const char *reason, bool has_artifact, const char *message);

/* What only a change of the spec, or somebody's asking, can cure (source.md 1.7 "Stalled"). */
bool source_is_stall(const Error *err);

/* The link `name` beside the artifact, and status.url (S17); best effort. */
void source_alias(Run *run, const Artifact *artifact, const char *name);

/* --- source_secret.c --- */

/* The Secret of that name in the object's namespace; NULL name: NULL and true. `what` is how the
 * error calls it ("secret", "STS secret"). */
bool source_secret(Run *run, const char *name, const char *what, Secret **out, Error *err) MUST_USE;

/* proxySecretRef into the config, which borrows from the Secret; a NULL Secret changes nothing.
 * ERR_INVALID (source.md 3 "proxy secret"). */
bool source_use_proxy(const Secret *proxy, HttpClientConfig *config, Error *err) MUST_USE;

/* certSecretRef into the config: ca.crt beside the system's roots, tls.crt with tls.key, or their
 * older names; borrows from the Secret. ERR_INVALID for half a pair or none of them. */
bool source_use_tls(const Secret *tls, HttpClientConfig *config, Error *err) MUST_USE;

/* --- source_identity.c --- */

/* The ServiceAccount whose workload identity an object uses; holds what a CloudAccount borrows. */
typedef struct {
	Run *run;
	json_t *object;
	CloudAccount account;
} SourceIdentity;
void source_identity_dispose(SourceIdentity *identity);
#define autosourceidentity __attribute__((cleanup(source_identity_dispose)))

/* spec.serviceAccountName or --default-service-account; *out_account (borrowed from *out) is NULL
 * when there is neither: the controller's own identity. */
bool source_identity(Run *run, const char *name, SourceIdentity *out,
		     const CloudAccount **out_account, Error *err) MUST_USE;

/* Deletion: the object's directory goes (S16). */
Outcome source_finalize(Run *run, Error *err);

Outcome gitrepository_reconcile(Run *run, Error *err);
Outcome bucket_reconcile(Run *run, Error *err);
Outcome bucket_finalize(Run *run, Error *err);

/* ocirepository.c */
Outcome ocirepository_reconcile(Run *run, Error *err);

#endif
