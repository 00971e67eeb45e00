/*
 * The Kubernetes API client: one HTTP/2 connection per identity, requests in batches, discovery
 * behind it (kube-api.md 1). Replies' Status objects become Errors: code by HTTP status and reason
 * (AlreadyExists is ERR_EXISTS), `reason` the Status reason, message the server's.
 * 429 and 503 with Retry-After, and cut connections of requests that may be repeated (GET, apply,
 * merge patch without lock, delete), are retried within the request's time (but see
 * kube_client_yield). Thread-safe; calls block the worker, never the loop's thread.
 */
#ifndef KUBE_CLIENT_H
#define KUBE_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include "kube/config.h"
#include "kube/object.h"
#include "net/httpc.h"
#include "net/loop.h"

typedef struct KubeClient KubeClient;

/* field_manager is the default for writes and the User-Agent's product. */
KubeClient *kube_client_new(Loop *loop, const KubeConfig *config, const char *field_manager,
			    Error *err) MUST_USE;
void kube_client_free(KubeClient *client);
AUTO_POINTER(KubeClient, kube_client_free, auto_kube_client);
#define autokubeclient __attribute__((cleanup(auto_kube_client)))

/* From now on no call of this client, or of one made from it, waits for a server that serves
 * nothing: it returns the error with `not_yet`, for a caller who has a queue to come back with. A
 * batch of which the server takes a part goes on. */
void kube_client_yield(KubeClient *client);

/* Breaks off what is under way, of this client and of those made from it, and refuses what comes
 * (ERR_CANCELLED): for a process that must end though the server does not answer. Any thread. */
void kube_client_close(KubeClient *client);

/* No request of this client, or of one made from it, that could change something begins at
 * clock_boot_ms() until_ms or later: it fails with ERR_CANCELLED. A leader's bound, moved with each
 * renewal of its lease (lease.h), so that a process which was stopped for long does not act on what
 * it decided before. At first there is none. Any thread. */
void kube_client_act_until(KubeClient *client, int64_t until_ms);

/* The same server as another user, on connections of its own; shares discovery. Cached: the result
 * is borrowed from client. */
KubeClient *kube_client_as(KubeClient *client, const char *user, Error *err) MUST_USE;

/* fn(arg) runs on the loop's thread each time that the server answers, to any identity, after a
 * second or longer in which it could not be reached: what waits to try again need wait no longer.
 * At most every ten seconds. fn must not block and takes no listener away. Any thread. */
void kube_client_on_return(KubeClient *client, LoopFn *fn, void *arg);
void kube_client_off_return(KubeClient *client, LoopFn *fn, void *arg);

/* Whether the last request of any identity found nobody. Any thread. */
bool kube_client_is_away(KubeClient *client);

/* Another bearer token for all identities of this client from the next request on. ERR_INVALID for
 * one that no header can hold. */
bool kube_client_set_token(KubeClient *client, const char *token, Error *err) MUST_USE;

typedef enum {
	KUBE_GET,
	KUBE_LIST,
	KUBE_CREATE,
	KUBE_REPLACE,
	KUBE_JSON_PATCH,
	KUBE_MERGE_PATCH,
	KUBE_STRATEGIC_PATCH,
	KUBE_APPLY, /* server-side apply */
	KUBE_DELETE,
} KubeVerb;

/* One request; everything borrowed. For APPLY, CREATE and REPLACE what is NULL among api_version,
 * kind, ns and name comes from body. */
typedef struct {
	KubeVerb verb;
	const char *api_version, *kind;
	const char *ns; /* NULL or "": cluster-scoped, or all namespaces for a list */
	const char *name;
	const char *subresource; /* "status", "scale" or NULL */
	const json_t *body;
	const char *field_manager; /* NULL: the client's */
	bool force;		   /* APPLY: take conflicting fields */
	bool create_only;	   /* APPLY: ERR_CONFLICT when the object exists */
	bool dry_run;
	const char *field_validation; /* "Strict", "Warn", "Ignore"; NULL: the server's
						 default, "Ignore" of an apply */
	const char *propagation;      /* DELETE: "Background", "Foreground", "Orphan" or NULL */
	const char *precondition_uid; /* DELETE */
	const char *label_selector, *field_selector; /* LIST */
	bool from_cache; /* LIST: what the server holds in memory, which may be a moment old; at no
			    cost to its storage, whatever the number of other objects */
	bool metadata_only; /* replies as PartialObjectMetadata[List] */
	int64_t timeout_ms; /* 0: 60 s */
} KubeRequest;

typedef struct {
	json_t *object; /* the reply, owned; NULL on error */
	int status;	/* HTTP */
	Error err;
} KubeReply;

void kube_reply_dispose(KubeReply *reply);
#define autokubereply __attribute__((cleanup(kube_reply_dispose)))

/* One request: the reply, an owned reference, or NULL and err. LIST follows `continue` itself. */
json_t *kube_do(KubeClient *client, const KubeRequest *request, Error *err) MUST_USE;

/* All at once; replies[i] answers requests[i]. Returns the number that succeeded. Replies must be
 * zeroed before and disposed after. */
size_t kube_do_all(KubeClient *client, const KubeRequest *requests, KubeReply *replies,
		   size_t count);

/* The first `most` of a LIST: where one tells as much as all. */
json_t *kube_list_some(KubeClient *client, const KubeRequest *request, int most,
		       Error *err) MUST_USE;

/* Shorthands for kube_do. kube_get's err is ERR_NOT_FOUND when the object is not there. */
json_t *kube_get(KubeClient *client, const char *api_version, const char *kind, const char *ns,
		 const char *name, Error *err) MUST_USE;

/* What discovery says of a kind. Borrowed: valid as long as the client. */
typedef struct {
	const char *plural;
	bool namespaced;
} KubeResource;

/* ERR_NOT_FOUND ("no matches for kind ...") after one fresh look, which is rate-limited. */
bool kube_resource(KubeClient *client, const char *api_version, const char *kind, KubeResource *out,
		   Error *err) MUST_USE;

/* The version that the server prefers for a kind of a group, such as "v1"; owned. For inventory
 * entries and lookups by group and kind. */
char *kube_preferred_version(KubeClient *client, const char *group, const char *kind, Error *err);

/* Drops what discovery knows, so that the next question asks again: after CRDs were applied. */
void kube_discovery_invalidate(KubeClient *client);

/* For informer.c and lease.c: the connection, the server URL and headers with authentication (an
 * owned, NULL-terminated list of owned strings). */
HttpClient *kube_http(KubeClient *client);
const char *kube_server(const KubeClient *client);
char **kube_headers(KubeClient *client, const char *accept, const char *content_type);
Loop *kube_loop(KubeClient *client);
void kube_headers_free(char **headers);

/* Requests sent so far by verb ("GET", "LIST", "WATCH", "APPLY", ...) and code: for metrics. The
 * callback runs on the calling thread. */
void kube_client_counts(KubeClient *client,
			void (*each)(void *arg, const char *verb, int code, uint64_t count),
			void *arg);

#endif
