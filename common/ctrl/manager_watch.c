/*
 * Informers and what their events mean: which change of an own object is worth a reconcile, the
 * index that finds an object's dependents, and the watches on other kinds. All on the loop's
 * thread.
 */
#include "ctrl/manager_internal.h"

#include <string.h>

#include "base/clock.h"
#include "base/footprint.h"
#include "base/mem.h"

static char *key_of(const char *ns, const char *name)
{
	return mem_printf("%s/%s", ns ? ns : "", name);
}

static void free_seen(void *value)
{
	Seen *seen = value;
	vec_dispose_strings(&seen->index_keys);
	free(seen);
}

static void free_key_set(void *value)
{
	map_free(value);
}

static void index_remove(KindState *state, const char *key, Seen *seen)
{
	for (size_t i = 0; i < seen->index_keys.len; i++) {
		Map *keys = map_get(state->index, seen->index_keys.items[i]);
		if (!keys)
			continue;
		map_remove(keys, key);
		if (!map_len(keys))
			map_remove(state->index, seen->index_keys.items[i]);
	}
	vec_dispose_strings(&seen->index_keys);
}

typedef struct {
	KindState *state;
	Seen *seen;
	const char *key;
} IndexSink;

static void index_add(void *arg, const char *index_key)
{
	const IndexSink *sink = arg;
	Map *keys = map_get(sink->state->index, index_key);
	if (!keys) {
		keys = map_new(NULL);
		map_put(sink->state->index, index_key, keys);
	}
	if (map_has(keys, sink->key))
		return;
	map_put(keys, sink->key, NULL);
	vec_push(&sink->seen->index_keys, mem_strdup(index_key));
}

static uint64_t requested_hash(const json_t *object)
{
	const char *value = object_annotation(object, FLUX_REQUESTED_AT);
	return value ? map_hash(value, strlen(value)) | 1 : 0;
}

/* Remembers the object's state; true when it differs in what a reconcile reacts to: it is new, its
 * generation moved, it was requested, its deletion began (source.md 7 "Loop"). */
static bool note_seen(KindState *state, const char *key, const json_t *object, Seen **out_seen)
{
	Seen *seen = map_get(state->seen, key);
	bool is_new = !seen;
	if (is_new) {
		seen = mem_zalloc(1, sizeof(*seen));
		map_put(state->seen, key, seen);
	}
	Seen now = {.generation = object_generation(object),
		    .requested_at = requested_hash(object),
		    .deleting = object_is_deleting(object)};
	bool differs = is_new || now.generation != seen->generation ||
		       (now.requested_at && now.requested_at != seen->requested_at) ||
		       (now.deleting && !seen->deleting);
	now.index_keys = seen->index_keys;
	*seen = now;
	*out_seen = seen;
	return differs;
}

static void own_changed(KindState *state, const json_t *object)
{
	const char *ns = object_namespace(object), *name = object_name(object);
	autofree char *key = key_of(ns, name);
	Seen *seen;
	bool differs = note_seen(state, key, object, &seen);
	if (differs && state->kind->index) {
		index_remove(state, key, seen);
		IndexSink sink = {state, seen, key};
		state->kind->index(object, index_add, &sink);
	}
	if (state->kind->changed)
		state->kind->changed(state->manager, state->kind, ns, name, object);
	if (differs)
		queue_add(state->queue, key);
}

static void own_deleted(KindState *state, const json_t *object)
{
	const char *ns = object_namespace(object), *name = object_name(object);
	autofree char *key = key_of(ns, name);
	Seen *seen = map_get(state->seen, key);
	if (seen) {
		index_remove(state, key, seen);
		map_remove(state->seen, key);
	}
	queue_remove(state->queue, key);
	manager_drop_metrics(state, ns, name);
	if (state->kind->changed)
		state->kind->changed(state->manager, state->kind, ns, name, NULL);
}

static void own_event(void *arg, InformerEvent event, const json_t *object)
{
	KindState *state = arg;
	switch (event) {
	case INFORMER_ADDED:
	case INFORMER_MODIFIED:
		own_changed(state, object);
		break;
	case INFORMER_DELETED:
		own_deleted(state, object);
		break;
	case INFORMER_SYNCED:
		footprint_shrink(); /* of the handshake and the first list */
		break;
	}
}

static void watch_event(void *arg, InformerEvent event, const json_t *object)
{
	const WatchState *watch = arg;
	if (watch->watch->map && object)
		watch->watch->map(watch->manager, watch->kind, event, object);
}

const char *manager_watch_namespace(Manager *manager)
{
	return manager->common->watch_all_namespaces ? NULL : manager->ns;
}

static const char *own_selector(const KindState *state)
{
	const char *selector = state->manager->common->watch_label_selector;
	return state->kind->unsharded || cstr_empty(selector) ? NULL : selector;
}

static const char *watch_selector(const Manager *manager, const KindWatch *row)
{
	return row->configs ? manager->common->watch_configs_label_selector : row->label_selector;
}

void kind_watch_start(KindState *state)
{
	Manager *manager = state->manager;
	const Kind *kind = state->kind;
	state->seen = map_new(free_seen);
	state->index = map_new(free_key_set);
	state->watches = mem_zalloc(kind->watch_count, sizeof(state->watches[0]));
	for (size_t i = 0; i < kind->watch_count; i++) {
		const KindWatch *row = &kind->watches[i];
		WatchState *watch = &state->watches[i];
		*watch = (WatchState){.manager = manager, .kind = kind, .watch = row};
		if (row->configs && manager_gate(manager, "DisableConfigWatchers"))
			continue;
		watch->informer = informer_start(
			manager->client,
			&(InformerConfig){.api_version = row->api_version,
					  .kind = row->kind,
					  .ns = manager_watch_namespace(manager),
					  .label_selector = watch_selector(manager, row),
					  .metadata_only = row->metadata_only,
					  .keep_objects = row->keep_objects,
					  .on_event = watch_event,
					  .arg = watch,
					  .log = manager->log});
	}
	state->informer = informer_start(manager->client,
					 &(InformerConfig){.api_version = kind->api_version,
							   .kind = kind->kind,
							   .ns = manager_watch_namespace(manager),
							   .label_selector = own_selector(state),
							   .keep_objects = true,
							   .on_event = own_event,
							   .arg = state,
							   .log = manager->log});
}

void kind_watch_stop(KindState *state)
{
	if (state->informer)
		informer_stop(steal(&state->informer));
	for (size_t i = 0; state->watches && i < state->kind->watch_count; i++)
		if (state->watches[i].informer)
			informer_stop(steal(&state->watches[i].informer));
	free(state->watches);
	map_free(state->seen);
	map_free(state->index);
	state->watches = NULL;
	state->seen = state->index = NULL;
}

KindState *manager_kind_state(Manager *manager, const Kind *kind)
{
	return &manager->kinds[kind - manager->spec->kinds];
}

void manager_enqueue(Manager *manager, const Kind *kind, const char *ns, const char *name)
{
	autofree char *key = key_of(ns, name);
	queue_add(manager_kind_state(manager, kind)->queue, key);
}

void manager_enqueue_after(Manager *manager, const Kind *kind, const char *ns, const char *name,
			   int64_t after_ms)
{
	autofree char *key = key_of(ns, name);
	queue_add_after(manager_kind_state(manager, kind)->queue, key, after_ms, false);
}

void manager_enqueue_indexed(Manager *manager, const Kind *kind, const char *key)
{
	KindState *state = manager_kind_state(manager, kind);
	const Map *keys = state->index ? map_get(state->index, key) : NULL;
	if (!keys)
		return;
	size_t at = 0;
	const char *object_key;
	while (map_next(keys, &at, &object_key, NULL))
		queue_add(state->queue, object_key);
}

/* An informer knows nothing of a stop: looked at between short waits. */
bool manager_wait_informer(Manager *manager, Informer *informer, InformerWait *wait,
			   int64_t until_ms)
{
	enum { SLICE_MS = 200 };
	while (!atomic_load(&manager->cancelled)) {
		int64_t left_ms = until_ms - clock_mono_ms();
		if (wait(informer, left_ms < SLICE_MS ? left_ms : SLICE_MS))
			return true;
		if (left_ms <= SLICE_MS)
			return false;
	}
	return false;
}

/* The informer that keeps objects of a kind: the kind's own, or a watch's. */
static Informer *find_informer(Manager *manager, const char *api_version, const char *kind)
{
	for (size_t i = 0; i < manager->spec->kind_count; i++) {
		KindState *state = &manager->kinds[i];
		if (cstr_eq(state->kind->kind, kind) &&
		    cstr_eq(state->kind->api_version, api_version))
			return state->informer;
		for (size_t w = 0; state->watches && w < state->kind->watch_count; w++) {
			const KindWatch *row = &state->kind->watches[w];
			if (row->keep_objects && cstr_eq(row->kind, kind) &&
			    cstr_eq(row->api_version, api_version))
				return state->watches[w].informer;
		}
	}
	return NULL;
}

/* Before that what is there would look as if it were not: a HelmChart made anew, a source missing.
 * Only those who read the kind wait, and not for ever. */
static Informer *settled_peer(Run *run, const char *api_version, const char *kind)
{
	enum { PEERS_MS = 60000 };
	Manager *manager = run->manager;
	Informer *informer = find_informer(manager, api_version, kind);
	if (informer)
		manager_wait_informer(manager, informer, informer_wait_settled,
				      manager->watching_since_ms + PEERS_MS);
	return informer;
}

json_t *run_peer_get(Run *run, const char *api_version, const char *kind, const char *ns,
		     const char *name)
{
	Informer *informer = settled_peer(run, api_version, kind);
	return informer ? informer_get(informer, ns, name) : NULL;
}

void run_peer_each(Run *run, const char *api_version, const char *kind,
		   bool (*fn)(void *arg, const json_t *object), void *arg)
{
	Informer *informer = settled_peer(run, api_version, kind);
	if (informer)
		informer_each(informer, fn, arg);
}

json_t *run_peer_find(Run *run, bool now, const char *api_version, const char *kind, const char *ns,
		      const char *name, Error *err)
{
	Informer *informer = find_informer(run->manager, api_version, kind);
	json_t *object = now ? NULL : run_peer_get(run, api_version, kind, ns, name);
	if (object)
		return object;
	object = kube_get(run_client(run), api_version, kind, ns, name, err);
	if (object && informer)
		informer_put(informer, object);
	return object;
}

json_t *manager_peer_get(Manager *manager, const char *api_version, const char *kind,
			 const char *ns, const char *name)
{
	Informer *informer = find_informer(manager, api_version, kind);
	return informer ? informer_get(informer, ns, name) : NULL;
}

void manager_peer_each(Manager *manager, const char *api_version, const char *kind,
		       bool (*fn)(void *arg, const json_t *object), void *arg)
{
	Informer *informer = find_informer(manager, api_version, kind);
	if (informer)
		informer_each(informer, fn, arg);
}
