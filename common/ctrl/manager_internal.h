/* What the parts of the manager share. Nobody else includes this. */
#ifndef CTRL_MANAGER_INTERNAL_H
#define CTRL_MANAGER_INTERNAL_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "base/map.h"
#include "ctrl/manager.h"
#include "ctrl/queue.h"
#include "kube/lease.h"
#include "net/httpd.h"

/* The flags that every controller has; the first member of the parsed options. */
typedef struct {
	char *kubeconfig;
	char *metrics_addr, *health_addr, *events_addr;
	int concurrent;
	char *log_level, *log_encoding;
	bool leader_election, leader_release;
	int64_t lease_ms, renew_ms, retry_ms;
	bool watch_all_namespaces;
	char *watch_label_selector;
	char *watch_configs_label_selector;
	int64_t min_retry_ms, max_retry_ms;
	int jitter_percent;
	Vec feature_gates;
	char *default_service_account;
	/* Accepted so that upstream's manifests start unchanged; the API server's own fairness is
	 * what limits Sluice (docs/differences.md). */
	int kube_api_qps, kube_api_burst;
	int token_cache_size;
	int64_t token_cache_duration_ms;
	int64_t graceful_ms;
	bool help, help_man, version;
} CommonOptions;

/* What was last seen of an object, to tell a change that matters from one that does not. Loop's
 * thread only. */
typedef struct {
	int64_t generation;
	uint64_t requested_at; /* hash of the annotation's value; 0: absent */
	bool deleting;
	Vec index_keys; /* owned strings: under which keys it stands in KindState.index */
} Seen;

typedef struct {
	Manager *manager;
	const Kind *kind;
	const KindWatch *watch;
	Informer *informer;
} WatchState;

typedef struct {
	Manager *manager;
	const Kind *kind;
	char *controller; /* lower-case kind: log key, metrics label */
	Informer *informer;
	Queue *queue;
	Map *seen;  /* "ns/name" -> Seen; loop's thread */
	Map *index; /* index key -> Map of "ns/name"; loop's thread */
	WatchState *watches;
	pthread_t *workers;
	int worker_count;
	atomic_bool patches_only; /* status may be patched and not replaced */
} KindState;

typedef struct Progress Progress;
typedef struct Notice Notice;
typedef struct Grace Grace;

struct Manager {
	const ManagerSpec *spec;
	Flag *rows; /* common rows and the controller's, with offsets into options */
	size_t row_count;
	void *options; /* CommonOptions, then the controller's struct */
	const CommonOptions *common;
	Log *log;
	Loop *loop;
	KubeClient *client;
	EventRecorder *events;
	Progress *progress;
	Metrics *metrics;
	LoopTimer rest; /* loop's thread: when memory goes back; 0: it has */
	void *context;
	bool started; /* spec->start succeeded: stop is owed */
	KindState *kinds;
	LeaderElection *election;
	Httpd *metrics_http, *health_http;
	Grace *grace; /* of a daemon that stops, or NULL */
	int64_t watching_since_ms;
	char *ns;
	atomic_bool cancelled;
	pthread_mutex_t lock; /* guards the four below */
	pthread_cond_t changed;
	bool leading, lost, working;
	bool watching; /* all informers are started */
};

struct Run {
	Manager *manager;
	KindState *state;
	Arena *arena;
	Log *log;
	char *ns, *name;
	json_t *object;
	json_t *before;	  /* the object as it was when status was last written */
	json_t *outlived; /* list: what `object` was before; views of the spec borrow from it */
	const char *requested_at;
	int64_t started_ms, written_ms;
	Notice *notice; /* what is to be shown of the present step, or NULL */
	Vec verdicts;	/* Verdict, owned */
};

/* manager_flags.c */
bool manager_parse_flags(Manager *manager, int argc, char **argv, Error *err);
void manager_free_flags(Manager *manager);
void manager_print_help(const Manager *manager);

/* manager_man.c: --help-man. */
void manager_print_man(const Manager *manager);
const void *manager_controller_options(const Manager *manager);

/* manager_watch.c: informers and what their events mean. */
void kind_watch_start(KindState *state);
void kind_watch_stop(KindState *state);
KindState *manager_kind_state(Manager *manager, const Kind *kind);
/* Waits by `wait` (informer_wait or informer_wait_settled) until a moment (monotonic), or the stop.
 */
typedef bool InformerWait(Informer *informer, int64_t timeout_ms);
bool manager_wait_informer(Manager *manager, Informer *informer, InformerWait *wait,
			   int64_t until_ms);

/* manager_run.c: workers. */
void kind_workers_start(KindState *state);
void kind_workers_join(KindState *state);

/* progress.c: what a long step shows. */
Progress *progress_new(Manager *manager);
void progress_free(Progress *progress); /* after the last run */
/* Shows the run's conditions as they are now at due_ms, unless the run is settled before. */
void progress_arm(Run *run, int64_t due_ms);
/* Nothing will be shown from here on; what was is known to the run. Before each write, and at the
 * end. */
void progress_settle(Run *run);

/* manager_grace.c: unless grace_end is called before, the process ends with exit code 1 after
 * limit_ms, or when one of `signals` (blocked by the caller) comes. NULL: there is no limit. */
Grace *grace_start(const Log *log, int64_t limit_ms, const sigset_t *signals);
void grace_end(Grace *grace);

/* manager_status.c */
bool run_write_status(Run *run, Error *err);
bool run_set_finalizer(Run *run, bool present, Error *err);

/* manager_serve.c: health and metrics. */
bool manager_serve_start(Manager *manager, Error *err);
void manager_serve_stop(Manager *manager);
void manager_observe_run(KindState *state, const Run *run, Outcome outcome);
void manager_drop_metrics(KindState *state, const char *ns, const char *name);

#endif
