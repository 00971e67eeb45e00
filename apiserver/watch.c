/*
 * Locks: hub->lock guards queue and list of watchers; watcher->lock guards the stream and the
 * pending list. Order: hub, then watcher. on_close takes them one after the other. A watcher has
 * two references: the hub's list and whoever sends its first state.
 */
#include "watch.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/cond.h"
#include "base/clock.h"
#include "base/mem.h"
#include "view.h"

enum {
	LISTENERS_MAX = 8,
	TICK_MS = 500,
	REST_MS = 1, /* between two batches: many writes a second are worth one wake-up */
	BOOKMARK_MS = 55000,
	LAST_BOOKMARK_MS = 2000,
	QUEUE_LIMIT = 8 * 1024 * 1024,	 /* a live reader that is further behind is dropped */
	FIRST_LIMIT = 512 * 1024 * 1024, /* the first state may be large */
	PENDING_LIMIT = 100000,
};

struct Watcher {
	Hub *hub;
	int references; /* atomic */
	Resource *resource;
	char *ns;
	View view;
	Selector *labels;
	FieldSelector *fields;
	bool bookmarks;
	int64_t end_at;	      /* monotonic ms; hub's thread */
	int64_t bookmark_at;  /* monotonic ms; hub's thread */
	pthread_mutex_t lock; /* guards the block below */
	HttpdStream *stream;  /* NULL once closed */
	bool ending;
	bool live;
	bool columns_sent; /* Table: columns in the first event only */
	uint64_t from_rv;
	Vec pending; /* of Change *, owned copies, while not live */
};

struct Hub {
	Store *store;
	pthread_t thread;
	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t wake;
	Vec queue; /* of Change *; without an object where nobody wants it */
	Vec watchers;
	struct {
		HubWants *wants;
		HubListener *call;
		void *arg;
	} listeners[LISTENERS_MAX];
	size_t listener_count;
	uint64_t seen_rv; /* the newest change that all watchers have */
	bool resting;	  /* needs no signal: it looks by itself in a moment */
	bool stopping;
};

static void free_change_item(void *item)
{
	change_free(item);
}

static void watcher_unref(Watcher *watcher)
{
	if (__atomic_sub_fetch(&watcher->references, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	resource_unref(watcher->resource);
	free(watcher->ns);
	selector_free(watcher->labels);
	field_selector_free(watcher->fields);
	vec_dispose_with(&watcher->pending, free_change_item);
	pthread_mutex_destroy(&watcher->lock);
	free(watcher);
}

/* Under the watcher's lock. */
static void drop_reader(Watcher *watcher)
{
	if (!watcher->stream || watcher->ending)
		return;
	watcher->ending = true;
	httpd_stream_end(watcher->stream);
}

/* Under the watcher's lock. */
static void write_text(Watcher *watcher, const char *text, size_t limit)
{
	if (!watcher->stream || watcher->ending)
		return;
	if (!httpd_stream_write(watcher->stream, text, strlen(text), limit))
		drop_reader(watcher);
}

static void write_event(Watcher *watcher, const char *type, const char *object)
{
	size_t limit = watcher->live ? QUEUE_LIMIT : FIRST_LIMIT;
	autofree char *line = mem_printf("{\"type\":\"%s\",\"object\":%s}\n", type, object);
	write_text(watcher, line, limit);
}

static void write_object(Watcher *watcher, const char *type, json_t *object)
{
	autojson json_t *shown = NULL;
	if (watcher->view.format == VIEW_TABLE) {
		autojson json_t *list = json_pack("[O]", object);
		shown = view_table(&watcher->view, watcher->resource, list, !watcher->columns_sent,
				   json_map(object, "metadata"));
		watcher->columns_sent = true;
	} else {
		shown = view_item(&watcher->view, watcher->resource, object);
	}
	autofree char *text = json_dump(shown);
	write_event(watcher, type, text);
}

static bool selects(const Watcher *watcher, const json_t *object)
{
	if (!object)
		return false;
	if (watcher->labels &&
	    !selector_matches(watcher->labels, json_at(object, "metadata", "labels", NULL)))
		return false;
	return !watcher->fields || field_selector_matches(watcher->fields, object);
}

/* The last state it had while selected, at the RV of the change (2.3 "leaves DELETED"). */
static json_t *left_state(const Change *change)
{
	if (change->type == CHANGE_DELETED)
		return json_incref(change->object);
	json_t *copy = json_copy(change->previous);
	json_t *meta = json_copy(json_map(copy, "metadata"));
	json_object_set(meta, "resourceVersion",
			json_object_get(json_map(change->object, "metadata"), "resourceVersion"));
	json_object_set_new(copy, "metadata", meta);
	return copy;
}

/* Under the watcher's lock. */
static void write_change(Watcher *watcher, const Change *change)
{
	bool now = change->type != CHANGE_DELETED && selects(watcher, change->object);
	bool before = selects(watcher, change->previous);
	if (!now && !before)
		return;
	if (!now) {
		autojson json_t *gone = left_state(change);
		write_object(watcher, "DELETED", gone);
		return;
	}
	const char *type = before ? "MODIFIED" : "ADDED";
	if (change->text && view_is_stored(&watcher->view, watcher->resource))
		write_event(watcher, type, change->text);
	else
		write_object(watcher, type, change->object);
}

static Change *change_copy(const Change *change)
{
	Change *copy = mem_zalloc(1, sizeof(*copy));
	copy->rv = change->rv;
	copy->type = change->type;
	copy->object = json_incref(change->object);
	copy->previous = json_incref(change->previous);
	return copy;
}

/* On the hub's thread, under the hub's lock. */
static void watcher_deliver(Watcher *watcher, const Change *change)
{
	pthread_mutex_lock(&watcher->lock);
	if (watcher->live && change->rv > watcher->from_rv)
		write_change(watcher, change);
	else if (!watcher->live && watcher->pending.len < PENDING_LIMIT)
		vec_push(&watcher->pending, change_copy(change));
	else if (!watcher->live)
		drop_reader(watcher);
	pthread_mutex_unlock(&watcher->lock);
}

static bool concerns(const Watcher *watcher, const Change *change)
{
	return strcmp(watcher->resource->store_key, change->resource) == 0 &&
	       (!watcher->ns || strcmp(watcher->ns, change->ns) == 0);
}

static void deliver_all(Hub *hub, Change *change)
{
	pthread_mutex_lock(&hub->lock);
	for (size_t i = 0; change->object && i < hub->watchers.len; i++) {
		Watcher *watcher = hub->watchers.items[i];
		if (!concerns(watcher, change))
			continue;
		if (!change->text && view_is_stored(&watcher->view, watcher->resource))
			change->text = json_dump(change->object);
		watcher_deliver(watcher, change);
	}
	hub->seen_rv = change->rv;
	pthread_mutex_unlock(&hub->lock);
	for (size_t i = 0; change->object && i < hub->listener_count; i++)
		hub->listeners[i].call(hub->listeners[i].arg, change);
}

static char *bookmark_text(const Watcher *watcher, uint64_t rv, bool initial_end)
{
	const Resource *resource = watcher->resource;
	bool partial = watcher->view.format == VIEW_PARTIAL;
	autojson json_t *object = json_object();
	json_put_text(object, "kind", partial ? "PartialObjectMetadata" : resource->kind);
	json_put_text(object, "apiVersion", partial ? "meta.k8s.io/v1" : resource->api_version);
	json_t *meta = json_make_at(object, "metadata", NULL);
	autofree char *text = mem_printf("%llu", (unsigned long long)rv);
	json_put_text(meta, "resourceVersion", text);
	if (initial_end)
		json_put_text(json_make_at(meta, "annotations", NULL), "k8s.io/initial-events-end",
			      "true");
	json_object_set_new(meta, "creationTimestamp", json_null());
	if (watcher->view.format != VIEW_TABLE)
		return json_dump(object);
	autojson json_t *none = json_array();
	autojson json_t *table = view_table(&watcher->view, resource, none, false, meta);
	json_object_del(table, "columnDefinitions");
	return json_dump(table);
}

/* Under hub->lock, on the hub's thread. */
static void watcher_tick(Hub *hub, Watcher *watcher, int64_t now)
{
	pthread_mutex_lock(&watcher->lock);
	bool due = watcher->bookmarks && watcher->live && now >= watcher->bookmark_at;
	if (due) {
		autofree char *text = bookmark_text(watcher, hub->seen_rv, false);
		write_event(watcher, "BOOKMARK", text);
		int64_t last = watcher->end_at - LAST_BOOKMARK_MS;
		bool final = now < last && now + BOOKMARK_MS > last;
		watcher->bookmark_at = final ? last : now + BOOKMARK_MS;
	}
	if (now >= watcher->end_at && watcher->live)
		drop_reader(watcher);
	pthread_mutex_unlock(&watcher->lock);
}

static void tick_all(Hub *hub)
{
	int64_t now = clock_mono_ms();
	for (size_t i = 0; i < hub->watchers.len; i++)
		watcher_tick(hub, hub->watchers.items[i], now);
}

/* Under hub->lock. Changes that nobody wants may wait for the next tick. */
static bool has_work(const Hub *hub)
{
	const Change *first = hub->queue.len ? hub->queue.items[0] : NULL;
	return hub->queue.len > 1 || (first && first->object);
}

/* Under hub->lock, which is given up meanwhile. */
static void rest(Hub *hub, bool worked)
{
	int64_t until_ms = clock_mono_ms() + REST_MS;
	hub->resting = worked && !hub->stopping;
	while (hub->resting && !hub->stopping && cond_wait_until(&hub->wake, &hub->lock, until_ms))
		;
	hub->resting = false;
}

static void *hub_run(void *arg)
{
	Hub *hub = arg;
	int64_t ticked = 0;
	pthread_mutex_lock(&hub->lock);
	while (!hub->stopping) {
		Vec batch = hub->queue;
		hub->queue = (Vec){0};
		pthread_mutex_unlock(&hub->lock);
		for (size_t i = 0; i < batch.len; i++)
			deliver_all(hub, batch.items[i]);
		bool worked = batch.len > 0;
		vec_dispose_with(&batch, free_change_item);
		pthread_mutex_lock(&hub->lock);
		rest(hub, worked);
		if (clock_mono_ms() - ticked >= 500) {
			ticked = clock_mono_ms();
			tick_all(hub);
		}
		if (!has_work(hub) && !hub->stopping)
			cond_wait_until(&hub->wake, &hub->lock, clock_mono_ms() + TICK_MS);
	}
	pthread_mutex_unlock(&hub->lock);
	return NULL;
}

Hub *hub_new(Store *store)
{
	Hub *hub = mem_zalloc(1, sizeof(*hub));
	hub->store = store;
	hub->seen_rv = store_rv(store);
	pthread_mutex_init(&hub->lock, NULL);
	cond_init(&hub->wake);
	pthread_create(&hub->thread, NULL, hub_run, hub);
	return hub;
}

void hub_stop(Hub *hub)
{
	pthread_mutex_lock(&hub->lock);
	bool runs = !hub->stopping;
	hub->stopping = true;
	pthread_cond_signal(&hub->wake);
	pthread_mutex_unlock(&hub->lock);
	if (runs)
		pthread_join(hub->thread, NULL);
}

void hub_free(Hub *hub)
{
	hub_stop(hub);
	vec_dispose_with(&hub->queue, free_change_item);
	for (size_t i = 0; i < hub->watchers.len; i++)
		watcher_unref(hub->watchers.items[i]);
	vec_dispose(&hub->watchers);
	pthread_cond_destroy(&hub->wake);
	pthread_mutex_destroy(&hub->lock);
	free(hub);
}

void hub_listen(Hub *hub, HubWants *wants, HubListener *listener, void *arg)
{
	pthread_mutex_lock(&hub->lock);
	if (hub->listener_count < LISTENERS_MAX) {
		hub->listeners[hub->listener_count].wants = wants;
		hub->listeners[hub->listener_count].call = listener;
		hub->listeners[hub->listener_count].arg = arg;
		hub->listener_count++;
	}
	pthread_mutex_unlock(&hub->lock);
}

/* Under hub->lock. A watcher that starts later reads a state in which the change is. */
static bool is_wanted(const Hub *hub, const Change *change)
{
	for (size_t i = 0; i < hub->watchers.len; i++)
		if (concerns(hub->watchers.items[i], change))
			return true;
	for (size_t i = 0; i < hub->listener_count; i++)
		if (hub->listeners[i].wants(hub->listeners[i].arg, change))
			return true;
	return false;
}

/* Under hub->lock: no thread is woken for it, and no tree kept. */
static void count_unwanted(Hub *hub, Change *take_change)
{
	Change *last = hub->queue.len ? hub->queue.items[hub->queue.len - 1] : NULL;
	if (last && !last->object) {
		last->rv = take_change->rv;
	} else {
		Change *seen = mem_zalloc(1, sizeof(*seen));
		seen->rv = take_change->rv;
		vec_push(&hub->queue, seen);
	}
	change_free(take_change);
}

void hub_publish(void *arg, Change *take_change)
{
	Hub *hub = arg;
	pthread_mutex_lock(&hub->lock);
	if (!is_wanted(hub, take_change)) {
		count_unwanted(hub, take_change);
	} else {
		vec_push(&hub->queue, take_change);
		if (!hub->resting)
			pthread_cond_signal(&hub->wake);
	}
	pthread_mutex_unlock(&hub->lock);
}

void hub_end_resource(Hub *hub, const char *store_key)
{
	pthread_mutex_lock(&hub->lock);
	for (size_t i = 0; i < hub->watchers.len; i++) {
		Watcher *watcher = hub->watchers.items[i];
		if (strcmp(watcher->resource->store_key, store_key) == 0)
			watcher->end_at = clock_mono_ms();
	}
	pthread_mutex_unlock(&hub->lock);
}

/* The client went away or the stream ended: httpd's thread. */
static void on_close(void *arg)
{
	Watcher *watcher = arg;
	Hub *hub = watcher->hub;
	pthread_mutex_lock(&watcher->lock);
	watcher->stream = NULL;
	pthread_mutex_unlock(&watcher->lock);
	bool listed = false;
	pthread_mutex_lock(&hub->lock);
	for (size_t i = 0; i < hub->watchers.len && !listed; i++) {
		if (hub->watchers.items[i] != watcher)
			continue;
		vec_remove(&hub->watchers, i);
		listed = true;
	}
	pthread_mutex_unlock(&hub->lock);
	if (listed)
		watcher_unref(watcher);
}

Watcher *watcher_start(Hub *hub, HttpdRequest *http, const WatchSpec *spec)
{
	Watcher *watcher = mem_zalloc(1, sizeof(*watcher));
	watcher->hub = hub;
	watcher->references = 2;
	watcher->resource = resource_ref(spec->resource);
	watcher->ns = mem_strdup(spec->ns);
	watcher->view = spec->view;
	watcher->labels = spec->take_labels;
	watcher->fields = spec->take_fields;
	watcher->bookmarks = spec->bookmarks;
	int64_t now = clock_mono_ms();
	watcher->end_at = now + spec->timeout_ms;
	int64_t last = watcher->end_at - LAST_BOOKMARK_MS;
	watcher->bookmark_at = last > now && last < now + BOOKMARK_MS ? last : now + BOOKMARK_MS;
	pthread_mutex_init(&watcher->lock, NULL);
	pthread_mutex_lock(&hub->lock);
	vec_push(&hub->watchers, watcher);
	pthread_mutex_unlock(&hub->lock);
	/* on_close may run on another thread before this returns; it waits for the lock. */
	pthread_mutex_lock(&watcher->lock);
	watcher->stream = httpd_reply_stream(http, 200, "application/json", on_close, watcher);
	pthread_mutex_unlock(&watcher->lock);
	return watcher;
}

void watcher_send_change(Watcher *watcher, const Change *change)
{
	pthread_mutex_lock(&watcher->lock);
	write_change(watcher, change);
	pthread_mutex_unlock(&watcher->lock);
}

void watcher_send_object(Watcher *watcher, json_t *object)
{
	pthread_mutex_lock(&watcher->lock);
	if (selects(watcher, object))
		write_object(watcher, "ADDED", object);
	pthread_mutex_unlock(&watcher->lock);
}

void watcher_send_bookmark(Watcher *watcher, uint64_t rv, bool initial_end)
{
	autofree char *text = bookmark_text(watcher, rv, initial_end);
	pthread_mutex_lock(&watcher->lock);
	write_event(watcher, "BOOKMARK", text);
	pthread_mutex_unlock(&watcher->lock);
}

void watcher_send_error(Watcher *watcher, const Status *status)
{
	autofree char *text = json_dump(status->body);
	pthread_mutex_lock(&watcher->lock);
	write_event(watcher, "ERROR", text);
	pthread_mutex_unlock(&watcher->lock);
}

void watcher_go(Watcher *watcher, uint64_t rv)
{
	pthread_mutex_lock(&watcher->lock);
	watcher->from_rv = rv;
	for (size_t i = 0; i < watcher->pending.len; i++) {
		const Change *change = watcher->pending.items[i];
		if (change->rv > rv)
			write_change(watcher, change);
	}
	vec_dispose_with(&watcher->pending, free_change_item);
	watcher->live = true;
	pthread_mutex_unlock(&watcher->lock);
	watcher_unref(watcher);
}

void watcher_end(Watcher *watcher)
{
	pthread_mutex_lock(&watcher->lock);
	drop_reader(watcher);
	pthread_mutex_unlock(&watcher->lock);
	watcher_unref(watcher);
}
