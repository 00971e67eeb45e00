#include "kustomize/cache.h"

#include <pthread.h>

#include "base/map.h"
#include "base/mem.h"

typedef struct {
	YamlStream stream;
	size_t bytes; /* of the text */
} Entry;

/*
 * Nothing is evicted: a source is immutable and the whole cache goes with it. A full cache takes no
 * more. Streams are only read, so they need no lock; `lock` guards the map and the count.
 */
struct KustomizeCache {
	pthread_mutex_t lock;
	Map *streams; /* path -> Entry */
	size_t bytes, max_bytes;
};

static void free_entry(void *pointer)
{
	Entry *entry = pointer;
	yaml_stream_dispose(&entry->stream);
	free(entry);
}

KustomizeCache *kustomize_cache_new(size_t max_bytes)
{
	KustomizeCache *cache = mem_zalloc(1, sizeof(*cache));
	pthread_mutex_init(&cache->lock, NULL);
	cache->streams = map_new(free_entry);
	cache->max_bytes = max_bytes;
	return cache;
}

void kustomize_cache_free(KustomizeCache *cache)
{
	if (!cache)
		return;
	map_free(cache->streams);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

const YamlStream *kcache_get(KustomizeCache *cache, const char *path, size_t *out_bytes)
{
	pthread_mutex_lock(&cache->lock);
	const Entry *found = map_get(cache->streams, path);
	pthread_mutex_unlock(&cache->lock);
	*out_bytes = found ? found->bytes : 0;
	return found ? &found->stream : NULL;
}

const YamlStream *kcache_put(KustomizeCache *cache, const char *path, size_t text_bytes,
			     YamlStream *stream)
{
	pthread_mutex_lock(&cache->lock);
	Entry *kept = map_get(cache->streams, path);
	if (!kept && text_bytes <= cache->max_bytes - cache->bytes) {
		kept = mem_alloc(sizeof(*kept));
		*kept = (Entry){*stream, text_bytes};
		*stream = (YamlStream){0};
		cache->bytes += text_bytes;
		map_put(cache->streams, path, kept);
	}
	pthread_mutex_unlock(&cache->lock);
	return kept ? &kept->stream : NULL;
}
