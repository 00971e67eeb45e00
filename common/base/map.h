/*
 * A hash map from strings to pointers. Keys are copied. The hash is seeded at process start, so
 * input cannot be made to collide. Iteration order is insertion order, with removed entries left
 * out. One thread at a time.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"

typedef struct Map Map;

/* A new map, owned by the caller. free_value, when not NULL, frees values replaced or removed. */
Map *map_new(void (*free_value)(void *value));
void map_free(Map *map);
AUTO_POINTER(Map, map_free, auto_map);
#define automap __attribute__((cleanup(auto_map)))

/* The value, or NULL. Borrowed. */
void *map_get(const Map *map, const char *key);
bool map_has(const Map *map, const char *key);

/* Puts a value (which may be NULL) under a copy of key; an old value is freed. */
void map_put(Map *map, const char *key, void *take_value);

/* Removes and frees the value; false when the key is not there. */
bool map_remove(Map *map, const char *key);

/* Removes and returns the value, which the caller then owns. */
void *map_take(Map *map, const char *key);

size_t map_len(const Map *map);
void map_clear(Map *map);

/*
 * For loops: `size_t at = 0; const char *key; void *value; while (map_next(map, &at, &key,
 * &value))`. Removing the entry just returned is allowed, adding is not. value may be NULL.
 */
bool map_next(const Map *map, size_t *at, const char **key, void **value);

/* A seeded 64-bit hash of bytes; differs from process to process. */
uint64_t map_hash(const void *bytes, size_t len);

#endif
