/*
 * Messages to people and machines: an event and a target become one HTTP request, or a few that
 * follow one another (notification.md 5 to 7). Building is pure; sending retries in the background.
 */
#ifndef NOTIFY_NOTIFY_H
#define NOTIFY_NOTIFY_H

#include "base/vec.h"
#include "data/json.h"
#include "net/httpc.h"
#include "net/tokens.h"

/* Where to: what a Provider, its Secret and the Alert say. All borrowed; NULL when absent. */
typedef struct {
	const char *type;
	const char *address, *channel, *username;
	const char *token, *secret_username, *secret_password;
	const json_t *headers; /* string map of the Secret's `headers` key */
	const char *status_id; /* names a commit status (notification.md 7) */
	const char *provider_uid;
	const char *alert_namespace, *alert_name, *alert_uid;

	/* Any other key of the Secret, NULL when absent; may be NULL. */
	const char *(*secret_key)(const void *secret, const char *key);
	const void *secret;
	TokenCache *tokens;	      /* may be NULL */
	TokenUser user;		      /* the Provider, for its metrics; may be empty */
	const char *event_hub_domain; /* azureeventhub: of namespaces; NULL: the public cloud's */
} NotifyTarget;

/* A request ready to be sent; all owned. */
typedef struct NotifyRequest NotifyRequest;
struct NotifyRequest {
	const char *method; /* static; NULL: POST */
	char *url;	    /* NULL: nothing is to be sent */
	Vec headers;	    /* "Name: value" */
	Buf body;

	/* What the reply means where 2xx is not the whole truth; NULL: 2xx is success. */
	bool (*judge)(int status, Str body, Error *err);

	/* After a success: makes the request that follows, into an empty *out_next, and hands it
	 * `state` if it needs it; an out_next left empty ends the delivery. NULL: there is none. */
	bool (*then)(NotifyRequest *self, int status, Str reply, NotifyRequest *out_next,
		     Error *err);
	void *state;
	void (*free_state)(void *state);

	/* Not HTTP: does the work of one try on a thread of its own, within timeout_ms, or until
	 * cancel_fd becomes readable (ERR_CANCELLED). `url` only says where to. */
	bool (*perform)(NotifyRequest *self, int64_t timeout_ms, int cancel_fd, Error *err);
};

void notify_request_dispose(NotifyRequest *request);
#define autonotifyrequest __attribute__((cleanup(notify_request_dispose)))

/* What kind of provider a type is; 0 for a type that is not there. */
enum {
	NOTIFY_KNOWN = 1,
	NOTIFY_GENERIC = 2,	  /* passes the event on whole */
	NOTIFY_COMMIT_STATUS = 4, /* needs target.status_id */
	NOTIFY_COMMENT = 8,	  /* writes to a change request */
};
unsigned notify_traits(const char *type);

/*
 * Builds the (first) request for an event (notification.md 3 "Event JSON", metadata already
 * merged). ERR_UNSUPPORTED for a type that is not there; ERR_INVALID for what the type lacks (an
 * address, a token). No error names a secret.
 */
bool notify_build(const NotifyTarget *target, const json_t *event, NotifyRequest *out,
		  Error *err) MUST_USE;

/*
 * Sends in the background, in lanes: each Provider's messages wait for one another, never for those
 * of others, so that a dead Provider costs nobody else a delivery. Bounded: a lane has so many
 * requests under way and so many bytes waiting. Thread-safe.
 */
typedef struct NotifySender NotifySender;

NotifySender *notify_sender_new(Loop *loop, Error *err) MUST_USE;

/* Waits up to drain_ms for what is under way, cancels the rest (on_done gets ERR_CANCELLED), frees.
 * Not on the loop's thread. */
void notify_sender_free(NotifySender *sender, int64_t drain_ms);

typedef struct {
	const char *lane;		/* who waits for whom: a name for the Provider */
	const HttpClientConfig *client; /* TLS and proxy; NULL: the shared client. Part of the lane
					   must be what tells different ones apart */
	int64_t timeout_ms;		/* from the first try on */
	void (*on_done)(void *arg, const Error *err);
	void *arg;
} NotifyDelivery;

/*
 * Up to 5 tries of each request, waits 2, 4, 8, 16 s (30 s at most, Retry-After honoured) after
 * transport errors, 429 and 5xx but 501; all within timeout_ms. Takes what the request owns, also
 * on failure. True: on_done runs once, on the loop's thread; err->code is ERR_NONE after a
 * delivery. False: ERR_LIMIT when too much waits already, ERR_INVALID for an unusable client.
 */
bool notify_send(NotifySender *sender, NotifyRequest *take_request, const NotifyDelivery *how,
		 Error *err) MUST_USE;

/* "kind/name.namespace" of the involved object, kind in lower case. Owned. */
char *notify_object_name(const json_t *event);

#endif
