/*
 * What the steps of an action share. action.c walks the table of an action's steps
 * (action_tables.c); a step is called until it says that it is done, and keeps in Action what it
 * needs to know when it is called again.
 */
#ifndef HELM_CONTROLLER_ACTION_INTERNAL_H
#define HELM_CONTROLLER_ACTION_INTERNAL_H

#include "action.h"
#include "base/arena.h"
#include "base/vec.h"
#include "names.h"
#include "storage.h"

typedef enum {
	STEP_NEXT, /* done */
	STEP_WAIT, /* action->wait_ms is set */
	STEP_FAIL, /* err is set */
	STEP_END,  /* done, and with it the action */
} StepResult;

typedef StepResult StepFn(Action *action, Error *err);

typedef struct {
	StepFn *run;	     /* NULL ends a table */
	const char *context; /* put in front of its errors, or NULL */
} Step;

/* How objects are waited for. */
typedef enum {
	WAIT_READY,	 /* as kstatus has it; Jobs when they run */
	WAIT_COMPLETION, /* the same, but Jobs when they end */
	WAIT_LEGACY,	 /* as Helm 3 */
	WAIT_HOOK,	 /* Jobs and Pods end; anything else is ready at once */
	WAIT_GONE,
} WaitMode;

/* One object of a manifest. */
typedef struct {
	json_t *object;	  /* owned */
	const char *path; /* of its template; "" unknown; in the arena */
	json_t *live;	  /* owned; NULL: not there, or not asked */
	bool created;	  /* by this action */
	char *unseen;	  /* owned; why it could not be looked at, or NULL */
	char *why;	  /* owned; why it is not ready, or NULL */
	bool looked;	  /* code is of a look at what is live */
	KstatusCode code;
} Resource;

typedef struct {
	Resource *items;
	size_t len, cap;
	size_t applied; /* how many of them were tried */
	WaitMode mode;	/* in which their state is judged */
} Resources;

/* What is being waited for, across runs. */
typedef struct {
	bool begun, watched;
	int64_t deadline_ms;
} Wait;

/* The hooks of an event, one after the other. */
typedef enum {
	HOOK_DELETE, /* what an earlier run left */
	HOOK_GONE,
	HOOK_CREATE,
	HOOK_AWAIT,
} HookPhase;

typedef struct {
	const char *event; /* NULL: none runs */
	Vec hooks;	   /* json_t *, borrowed from the record */
	size_t at;
	HookPhase phase;
	Resources resources; /* of the hook at hand */
	bool cleaning;	     /* the hooks that are left are only to be deleted */
	Error failure;	     /* of the hook that ended the run */
} HookRun;

enum { LOG_LINES = 10 };

typedef struct {
	int64_t first_ns, last_ns;
	char *text;
	int64_t repeats;
} LogLine;

typedef struct {
	LogLine lines[LOG_LINES];
	size_t count; /* ever */
} LogRing;

struct Action {
	ActionInput input;
	const ActionTarget *target; /* while it is advanced */
	const Step *steps;
	size_t at;
	int64_t wait_ms;
	int put_off; /* times in a row that the server could serve nothing */
	Arena *arena;
	bool server_side, force_replace;
	bool stored;	 /* storage was written */
	bool name_taken; /* by somebody else, since the revisions were looked up */
	bool failing;
	bool looked_for_kinds; /* that discovery did not know */
	HelmRecord *record;    /* what this action writes */
	HelmRecord *last;      /* upgrade: the newest one before */
	HelmRecord *base;      /* upgrade, rollback: whose objects are live */
	Vec superseded;	       /* HelmRecord *, as stored; owned */
	StoredRows rows;
	bool rows_known;
	Resources wanted, present; /* objects of the new and of the old manifest */
	Resources removed, crds;
	Buf errors; /* of several objects, joined */
	Buf left;   /* uninstall: what went wrong and is told at the end */
	size_t left_count;
	StepFn *failed_step;
	Wait wait;
	HookRun hooks;
	LogRing log;
	Error failure;
};

/* action_tables.c */
const Step *action_steps(ActionKind kind);
const Step *action_failure_steps(ActionKind kind);

/* Whether its release is stored as pending until it ends. */
bool action_leaves_pending(ActionKind kind);

/* action.c: the storage of the release at hand; borrowed. */
Storage action_storage(const Action *action);
/* Whether it failed while objects were applied and old ones removed. */
bool action_failed_to_update(const Action *action);

/* action_log.c */
void action_note(Action *action, const char *format, ...) PRINTF(2, 3);
void log_ring_dispose(LogRing *ring);

/* action_objects.c. Objects of a manifest in its order, Lists flattened; namespaced ones without a
 * namespace get the release's. ERR_INVALID names the template's file. */
bool resources_read(Action *action, const char *manifest, Resources *out, Error *err);
void resources_dispose(Resources *resources);
void resources_add(Resources *resources, json_t *take_object, const char *path);
#define autoresources __attribute__((cleanup(resources_dispose)))
/* Label and annotations that say whose the objects are (helm-engine.md 14). */
void resources_mark(const Action *action, Resources *resources);
/* The one of the same group, kind, namespace and name, whatever its version (E83); or NULL. */
const Resource *resources_find(const Resources *resources, const json_t *object);
/* "Kind/ns/name". Owned. */
char *resource_id(const Resource *resource);
/* Sends GETs for those of from..to in one batch and fills `live`, or `unseen`; false for anything
 * but ERR_NOT_FOUND. */
bool resources_look(Action *action, Resources *resources, size_t from, size_t to, Error *err);
/* Appends an error of one object, with its template's file, to `errors`. */
void resource_failed(Action *action, const Resource *resource, const char *separator,
		     const Error *cause);
/* True: no errors were collected. Else err holds them, and `errors` is empty. */
bool resources_went_well(Action *action, Error *err);

/* action_wait.c */
/* Until all are as their mode says, or `timeout_ms` after the first call. */
StepResult wait_for(Action *action, Resources *resources, int64_t timeout_ms, Error *err);
/* Nothing is known of them: for another wait. */
void resources_forget(Resources *resources, WaitMode mode);
/* What a write's reply tells, where that needs no further request. */
void wait_note(const Action *action, WaitMode mode, Resource *resource, const json_t *object);
void wait_stop(Action *action);
WaitMode wait_mode(const Action *action);

/* action_why.c. Of the one whose `live` was just looked at. */
void why_note(const Action *action, Resource *resource);
/* Adds what pods say, of the first few that have failed, or are in progress. */
void why_ask_pods(const Action *action, Resources *resources, bool failed);

/* action_legacy.c: may ask for other objects. */
KstatusCode legacy_status(const Action *action, const json_t *object);

/* action_hooks.c: runs an event's hooks to their end. */
StepResult hooks_run(Action *action, const char *event, Error *err);
void hook_run_dispose(HookRun *run);

/* action_apply.c. Sends all; goes on where it was put off. */
typedef struct {
	const char *separator; /* between the errors of several objects */
	bool force;	       /* server-side: conflicting fields are taken */
	bool create;	       /* client-side: nothing may be there */
	bool only_new;	       /* what is there is left alone */
} ApplyWay;
bool apply_objects(Action *action, Resources *resources, const ApplyWay *way, Error *err);
/* True when the server put something off, as err says: the batch is to be sent again. */
bool replies_put_off(const KubeReply *replies, size_t count, Error *err);
/* action_csa.c: the next `count`; false only when the server could not be asked. */
bool apply_client_side(Action *action, Resources *resources, size_t count, const ApplyWay *way,
		       Error *err);
/* action_migrate.c: where the reply of an apply shows that its fields were updated by this manager
 * before, makes them applied ones, and the reply that of another apply. */
bool apply_migrated(Action *action, const Resource *resource, KubeReply *reply, Error *err);
/* action_delete.c. What is gone is no error. */
bool delete_objects(Action *action, Resources *resources, const char *propagation, Error *err);

/* action_load.c: the revision that this action makes. */
int64_t next_version(const Action *action);

/* Steps. action_load.c */
StepResult step_load_install(Action *action, Error *err);
StepResult step_load_upgrade(Action *action, Error *err);
StepResult step_load_rollback(Action *action, Error *err);
StepResult step_load_uninstall(Action *action, Error *err);
StepResult step_load_test(Action *action, Error *err);
StepResult step_name(Action *action, Error *err);
/* action_crds.c */
StepResult step_crds(Action *action, Error *err);
StepResult step_apply_crds(Action *action, Error *err);
StepResult step_await_crds(Action *action, Error *err);
/* action_render.c */
StepResult step_render(Action *action, Error *err);
/* action_objects.c */
StepResult step_build(Action *action, Error *err);
StepResult step_build_present(Action *action, Error *err);
/* action_adopt.c */
StepResult step_adopt(Action *action, Error *err);
/* action_store.c */
StepResult step_namespace(Action *action, Error *err);
StepResult step_prune(Action *action, Error *err);
StepResult step_store_pending(Action *action, Error *err);
StepResult step_store_done(Action *action, Error *err);
StepResult step_store_failed(Action *action, Error *err);
StepResult step_supersede_replaced(Action *action, Error *err);
StepResult step_supersede_base(Action *action, Error *err);
StepResult step_supersede_deployed(Action *action, Error *err);
StepResult step_supersede_current(Action *action, Error *err);
StepResult step_begin_uninstall(Action *action, Error *err);
StepResult step_store_uninstalling(Action *action, Error *err);
StepResult step_store_uninstalled(Action *action, Error *err);
StepResult step_store_tested(Action *action, Error *err);
/* action_apply.c */
StepResult step_apply(Action *action, Error *err);
/* action_remove.c */
StepResult step_remove(Action *action, Error *err);
StepResult step_cleanup(Action *action, Error *err);
StepResult step_delete_all(Action *action, Error *err);
StepResult step_await_deletion(Action *action, Error *err);
StepResult step_hooks_after_uninstall(Action *action, Error *err);
StepResult step_end_uninstall(Action *action, Error *err);
/* action_wait.c */
StepResult step_wait(Action *action, Error *err);
/* action_hooks.c */
StepResult step_hooks_before(Action *action, Error *err);
StepResult step_hooks_after(Action *action, Error *err);
StepResult step_test(Action *action, Error *err);

#endif
