#include "base/vec.h"

#include <string.h>

#include "base/mem.h"

void vec_dispose(Vec *vec)
{
	free(vec->items);
	*vec = (Vec){0};
}

void vec_dispose_with(Vec *vec, void (*free_fn)(void *item))
{
	for (size_t i = 0; i < vec->len; i++)
		free_fn(vec->items[i]);
	vec_dispose(vec);
}

void vec_dispose_strings(Vec *vec)
{
	vec_dispose_with(vec, free);
}

static void grow(Vec *vec)
{
	if (vec->len < vec->cap)
		return;
	vec->cap = vec->cap ? vec->cap * 2 : 8;
	vec->items = mem_realloc(vec->items, vec->cap * sizeof(vec->items[0]));
}

void vec_push(Vec *vec, void *item)
{
	grow(vec);
	vec->items[vec->len++] = item;
}

void *vec_pop(Vec *vec)
{
	return vec->len ? vec->items[--vec->len] : NULL;
}

void *vec_remove(Vec *vec, size_t index)
{
	void *item = vec->items[index];
	memmove(vec->items + index, vec->items + index + 1,
		(vec->len - index - 1) * sizeof(vec->items[0]));
	vec->len--;
	return item;
}

void vec_insert(Vec *vec, size_t index, void *item)
{
	grow(vec);
	memmove(vec->items + index + 1, vec->items + index,
		(vec->len - index) * sizeof(vec->items[0]));
	vec->items[index] = item;
	vec->len++;
}

static void merge_sort(void **items, void **spare, size_t len,
		       int (*compare)(const void *a, const void *b))
{
	if (len < 2)
		return;
	size_t half = len / 2;
	merge_sort(items, spare, half, compare);
	merge_sort(items + half, spare, len - half, compare);
	memcpy(spare, items, half * sizeof(items[0]));
	for (size_t left = 0, right = half, out = 0; left < half; out++) {
		if (right < len && compare(items[right], spare[left]) < 0)
			items[out] = items[right++];
		else
			items[out] = spare[left++];
	}
}

void vec_sort(Vec *vec, int (*compare)(const void *a, const void *b))
{
	autofree void **spare = mem_zalloc(vec->len / 2 + 1, sizeof(vec->items[0]));
	merge_sort(vec->items, spare, vec->len, compare);
}

int vec_compare_strings(const void *a, const void *b)
{
	return strcmp(a, b);
}
