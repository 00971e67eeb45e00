/*
 * What a release is in, told from storage, history and spec, and what is to be done about it
 * (helm-controller.md 6, both tables). Pure.
 */
#ifndef HELM_CONTROLLER_STATE_H
#define HELM_CONTROLLER_STATE_H

#include <stdbool.h>
#include <stdint.h>

typedef enum {
	STATE_ABSENT,
	STATE_LOCKED,
	STATE_UNMANAGED,
	STATE_FAILED,
	STATE_OUT_OF_SYNC,
	STATE_UNTESTED,
	STATE_DRIFTED,
	STATE_IN_SYNC,
	STATE_UNKNOWN, /* a status that nothing is known to do about */
} ReleaseState;

/* What is seen of a release. */
typedef struct {
	const char *stored; /* status of the newest record; NULL: there is none */
	bool has_history;   /* status.history has a snapshot */
	bool matches;	    /* the record is what the latest snapshot's digest tells */
	bool same_chart, same_values;
	bool is_new_generation; /* status.observedGeneration is another */
	bool same_post_renderers, same_common_metadata;
	bool tests;	   /* spec.test.enable */
	bool tested;	   /* by the latest snapshot */
	bool tests_failed; /* a test hook failed, that counts, and an action is recorded */
	bool drifted;
} ReleaseSight;

/* *out_reason: why, static text or NULL. */
ReleaseState release_state(const ReleaseSight *sight, const char **out_reason);
const char *release_state_name(ReleaseState state);

/* "pending-install", ..., "uninstalling": of a record that nobody finished. */
bool release_is_unfinished(const char *status);

typedef enum {
	DO_NOTHING, /* all is as it should be */
	DO_INSTALL,
	DO_UPGRADE,
	DO_TEST,
	DO_ROLLBACK,
	DO_UNINSTALL,
	DO_UNLOCK,
	DO_CORRECT, /* drift */
	DO_STALL,   /* retries are exhausted */
	DO_GIVE_UP, /* an unknown state */
} ReleaseStep;

/* What decides besides the state. */
typedef struct {
	ReleaseState state;
	bool force; /* forceAt is to be acted on */
	bool install_exhausted, upgrade_exhausted;
	bool retries_on_failure; /* RetryOnFailure of the last action */
	bool has_remediation;	 /* an action is recorded */
	int64_t failures;	 /* of that action */
	bool exhausted, remediate_last, uninstalls;
	bool corrects_drift;
} ReleaseSituation;

ReleaseStep release_next_step(const ReleaseSituation *situation);

/* Types of steps: of each type at most one is done in an attempt. */
typedef enum {
	STEP_RELEASE = 1,
	STEP_REMEDIATE = 2,
	STEP_TEST = 4,
	STEP_UNLOCK = 8,
	STEP_DRIFT = 16,
} StepType;

StepType release_step_type(ReleaseStep step);
/* "install", "rollback", ...: in conditions. */
const char *release_step_name(ReleaseStep step);

#endif
