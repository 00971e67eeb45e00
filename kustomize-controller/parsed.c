/*
 * Parsed files by artifact, so that many Kustomizations of one source parse each file once. Trees
 * take some twelve times the bytes of their text, so what is kept has a limit, and goes when nobody
 * has built from it for a while: a daemon at rest keeps none.
 */
#include <pthread.h>

#include "base/clock.h"
#include "base/mem.h"
#include "internal.h"

enum {
	KEEP_IDLE = 1,
	KEEP_IDLE_MS = 10000,
	MAX_BYTES = 1 << 20, /* of text, of one artifact */
};

typedef struct {
	char *digest;
	KustomizeCache *cache;
	int users;
	uint64_t used_at;
	int64_t idle_since_ms; /* of clock_mono_ms; while there are no users */
} Parsed;

struct ParsedSources {
	Loop *loop;
	pthread_mutex_t lock; /* guards all below */
	Vec all;	      /* Parsed * */
	uint64_t clock;
	LoopTimer timer; /* 0: none is on its way */
};

struct ParsedSources *parsed_new(Loop *loop)
{
	struct ParsedSources *parsed = mem_zalloc(1, sizeof(*parsed));
	parsed->loop = loop;
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

static void cancel_timer(void *arg)
{
	struct ParsedSources *parsed = arg;
	loop_cancel(parsed->loop, parsed->timer);
}

void parsed_free(struct ParsedSources *parsed)
{
	if (!parsed)
		return;
	loop_call(parsed->loop, cancel_timer, parsed);
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

static void evict_old(void *arg);

/* Lock held. */
static void start_timer(struct ParsedSources *parsed)
{
	if (!parsed->timer)
		parsed->timer = loop_after(parsed->loop, KEEP_IDLE_MS, evict_old, parsed);
}

/* What nobody has used for KEEP_IDLE_MS goes; the timer begins anew while any is idle. */
static void evict_old(void *arg)
{
	struct ParsedSources *parsed = arg;
	int64_t now = clock_mono_ms();
	pthread_mutex_lock(&parsed->lock);
	parsed->timer = 0;
	for (size_t i = parsed->all.len; i-- > 0;) {
		const Parsed *candidate = parsed->all.items[i];
		if (candidate->users)
			continue;
		if (now - candidate->idle_since_ms >= KEEP_IDLE_MS)
			free_parsed(vec_remove(&parsed->all, i));
		else
			start_timer(parsed);
	}
	pthread_mutex_unlock(&parsed->lock);
}

size_t parsed_count(struct ParsedSources *parsed)
{
	pthread_mutex_lock(&parsed->lock);
	size_t count = parsed->all.len;
	pthread_mutex_unlock(&parsed->lock);
	return count;
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
		if (candidate->cache != cache || --candidate->users)
			continue;
		candidate->idle_since_ms = clock_mono_ms();
		start_timer(parsed);
	}
	evict(parsed);
	pthread_mutex_unlock(&parsed->lock);
}
