/*
 * Refusals as the API spells them: a Status object with reason, code, details and causes
 * (kube-api.md 1.5). It is the Error of everything that answers a request; functions below return
 * false, so that `return status_conflict(out, ...)` reads well. The first failure wins.
 */
#ifndef APISERVER_STATUS_ERROR_H
#define APISERVER_STATUS_ERROR_H

#include "data/json.h"

#include "kinds.h"

typedef struct {
	int code;     /* HTTP status; 0: not set */
	json_t *body; /* the Status object, owned */
} Status;

void status_dispose(Status *status);
#define autostatus __attribute__((cleanup(status_dispose)))

static inline bool status_is_set(const Status *status)
{
	return status->code != 0;
}

/* Any refusal. `reason` may be NULL. */
bool status_set(Status *status, int code, const char *reason, const char *format, ...) PRINTF(4, 5);

/* Fills details.{name,group,kind} from a resource; name may be NULL. Returns false. */
bool status_details(Status *status, const Resource *resource, const char *name);

/* Adds a cause; field may be NULL. */
void status_cause(Status *status, const char *reason, const char *message, const char *field);

/* 404 'deployments.apps "x" not found'. */
bool status_not_found(Status *status, const Resource *resource, const char *name);

/* 404 for a path that names nothing. */
bool status_no_resource(Status *status);

/* 409 'configmaps "x" already exists'. */
bool status_exists(Status *status, const Resource *resource, const char *name);

/* 409 'Operation cannot be fulfilled on ...: REST'. */
bool status_conflict(Status *status, const Resource *resource, const char *name, const char *rest);

/* The rest of a stale write's conflict. */
extern const char status_modified[];

/* 400 BadRequest. */
bool status_bad_request(Status *status, const char *format, ...) PRINTF(2, 3);

/* 403 'R.G "x" is forbidden: WHY'. */
bool status_forbidden(Status *status, const Resource *resource, const char *name, const char *why);

/* 410 Expired. */
bool status_expired(Status *status, const char *message);

/* By which a client may go on with a list that was refused. */
void status_set_continue(Status *status, const char *token);

/* 500 with the error's text; for failures of our own. */
bool status_internal(Status *status, const Error *err);

/* {"kind":"Status","status":"Success"...} for deletions; owned. */
json_t *status_success(const Resource *resource, const char *name, const char *uid);

/* Field errors of one object, collected; they become one 422. */
typedef struct {
	json_t *causes; /* array of {reason, message, field}; NULL when none */
} FieldErrors;

void field_errors_dispose(FieldErrors *errors);
#define autofielderrors __attribute__((cleanup(field_errors_dispose)))

/* Adds one; `type` is "Invalid value", "Required value", "Forbidden", "Unsupported value", ... At
 * most 100 are kept. */
void field_error(FieldErrors *errors, const char *type, const char *path, const char *format, ...)
	PRINTF(4, 5);

/* Adds a cause that another list has; shared, not copied. */
void field_error_add(FieldErrors *errors, json_t *cause);

/* Makes the 422 'KIND.GROUP "x" is invalid: ...' when there are errors; true when there are none.
 */
bool field_errors_check(const FieldErrors *errors, const char *kind, const char *group,
			const char *name, Status *status);

#endif
