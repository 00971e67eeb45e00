#include "helm_indexes.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"

/* Long enough for the charts of repositories to follow each other, and over before a daemon at rest
 * gives memory back. */
enum { BURST_MS = 1000, BURST_BYTES = 16 << 20, MIN_PURGE_MS = 100 };

typedef struct {
	char *digest;
	HelmIndex *index; /* NULL while somebody loads it */
	size_t users;
	int64_t used_ms;
} Slot;

struct HelmIndexes {
	Loop *loop;
	size_t max, max_bytes; /* of those that nobody uses, but for the last one */
	int64_t ttl_ms, purge_ms;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t loaded;
	Vec slots;	 /* Slot *, owned */
	LoopTimer timer; /* loop's thread only */
};

HelmIndexes *helm_indexes_new(Loop *loop, const SourceOptions *options)
{
	HelmIndexes *indexes = mem_zalloc(1, sizeof(*indexes));
	bool keeps = options->helm_cache_max_size > 0;
	indexes->loop = loop;
	indexes->max = keeps ? (size_t)options->helm_cache_max_size : SIZE_MAX;
	indexes->max_bytes = keeps ? SIZE_MAX : BURST_BYTES;
	indexes->ttl_ms = keeps ? options->helm_cache_ttl_ms : BURST_MS;
	indexes->purge_ms = keeps ? options->helm_cache_purge_ms : BURST_MS;
	if (indexes->purge_ms < MIN_PURGE_MS)
		indexes->purge_ms = MIN_PURGE_MS;
	pthread_mutex_init(&indexes->lock, NULL);
	pthread_cond_init(&indexes->loaded, NULL);
	return indexes;
}

static void slot_free(void *item)
{
	Slot *slot = item;
	if (slot->index)
		helm_index_free(slot->index);
	free(slot->digest);
	free(slot);
}

static void cancel_timer(void *arg)
{
	HelmIndexes *indexes = arg;
	loop_cancel(indexes->loop, indexes->timer);
}

void helm_indexes_free(HelmIndexes *indexes)
{
	if (!indexes)
		return;
	loop_call(indexes->loop, cancel_timer, indexes);
	vec_dispose_with(&indexes->slots, slot_free);
	pthread_cond_destroy(&indexes->loaded);
	pthread_mutex_destroy(&indexes->lock);
	free(indexes);
}

/* --- dropping; with the lock held --- */

static bool is_idle(const Slot *slot)
{
	return slot->index && slot->users == 0;
}

static void drop_older(HelmIndexes *indexes, int64_t than_ms)
{
	for (size_t i = indexes->slots.len; i > 0; i--) {
		const Slot *slot = indexes->slots.items[i - 1];
		if (is_idle(slot) && slot->used_ms <= than_ms)
			slot_free(vec_remove(&indexes->slots, i - 1));
	}
}

static Slot *oldest_idle(const HelmIndexes *indexes, size_t *out_at)
{
	Slot *oldest = NULL;
	for (size_t i = 0; i < indexes->slots.len; i++) {
		Slot *slot = indexes->slots.items[i];
		if (!is_idle(slot) || (oldest && slot->used_ms >= oldest->used_ms))
			continue;
		oldest = slot;
		*out_at = i;
	}
	return oldest;
}

static bool is_too_much(const HelmIndexes *indexes)
{
	size_t bytes = 0;
	for (size_t i = 0; i < indexes->slots.len; i++) {
		const Slot *slot = indexes->slots.items[i];
		bytes += slot->index ? helm_index_bytes(slot->index) : 0;
	}
	return indexes->slots.len > indexes->max ||
	       (bytes > indexes->max_bytes && indexes->slots.len > 1);
}

static void drop_surplus(HelmIndexes *indexes)
{
	size_t at;
	while (is_too_much(indexes) && oldest_idle(indexes, &at))
		slot_free(vec_remove(&indexes->slots, at));
}

static void purge(void *arg);

/* On the loop's thread. */
static void arm(void *arg)
{
	HelmIndexes *indexes = arg;
	if (!indexes->timer)
		indexes->timer = loop_after(indexes->loop, indexes->purge_ms, purge, indexes);
}

static void purge(void *arg)
{
	HelmIndexes *indexes = arg;
	pthread_mutex_lock(&indexes->lock);
	drop_older(indexes, clock_mono_ms() - indexes->ttl_ms);
	bool any = indexes->slots.len > 0;
	pthread_mutex_unlock(&indexes->lock);
	indexes->timer = 0;
	if (any)
		arm(indexes);
}

/* --- taking --- */

static Slot *find(const HelmIndexes *indexes, const char *digest)
{
	for (size_t i = 0; i < indexes->slots.len; i++) {
		Slot *slot = indexes->slots.items[i];
		if (cstr_eq(slot->digest, digest))
			return slot;
	}
	return NULL;
}

static HelmIndex *load(const Store *store, const Artifact *artifact, Error *err)
{
	autofd int fd =
		fd_open_beneath(store_root_fd(store), artifact->path + strspn(artifact->path, "/"),
				O_RDONLY, 0, err);
	return fd < 0 ? NULL : helm_index_load(fd, err);
}

/* Loads without the lock, which is held before and behind; others wait for the slot. */
static Slot *load_slot(HelmIndexes *indexes, const Store *store, const Artifact *artifact,
		       Error *err)
{
	Slot *slot = mem_zalloc(1, sizeof(*slot));
	slot->digest = mem_strdup(artifact->digest);
	vec_push(&indexes->slots, slot);
	drop_surplus(indexes);
	pthread_mutex_unlock(&indexes->lock);
	HelmIndex *index = load(store, artifact, err);
	pthread_mutex_lock(&indexes->lock);
	slot->index = index;
	for (size_t i = indexes->slots.len; !index && i > 0; i--)
		if (indexes->slots.items[i - 1] == slot)
			vec_remove(&indexes->slots, i - 1);
	pthread_cond_broadcast(&indexes->loaded);
	if (index)
		return slot;
	slot_free(slot);
	return NULL;
}

const HelmIndex *helm_indexes_take(HelmIndexes *indexes, const Store *store,
				   const Artifact *artifact, bool *out_hit, Error *err)
{
	pthread_mutex_lock(&indexes->lock);
	Slot *slot;
	while ((slot = find(indexes, artifact->digest)) && !slot->index)
		pthread_cond_wait(&indexes->loaded, &indexes->lock);
	*out_hit = slot != NULL;
	if (!slot)
		slot = load_slot(indexes, store, artifact, err);
	const HelmIndex *index = NULL;
	if (slot) {
		slot->users++;
		index = slot->index;
	}
	pthread_mutex_unlock(&indexes->lock);
	return index;
}

void helm_indexes_release(HelmIndexes *indexes, const HelmIndex *index)
{
	pthread_mutex_lock(&indexes->lock);
	for (size_t i = 0; i < indexes->slots.len; i++) {
		Slot *slot = indexes->slots.items[i];
		if (slot->index != index)
			continue;
		slot->users--;
		slot->used_ms = clock_mono_ms();
	}
	drop_surplus(indexes);
	pthread_mutex_unlock(&indexes->lock);
	loop_post(indexes->loop, arm, indexes);
}

/* --- counting --- */

static const MetricFamily cache_events = {
	"gotk_cache_events_total",
	METRIC_COUNTER,
	"Total number of cache retrieval events for a Gitops Toolkit resource reconciliation.",
	"event_type,name,namespace",
	NULL,
	0};

void helm_indexes_count(Manager *manager, const char *ns, const char *name, bool hit)
{
	const SourceContext *context = manager_context(manager);
	if (context->options->helm_cache_max_size > 0)
		metrics_add(manager_metrics(manager), &cache_events,
			    (const char *const[]){hit ? "cache_hit" : "cache_miss", name, ns}, 1);
}

void helm_indexes_drop_counts(Manager *manager, const char *ns, const char *name)
{
	Metrics *metrics = manager_metrics(manager);
	metrics_drop(metrics, &cache_events, (const char *const[]){"cache_hit", name, ns});
	metrics_drop(metrics, &cache_events, (const char *const[]){"cache_miss", name, ns});
}
