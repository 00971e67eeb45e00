/*
 * One pass per key and interval. An open-addressed table of 24 bytes an entry, so that a flood of
 * 200 000 different events costs 10 MiB; windows that ended an interval ago go each interval.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "internal.h"

enum {
	KEY_BYTES = 16,	   /* of a SHA-256: no two events meet by accident */
	MIN_SLOTS = 1024,  /* a power of two */
	MAX_KEYS = 200000, /* beyond this, new keys pass unlimited */
};

typedef struct {
	unsigned char key[KEY_BYTES];
	int64_t end_ms; /* of the window, monotonic; 0: the slot is free */
} Window;

struct Limiter {
	pthread_mutex_t lock; /* guards all below */
	int64_t interval_ms;
	Window *slots;
	size_t slot_count, used;
	int64_t swept_ms;
};

Limiter *limiter_new(int64_t interval_ms)
{
	Limiter *limiter = mem_zalloc(1, sizeof(*limiter));
	pthread_mutex_init(&limiter->lock, NULL);
	limiter->interval_ms = interval_ms;
	limiter->slot_count = MIN_SLOTS;
	limiter->slots = mem_zalloc(MIN_SLOTS, sizeof(Window));
	limiter->swept_ms = clock_mono_ms();
	return limiter;
}

void limiter_free(Limiter *limiter)
{
	if (!limiter)
		return;
	free(limiter->slots);
	pthread_mutex_destroy(&limiter->lock);
	free(limiter);
}

/* The key's slot, or the free one where it belongs. The seeded hash keeps senders from choosing
 * events whose slots meet. */
static Window *find(Window *slots, size_t slot_count, const unsigned char *key)
{
	size_t at = (size_t)map_hash(key, KEY_BYTES) & (slot_count - 1);
	while (slots[at].end_ms && memcmp(slots[at].key, key, KEY_BYTES) != 0)
		at = (at + 1) & (slot_count - 1);
	return &slots[at];
}

/* Into a table that is at most a quarter full, without what ended before keep_ms. Lock held. */
static void rebuild(Limiter *limiter, int64_t keep_ms)
{
	size_t kept = 0, slot_count = MIN_SLOTS;
	for (size_t i = 0; i < limiter->slot_count; i++)
		kept += limiter->slots[i].end_ms > keep_ms;
	while (slot_count < kept * 4)
		slot_count *= 2;
	Window *slots = mem_zalloc(slot_count, sizeof(Window));
	for (size_t i = 0; i < limiter->slot_count; i++)
		if (limiter->slots[i].end_ms > keep_ms)
			*find(slots, slot_count, limiter->slots[i].key) = limiter->slots[i];
	free(limiter->slots);
	limiter->slots = slots;
	limiter->slot_count = slot_count;
	limiter->used = kept;
}

static void make_room(Limiter *limiter, int64_t now_ms)
{
	if (now_ms - limiter->swept_ms >= limiter->interval_ms) {
		limiter->swept_ms = now_ms;
		rebuild(limiter, now_ms);
	} else if (limiter->used * 2 >= limiter->slot_count) {
		rebuild(limiter, 0);
	}
}

bool limiter_pass(Limiter *limiter, const unsigned char *key, int64_t *out_reset_ms)
{
	pthread_mutex_lock(&limiter->lock);
	int64_t now_ms = clock_mono_ms(), left_ms = 0;
	make_room(limiter, now_ms);
	Window *window = find(limiter->slots, limiter->slot_count, key);
	bool passes = window->end_ms <= now_ms;
	bool known = window->end_ms != 0;
	if (known || limiter->used < MAX_KEYS) {
		memcpy(window->key, key, KEY_BYTES);
		limiter->used += !known;
		if (passes)
			window->end_ms = now_ms + limiter->interval_ms;
		left_ms = window->end_ms - now_ms;
	}
	*out_reset_ms = clock_wall_ms() + left_ms;
	pthread_mutex_unlock(&limiter->lock);
	return passes;
}
