/*
 * Workers: take a key, run the kind's reconcile on a tree of its own, note what came of it in
 * status, decide when it runs again. The life of a reconcile is reconcile_key, read from the top.
 */
#include "ctrl/manager_internal.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rand.h"

/* As a process has by default, which is what limits of recursion are made for (gotmpl/run.c takes
 * six of them). Address space: pages are used as they are touched. */
enum { WORKER_STACK = 8 << 20 };

Manager *run_manager(Run *run)
{
	return run->manager;
}

void *run_context(Run *run)
{
	return run->manager->context;
}

KubeClient *run_client(Run *run)
{
	return run->manager->client;
}

Arena *run_arena(Run *run)
{
	return run->arena;
}

const Log *run_log(Run *run)
{
	return run->log;
}

const Kind *run_kind(Run *run)
{
	return run->state->kind;
}

TokenUser run_token_user(Run *run, TokenOperation operation)
{
	return (TokenUser){run->state->kind->kind, run->name, run->ns, operation};
}

json_t *run_object(Run *run)
{
	return run->object;
}

const char *run_namespace(Run *run)
{
	return run->ns;
}

const char *run_name(Run *run)
{
	return run->name;
}

char *run_key(Run *run)
{
	return mem_printf("%s/%s", run_namespace(run), run_name(run));
}

const char *run_requested_at(Run *run)
{
	return run->requested_at;
}

bool run_is_cancelled(Run *run)
{
	return atomic_load(&run->manager->cancelled);
}

void run_event(Run *run, EventType type, const char *reason, const json_t *metadata,
	       const char *format, ...)
{
	va_list args;
	va_start(args, format);
	autofree char *message = mem_vprintf(format, args);
	va_end(args);
	event_record(run->manager->events, run->object, type, reason, metadata, message);
}

/* An event that waits for the run's end. */
typedef struct {
	EventType type;
	char *reason, *message;
	json_t *metadata;
} Verdict;

static void verdict_free(void *value)
{
	Verdict *verdict = value;
	free(verdict->reason);
	free(verdict->message);
	json_decref(verdict->metadata);
	free(verdict);
}

void run_verdict(Run *run, EventType type, const char *reason, const json_t *metadata,
		 const char *format, ...)
{
	Verdict *verdict = mem_zalloc(1, sizeof(*verdict));
	va_list args;
	va_start(args, format);
	verdict->message = mem_vprintf(format, args);
	va_end(args);
	verdict->type = type;
	verdict->reason = mem_strdup(reason);
	verdict->metadata = metadata ? json_deep_copy(metadata) : NULL;
	vec_push(&run->verdicts, verdict);
}

static void send_verdicts(Run *run, bool written)
{
	for (size_t i = 0; i < run->verdicts.len; i++) {
		const Verdict *verdict = run->verdicts.items[i];
		if (written || verdict->type == EVENT_WARNING)
			event_record(run->manager->events, run->object, verdict->type,
				     verdict->reason, verdict->metadata, verdict->message);
	}
}

/* requestedAt is echoed on success, failure and while suspended (S89, K12). */
static void note_request(Run *run)
{
	const char *value = object_annotation(run->object, FLUX_REQUESTED_AT);
	const json_t *status = json_map(run->object, "status");
	if (!value || cstr_eq(value, json_text(status, "lastHandledReconcileAt")))
		return;
	run->requested_at = arena_strdup(run->arena, value);
	if (!run->state->kind->no_status)
		json_put_text(json_make_at(run->object, "status", NULL), "lastHandledReconcileAt",
			      value);
}

static void observe_generation(Run *run)
{
	json_object_set_new(json_make_at(run->object, "status", NULL), "observedGeneration",
			    json_integer(object_generation(run->object)));
}

/* Reconciling and Stalled say what the outcome is (source.md 7 "Outcome"). */
static void note_outcome(Run *run, Outcome outcome, const Error *err)
{
	json_t *object = run->object;
	const char *said = condition_message(object, "Reconciling");
	autofree char *message = mem_strdup(said ? said : err_text(err));
	switch (outcome.kind) {
	case OUTCOME_AGAIN:
		condition_remove(object, "Reconciling");
		condition_remove(object, "Stalled");
		observe_generation(run);
		break;
	case OUTCOME_FAILED:
	case OUTCOME_RETRY:
		condition_remove(object, "Stalled");
		condition_set(object, "Reconciling", "True", "ProgressingWithRetry", message);
		break;
	case OUTCOME_STALLED:
		condition_remove(object, "Reconciling");
		condition_set(object, "Stalled", "True", err->reason ? err->reason : "Failed",
			      err_text(err));
		observe_generation(run);
		break;
	case OUTCOME_WAITING:
	case OUTCOME_GONE:
		break;
	}
}

int64_t run_jittered(Run *run, int64_t interval_ms)
{
	int64_t spread = interval_ms * run->manager->common->jitter_percent / 100;
	if (spread <= 0)
		return interval_ms;
	return interval_ms - spread + (int64_t)rand_below((uint64_t)spread * 2 + 1);
}

/* How long a peer, such as a Git server, asked to be left alone. */
static int64_t asked_wait_ms(const Run *run, const Error *err)
{
	int64_t max_ms = run->manager->common->max_retry_ms;
	return err->retry_after_ms < max_ms ? err->retry_after_ms : max_ms;
}

/* A key that is to come back later while the API server is away comes back with it. */
static void note_absence(const Run *run, const char *key)
{
	if (kube_client_is_away(run->manager->client))
		queue_hold(run->state->queue, key);
}

static void requeue(Run *run, const char *key, Outcome outcome, const Error *err)
{
	Queue *queue = run->state->queue;
	int64_t asked_ms = asked_wait_ms(run, err);
	switch (outcome.kind) {
	case OUTCOME_AGAIN:
		queue_forget(queue, key);
		if (outcome.after_ms > 0)
			queue_add_after(queue, key, run_jittered(run, outcome.after_ms), true);
		break;
	case OUTCOME_FAILED:
		queue_add_backoff(queue, key, asked_ms);
		note_absence(run, key);
		break;
	case OUTCOME_RETRY:
		queue_add_after(queue, key,
				outcome.after_ms > asked_ms ? outcome.after_ms : asked_ms, true);
		note_absence(run, key);
		break;
	case OUTCOME_WAITING:
		if (outcome.after_ms > 0)
			queue_add_after(queue, key, outcome.after_ms, true);
		break;
	case OUTCOME_STALLED:
	case OUTCOME_GONE:
		queue_forget(queue, key);
		break;
	}
}

static Outcome finalize(Run *run, Error *err)
{
	const Kind *kind = run->state->kind;
	if (!object_has_finalizer(run->object, FLUX_FINALIZER))
		return outcome_gone();
	Outcome outcome = kind->finalize ? kind->finalize(run, err) : outcome_gone();
	if (outcome.kind == OUTCOME_GONE && !run_set_finalizer(run, false, err))
		return outcome_failed();
	return outcome;
}

/* An object that has become one that is only read. */
static Outcome retire(Run *run, Error *err)
{
	if (json_flag(json_map(run->object, "spec"), "suspend", false))
		return outcome_waiting(0);
	if (object_has_finalizer(run->object, FLUX_FINALIZER)) {
		Outcome outcome = finalize(run, err);
		if (outcome.kind != OUTCOME_GONE)
			return outcome;
	}
	json_object_set_new(run->object, "status", json_object());
	manager_drop_metrics(run->state, run->ns, run->name);
	return outcome_waiting(0);
}

static Outcome reconcile_live(Run *run, Error *err)
{
	const Kind *kind = run->state->kind;
	if (kind->is_static && kind->is_static(run->object))
		return retire(run, err);
	if (!kind->no_finalizer && !object_has_finalizer(run->object, FLUX_FINALIZER) &&
	    !run_set_finalizer(run, true, err))
		return outcome_failed();
	note_request(run);
	bool suspended = json_flag(json_map(run->object, "spec"), "suspend", false);
	if (suspended) {
		log_info(run->log, "reconciliation is suspended", NULL);
		return kind->suspended ? kind->suspended(run, err) : outcome_waiting(0);
	}
	/* One that an earlier version has put there. */
	if (kind->no_finalizer && object_has_finalizer(run->object, FLUX_FINALIZER)) {
		if (!run_set_finalizer(run, false, err))
			return outcome_failed();
		run_event(run, EVENT_NORMAL, "Migration", NULL,
			  "removed the finalizer, which %s objects no longer need", kind->kind);
	}
	Outcome outcome = kind->reconcile(run, err);
	if (!kind->no_status)
		note_outcome(run, outcome, err);
	return outcome;
}

static void log_outcome(const Run *run, Outcome outcome, const Error *err)
{
	if (outcome.kind == OUTCOME_FAILED || outcome.kind == OUTCOME_RETRY)
		log_error(run->log, err, "Reconciler error", NULL);
	else if (outcome.kind == OUTCOME_STALLED)
		log_error(run->log, err, "reconciliation is stalled", NULL);
}

/* A person who looks should see why nothing happens, when it takes so long that one may look. The
 * server that has too much to do is not given more. */
static void show_postponed(Run *run, const char *key, const Error *err)
{
	enum { PERSON_WAITS_MS = 2000 };
	bool is_first = queue_postponed(run->state->queue, key) == 1;
	if (run->state->kind->no_status || (is_first && err->retry_after_ms <= PERSON_WAITS_MS))
		return;
	autoerror Error failure = {0};
	condition_setf(run->object, "Reconciling", "True", "Progressing",
		       "waiting to try again: %s", err_text(err));
	/* What people look at first must not stay empty. */
	if (!object_condition(run->object, "Ready"))
		condition_setf(run->object, "Ready", "Unknown", "Progressing",
			       "waiting to try again: %s", err_text(err));
	if (!run_write_status(run, &failure))
		log_error(run->log, &failure, "the wait could not be shown", NULL);
}

/* True when the run is to be done again as if it had not been: nothing failed yet. */
static bool postpone(Run *run, const char *key, const Error *err)
{
	if (!err->not_yet || !queue_postpone(run->state->queue, key, err->retry_after_ms))
		return false;
	note_absence(run, key);
	log_info(run->log, "put off", "cause", err_text(err), NULL);
	json_t *status = json_map(run->before, "status");
	if (status)
		json_object_set_new(run->object, "status", json_deep_copy(status));
	else
		json_object_del(run->object, "status");
	show_postponed(run, key, err);
	return true;
}

/* False when the run is to be done again for want of a written status. */
static bool write_outcome(Run *run, const char *key, Outcome *outcome)
{
	autoerror Error failure = {0};
	bool written = outcome->kind == OUTCOME_GONE || run_write_status(run, &failure);
	if (!written && failure.not_yet &&
	    queue_postpone(run->state->queue, key, failure.retry_after_ms)) {
		note_absence(run, key);
		return false;
	}
	if (!written) {
		log_error(run->log, &failure, "status not written", NULL);
		*outcome = outcome_failed();
	}
	send_verdicts(run, written);
	return true;
}

/* The body of a run; the caller owns what is in it. */
static void run_object_once(Run *run, const char *key)
{
	autoerror Error err = {0};
	bool deleting = object_is_deleting(run->object);
	Outcome outcome = deleting ? finalize(run, &err) : reconcile_live(run, &err);
	if (atomic_load(&run->manager->cancelled) && err.code == ERR_CANCELLED)
		return; /* the next process begins anew: nothing half-said */
	if (postpone(run, key, &err))
		return;
	log_outcome(run, outcome, &err);
	if (!write_outcome(run, key, &outcome))
		return;
	manager_observe_run(run->state, run, outcome);
	requeue(run, key, outcome, &err);
}

static void reconcile_key(KindState *state, const char *key)
{
	const char *slash = strchr(key, '/');
	autofree char *ns = mem_strndup(key, (size_t)(slash - key));
	autofree char *name = mem_strdup(slash + 1);
	json_t *object = informer_get(state->informer, ns, name);
	if (!object) {
		queue_forget(state->queue, key);
		return;
	}
	char id[37];
	rand_uuid(id);
	autofree char *group = api_group(state->kind->api_version);
	autoarena Arena *arena = arena_new();
	autolog Log *log = log_with(state->manager->log, "controller", state->controller,
				    "controllerGroup", group, "controllerKind", state->kind->kind,
				    "namespace", ns, "name", name, "reconcileID", id, NULL);
	Run run = {.manager = state->manager,
		   .state = state,
		   .arena = arena,
		   .log = log,
		   .ns = ns,
		   .name = name,
		   .object = object,
		   .before = json_deep_copy(object),
		   .outlived = json_array(),
		   .started_ms = clock_mono_ms()};
	run_object_once(&run, key);
	progress_settle(&run);
	json_decref(run.object);
	json_decref(run.before);
	json_decref(run.outlived);
	vec_dispose_with(&run.verdicts, verdict_free);
}

static void *work(void *arg)
{
	KindState *state = arg;
	for (;;) {
		autofree char *key = queue_take(state->queue);
		if (!key)
			return NULL;
		reconcile_key(state, key);
		queue_done(state->queue, key);
		manager_note_work(state->manager);
	}
}

void kind_workers_start(KindState *state)
{
	int count = state->manager->common->concurrent > 0 ? state->manager->common->concurrent : 1;
	state->workers = mem_zalloc((size_t)count, sizeof(state->workers[0]));
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, WORKER_STACK);
	for (int i = 0; i < count; i++)
		if (pthread_create(&state->workers[i], &attr, work, state) == 0)
			state->worker_count++;
		else
			break;
	pthread_attr_destroy(&attr);
}

void kind_workers_join(KindState *state)
{
	queue_shut(state->queue);
	for (int i = 0; i < state->worker_count; i++)
		pthread_join(state->workers[i], NULL);
	free(state->workers);
	state->workers = NULL;
	state->worker_count = 0;
}
