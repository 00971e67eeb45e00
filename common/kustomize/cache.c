#include "kustomize/cache.h"

#include <pthread.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"

typedef struct {
	YamlStream stream;
	size_t bytes; /* of the text */
} Entry;

enum { SEEN = 4096 };

/* Who had a file first, by hashes. */
typedef struct {
	uint32_t path, builder;
} Seen;

/*
 * Nothing is evicted: a source is immutable and the whole cache goes with it. A full cache takes no
 * more. Streams are only read, so they need no lock; `lock` guards all else. Where two files share
 * a row of `seen`, one is kept too late or too early: no harm.
 */
struct KustomizeCache {
	pthread_mutex_t lock;
	Map *streams; /* path -> Entry */
	size_t bytes, max_bytes;
	Seen seen[SEEN];
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

/* Whether somebody else has had the file; notes who had it first. Lock held. */
static bool is_shared(KustomizeCache *cache, const char *builder, const char *path)
{
	if (!builder)
		return true;
	uint64_t hash = map_hash(path, strlen(path));
	Seen now = {(uint32_t)(hash >> 32), (uint32_t)map_hash(builder, strlen(builder)) | 1};
	Seen *seen = &cache->seen[hash % SEEN];
	if (seen->builder && seen->path == now.path)
		return seen->builder != now.builder;
	*seen = now;
	return false;
}

const YamlStream *kcache_put(KustomizeCache *cache, const char *builder, const char *path,
			     size_t text_bytes, YamlStream *stream)
{
	pthread_mutex_lock(&cache->lock);
	Entry *kept = map_get(cache->streams, path);
	if (!kept && is_shared(cache, builder, path) &&
	    text_bytes <= cache->max_bytes - cache->bytes) {
		kept = mem_alloc(sizeof(*kept));
		*kept = (Entry){*stream, text_bytes};
		*stream = (YamlStream){0};
		cache->bytes += text_bytes;
		map_put(cache->streams, path, kept);
	}
	pthread_mutex_unlock(&cache->lock);
	return kept ? &kept->stream : NULL;
}
