/*
 * A kind's objects kept in step with the server by watch (kube-api.md 1.4): WatchList first, paged
 * list where it is refused; bookmarks; 410 by HTTP status or ERROR event; resume at the last
 * resourceVersion; backoff. Handlers run on the loop's thread and must not block. No event is lost
 * or out of order for a key; a relist is told as the difference.
 */
#ifndef KUBE_INFORMER_H
#define KUBE_INFORMER_H

#include "base/log.h"
#include "kube/client.h"

typedef struct Informer Informer;

typedef enum {
	INFORMER_ADDED,
	INFORMER_MODIFIED,
	INFORMER_DELETED, /* object is the last state known; only name and namespace without
			     keep_objects and after a relist */
	INFORMER_SYNCED,  /* object is NULL: all that existed at the start has been told */
} InformerEvent;

typedef struct {
	const char *api_version, *kind;
	const char *ns;		    /* NULL: all namespaces */
	const char *label_selector; /* NULL: none */
	const char *field_selector; /* NULL: none */
	bool metadata_only;	    /* PartialObjectMetadata */
	bool keep_objects;	    /* keep compact JSON text (without managedFields), for
				       informer_get and informer_each */
	/* The object always says apiVersion and kind as above, also with metadata_only. */
	void (*on_event)(void *arg, InformerEvent event, const json_t *object);
	void *arg;
	const Log *log;
	int64_t backoff_ms; /* first wait after a failure; 0: 800 */
} InformerConfig;

/* Starts at once; strings are copied. A kind that the server does not serve (yet) is asked for
 * again with backoff. Any thread. */
Informer *informer_start(KubeClient *client, const InformerConfig *config);

/* Ends the watch; no handler runs after it returns. Any thread; on the loop's thread not from
 * within this informer's own handler. */
void informer_stop(Informer *informer);
AUTO_POINTER(Informer, informer_stop, auto_informer);

bool informer_is_synced(const Informer *informer);

/* Blocks a worker until synced; false at the time-out. */
bool informer_wait(Informer *informer, int64_t timeout_ms);

/* As informer_wait, but also true once the server said that it does not serve the kind, or not to
 * us: there is nothing to wait for. */
bool informer_wait_settled(Informer *informer, int64_t timeout_ms);

/* A fresh tree of the stored object, owned by the caller; NULL when it is not there. Any thread.
 * Needs keep_objects. */
json_t *informer_get(Informer *informer, const char *ns, const char *name);

/* Puts a newer state that a write returned into the store, so that the next informer_get sees one's
 * own write; ignored when its resourceVersion is not newer. Calls no handler. Any thread. */
void informer_put(Informer *informer, const json_t *object);

/* Calls fn for each stored object, in no order, on the calling thread; a snapshot. False from fn
 * ends it. */
void informer_each(Informer *informer, bool (*fn)(void *arg, const json_t *object), void *arg);

#endif
