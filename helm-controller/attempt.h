/*
 * An attempt: what upstream calls one reconcile. It lives in memory from the run that began it to
 * the one that ends it, and holds what its steps need: spec as it was, chart, values, which types
 * of steps were done, the action under way. Losing it (a crash) loses time, never the release: what
 * must survive is in the release's Secret.
 */
#ifndef HELM_CONTROLLER_ATTEMPT_H
#define HELM_CONTROLLER_ATTEMPT_H

#include "action.h"
#include "delivery/target.h"
#include "release_spec.h"
#include "state.h"
#include "storage.h"

typedef struct {
	json_t *object;	  /* name, generation and spec of when it began; owned */
	ReleaseSpec spec; /* of object */
	char *owner;	  /* "ns/name"; owned */
	PreparedChart *chart;
	json_t *values;
	char *config_digest, *oci_digest, *source_revision;
	char *storage_before; /* status.storageNamespace as the API server has it */
	bool replaces;	      /* what it installs takes the place of another release */
	char *handled_at;     /* the request that it answers, or an older one */
	HealthExprs *exprs;
	HelmPostRenderer post_render;
	TestFilter *filters;
	bool force;	 /* to be acted on by the first step */
	bool has_waited; /* the run that goes on is not the one that began it */
	bool uninstalls; /* only that: the object is deleted, or its target changed */
	unsigned done;	 /* StepTypes */
	/* What storage is known to hold: the newest record, or that there is none. */
	HelmRecord *last;
	StoredRows rows; /* when rows_known */
	bool rows_known;
	bool absent;
	bool requested;	      /* by somebody who may have seen what no watch has told yet */
	bool misled;	      /* what was known of storage was old: the server is asked */
	bool matches;	      /* the latest snapshot was made of `last` */
	HelmRecord *previous; /* rollback: its target; else NULL */
	/* The step under way. */
	ReleaseStep step;
	Action *action;
	int64_t step_started_ms;
	json_t *uninstalled;		 /* the snapshot that an uninstallation is about; owned */
	char *release, *ns, *storage_ns; /* what the action addresses; owned */
	Target target;			 /* while it waits: for the end of the daemon */
} Attempt;

/* `object` is the HelmRelease; its spec is shared. */
Attempt *attempt_new(const json_t *object) MUST_USE;
void attempt_free(Attempt *attempt);
AUTO_POINTER(Attempt, attempt_free, auto_attempt);
#define autoattempt __attribute__((cleanup(auto_attempt)))

/* Takes the newest record; NULL: there is none. What was listed before holds no longer. */
void attempt_set_last(Attempt *attempt, HelmRecord *take);
/* The action is over. */
void attempt_end_action(Attempt *attempt);

/* --- those that wait, by "ns/name"; thread-safe --- */

typedef struct Attempts Attempts;
Attempts *attempts_new(void);
void attempts_free(Attempts *attempts);

/* The caller's from then on; NULL: there is none. */
Attempt *attempts_take(Attempts *attempts, const char *key);
/* Until the next run. */
void attempts_keep(Attempts *attempts, const char *key, Attempt *take);
/* All that are left, one after the other; NULL: no more. *out_key is owned. */
Attempt *attempts_take_any(Attempts *attempts, char **out_key);

/*
 * A status that holds what a step did to the release, and may not have reached the API server: kept
 * as text until its latest snapshot is seen there. NULL drops it.
 */
void attempts_keep_status(Attempts *attempts, const char *key, const json_t *status);
/* Owned, or NULL. */
json_t *attempts_kept_status(Attempts *attempts, const char *key);

/* The key of a generated HelmChart that status does not tell of yet: a new one is told of together
 * with what comes of it. NULL drops it; what is noted is owned by the caller, or NULL. */
void attempts_note_chart(Attempts *attempts, const char *key, const char *chart);
char *attempts_noted_chart(Attempts *attempts, const char *key);

void attempts_forget(Attempts *attempts, const char *key);

#endif
