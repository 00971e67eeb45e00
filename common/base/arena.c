#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"

enum { BLOCK_SIZE = 16384, OWN_BLOCK = BLOCK_SIZE / 4 };

typedef struct Block Block;
struct Block {
	Block *next;
	size_t used, size;
	alignas(max_align_t) char bytes[];
};

typedef struct Deferred Deferred;
struct Deferred {
	Deferred *next;
	void (*free_fn)(void *pointer);
	void *pointer;
};

struct Arena {
	Block *blocks;
	Deferred *deferred;
	size_t total;
};

Arena *arena_new(void)
{
	return mem_zalloc(1, sizeof(Arena));
}

void arena_free(Arena *arena)
{
	if (!arena)
		return;
	for (Deferred *d = arena->deferred; d; d = d->next)
		d->free_fn(d->pointer);
	for (Block *b = arena->blocks; b;) {
		Block *next = b->next;
		free(b);
		b = next;
	}
	free(arena);
}

/* A piece larger than a block gets one of its own, behind the current block so that this one's
 * free space stays in use. */
static void *alloc_own_block(Arena *arena, size_t size)
{
	Block *own = mem_zalloc(1, sizeof(Block) + size);
	own->used = own->size = size;
	arena->total += sizeof(Block) + size;
	if (arena->blocks) {
		own->next = arena->blocks->next;
		arena->blocks->next = own;
	} else {
		arena->blocks = own;
	}
	return own->bytes;
}

/* Of `aligned` bytes; all zero only when they have a block of their own. */
static void *alloc_piece(Arena *arena, size_t aligned)
{
	if (aligned > OWN_BLOCK)
		return alloc_own_block(arena, aligned);
	Block *block = arena->blocks;
	if (!block || block->size - block->used < aligned) {
		block = mem_alloc(sizeof(Block) + BLOCK_SIZE);
		block->used = 0;
		block->size = BLOCK_SIZE;
		block->next = arena->blocks;
		arena->blocks = block;
		arena->total += sizeof(Block) + BLOCK_SIZE;
	}
	void *piece = block->bytes + block->used;
	block->used += aligned;
	return piece;
}

static size_t align(size_t size)
{
	return (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
}

void *arena_alloc(Arena *arena, size_t size)
{
	size_t aligned = align(size);
	void *piece = alloc_piece(arena, aligned);
	/* Most arenas leave most of their last block alone: so does this. */
	return aligned > OWN_BLOCK ? piece : memset(piece, 0, aligned);
}

char *arena_strndup(Arena *arena, const char *text, size_t len)
{
	char *copy = alloc_piece(arena, align(len + 1));
	if (len)
		memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

char *arena_strdup(Arena *arena, const char *text)
{
	return text ? arena_strndup(arena, text, strlen(text)) : NULL;
}

char *arena_printf(Arena *arena, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	autofree char *text = mem_vprintf(format, args);
	va_end(args);
	return arena_strdup(arena, text);
}

void arena_defer(Arena *arena, void (*free_fn)(void *pointer), void *pointer)
{
	Deferred *deferred = arena_alloc(arena, sizeof(*deferred));
	*deferred = (Deferred){arena->deferred, free_fn, pointer};
	arena->deferred = deferred;
}

size_t arena_size(const Arena *arena)
{
	return arena->total;
}
