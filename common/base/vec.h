/* A growing array of pointers. `Vec v = {0}` is empty. Whether it owns the items, its owner says.
 */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include <stddef.h>

#include "base/auto.h"

typedef struct {
	void **items;
	size_t len;
	size_t cap;
} Vec;

/* Frees the array, not the items. */
void vec_dispose(Vec *vec);
#define autovec __attribute__((cleanup(vec_dispose)))

/* Frees each item with free_fn, then the array. */
void vec_dispose_with(Vec *vec, void (*free_fn)(void *item));

/* As vec_dispose_with(free): for owned C strings. */
void vec_dispose_strings(Vec *vec);
#define autostrings __attribute__((cleanup(vec_dispose_strings)))

void vec_push(Vec *vec, void *item);

/* The last item, taken off; NULL when empty. */
void *vec_pop(Vec *vec);

/* Takes out item `index`, keeping the order. */
void *vec_remove(Vec *vec, size_t index);
void vec_insert(Vec *vec, size_t index, void *item);

/* Sorts with a comparison of two items (not of pointers to them); stable. */
void vec_sort(Vec *vec, int (*compare)(const void *a, const void *b));

/* strcmp for vec_sort. */
int vec_compare_strings(const void *a, const void *b);

#endif
