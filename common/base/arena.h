/*
 * Memory of one run: allocated piece by piece, freed whole. One thread at a time. An Arena belongs
 * to a reconcile or a request; nothing in it may outlive that.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

#include "base/auto.h"

typedef struct Arena Arena;

/* A new, empty arena, owned by the caller. */
Arena *arena_new(void);
void arena_free(Arena *arena);
AUTO_POINTER(Arena, arena_free, auto_arena);
#define autoarena __attribute__((cleanup(auto_arena)))

/* Zeroed memory, aligned for any type; lives until the arena is freed. Never NULL. */
void *arena_alloc(Arena *arena, size_t size) __attribute__((returns_nonnull));

/* Copies in the arena. arena_strdup of NULL is NULL. */
char *arena_strdup(Arena *arena, const char *text);
char *arena_strndup(Arena *arena, const char *text, size_t len);
char *arena_printf(Arena *arena, const char *format, ...) PRINTF(2, 3);

/* Calls free_fn(pointer) when the arena is freed, last added first. */
void arena_defer(Arena *arena, void (*free_fn)(void *pointer), void *pointer);

/* Bytes that the arena holds from the system: for limits and tests. */
size_t arena_size(const Arena *arena);

#endif
