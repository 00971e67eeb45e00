/*
 * The hub takes committed changes in resourceVersion order and hands them to watchers and listeners
 * on its own thread; a change that nobody wants only counts as seen. A watcher starts paused: it
 * collects changes until its first state has been sent, so that there is neither a gap nor a
 * repeat. Readers that fall behind are dropped.
 */
#ifndef APISERVER_WATCH_H
#define APISERVER_WATCH_H

#include "data/selector.h"

#include "fields.h"
#include "request.h"
#include "store.h"

typedef struct Hub Hub;

/* Whether a listener wants a change; on committing threads, under the hub's lock: it only looks. */
typedef bool HubWants(void *arg, const Change *change);

/* Runs on the hub's thread for each change that somebody wants; must not block for long. */
typedef void HubListener(void *arg, const Change *change);

/* Starts the thread. `store` gives the RV of bookmarks. */
Hub *hub_new(Store *store);

/* Ends the thread: no listener is called after it returns. What is published then is not told. */
void hub_stop(Hub *hub);

/* Ends all watchers, and the thread. */
void hub_free(Hub *hub);

/* Adds a listener; before the first change. At most 8. */
void hub_listen(Hub *hub, HubWants *wants, HubListener *listener, void *arg);

/* A StorePublish. */
void hub_publish(void *hub, Change *take_change);

/* Ends the watches of a resource that is no longer served. */
void hub_end_resource(Hub *hub, const char *store_key);

/* What a watcher wants. Strings are copied; the selectors are taken. */
typedef struct {
	Resource *resource;
	const char *ns; /* NULL: all */
	View view;
	Selector *take_labels;	    /* or NULL */
	FieldSelector *take_fields; /* or NULL */
	bool bookmarks;
	int64_t timeout_ms;
} WatchSpec;

typedef struct Watcher Watcher;

/* Replies to `http` with a stream and registers a paused watcher; the caller sends the first state
 * with the functions below and then calls watcher_go. */
Watcher *watcher_start(Hub *hub, HttpdRequest *http, const WatchSpec *spec);

/* Sends one change as the watcher sees it (selectors decide); before watcher_go only. */
void watcher_send_change(Watcher *watcher, const Change *change);

/* Sends an object as ADDED; before watcher_go only. */
void watcher_send_object(Watcher *watcher, json_t *object);

/* Sends BOOKMARK at rv; `initial_end` annotates it as the end of the first state. */
void watcher_send_bookmark(Watcher *watcher, uint64_t rv, bool initial_end);

/* Sends an ERROR event. */
void watcher_send_error(Watcher *watcher, const Status *status);

/* From now on changes behind `rv` arrive. Gives the caller's reference back. */
void watcher_go(Watcher *watcher, uint64_t rv);

/* Ends the stream instead of going on. Gives the caller's reference back. */
void watcher_end(Watcher *watcher);

#endif
