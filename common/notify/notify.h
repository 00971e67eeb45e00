/*
 * Messages to people and machines: an event and a target become one HTTP request (notification.md 5
 * and 6). Building is pure; sending retries in the background.
 */
#ifndef NOTIFY_NOTIFY_H
#define NOTIFY_NOTIFY_H

#include "base/vec.h"
#include "data/json.h"
#include "net/httpc.h"

/* Where to: what a Provider and its Secret say. All borrowed; NULL when absent. */
typedef struct {
	const char *type;
	const char *address, *channel, *username;
	const char *token, *secret_username, *secret_password;
	const json_t *headers; /* string map of the Secret's `headers` key */
} NotifyTarget;

/* A request ready to be sent; all owned. */
typedef struct {
	char *url;
	Vec headers; /* "Name: value" */
	Buf body;

	/* What the reply means where its HTTP status alone does not tell; NULL: 2xx is success. */
	bool (*judge)(int status, Str body, Error *err);
} NotifyRequest;

void notify_request_dispose(NotifyRequest *request);
#define autonotifyrequest __attribute__((cleanup(notify_request_dispose)))

/* True when there is a sender for the type. */
bool notify_supports(const char *type);

/*
 * Builds the request for an event (notification.md 3 "Event JSON", metadata already merged).
 * ERR_UNSUPPORTED for a type that is not there; ERR_INVALID for what the type lacks (an address, a
 * token). No error names a secret.
 */
bool notify_build(const NotifyTarget *target, const json_t *event, NotifyRequest *out,
		  Error *err) MUST_USE;

/*
 * Sends in the background over `client`: up to 5 tries, waits 2, 4, 8, 16 s (30 s at most,
 * Retry-After honoured) after transport errors, 429 and 5xx but 501; all within timeout_ms. on_done
 * runs once, on the loop's thread; err->code is ERR_NONE after a delivery. Takes what request owns.
 */
void notify_send(Loop *loop, HttpClient *client, NotifyRequest *take_request, int64_t timeout_ms,
		 void (*on_done)(void *arg, const Error *err), void *arg);

/* "kind/name.namespace" of the involved object, kind in lower case. Owned. */
char *notify_object_name(const json_t *event);

#endif
