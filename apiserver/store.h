/*
 * The revision store (kube-api.md 2.1): SQLite in WAL mode, an append-only table `rev` whose id is
 * the server-wide resourceVersion, and a table of the newest revision of each key. One writer
 * connection behind a lock, with group commit: a write is acknowledged, and published, after its
 * COMMIT; one reader connection behind another lock sees only what is committed. Revisions that
 * were superseded longer ago than the retention are compacted; reads below the floor are gone
 * (410).
 */
#ifndef APISERVER_STORE_H
#define APISERVER_STORE_H

#include <stdint.h>

#include "data/json.h"

typedef struct Store Store;

typedef struct {
	const char *resource; /* Resource.store_key */
	const char *ns;	      /* "" for cluster-wide kinds */
	const char *name;
} StoreKey;

typedef enum { CHANGE_ADDED, CHANGE_MODIFIED, CHANGE_DELETED } ChangeType;

/* One committed change; trees are shared, immutable references. */
typedef struct {
	uint64_t rv;
	ChangeType type;
	char *resource, *ns, *name;
	json_t *object;	  /* the new state; the last one, with the deletion's RV, when deleted */
	json_t *previous; /* the state before; NULL when added */
	char *text;	  /* the object's JSON; made at first need by the hub's thread, if absent */
} Change;

void change_free(Change *change);

/* Called in resourceVersion order, on a committing thread, under the writer's lock: it must only
 * queue. Takes the change. */
typedef void StorePublish(void *arg, Change *take_change);

/* Opens or makes DIR/state.db. ERR_IO names what failed. */
Store *store_open(const char *dir, Error *err) MUST_USE;
void store_close(Store *store);
AUTO_POINTER(Store, store_close, auto_store);
#define autostore __attribute__((cleanup(auto_store)))

/* Sets who hears of changes; before the first write. */
void store_on_change(Store *store, StorePublish *publish, void *arg);

/* The newest state, owned; ERR_NOT_FOUND. */
json_t *store_get(Store *store, const StoreKey *key, Error *err) MUST_USE;

/*
 * Writes. They set metadata.resourceVersion in `object`, which is shared with watchers afterwards
 * and must not be changed any more; *out_text (NULL: not wanted) is the object as it was stored,
 * owned. ERR_EXISTS; ERR_CONFLICT when the newest state is not `previous` (by resourceVersion);
 * ERR_NOT_FOUND when it is gone.
 */
bool store_create(Store *store, const StoreKey *key, json_t *object, char **out_text,
		  Error *err) MUST_USE;
bool store_update(Store *store, const StoreKey *key, json_t *object, json_t *previous,
		  char **out_text, Error *err) MUST_USE;

/* `object` is the last state to publish; its resourceVersion becomes the deletion's. */
bool store_delete(Store *store, const StoreKey *key, json_t *object, json_t *previous,
		  Error *err) MUST_USE;

typedef struct {
	const char *resource;
	const char *ns;	      /* NULL: all */
	uint64_t at;	      /* a snapshot, or 0: now */
	const char *after_ns; /* items behind this key only, or NULL */
	const char *after_name;
	size_t limit; /* 0: none */
} StoreQuery;

/* One item: its JSON text. False ends the listing early without failure. */
typedef bool StoreVisit(void *arg, const char *ns, const char *name, const char *text, size_t len);

/* Items in byte order of "namespace/name", all of one moment whose RV goes to *out_rv (NULL: not
 * wanted). ERR_GONE for a compacted snapshot. */
bool store_list(Store *store, const StoreQuery *query, StoreVisit *visit, void *arg,
		uint64_t *out_rv, Error *err) MUST_USE;

/* How many items of the query there are. */
bool store_count(Store *store, const StoreQuery *query, uint64_t *out, Error *err) MUST_USE;

/* The changes of a resource (ns NULL: all) with after < rv <= up_to, oldest first. The visitor
 * takes the change. ERR_GONE when `after` is below the floor. */
typedef void StoreChangeVisit(void *arg, Change *take_change);
bool store_history(Store *store, const char *resource, const char *ns, uint64_t after,
		   uint64_t up_to, StoreChangeVisit *visit, void *arg, Error *err) MUST_USE;

/* The newest committed RV. */
uint64_t store_rv(Store *store);

/* Forgets superseded revisions older than keep_ms and raises the floor. */
bool store_compact(Store *store, int64_t keep_ms, Error *err);

/* The resourceVersion in an object; 0 when it has none. */
uint64_t object_rv(const json_t *object);

#endif
