/*
 * An API server of one kind, for tests of informers: ConfigMaps with their whole history, told as a
 * list in pages, as a watch that begins with the state, or as one from a version on, over plain
 * HTTP in chunks. What goes wrong, a test's own function says for each request.
 */
#ifndef TESTS_UNIT_KUBE_WATCH_SERVER_H
#define TESTS_UNIT_KUBE_WATCH_SERVER_H

#include "kube/informer.h"

enum { NAMES = 12, PAGE_ITEMS = 3 };

typedef struct {
	long version;
	InformerEvent what;
	int name; /* below NAMES: "map-NAME" */
} Change;

/* {0} is none. */
typedef struct {
	bool drop;	  /* the connection ends without a reply */
	bool gone;	  /* 410, whatever version is asked for */
	bool as_event;	  /* a 410 comes as an ERROR event in a stream of 200 */
	int status;	  /* this is the reply */
	const char *text; /* its message */
	bool is_cut;
	size_t cut_after;   /* bytes of the reply's body */
	bool is_clean;	    /* where it is cut it ends as it should */
	bool is_state_only; /* a watch that begins with the state is cut after it */
	size_t piece;	    /* bytes of a chunk; 0: as they come */
	int copies;	    /* more of each event */
} Fault;

/* On a thread of the server. `target` is the path with its query. */
typedef Fault FaultFn(void *arg, const char *target);

typedef struct WatchServer WatchServer;

WatchServer *watch_server_start(FaultFn *fault, void *arg);
void watch_server_stop(WatchServer *server);

/* A client of it; fails the test when it cannot be made. */
KubeClient *watch_server_client(const WatchServer *server, Loop *loop);

/* Refuses connections and resets those that are open; and serves the same port again. */
void watch_server_down(WatchServer *server);
void watch_server_up(WatchServer *server);

/* Changes; the version afterwards. */
long watch_server_put(WatchServer *server, int name);
long watch_server_delete(WatchServer *server, int name);

/* As many versions are other kinds'. */
void watch_server_skip(WatchServer *server, long versions);

/* All streams are told how far it is. */
void watch_server_bookmark(WatchServer *server);

/* What was before the present version is no longer served. */
void watch_server_compact(WatchServer *server);

/* All changes so far, and whether an object is there: for the test's thread, the only one that
 * changes anything. */
const Change *watch_server_history(const WatchServer *server, size_t *out_len);
bool watch_server_has(const WatchServer *server, int name);

/* Replies so far that were cut by is_cut. */
size_t watch_server_cuts(const WatchServer *server);

/* Requests so far whose target holds `part`. */
size_t watch_server_count(WatchServer *server, const char *part);

#endif
