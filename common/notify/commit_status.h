/* Commit statuses: what is there is read first, and an equal one is not written again (N68). */
#ifndef NOTIFY_COMMIT_STATUS_H
#define NOTIFY_COMMIT_STATUS_H

#include "notify/repository.h"

/* What to read, what to write. All owned but the functions. */
typedef struct {
	char *list_url, *create_url;
	json_t *body;	      /* of the creating request */
	bool missing_is_none; /* 404 to the reading request means that there is none */

	/* True when the reply to the reading request holds what `body` says already. */
	bool (*is_there)(const json_t *reply, const json_t *body);
} StatusPlan;

/* *out becomes the reading request, which the creating one follows with the same headers. Takes
 * what the plan owns. The caller adds credentials to *out. False when body is NULL. */
bool status_plan_start(StatusPlan *take_plan, NotifyRequest *out, Error *err);

/* The newest entry of the list whose `context_key` is the body's: equal in state and description.
 * An entry names its state `state_key`. Entries without one of the three do not count. */
bool status_is_newest(const json_t *list, const json_t *body, const char *state_key);

/* `good` for info, `bad` for error; NULL and err for other severities. */
const char *status_state(const json_t *event, const char *good, const char *bad, Error *err);

/* What every status needs: the id (else ERR_INVALID) and the commit. */
bool status_needs(const NotifyTarget *target, const json_t *event, char commit[COMMIT_SIZE],
		  Error *err) MUST_USE;

/* Copies the headers of a request but its Content-Type. */
void notify_copy_headers(const NotifyRequest *from, NotifyRequest *to);

#endif
