/*
 * Conditions in an object's status, as Flux keeps them: order Stalled, Reconciling, Ready, the rest
 * by name; lastTransitionTime moves when status, reason or message changes; messages cut at 32768
 * bytes; observedGeneration is the object's generation.
 */
#ifndef CTRL_CONDITION_H
#define CTRL_CONDITION_H

#include "data/json.h"

/* Sets a condition in object.status.conditions (made when absent). `status` is "True", "False" or
 * "Unknown". */
void condition_set(json_t *object, const char *type, const char *status, const char *reason,
		   const char *message);
void condition_setf(json_t *object, const char *type, const char *status, const char *reason,
		    const char *format, ...) PRINTF(5, 6);
void condition_remove(json_t *object, const char *type);

/* Borrowed; NULL when absent. */
const char *condition_reason(const json_t *object, const char *type);
const char *condition_message(const json_t *object, const char *type);
bool condition_is(const json_t *object, const char *type, const char *status);

#endif
