/*
 * Objects by 64-bit hashes of what they are or were called. An entry is a hint that the reader
 * verifies: entries are never taken back, and two names may have one hash. Objects with the same
 * hash come in the order they were added.
 */
#ifndef KUSTOMIZE_HINTS_H
#define KUSTOMIZE_HINTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct KResource;

typedef struct {
	uint64_t hash;
	struct KResource *res;
	uint32_t next; /* 1-based place of the next entry of its bucket; 0: none */
} KHint;

/* `KHints h = {0}` is empty. */
typedef struct {
	KHint *items;		/* in the order added */
	uint32_t *first, *last; /* by bucket, 1-based; 0: none */
	size_t len, cap, buckets;
} KHints;

void khints_dispose(KHints *hints);
/* Forgets all. */
void khints_clear(KHints *hints);

/* True when another entry has the hash. */
bool khints_add(KHints *hints, uint64_t hash, struct KResource *res);

/* For loops: `size_t at = 0; KResource *res; while ((res = khints_next(hints, hash, &at)))`. */
struct KResource *khints_next(const KHints *hints, uint64_t hash, size_t *at);

/* The hash of texts, NULL-safe, told apart by their places. */
uint64_t khints_hash(const char *const *texts, size_t count);

#endif
