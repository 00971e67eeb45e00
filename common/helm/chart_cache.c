#include "helm/chart_cache.h"

#include <pthread.h>

#include "base/map.h"
#include "base/mem.h"

typedef struct {
	PreparedChart *chart;
	uint64_t used; /* the count at the last use */
} Entry;

/* Somebody makes the chart of a digest. The cache's lock guards it. */
typedef struct {
	bool ended;
	size_t users; /* who makes it, and who waits */
} Preparing;

struct HelmChartCache {
	size_t max_bytes;
	pthread_mutex_t lock; /* guards what follows */
	Map *charts;	      /* digest -> Entry, owned */
	Map *preparing;	      /* digest -> Preparing, of its users */
	uint64_t count;	      /* of uses */
	pthread_cond_t ended; /* one of `preparing` */
};

static void free_entry(void *pointer)
{
	Entry *entry = pointer;
	prepared_chart_unref(entry->chart);
	free(entry);
}

HelmChartCache *helm_chart_cache_new(size_t max_bytes)
{
	HelmChartCache *cache = mem_zalloc(1, sizeof(*cache));
	cache->max_bytes = max_bytes;
	cache->charts = map_new(free_entry);
	cache->preparing = map_new(NULL);
	pthread_cond_init(&cache->ended, NULL);
	pthread_mutex_init(&cache->lock, NULL);
	return cache;
}

void helm_chart_cache_free(HelmChartCache *cache)
{
	if (!cache)
		return;
	map_free(cache->charts);
	map_free(cache->preparing);
	pthread_cond_destroy(&cache->ended);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

/* Under the lock: a reference to a chart that is there. */
static PreparedChart *find(HelmChartCache *cache, const char *digest)
{
	Entry *entry = map_get(cache->charts, digest);
	if (!entry)
		return NULL;
	entry->used = ++cache->count;
	return prepared_chart_ref(entry->chart);
}

/* Under the lock. The digest used the longest ago, and the bytes of all charts: they grow while
 * templates are parsed, so they are asked for each time. */
static const char *oldest_of(const HelmChartCache *cache, size_t *out_bytes)
{
	const char *digest, *oldest = NULL;
	uint64_t used = UINT64_MAX;
	size_t at = 0;
	void *value;
	*out_bytes = 0;
	while (map_next(cache->charts, &at, &digest, &value)) {
		const Entry *entry = value;
		*out_bytes += prepared_chart_size(entry->chart);
		if (entry->used < used) {
			used = entry->used;
			oldest = digest;
		}
	}
	return oldest;
}

/* Under the lock. */
static void evict(HelmChartCache *cache)
{
	while (map_len(cache->charts) > 1) {
		size_t bytes;
		const char *oldest = oldest_of(cache, &bytes);
		if (bytes <= cache->max_bytes)
			return;
		autofree char *digest = mem_strdup(oldest);
		map_remove(cache->charts, digest);
	}
}

/* Under the lock. The first of several that were made at once stays. */
static PreparedChart *keep(HelmChartCache *cache, const char *digest, PreparedChart *take_chart)
{
	PreparedChart *chart = find(cache, digest);
	if (chart) {
		prepared_chart_unref(take_chart);
		return chart;
	}
	Entry *entry = mem_alloc(sizeof(*entry));
	*entry = (Entry){take_chart, ++cache->count};
	map_put(cache->charts, digest, entry);
	chart = prepared_chart_ref(take_chart);
	evict(cache);
	return chart;
}

/* Under the lock. */
static void leave(Preparing *preparing)
{
	if (--preparing->users == 0)
		free(preparing);
}

/* Under the lock. Waits for what somebody else makes. */
static void await(HelmChartCache *cache, Preparing *preparing)
{
	preparing->users++;
	while (!preparing->ended)
		pthread_cond_wait(&cache->ended, &cache->lock);
	leave(preparing);
}

/* NULL: it is the caller's to make. Who has waited in vain makes it as it is, so that a failure is
 * that of all at the same time and not of one after the other; else *out_own says that it is made.
 */
static PreparedChart *find_or_begin(HelmChartCache *cache, const char *digest, Preparing **out_own)
{
	pthread_mutex_lock(&cache->lock);
	PreparedChart *chart = find(cache, digest);
	Preparing *others = map_get(cache->preparing, digest);
	if (!chart && others) {
		await(cache, others);
		chart = find(cache, digest);
	} else if (!chart) {
		*out_own = mem_zalloc(1, sizeof(**out_own));
		(*out_own)->users = 1;
		map_put(cache->preparing, digest, *out_own);
	}
	pthread_mutex_unlock(&cache->lock);
	return chart;
}

PreparedChart *helm_chart_cache_get(HelmChartCache *cache, const char *digest, HelmPrepare prepare,
				    void *context, Error *err)
{
	Preparing *own = NULL;
	PreparedChart *chart = find_or_begin(cache, digest, &own);
	if (chart)
		return chart;
	chart = prepare(context, err);
	pthread_mutex_lock(&cache->lock);
	if (chart)
		chart = keep(cache, digest, chart);
	if (own) {
		map_remove(cache->preparing, digest);
		own->ended = true;
		leave(own);
		pthread_cond_broadcast(&cache->ended);
	}
	pthread_mutex_unlock(&cache->lock);
	return chart;
}
