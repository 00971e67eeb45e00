#include "delivery/source_wait.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"

enum { QUIET_MS = 2000, QUIET_MAX_MS = 10000 };

struct SourceWaits {
	pthread_mutex_t lock; /* guards what follows */
	Map *since;	      /* key -> int64_t *, monotonic milliseconds */
	int64_t moved_ms;     /* the same, of the last artifact; 0: none */
};

SourceWaits *source_waits_new(void)
{
	SourceWaits *waits = mem_zalloc(1, sizeof(*waits));
	pthread_mutex_init(&waits->lock, NULL);
	waits->since = map_new(free);
	return waits;
}

void source_waits_free(SourceWaits *waits)
{
	if (!waits)
		return;
	map_free(waits->since);
	pthread_mutex_destroy(&waits->lock);
	free(waits);
}

void source_waits_moved(SourceWaits *waits)
{
	pthread_mutex_lock(&waits->lock);
	waits->moved_ms = clock_mono_ms();
	pthread_mutex_unlock(&waits->lock);
}

/* Lock held. */
static int64_t since_of(SourceWaits *waits, const char *key, int64_t now_ms)
{
	int64_t *since = map_get(waits->since, key);
	if (!since) {
		since = mem_alloc(sizeof(*since));
		*since = now_ms;
		map_put(waits->since, key, since);
	}
	return *since;
}

int64_t source_waits_quiet_ms(SourceWaits *waits, const char *key)
{
	int64_t now = clock_mono_ms();
	pthread_mutex_lock(&waits->lock);
	int64_t since = since_of(waits, key, now), moved = waits->moved_ms;
	pthread_mutex_unlock(&waits->lock);
	int64_t left = (moved > since ? moved : since) + QUIET_MS - now;
	int64_t most = since + QUIET_MAX_MS - now;
	return left < most ? left : most;
}

void source_waits_over(SourceWaits *waits, const char *key)
{
	pthread_mutex_lock(&waits->lock);
	map_remove(waits->since, key);
	pthread_mutex_unlock(&waits->lock);
}
