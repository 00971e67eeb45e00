/*
 * What the steps of a Kustomization's reconcile share. The road: kustomization.c calls, in order,
 * source.c, generate.c, postbuild.c, prepare.c, apply.c, inventory.c, prune.c, health.c.
 */
#ifndef KUSTOMIZE_CONTROLLER_INTERNAL_H
#define KUSTOMIZE_CONTROLLER_INTERNAL_H

#include <stdatomic.h>

#include "artifact/fetch.h"
#include "base/map.h"
#include "base/workdir.h"
#include "bases/bases.h"
#include "ctrl/manager.h"
#include "delivery/depend.h"
#include "delivery/inventory.h"
#include "delivery/source_wait.h"
#include "delivery/target.h"
#include "kube/kstatus.h"
#include "kustomize/kustomize.h"

#define KS_GROUP "kustomize.toolkit.fluxcd.io"
#define KS_VERSION KS_GROUP "/v1"
#define KS_KIND "Kustomization"
#define KS_OWNER_NAME KS_GROUP "/name"
#define KS_OWNER_NAMESPACE KS_GROUP "/namespace"
#define KS_FIELD_MANAGER "kustomize-controller"

/* The controller's own flags; rows are in controller.c. */
typedef struct {
	int concurrent_ssa;
	int64_t requeue_dependency_ms;
	int http_retry;
	bool no_remote_bases, no_cross_namespace_refs;
	bool insecure_kubeconfig_exec, insecure_kubeconfig_tls, sops_ignore_mac;
	char *default_decryption_service_account, *default_kubeconfig_service_account;
	char *sops_age_secret, *sops_vault_configmap;
	Vec override_managers;
	Vec custom_stage_kinds;
	int build_max_file_bytes, build_max_bytes, build_max_objects;
	int64_t build_timeout_ms;
} KustomizeFlags;

/* Process-wide. */
typedef struct {
	const KustomizeFlags *flags;
	HttpClient *http;
	HttpClient *vault_http; /* for Vault with roots of its own; or NULL: http */
	ArtifactCache *artifacts;
	WorkDir *workdir; /* unpacked artifacts */
	Targets targets;
	Map *seen; /* index key -> what was last told of a source or dependency; loop's thread */
	atomic_ullong configs; /* how often a watched ConfigMap or Secret has changed */
	SourceWaits *waits;
	struct Memory *memory;	      /* per Kustomization, between runs: memory.c */
	struct ParsedSources *parsed; /* parsed files by artifact digest: parsed.c */
	atomic_size_t files_parsed;   /* by builds, since the start */
} KustomizeContext;

/* A Kustomization, parsed once; all borrowed from the object. view.c */
typedef struct {
	const char *ns, *name;
	const json_t *spec;
	int64_t interval_ms, retry_ms, timeout_ms;
	const char *source_kind, *source_ns, *source_name;
	const char *path;
	const char *target_namespace, *name_prefix, *name_suffix;
	const char *service_account;
	const char *deletion_policy;
	bool prune, wait, force, ignore_missing_components;
} Kustomization;

void kustomization_parse(const json_t *object, Kustomization *out);

/* target_open, with a reason. */
bool kustomization_target(Run *run, const Kustomization *ks, Target *out, Error *err) MUST_USE;

/* takeover.c: what an object says of itself. To be left alone (ssa Ignore, reconcile disabled: K60,
 * K61); that fields of others are kept (ssa Merge: K57). */
bool object_is_exempt(const json_t *object);
bool object_is_merged(const json_t *object);

/* What must happen to an object in this run. */
typedef enum {
	ITEM_APPLY,   /* send it */
	ITEM_CLEAN,   /* the cluster holds what we would send: no request (design.md 3.4) */
	ITEM_SKIPPED, /* ssa Ignore, IfNotPresent on an existing one, reconcile disabled */
} ItemAction;

typedef enum { CHANGE_NONE, CHANGE_CREATED, CHANGE_CONFIGURED } ItemChange;

/* One desired object on its way. */
typedef struct {
	json_t *object;	 /* owned */
	json_t *payload; /* what is sent in its place where spec.ignore applies; owned, or NULL */
	char *id;	 /* "Kind/ns/name" for messages; owned */
	char *key;	 /* drift_key; owned */
	char *file;	 /* where it was defined; owned; "" unknown */
	size_t line;
	int stage;	  /* 0..3 (facts 6.2) */
	uint64_t desired; /* hash of the manifest as it is sent */
	ItemAction action;
	ItemChange change;
	uint64_t version;  /* resourceVersion before the write; 0: did not exist, unknown */
	bool takeover;	   /* others' fields are to be taken over before the write */
	bool presumed_new; /* nobody told of it: its write is to create it, or to fail */
	json_t *sent;	   /* as last applied, where its write can be taken back so; borrowed */
	char *uid;	   /* once an attempt has written it (reversible.c); owned, or NULL */
	bool recreate;	   /* was deleted under force; a later run creates it */
	bool status_known; /* status is from a reply of this run */
	KstatusCode status;
	uint64_t seen_version; /* resourceVersion at which the live object has it; 0: unknown */
} Item;

typedef struct {
	Item *items;
	size_t len, cap;
} ItemSet;

/* " [FILE:LINE]" for messages, "" where the line is not known. Owned. */
char *place_text(const char *file, size_t line);

void item_set_dispose(ItemSet *set);
#define autoitemset __attribute__((cleanup(item_set_dispose)))
void item_set_add(ItemSet *set, json_t *take_object, const char *file, size_t line);

/* order.c: facts 6.2. */
int item_stage(const json_t *object, const Vec *custom_kinds);
void item_set_sort(ItemSet *set);
int object_order_compare(const json_t *a, const json_t *b);

/* source.c: the source and its artifact. Failures set *out_outcome. */
typedef struct {
	Artifact artifact;
	char *origin_revision; /* or NULL; owned */
	char *host;	       /* that it was fetched from; "" where nobody says; owned */
	ArtifactTree *tree;
} SourceState;
void source_state_dispose(SourceState *source);
#define autosource __attribute__((cleanup(source_state_dispose)))
bool source_find(Run *run, const Kustomization *ks, SourceState *out, Outcome *out_outcome,
		 Error *err);
bool source_fetch(Run *run, const Kustomization *ks, SourceState *source, Outcome *out_outcome,
		  Error *err);

/* tree_files.c: a tree as the engine reads it; borrowed. */
KustomizeFiles tree_files(const FileTree *tree);

/* generate.c: the root kustomization with what spec adds, and the build. All borrowed. */
typedef struct {
	const KustomizeFiles *files;
	const char *dir;       /* of the root, clean, within files */
	KustomizeCache *cache; /* or NULL */
	const char *builder;   /* for the cache: the Kustomization; or NULL */
	atomic_size_t *parsed; /* counts files of objects that are parsed; or NULL */
	KustomizeLimits limits;
	Bases *bases; /* files are bases_files of it then; NULL: no remote ones */
	/* Manifests that are left out of a generated root and of a root file's resources, by path
	 * within files; or NULL: none. */
	bool (*leaves_out)(void *arg, const char *path, bool is_dir);
	void *leaves_out_arg;
	struct Decryptor *decryptor; /* of `files`; NULL: what is encrypted stays so */
	Buf *unknown; /* where and what the root file has that nobody knows; or NULL */
} BuildInput;
bool generate_and_build(const Kustomization *ks, const BuildInput *input, KustomizeResult *out,
			Error *err);

/* substitute.c: pure. Expands ${...} in text; facts 4. The bounds are of all texts of a run. */
typedef struct {
	Map *values; /* name -> char * */
	bool strict;
	size_t max_bytes, used;	  /* of what is written */
	int64_t max_ms, until_ms; /* of clock_mono_ms */
} SubstituteVars;
bool substitute_expand(const char *text, SubstituteVars *vars, Buf *out, Error *err);
bool substitute_valid_name(const char *name);
bool substitute_check_time(const SubstituteVars *vars, Error *err);
/* substitute_glob.c: how much of the start of text a glob matches; nothing is no match. */
bool substitute_glob(const SubstituteVars *vars, Str glob, Str text, bool longest, size_t *out_len,
		     Error *err);

/* postbuild.c: substitution over built objects. `client` reads what substituteFrom names; NULL:
 * that is passed over. Of the limits, max_bytes and max_ms count for it anew. */
typedef struct {
	KubeClient *client;
	bool strict;
	KustomizeLimits limits;
} PostBuildInput;
bool postbuild_substitute(const Kustomization *ks, const PostBuildInput *input,
			  KustomizeResult *result, Error *err);

/* prepare.c: owner labels and commonMetadata; borrowed. */
void prepare_metadata(const Kustomization *ks, json_t *object);
/* Those, scope, stringData; fills the set. custom_kinds: of --custom-apply-stage-kinds. */
bool prepare_items(const Kustomization *ks, KubeClient *client, const Vec *custom_kinds,
		   KustomizeResult *result, ItemSet *out, Error *err);

/* apply.c: all stages. False: failed, or *out_wait says for how long a stage is not ready yet, and
 * *out_kept, owned, what waiting_keep has to keep of that: "stage" and "checks"; or it stays NULL,
 * where only another run brings it on. */
enum { STAGE_TIMEOUT_MS = 60000 /* K53 */, STAGE_LOOK_AGAIN_MS = 1000 };
bool apply_items(Run *run, const Kustomization *ks, const Target *target, ItemSet *set,
		 const char *revision, int64_t *out_wait_ms, json_t **out_kept, Error *err);
void apply_announce(Run *run, const ItemSet *set, const json_t *metadata);

/* inventory.c */
Map *inventory_ids(const json_t *inventory);			    /* the set of its ids, owned */
json_t *inventory_of_items(const ItemSet *set);			    /* {"entries": [...]}, owned */
json_t *inventory_difference(const json_t *old, const json_t *now); /* entries, owned */

/* prune.c: deletes entries [{id, v}]; those whose delete failed are pushed to `kept` (an array). */
bool prune_entries(Run *run, const Target *target, const json_t *entries, json_t *kept,
		   const json_t *metadata, Error *err);
/* What that would do to one of them. *out_live, owned, is set for DELETE and SKIP. */
typedef enum { PRUNE_GONE, PRUNE_DELETE, PRUNE_SKIP, PRUNE_FAILED } PruneVerdict;
PruneVerdict prune_judge(KubeClient *client, const char *ns, const char *name, const json_t *entry,
			 json_t **out_live, Error *err);
/* The entries in apply order, as objects {"entry": ...} that live as long as the array keep_alive:
 * walking backwards is the order of deletion. */
void prune_order(const json_t *entries, Vec *out, json_t *keep_alive);
/* Whether any of the entries is still there, ours and not exempt from pruning. */
bool prune_any_left(Run *run, KubeClient *client, const json_t *entries);

Outcome kustomization_finalize(Run *run, Error *err);  /* finalize.c */
Outcome kustomization_reconcile(Run *run, Error *err); /* kustomization.c */

/* What a run is about. */
typedef struct {
	const char *revision;
	const char *digest; /* of the built objects */
	int64_t started_ms;
	json_t *metadata;	    /* of events */
	unsigned long long configs; /* the context's, before any was read */
} RunFacts;

/* health.c: true when all is healthy, or nothing is to be checked; else either err is set, or
 * *out_wait_ms says when to look again at the latest and *out_kept, owned, what waiting_keep has to
 * keep of it: "checks", and what later tells whether health is news (K98). */
bool health_check(Run *run, const Kustomization *ks, const Target *target, const ItemSet *set,
		  const RunFacts *facts, int64_t *out_wait_ms, json_t **out_kept, Error *err);
/* The same for the checks that an earlier run waited for. *out_gone: one that this Kustomization
 * has applied is not there. */
bool health_check_again(Run *run, const Kustomization *ks, const Target *target,
			const json_t *checks, const RunFacts *facts, int64_t *out_wait_ms,
			bool *out_gone, Error *err);

/* What apply_items gives of a stage that is not ready, so that a wake need not build it anew:
 * "stage", its name, and "checks". Owned. */
json_t *health_stage_keep(Item *const *items, size_t count, const char *stage);
/* Why an applied object is in the state that its item has: ": WHY", or "". Owned. */
char *health_why(KubeClient *client, const Item *item);
/* Whether all is Current that the "checks" of health_stage_keep name. */
bool health_stage_is_ready(Run *run, const Target *target, const json_t *checks);

/* waiting.c: what a trigger does to a wait for health (K88). `take_kept`: of health_check or
 * apply_items. */
void waiting_keep(Run *run, const SourceState *source, const RunFacts *facts, json_t *take_kept);
/* When the wait for this revision's health began its work, or now. */
int64_t waiting_started_ms(Run *run, const char *revision, int64_t now_ms);
/* Its time begins anew when other objects were built than those it is about. */
void waiting_renew(Run *run, const char *digest);
/* Whether somebody has changed the spec since the wait began, or without one since the last run
 * that came to an end; false for a new object. */
bool waiting_is_corrected(Run *run);
/* True: the wait goes on, or ended just now, and *out is this run's outcome. */
bool waiting_goes_on(Run *run, const Kustomization *ks, const SourceState *source, Outcome *out,
		     Error *err);

/* history.c */
void history_note(json_t *object, const char *digest, const char *reason, int64_t started_ms,
		  const SourceState *source);
bool history_last_failed(const json_t *object); /* the run before this one */

/* memory.c: what a Kustomization's runs remember of each other. Thread-safe. */
struct Memory;
struct Memory *memory_new(void);
void memory_free(struct Memory *memory);
/* The manifest hash last applied under `key` for this Kustomization; 0 when unknown. */
uint64_t memory_desired(struct Memory *memory, const char *ks, const char *key);
void memory_set_desired(struct Memory *memory, const char *ks, const char *key, uint64_t hash);
/* The state of an applied object when somebody last looked: it is that still while the object is at
 * that version, and the Kustomization, which has rules for it, at that generation. */
typedef struct {
	uint64_t version; /* resourceVersion */
	int64_t generation;
	KstatusCode code;
} Seen;
/* Of what memory_set_desired knows; of nothing else. */
void memory_set_seen(struct Memory *memory, const char *ks, const char *key, const Seen *seen);
bool memory_seen(struct Memory *memory, const char *ks, const char *key, int64_t generation,
		 Seen *out);
/* When the wait for `what` (a revision and a step) began; sets it to now when it is another one. */
int64_t memory_waiting_since(struct Memory *memory, const char *ks, const char *what);
bool memory_is_waiting(struct Memory *memory, const char *ks);
/* What the run that waits for health has to finish: kept as text, given back as a tree of the
 * caller's own, NULL when there is none. Gone with memory_stop_waiting. */
void memory_keep_wait(struct Memory *memory, const char *ks, const json_t *what);
json_t *memory_kept_wait(struct Memory *memory, const char *ks);
void memory_stop_waiting(struct Memory *memory, const char *ks);
/* The same if that is what it waits for. */
void memory_stop_waiting_for(struct Memory *memory, const char *ks, const char *what);
/* Objects as they were last applied, by drift_key, so that a write can be taken back: kept packed
 * and within a bound on all, so that memory_sent may give NULL. The tree is the caller's own. NULL
 * drops what is kept. */
void memory_keep_sent(struct Memory *memory, const char *ks, const json_t *objects);
json_t *memory_sent(struct Memory *memory, const char *ks);
void memory_forget(struct Memory *memory, const char *ks);

/* parsed.c: one KustomizeCache per artifact digest, kept for a while. Give back with parsed_put.
 * The loop outlives it. */
struct ParsedSources;
struct ParsedSources *parsed_new(Loop *loop);
void parsed_free(struct ParsedSources *parsed);
KustomizeCache *parsed_get(struct ParsedSources *parsed, const char *digest);
size_t parsed_count(struct ParsedSources *parsed); /* how many there are */
void parsed_put(struct ParsedSources *parsed, KustomizeCache *cache);

/* kustomization.c: shared by steps. */
/* The end of a run that got as far as applying: history, conditions, event. */
Outcome kustomization_conclude(Run *run, const Kustomization *ks, const SourceState *source,
			       const RunFacts *facts, bool ok, Error *err);
json_t *kustomization_event_metadata(const SourceState *source); /* owned */

/* Milliseconds since a monotonic time that memory_waiting_since gave. */
int64_t run_waited_ms(int64_t since_ms);

#endif
