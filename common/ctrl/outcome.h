/* What came of a reconcile: one value, so that no contradictory pair can be returned. */
#ifndef CTRL_OUTCOME_H
#define CTRL_OUTCOME_H

#include <stdint.h>

typedef enum {
	OUTCOME_AGAIN,	 /* success: observedGeneration moves, back-off resets, runs again after_ms
			    (+- jitter); 0: only on a trigger */
	OUTCOME_FAILED,	 /* err says why; back-off decides when, observedGeneration stays */
	OUTCOME_RETRY,	 /* as FAILED, but again in exactly after_ms, no back-off */
	OUTCOME_WAITING, /* nothing failed and nothing is done: a watch resumes it, after_ms at the
			    latest */
	OUTCOME_STALLED, /* no retry until the spec changes: observedGeneration moves */
	OUTCOME_GONE,	 /* finalize: all is cleaned up, the finalizer may go */
} OutcomeKind;

typedef struct {
	OutcomeKind kind;
	int64_t after_ms;
} Outcome;

static inline Outcome outcome_again(int64_t after_ms)
{
	return (Outcome){OUTCOME_AGAIN, after_ms};
}

static inline Outcome outcome_failed(void)
{
	return (Outcome){OUTCOME_FAILED, 0};
}

static inline Outcome outcome_retry(int64_t after_ms)
{
	return (Outcome){OUTCOME_RETRY, after_ms};
}

static inline Outcome outcome_waiting(int64_t after_ms)
{
	return (Outcome){OUTCOME_WAITING, after_ms};
}

static inline Outcome outcome_stalled(void)
{
	return (Outcome){OUTCOME_STALLED, 0};
}

static inline Outcome outcome_gone(void)
{
	return (Outcome){OUTCOME_GONE, 0};
}

#endif
