#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "internal.h"

/* A flood of different events must not fill the memory: beyond this, new keys pass unlimited. */
enum { MAX_KEYS = 200000 };

struct Limiter {
	pthread_mutex_t lock; /* guards all below */
	int64_t interval_ms;
	Map *windows; /* key -> int64_t *, the window's end in monotonic ms */
	int64_t swept_ms;
};

Limiter *limiter_new(int64_t interval_ms)
{
	Limiter *limiter = mem_zalloc(1, sizeof(*limiter));
	pthread_mutex_init(&limiter->lock, NULL);
	limiter->interval_ms = interval_ms;
	limiter->windows = map_new(free);
	limiter->swept_ms = clock_mono_ms();
	return limiter;
}

void limiter_free(Limiter *limiter)
{
	if (!limiter)
		return;
	map_free(limiter->windows);
	pthread_mutex_destroy(&limiter->lock);
	free(limiter);
}

/* Each interval, windows that ended an interval ago go. Lock held. */
static void sweep(Limiter *limiter, int64_t now)
{
	if (now - limiter->swept_ms < limiter->interval_ms)
		return;
	limiter->swept_ms = now;
	size_t at = 0;
	const char *key;
	void *value;
	while (map_next(limiter->windows, &at, &key, &value)) {
		const int64_t *end = value;
		if (*end <= now)
			map_remove(limiter->windows, key);
	}
}

bool limiter_pass(Limiter *limiter, const char *key, int64_t *out_reset_ms)
{
	pthread_mutex_lock(&limiter->lock);
	int64_t now = clock_mono_ms();
	sweep(limiter, now);
	int64_t *end = map_get(limiter->windows, key);
	bool passes = !end || *end <= now;
	if (!end && map_len(limiter->windows) < MAX_KEYS) {
		end = mem_zalloc(1, sizeof(*end));
		map_put(limiter->windows, key, end);
	}
	int64_t left = 0;
	if (end) {
		if (passes)
			*end = now + limiter->interval_ms;
		left = *end - now;
	}
	*out_reset_ms = clock_wall_ms() + left;
	pthread_mutex_unlock(&limiter->lock);
	return passes;
}
