#include "base/map.h"

#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "base/rand.h"

/*
 * Entries stand in insertion order in `entries`; `slots` is an open-addressed table of indexes into
 * it, of a power of two that is at least twice their number. A removed entry has a NULL key and
 * goes at the next rebuild.
 */
typedef struct {
	char *key;
	void *value;
	uint64_t hash;
} Entry;

struct Map {
	Entry *entries;
	size_t used, cap, live;
	uint32_t *slots; /* index + 1; 0 is free */
	size_t slot_count;
	void (*free_value)(void *value);
};

static uint64_t seed[2];
static pthread_once_t seed_once = PTHREAD_ONCE_INIT;

static void make_seed(void)
{
	rand_bytes(seed, sizeof(seed));
}

#define ROTL(x, b) (((x) << (b)) | ((x) >> (64 - (b))))

static inline void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = ROTL(v[1], 13) ^ v[0];
	v[0] = ROTL(v[0], 32);
	v[2] += v[3];
	v[3] = ROTL(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = ROTL(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = ROTL(v[1], 17) ^ v[2];
	v[2] = ROTL(v[2], 32);
}

/* SipHash-1-3 (Aumasson, Bernstein: "SipHash: a fast short-input PRF"). */
uint64_t map_hash(const void *bytes, size_t len)
{
	pthread_once(&seed_once, make_seed);
	const unsigned char *in = bytes;
	uint64_t v[4] = {seed[0] ^ 0x736f6d6570736575ULL, seed[1] ^ 0x646f72616e646f6dULL,
			 seed[0] ^ 0x6c7967656e657261ULL, seed[1] ^ 0x7465646279746573ULL};
	size_t left = len;
	for (; left >= 8; left -= 8, in += 8) {
		uint64_t word;
		memcpy(&word, in, 8);
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	uint64_t last = (uint64_t)len << 56;
	for (size_t i = 0; i < left; i++)
		last |= (uint64_t)in[i] << (8 * i);
	v[3] ^= last;
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

Map *map_new(void (*free_value)(void *value))
{
	Map *map = mem_zalloc(1, sizeof(*map));
	map->free_value = free_value;
	return map;
}

static void drop_value(const Map *map, void *value)
{
	if (map->free_value && value)
		map->free_value(value);
}

void map_clear(Map *map)
{
	for (size_t i = 0; i < map->used; i++) {
		if (!map->entries[i].key)
			continue;
		free(map->entries[i].key);
		drop_value(map, map->entries[i].value);
	}
	free(map->entries);
	free(map->slots);
	*map = (Map){.free_value = map->free_value};
}

void map_free(Map *map)
{
	if (!map)
		return;
	map_clear(map);
	free(map);
}

static Entry *find(const Map *map, const char *key, uint64_t hash)
{
	if (!map->slot_count)
		return NULL;
	size_t mask = map->slot_count - 1;
	for (size_t at = hash & mask; map->slots[at]; at = (at + 1) & mask) {
		Entry *entry = &map->entries[map->slots[at] - 1];
		if (entry->key && entry->hash == hash && strcmp(entry->key, key) == 0)
			return entry;
	}
	return NULL;
}

static void place(Map *map, size_t index)
{
	size_t mask = map->slot_count - 1;
	size_t at = map->entries[index].hash & mask;
	while (map->slots[at])
		at = (at + 1) & mask;
	map->slots[at] = (uint32_t)index + 1;
}

/* Makes room for one more entry, dropping removed ones. */
static void rebuild(Map *map)
{
	size_t out = 0;
	for (size_t i = 0; i < map->used; i++)
		if (map->entries[i].key)
			map->entries[out++] = map->entries[i];
	map->used = out;
	map->cap = out < 6 ? 8 : out * 2;
	map->entries = mem_realloc(map->entries, map->cap * sizeof(Entry));
	map->slot_count = 16;
	while (map->slot_count < map->cap * 2)
		map->slot_count *= 2;
	free(map->slots);
	map->slots = mem_zalloc(map->slot_count, sizeof(map->slots[0]));
	for (size_t i = 0; i < map->used; i++)
		place(map, i);
}

void *map_get(const Map *map, const char *key)
{
	const Entry *entry = find(map, key, map_hash(key, strlen(key)));
	return entry ? entry->value : NULL;
}

bool map_has(const Map *map, const char *key)
{
	return find(map, key, map_hash(key, strlen(key))) != NULL;
}

void map_put(Map *map, const char *key, void *take_value)
{
	uint64_t hash = map_hash(key, strlen(key));
	Entry *entry = find(map, key, hash);
	if (entry) {
		void *old = entry->value;
		entry->value = take_value;
		if (old != take_value)
			drop_value(map, old);
		return;
	}
	if (map->used == map->cap)
		rebuild(map);
	map->entries[map->used] = (Entry){mem_strdup(key), take_value, hash};
	place(map, map->used++);
	map->live++;
}

void *map_take(Map *map, const char *key)
{
	Entry *entry = find(map, key, map_hash(key, strlen(key)));
	if (!entry)
		return NULL;
	void *value = entry->value;
	free(entry->key);
	entry->key = NULL;
	entry->value = NULL;
	map->live--;
	return value;
}

bool map_remove(Map *map, const char *key)
{
	if (!map_has(map, key))
		return false;
	drop_value(map, map_take(map, key));
	return true;
}

size_t map_len(const Map *map)
{
	return map->live;
}

bool map_next(const Map *map, size_t *at, const char **key, void **value)
{
	while (*at < map->used) {
		const Entry *entry = &map->entries[(*at)++];
		if (!entry->key)
			continue;
		*key = entry->key;
		if (value)
			*value = entry->value;
		return true;
	}
	return false;
}
