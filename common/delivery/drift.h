/*
 * Drift without polling (design.md 3.4). For each kind in use one watch on metadata, limited to
 * objects with our owner label. An object is clean while its live managedFields hash equals the one
 * that our last apply returned, and nobody that we override has written. Thread-safe.
 */
#ifndef DELIVERY_DRIFT_H
#define DELIVERY_DRIFT_H

#include "kube/informer.h"

typedef struct Drift Drift;

/* Called on the loop's thread, or by drift_applied, when an object of owner ns/name left the state
 * that was applied; after_ms is 0, or a delay when two writers fight over it. */
typedef void DriftFn(void *arg, const char *ns, const char *name, int64_t after_ms);

typedef struct {
	/* Labels on objects that say whose they are. */
	const char *owner_name, *owner_namespace;
	const char *field_manager; /* that applies */
	/* What an object may say of itself: to be left alone; that others' fields are kept. NULL:
	 * nothing. */
	bool (*is_exempt)(const json_t *object);
	bool (*is_merged)(const json_t *object);
	const char *watch_ns;	       /* NULL: all */
	const char *const *overridden; /* prefixes of field managers whose fields are taken over;
					  NULL-terminated, lives as long */
	const Log *log;
	DriftFn *fn;
	void *arg;
} DriftConfig;

Drift *drift_new(KubeClient *client, const DriftConfig *config);
void drift_free(Drift *drift);

/* The key of an object in the table: "apiVersion/Kind/ns/name", owned. */
char *drift_key(const json_t *object);
char *drift_key_of(const char *api_version, const char *kind, const char *ns, const char *name);

/* Makes sure that the kind is watched. */
void drift_watch(Drift *drift, const char *api_version, const char *kind);

/* Before a write is sent: events are its own echo until drift_applied or drift_write_failed. */
void drift_writing(Drift *drift, const char *key);

/* The reply of our apply: what it says is the applied state. `owner` is "ns/name",
 * remembered because somebody may change the labels that say so. */
void drift_applied(Drift *drift, const char *key, const char *owner, const json_t *reply);
void drift_write_failed(Drift *drift, const char *key);

/* True when the watch is in step and says that the object still holds what `owner` applied: nobody
 * else of this process, nor another one by the same field manager, has applied since. No longer
 * when the watch has not told of it within 5 s: it was deleted before the watch began. */
bool drift_is_clean(Drift *drift, const char *key, const char *owner, const char *api_version,
		    const char *kind);

/* True when the watch is in step and says that the object has not moved beyond `version`, a
 * resourceVersion: what was seen of it then is what it is. */
bool drift_is_at(Drift *drift, const char *key, const char *api_version, const char *kind,
		 uint64_t version);

/* Live state as the watch saw it. */
typedef struct {
	uint64_t hash;	  /* of our managedFields entry */
	uint64_t version; /* resourceVersion */
	char time[24];	  /* of our entry, "" when there is none */
	bool overridden;  /* somebody whose fields we take over has written */
	bool exempt;	  /* its own label or annotation says hands off (facts 6.4) */
} DriftLive;

/* The same of any state of an object, such as a dry run's reply. */
void drift_state_of(const Drift *drift, const json_t *object, DriftLive *out);

/* False when the watch has not seen the object. */
bool drift_live(Drift *drift, const char *key, DriftLive *out);

/* True for a Job with ttlSecondsAfterFinished: that it is gone says that it ended (K82). */
bool object_expires(const json_t *object);

/* While on, any change of an object of owner "ns/name" calls the function too: its run
 * waits for health. */
void drift_wake_on_change(Drift *drift, const char *owner, bool on);

/* Whether an object of owner "ns/name" has left the state that was applied since its last
 * drift_begin, which is called before a run looks which ones did; true when that is not known.
 * drift_end: nobody will ask. */
void drift_begin(Drift *drift, const char *owner);
bool drift_has_left(Drift *drift, const char *owner);
void drift_end(Drift *drift, const char *owner);

/* The object is no longer ours (pruned, or its owner is deleted): no event of it counts.
 */
void drift_forget(Drift *drift, const char *key);

#endif
