/*
 * What the files of the informer share: informer.c (life, the public side), informer_watch.c (what
 * runs on the loop's thread), informer_stream.c (bytes to events), informer_store.c (what is
 * known).
 */
#ifndef KUBE_INFORMER_INTERNAL_H
#define KUBE_INFORMER_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "data/packed.h"
#include "kube/client_internal.h"
#include "kube/informer.h"

/* --- informer_stream.c: concatenated JSON objects, cut anywhere --- */

enum { WATCH_MAX_EVENT = 16 * 1024 * 1024 };

typedef struct {
	Buf pending; /* the start of a value whose end has not come */
	size_t depth;
	bool in_string, escaped;
} WatchStream;

typedef bool WatchEventFn(void *arg, const char *text, size_t len, Error *err);

void watch_stream_dispose(WatchStream *stream);

/* Calls fn for each value that is whole. ERR_LIMIT above `limit` bytes a value, ERR_INVALID for
 * what is no object; or what fn says. After a failure the stream is of no use. */
bool watch_stream_feed(WatchStream *stream, const char *bytes, size_t len, size_t limit,
		       WatchEventFn *fn, void *arg, Error *err) MUST_USE;

/* --- informer_store.c: key -> version, and the text when objects are kept --- */

/* Immutable once stored, but for epoch and told, which the store's lock guards. */
typedef struct {
	atomic_uint refs;
	unsigned epoch;	  /* of the last listing that had it */
	uint64_t version; /* of the text */
	uint64_t told;	  /* of the state the handler was last told */
	Packed *packed;	  /* a long text, or NULL */
	size_t len;	  /* of a short one */
	char text[];
} StoreItem;

typedef struct {
	pthread_mutex_t lock; /* guards all */
	Map *items;	      /* "ns/name" -> StoreItem */
	bool keep;	      /* texts too */
	unsigned epoch;
	Buf scratch; /* the loop's thread only */
} Store;

/* What an update means to the handler. */
typedef enum { STORE_SAME, STORE_NEW, STORE_CHANGED } StoreChange;

void informer_store_init(Store *store, bool keep);
void informer_store_dispose(Store *store);

/* An owned "ns/name". */
char *informer_store_key(const char *ns, const char *name);

/* The state that the server told, by a listing or an event. managedFields is out of `object` for
 * the time of the call. */
StoreChange informer_store_update(Store *store, json_t *object, bool listing);

/* False when it was not there. */
bool informer_store_remove(Store *store, const json_t *object);

/* A listing begins: what is not updated until store_end_listing is gone. */
void informer_store_begin_listing(Store *store);

/* Removes what is gone, calling fn with each last state (key only without texts), unlocked. */
void informer_store_end_listing(Store *store, void (*fn)(void *arg, json_t *object), void *arg);

/* informer_put: only replaces, by what is newer. */
void informer_store_put(Store *store, const json_t *object);
json_t *informer_store_get(Store *store, const char *ns, const char *name);
void informer_store_each(Store *store, bool (*fn)(void *arg, const json_t *object), void *arg);

/* --- informer.c --- */

typedef enum {
	INFORMER_IDLE,	    /* a timer runs */
	INFORMER_RESOLVING, /* asks discovery */
	INFORMER_LISTING,
	INFORMER_WATCHING,
	INFORMER_STOPPED,
} InformerPhase;

/* The loop's thread owns all but what is marked. */
struct Informer {
	KubeClient *client;
	InformerConfig config; /* texts owned; never changes */
	Store store;	       /* has its own lock */

	pthread_mutex_t lock; /* guards the two flags */
	pthread_cond_t changed;
	bool synced;
	bool refused; /* the server said once that the kind is not served, or not to us */

	LoopTimer start; /* set once, before informer_start returns */

	InformerPhase phase;
	LoopTimer timer;
	KubeCall *call;	     /* RESOLVING, LISTING */
	unsigned generation; /* RESOLVING: of the discovery, when it was asked */
	HttpCall *http;	     /* WATCHING */
	int failures;
	bool for_server; /* IDLE: it is the server's return that is waited for */
	int64_t gone_ms; /* when the server last said 410; 0: never */

	char *path;		/* of the collection; NULL until resolved */
	char *resource_version; /* to resume at; NULL: the whole state is needed */
	char *continue_token;	/* of the next page */
	bool no_watch_list;	/* the server refused it */
	bool no_pages;		/* a page's snapshot was gone: list whole */

	/* of the stream that runs */
	WatchStream stream;
	bool initial;	    /* it tells the whole state first */
	LoopTimer patience; /* with that */
	size_t seen;	    /* of `events`, when patience was last looked at */
	bool given_up;	    /* it tells nothing; we ended it to list instead */
	int status;
	int64_t retry_after_ms, started_ms;
	size_t events; /* of objects */
	Buf error_body;
	Error stream_error; /* why we ended it */
};

/* --- informer_watch.c --- */

/* The first step: resolve, list or watch. */
void informer_begin(void *arg);

/* Ends what runs; nothing runs after it. */
void informer_halt(Informer *informer);

#endif
