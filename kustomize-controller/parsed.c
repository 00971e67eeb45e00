/* Parsed files by artifact, so that many Kustomizations of one source parse each file once. */
#include <pthread.h>

#include "base/mem.h"
#include "internal.h"

enum { KEEP_IDLE = 1, MAX_BYTES = 256 << 10 }; /* of text; trees take several times that */

typedef struct {
	char *digest;
	KustomizeCache *cache;
	int users;
	uint64_t used_at;
} Parsed;

struct ParsedSources {
	pthread_mutex_t lock; /* guards all below */
	Vec all;	      /* Parsed * */
	uint64_t clock;
};

struct ParsedSources *parsed_new(void)
{
	struct ParsedSources *parsed = mem_zalloc(1, sizeof(*parsed));
	pthread_mutex_init(&parsed->lock, NULL);
	return parsed;
}

static void free_parsed(void *item)
{
	Parsed *parsed = item;
	kustomize_cache_free(parsed->cache);
	free(parsed->digest);
	free(parsed);
}

void parsed_free(struct ParsedSources *parsed)
{
	if (!parsed)
		return;
	vec_dispose_with(&parsed->all, free_parsed);
	pthread_mutex_destroy(&parsed->lock);
	free(parsed);
}

KustomizeCache *parsed_get(struct ParsedSources *parsed, const char *digest)
{
	pthread_mutex_lock(&parsed->lock);
	Parsed *found = NULL;
	for (size_t i = 0; i < parsed->all.len && !found; i++) {
		Parsed *candidate = parsed->all.items[i];
		if (cstr_eq(candidate->digest, digest))
			found = candidate;
	}
	if (!found) {
		found = mem_zalloc(1, sizeof(*found));
		found->digest = mem_strdup(digest);
		found->cache = kustomize_cache_new(MAX_BYTES);
		vec_push(&parsed->all, found);
	}
	found->users++;
	found->used_at = ++parsed->clock;
	pthread_mutex_unlock(&parsed->lock);
	return found->cache;
}

/* Idle caches beyond KEEP_IDLE go, least recently used first. Lock held. */
static void evict(struct ParsedSources *parsed)
{
	for (;;) {
		size_t idle = 0, oldest = 0;
		const Parsed *victim = NULL;
		for (size_t i = 0; i < parsed->all.len; i++) {
			const Parsed *candidate = parsed->all.items[i];
			if (candidate->users)
				continue;
			idle++;
			if (!victim || candidate->used_at < victim->used_at) {
				victim = candidate;
				oldest = i;
			}
		}
		if (idle <= KEEP_IDLE)
			return;
		free_parsed(vec_remove(&parsed->all, oldest));
	}
}

void parsed_put(struct ParsedSources *parsed, KustomizeCache *cache)
{
	pthread_mutex_lock(&parsed->lock);
	for (size_t i = 0; i < parsed->all.len; i++) {
		Parsed *candidate = parsed->all.items[i];
		if (candidate->cache == cache)
			candidate->users--;
	}
	evict(parsed);
	pthread_mutex_unlock(&parsed->lock);
}
