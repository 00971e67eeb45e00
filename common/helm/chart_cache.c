#include "helm/chart_cache.h"

#include <pthread.h>

#include "base/map.h"
#include "base/mem.h"

typedef struct {
	PreparedChart *chart;
	uint64_t used; /* the count at the last use */
} Entry;

struct HelmChartCache {
	size_t max_bytes;
	pthread_mutex_t lock; /* guards what follows */
	Map *charts;	      /* digest -> Entry, owned */
	uint64_t count;	      /* of uses */
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
	pthread_mutex_init(&cache->lock, NULL);
	return cache;
}

void helm_chart_cache_free(HelmChartCache *cache)
{
	if (!cache)
		return;
	map_free(cache->charts);
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

static PreparedChart *keep(HelmChartCache *cache, const char *digest, PreparedChart *take_chart)
{
	pthread_mutex_lock(&cache->lock);
	PreparedChart *chart = find(cache, digest);
	if (!chart) {
		Entry *entry = mem_alloc(sizeof(*entry));
		*entry = (Entry){take_chart, ++cache->count};
		map_put(cache->charts, digest, entry);
		chart = prepared_chart_ref(take_chart);
		evict(cache);
		take_chart = NULL;
	}
	pthread_mutex_unlock(&cache->lock);
	prepared_chart_unref(take_chart);
	return chart;
}

PreparedChart *helm_chart_cache_get(HelmChartCache *cache, const char *digest, HelmPrepare prepare,
				    void *context, Error *err)
{
	pthread_mutex_lock(&cache->lock);
	PreparedChart *chart = find(cache, digest);
	pthread_mutex_unlock(&cache->lock);
	if (chart)
		return chart;
	chart = prepare(context, err);
	return chart ? keep(cache, digest, chart) : NULL;
}
