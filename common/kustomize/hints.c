#include "kustomize/hints.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"

/* Chained by place, not by pointer: growing moves the entries. Bounded by K_MAX_OBJECTS and the
 * layers that rename. */

enum { FIRST_BUCKETS = 16 };

void khints_dispose(KHints *hints)
{
	free(hints->items);
	free(hints->first);
	free(hints->last);
	*hints = (KHints){0};
}

static void forget_buckets(KHints *hints)
{
	if (hints->buckets == 0)
		return;
	memset(hints->first, 0, hints->buckets * sizeof(*hints->first));
	memset(hints->last, 0, hints->buckets * sizeof(*hints->last));
}

void khints_clear(KHints *hints)
{
	hints->len = 0;
	forget_buckets(hints);
}

static void chain(KHints *hints, size_t place)
{
	size_t bucket = hints->items[place].hash & (hints->buckets - 1);
	uint32_t at = (uint32_t)place + 1;
	hints->items[place].next = 0;
	if (hints->last[bucket])
		hints->items[hints->last[bucket] - 1].next = at;
	else
		hints->first[bucket] = at;
	hints->last[bucket] = at;
}

static void grow(KHints *hints)
{
	hints->buckets = hints->buckets ? hints->buckets * 2 : FIRST_BUCKETS;
	hints->cap = hints->buckets;
	hints->items = mem_realloc(hints->items, hints->cap * sizeof(*hints->items));
	hints->first = mem_realloc(hints->first, hints->buckets * sizeof(*hints->first));
	hints->last = mem_realloc(hints->last, hints->buckets * sizeof(*hints->last));
	forget_buckets(hints);
	for (size_t i = 0; i < hints->len; i++)
		chain(hints, i);
}

bool khints_add(KHints *hints, uint64_t hash, struct KResource *res)
{
	if (hints->len == hints->cap)
		grow(hints);
	size_t at = 0;
	bool others = khints_next(hints, hash, &at) != NULL;
	hints->items[hints->len] = (KHint){.hash = hash, .res = res};
	chain(hints, hints->len++);
	return others;
}

struct KResource *khints_next(const KHints *hints, uint64_t hash, size_t *at)
{
	if (hints->buckets == 0)
		return NULL;
	size_t place = *at ? hints->items[*at - 1].next : hints->first[hash & (hints->buckets - 1)];
	while (place && hints->items[place - 1].hash != hash)
		place = hints->items[place - 1].next;
	*at = place;
	return place ? hints->items[place - 1].res : NULL;
}

uint64_t khints_hash(const char *const *texts, size_t count)
{
	uint64_t hash = 0;
	for (size_t i = 0; i < count; i++) {
		const char *text = texts[i] ? texts[i] : "";
		/* An odd factor keeps what the first texts have told apart. */
		hash = hash * 0x9e3779b97f4a7c15ULL + map_hash(text, strlen(text));
	}
	return hash;
}
