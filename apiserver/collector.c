/* The collector's thread and its index of dependents by owner uid. */
#include "collector.h"

#include <stdlib.h>
#include <string.h>

#include "base/cond.h"
#include "base/clock.h"
#include "base/mem.h"
#include "collector_internal.h"
#include "crd.h"
#include "object.h"
#include "seed.h"
#include "simulate.h"

enum {
	RETRY_MS = 100,
	IDLE_MS = 5000,
	COMPACT_EVERY_MS = 60000,
	SCAN_PAGE = 200,
};

static void free_change(void *item)
{
	change_free(item);
}

static void free_map(void *value)
{
	map_free(value);
}

static json_t *owners_of(const json_t *object)
{
	return json_list(json_map(object, "metadata"), "ownerReferences");
}

static void index_owners(Collector *collector, const char *resource, const char *ns,
			 const char *name, const json_t *object, bool add)
{
	json_t *owners = owners_of(object);
	autofree char *key = mem_printf("%s|%s|%s", resource, ns, name);
	for (size_t i = 0; i < json_array_size(owners); i++) {
		const char *uid = json_text(json_array_get(owners, i), "uid");
		if (!uid)
			continue;
		Map *set = map_get(collector->dependents, uid);
		if (!set && add) {
			set = map_new(NULL);
			map_put(collector->dependents, uid, set);
		}
		if (add)
			map_put(set, key, NULL);
		else if (set)
			map_remove(set, key);
		if (set && map_len(set) == 0)
			map_remove(collector->dependents, uid);
	}
}

static bool same_owners(const Change *change)
{
	json_t *now = owners_of(change->object);
	json_t *before = owners_of(change->previous);
	return (!now && !before) || (now && before && json_same(now, before));
}

/* A dependent went: its foreground-deleted owners may be done. */
static void wake_owners(Collector *collector, const Change *change)
{
	json_t *owners = owners_of(change->object);
	for (size_t i = 0; i < json_array_size(owners); i++) {
		const json_t *owner = json_array_get(owners, i);
		Str group, version;
		if (!str_cut(str_of(json_text_or(owner, "apiVersion", "")), '/', &group, &version))
			group = STR("");
		autofree char *group_text = str_dup(group);
		autoresource Resource *resource =
			catalog_find_kind(collector->server->catalog, group_text, NULL,
					  json_text_or(owner, "kind", ""));
		if (!resource)
			continue;
		bool namespaced = resource_has(resource, KIND_NAMESPACED);
		collector_foreground(collector, resource->store_key, namespaced ? change->ns : "",
				     json_text_or(owner, "name", ""));
	}
}

static void on_deleted(Collector *collector, const Change *change)
{
	index_owners(collector, change->resource, change->ns, change->name, change->object, false);
	collector_owner_gone(collector, object_meta(change->object, "uid"));
	wake_owners(collector, change);
	if (collector->server->simulate < SIMULATE_BASE)
		return;
	bool account = strcmp(change->resource, "serviceaccounts") == 0 &&
		       strcmp(change->name, "default") == 0;
	bool root_ca = strcmp(change->resource, "configmaps") == 0 &&
		       strcmp(change->name, "kube-root-ca.crt") == 0;
	if (account || root_ca)
		seed_namespace(collector->server, change->ns);
}

static void on_deleting(Collector *collector, const Change *change)
{
	if (strcmp(change->resource, "namespaces") == 0)
		map_put(collector->emptying, change->name, NULL);
	if (strcmp(change->resource, CRD_KEY) == 0)
		map_put(collector->ending, change->name, NULL);
	if (object_has_finalizer(change->object, "orphan"))
		collector_orphan(collector, change->resource, change->ns, change->name);
	if (object_has_finalizer(change->object, "foregroundDeletion"))
		collector_foreground(collector, change->resource, change->ns, change->name);
}

static void work(Collector *collector, const Change *change)
{
	if (change->type == CHANGE_DELETED) {
		on_deleted(collector, change);
		return;
	}
	if (!same_owners(change)) {
		index_owners(collector, change->resource, change->ns, change->name,
			     change->previous, false);
		index_owners(collector, change->resource, change->ns, change->name, change->object,
			     true);
		collector_check_owners(collector, change->resource, change->ns, change->name);
	}
	if (object_is_deleting(change->object))
		on_deleting(collector, change);
	bool fresh = change->type == CHANGE_ADDED && strcmp(change->resource, "namespaces") == 0;
	if (fresh && collector->server->simulate >= SIMULATE_BASE)
		seed_namespace(collector->server, change->name);
	if (simulate_wants(collector->server, change->resource))
		simulate_change(collector, change);
}

static void wake_aggregation(Collector *collector)
{
	pthread_mutex_lock(&collector->lock);
	collector->roles_changed = true;
	pthread_cond_signal(&collector->wake);
	pthread_mutex_unlock(&collector->lock);
}

/* What the collector may care about; from any thread. */
static bool wants(void *arg, const Change *change)
{
	const Collector *collector = arg;
	return change->type == CHANGE_DELETED || strcmp(change->resource, "namespaces") == 0 ||
	       strcmp(change->resource, CLUSTER_ROLES) == 0 || !same_owners(change) ||
	       object_is_deleting(change->object) ||
	       simulate_wants(collector->server, change->resource);
}

/* On the hub's thread: keeps it. */
static void listen(void *arg, const Change *change)
{
	Collector *collector = arg;
	if (!wants(collector, change))
		return;
	if (strcmp(change->resource, CLUSTER_ROLES) == 0)
		wake_aggregation(collector);
	Change *copy = mem_zalloc(1, sizeof(*copy));
	*copy = (Change){change->rv,
			 change->type,
			 mem_strdup(change->resource),
			 mem_strdup(change->ns),
			 mem_strdup(change->name),
			 json_incref(change->object),
			 json_incref(change->previous),
			 NULL};
	pthread_mutex_lock(&collector->lock);
	vec_push(&collector->queue, copy);
	pthread_cond_signal(&collector->wake);
	pthread_mutex_unlock(&collector->lock);
}

static void retry(Map *names, Collector *collector,
		  bool (*step)(Collector *collector, const char *name))
{
	size_t at = 0;
	const char *key;
	void *value;
	while (map_next(names, &at, &key, &value)) {
		autofree char *name = mem_strdup(key);
		if (step(collector, name))
			map_remove(names, name);
	}
}

static void compact(Collector *collector)
{
	int64_t now = clock_mono_ms();
	int64_t keep_ms = collector->server->keep_revisions_ms;
	if (now - collector->compacted_at <
	    (keep_ms < COMPACT_EVERY_MS ? keep_ms : COMPACT_EVERY_MS))
		return;
	collector->compacted_at = now;
	autoerror Error err = {0};
	if (!store_compact(collector->server->store, keep_ms, &err))
		log_error(collector->server->log, &err, "compaction failed", NULL);
}

static int64_t wake_at(int64_t due_ms, int64_t pause_ms)
{
	int64_t then = clock_mono_ms() + pause_ms;
	return due_ms < then ? due_ms : then;
}

/* One page of what is stored: its reader holds up the others no longer than that. */
typedef struct {
	Collector *collector;
	const char *resource;
	size_t seen;
	char *ns, *name; /* of the last item; owned */
	Vec found;	 /* of Change *, owned */
} Scan;

/* At start: what is stored counts as just added. */
static bool scan_item(void *arg, const char *ns, const char *name, const char *text, size_t len)
{
	Scan *scan = arg;
	bool wanted = strstr(text, "\"ownerReferences\"") ||
		      strstr(text, "\"deletionTimestamp\"") ||
		      strcmp(scan->resource, "namespaces") == 0 ||
		      simulate_wants(scan->collector->server, scan->resource);
	autoerror Error ignored = {0};
	json_t *object = wanted ? json_parse(text, len, len, &ignored) : NULL;
	if (++scan->seen == SCAN_PAGE) {
		scan->ns = mem_strdup(ns);
		scan->name = mem_strdup(name);
	}
	if (!object)
		return true;
	Change *change = mem_zalloc(1, sizeof(*change));
	*change = (Change){object_rv(object),
			   CHANGE_ADDED,
			   mem_strdup(scan->resource),
			   mem_strdup(ns),
			   mem_strdup(name),
			   object,
			   NULL,
			   NULL};
	vec_push(&scan->found, change);
	return true;
}

static bool ends(Collector *collector)
{
	pthread_mutex_lock(&collector->lock);
	bool stopping = collector->stopping;
	pthread_mutex_unlock(&collector->lock);
	return stopping;
}

/* The page behind ns and name (NULL: the first), which become those of its last item, or NULL when
 * it was the last page. */
static bool scan_page(Collector *collector, const char *resource, char **ns, char **name,
		      Error *err)
{
	Scan scan = {.collector = collector, .resource = resource};
	StoreQuery query = {
		.resource = resource, .after_ns = *ns, .after_name = *name, .limit = SCAN_PAGE};
	bool done = store_list(collector->server->store, &query, scan_item, &scan, NULL, err);
	for (size_t i = 0; i < scan.found.len && done; i++)
		work(collector, scan.found.items[i]);
	vec_dispose_with(&scan.found, free_change);
	free(*ns);
	free(*name);
	*ns = scan.ns;
	*name = scan.name;
	return done;
}

static bool scan_kind(Collector *collector, const char *resource, Error *err)
{
	autofree char *ns = NULL;
	autofree char *name = NULL;
	do {
		if (ends(collector) || !scan_page(collector, resource, &ns, &name, err))
			return false;
	} while (name);
	return true;
}

/* On the collector's thread, so that nobody waits for it at start; changes since then are in the
 * queue, and come after. */
static void scan_store(Collector *collector)
{
	Vec resources = {0};
	autoerror Error err = {0};
	catalog_list_stored(collector->server->catalog, &resources);
	for (size_t i = 0; i < resources.len; i++) {
		const Resource *resource = resources.items[i];
		if (!scan_kind(collector, resource->store_key, &err))
			break;
	}
	catalog_list_free(&resources);
	if (err_is_set(&err))
		log_error(collector->server->log, &err,
			  "stored objects could not be read: owners' ends may go unnoticed", NULL);
}

static void *run(void *arg)
{
	Collector *collector = arg;
	scan_store(collector);
	pthread_mutex_lock(&collector->lock);
	while (!collector->stopping) {
		Vec batch = collector->queue;
		collector->queue = (Vec){0};
		bool roles_changed = collector->roles_changed;
		collector->roles_changed = false;
		pthread_mutex_unlock(&collector->lock);
		if (roles_changed)
			collector_aggregate(collector);
		for (size_t i = 0; i < batch.len; i++)
			work(collector, batch.items[i]);
		vec_dispose_with(&batch, free_change);
		retry(collector->emptying, collector, collector_empty_namespace);
		retry(collector->ending, collector, collector_end_kind);
		compact(collector);
		int64_t due_ms = simulate_due(collector);
		bool busy = map_len(collector->emptying) + map_len(collector->ending) > 0;
		pthread_mutex_lock(&collector->lock);
		bool idle = collector->queue.len == 0 && !collector->roles_changed;
		if (idle && !collector->stopping)
			cond_wait_until(&collector->wake, &collector->lock,
					wake_at(due_ms, busy ? RETRY_MS : IDLE_MS));
	}
	pthread_mutex_unlock(&collector->lock);
	return NULL;
}

Collector *collector_new(ApiServer *server)
{
	Collector *collector = mem_zalloc(1, sizeof(*collector));
	collector->server = server;
	collector->dependents = map_new(free_map);
	collector->emptying = map_new(NULL);
	collector->ending = map_new(NULL);
	collector->waiting = map_new(free);
	collector->compacted_at = clock_mono_ms();
	collector->roles_changed = true;
	pthread_mutex_init(&collector->lock, NULL);
	cond_init(&collector->wake);
	hub_listen(server->hub, wants, listen, collector);
	pthread_create(&collector->thread, NULL, run, collector);
	return collector;
}

void collector_free(Collector *collector)
{
	pthread_mutex_lock(&collector->lock);
	collector->stopping = true;
	pthread_cond_signal(&collector->wake);
	pthread_mutex_unlock(&collector->lock);
	pthread_join(collector->thread, NULL);
	vec_dispose_with(&collector->queue, free_change);
	map_free(collector->dependents);
	map_free(collector->emptying);
	map_free(collector->ending);
	map_free(collector->waiting);
	pthread_cond_destroy(&collector->wake);
	pthread_mutex_destroy(&collector->lock);
	free(collector);
}
