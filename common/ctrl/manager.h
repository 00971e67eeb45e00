/*
 * The controller runtime. A controller is a ManagerSpec: tables of kinds, flags and gates, and
 * functions. The manager does the rest: flags, API client, leader election, shards, informers,
 * queue, suspend, finalizer, requestedAt, observedGeneration, the one status write, events,
 * metrics, health, drain.
 *
 * Life of a reconcile: a watch event or timer puts a key into the kind's queue; a worker takes it,
 * gets the object's stored state as a tree of its own (run_object), calls reconcile, and writes
 * what changed in status with one request.
 */
#ifndef CTRL_MANAGER_H
#define CTRL_MANAGER_H

#include "base/log.h"
#include "ctrl/condition.h"
#include "ctrl/flags.h"
#include "ctrl/metrics.h"
#include "ctrl/outcome.h"
#include "kube/client.h"
#include "kube/events.h"
#include "kube/informer.h"

#define FLUX_FINALIZER "finalizers.fluxcd.io"
#define FLUX_REQUESTED_AT "reconcile.fluxcd.io/requestedAt"

typedef struct Manager Manager;
typedef struct Run Run;
typedef struct Kind Kind;

/* Adds one index key for an object; see Kind.index. */
typedef void IndexAdd(void *arg, const char *key);

/* Something else whose changes concern a kind's objects. */
typedef struct {
	const char *api_version, *kind;
	const char *label_selector; /* or NULL */
	bool configs; /* Secrets or ConfigMaps: --watch-configs-label-selector chooses which, and
			 the gate DisableConfigWatchers turns the watch off */
	bool metadata_only;
	bool keep_objects; /* readable by manager_peer_get */
	/* On the loop's thread: calls manager_enqueue or manager_enqueue_indexed. */
	void (*map)(Manager *manager, const Kind *kind, InformerEvent event, const json_t *object);
} KindWatch;

struct Kind {
	const char *api_version, *kind;

	/* On a worker. Fills err for FAILED, RETRY and STALLED. An err that says `not_yet` puts the
	 * run off: what it said in status and by run_verdict is dropped, and it is done again when
	 * err says; until that has gone on for minutes. */
	Outcome (*reconcile)(Run *run, Error *err);

	/* The object is being deleted and has our finalizer; GONE lets it go. NULL: nothing to do.
	 */
	Outcome (*finalize)(Run *run, Error *err);

	/* In place of reconcile while spec.suspend is true: what was begun may have to be ended.
	 * Conditions are what it makes them. NULL: nothing to do. */
	Outcome (*suspended)(Run *run, Error *err);

	/* Keys under which manager_enqueue_indexed finds this object. On the loop's thread. */
	void (*index)(const json_t *object, IndexAdd *add, void *arg);

	/* After each change of a stored object, own status writes included: to wake dependents.
	 * On the loop's thread; `object` is the new state, NULL when it was deleted. */
	void (*changed)(Manager *manager, const Kind *kind, const char *ns, const char *name,
			const json_t *object);

	/* True for an object that others only read (a HelmRepository of type oci): it gets no
	 * finalizer, no status and no runs; what is there of an earlier life is cleaned up by
	 * `finalize` and taken off. May be NULL. */
	bool (*is_static)(const json_t *object);

	const KindWatch *watches;
	size_t watch_count;
	bool no_status;	   /* Provider, Alert: nothing is patched */
	bool no_finalizer; /* the object needs none; one of an earlier version is taken off */
	bool unsharded;	   /* --watch-label-selector does not apply */
};

typedef struct {
	const char *name;
	bool enabled;
} FeatureGate;

typedef struct {
	const char *name; /* "source-controller": lease, field manager, events, User-Agent */
	const Kind *kinds;
	size_t kind_count;
	const Flag *flags; /* the controller's own; the common ones are added */
	size_t flag_count;
	size_t options_size; /* of the struct that flags[].offset point into */
	const FeatureGate *gates;
	size_t gate_count;
	int default_concurrent;	   /* --concurrent */
	const char *default_grace; /* --graceful-shutdown-timeout; NULL: 30s */
	const char *field_manager; /* NULL: name. kustomize-controller's status owner differs (facts
				      2) */
	bool calls_elsewhere; /* calls outside of reconciles have no queue: they wait for an API
				 server that asks to (kube_client_yield) */

	/* Before the informers start; the result is manager_context. NULL and err end the process.
	 */
	void *(*start)(Manager *manager, const void *options, Error *err);

	/* When this replica becomes leader (at once without leader election), before the first
	 * reconcile. May be NULL. False and err end the process. */
	bool (*lead)(Manager *manager, void *context, Error *err);

	/* The daemon stops: wakes whoever waits long inside a reconcile. May be NULL. */
	void (*cancel)(void *context);

	/* After the last reconcile. */
	void (*stop)(void *context);
} ManagerSpec;

/* The whole of a controller's main(): parses flags, runs until SIGTERM or SIGINT, returns the exit
 * code. */
int manager_main(int argc, char **argv, const ManagerSpec *spec);

/* The same in pieces, for tests and for several controllers in one process. argv[0] is the name. */
Manager *manager_start(int argc, char **argv, const ManagerSpec *spec, Error *err) MUST_USE;

/* Stops taking work, lets reconciles under way end, releases the lease, frees. How long that may
 * take is manager_main's affair. */
void manager_stop(Manager *manager);

/* For spec functions. All borrowed. */
KubeClient *manager_client(Manager *manager);
Loop *manager_loop(Manager *manager);
const Log *manager_log(Manager *manager);
Metrics *manager_metrics(Manager *manager);
EventRecorder *manager_events(Manager *manager);
void *manager_context(Manager *manager);
bool manager_gate(Manager *manager, const char *gate);
const char *manager_namespace(Manager *manager);       /* $RUNTIME_NAMESPACE, or "flux-system" */
const char *manager_watch_namespace(Manager *manager); /* NULL: all */
/* --token-cache-max-size (0: off), and --token-cache-max-duration in *out_max_ms. */
size_t manager_token_cache(Manager *manager, int64_t *out_max_ms);
const char *manager_default_service_account(Manager *manager); /* "" when not set */

/* Blocks (not the loop's thread) until all kinds' objects are known; false at the time-out or when
 * the daemon stops. */
bool manager_wait_synced(Manager *manager, int64_t timeout_ms);

/* Something was done just now, such as answering a request: what memory it needed is given back a
 * second later. A reconcile is noted by itself. Any thread. */
void manager_note_work(Manager *manager);

/* Puts an object's key into its kind's queue. Any thread. */
void manager_enqueue(Manager *manager, const Kind *kind, const char *ns, const char *name);
void manager_enqueue_after(Manager *manager, const Kind *kind, const char *ns, const char *name,
			   int64_t after_ms);

/* Enqueues all objects of the kind that Kind.index gave this key. Loop's thread. */
void manager_enqueue_indexed(Manager *manager, const Kind *kind, const char *key);

/* A stored object of one of the manager's kinds or of a watch with keep_objects; owned; NULL when
 * it is not there (or the informer has not synced). Any thread. For reconciles there is
 * run_peer_get. */
json_t *manager_peer_get(Manager *manager, const char *api_version, const char *kind,
			 const char *ns, const char *name);

/* All stored objects of one of the manager's kinds or watches with keep_objects. */
void manager_peer_each(Manager *manager, const char *api_version, const char *kind,
		       bool (*fn)(void *arg, const json_t *object), void *arg);

/* Inside a reconcile. */
Manager *run_manager(Run *run);
/* As manager_peer_get and manager_peer_each; soon after the start they wait until the kind is
 * known, as far as the server tells it, for a minute at most. */
json_t *run_peer_get(Run *run, const char *api_version, const char *kind, const char *ns,
		     const char *name);
void run_peer_each(Run *run, const char *api_version, const char *kind,
		   bool (*fn)(void *arg, const json_t *object), void *arg);
/* The stored object; asked of the server where the watch does not have it (it may be new, or its
 * kind not be served when this process began), and where `now` says that somebody may have seen
 * there what the watch has not told yet: that is what is stored from here on. Owned; NULL and err
 * when it cannot be had. */
json_t *run_peer_find(Run *run, bool now, const char *api_version, const char *kind, const char *ns,
		      const char *name, Error *err);
void *run_context(Run *run); /* manager_context */
KubeClient *run_client(Run *run);
Arena *run_arena(Run *run);   /* freed at the run's end */
const Log *run_log(Run *run); /* has controller, name, namespace, reconcileID */
const Kind *run_kind(Run *run);
/* The run's object, as who asks for credentials. Borrowed from the run. */
TokenUser run_token_user(Run *run, TokenOperation operation);

/* The object: a tree of this run's own. Change .status in it; the manager writes the difference. */
json_t *run_object(Run *run);
const char *run_namespace(Run *run);
const char *run_name(Run *run);
char *run_key(Run *run); /* "ns/name", owned */

/* The value of requestedAt when it has not been handled before, else NULL. */
const char *run_requested_at(Run *run);

/* An interval with --interval-jitter-percentage: for whatever many objects may wait for together.
 */
int64_t run_jittered(Run *run, int64_t interval_ms);

/* A step begins that may block: its conditions are written once the run has taken over 2 s
 * (design.md 3.5), while the step still runs if need be; else they are left to the end. */
void run_progress(Run *run);

/* Writes status now: where later steps must find it after a crash (inventory before prune). */
bool run_flush(Run *run, Error *err) MUST_USE;

/* An event about the object; see event_record. metadata may be NULL. */
void run_event(Run *run, EventType type, const char *reason, const json_t *metadata,
	       const char *format, ...) PRINTF(5, 6);

/* As run_event, for what says how this run went: a Normal one is sent once status is written, so
 * that a run done again says it once; none is sent when the run is put off. */
void run_verdict(Run *run, EventType type, const char *reason, const json_t *metadata,
		 const char *format, ...) PRINTF(5, 6);

/* True once the daemon stops: long work should return outcome_failed with ERR_CANCELLED. */
bool run_is_cancelled(Run *run);

#endif
