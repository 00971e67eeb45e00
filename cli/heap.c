#include "heap.h"

#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"

enum {
	HUGE_PAGE = 2 << 20,
	SMALL = 192 << 10,     /* in ordinary pages, because to clear a huge one takes 0.1 ms */
	STEP = 16 * HUGE_PAGE, /* of address space; memory is taken by use, a huge page each */
	LARGE = 8 << 20,       /* what is mapped by itself */
	KEPT = 1 << 30,
};

/*
 * The kernel gives a huge page only to the first touch of its range, which therefore is advised
 * before anything is in it: malloc's first chunk and the header of what is free behind it are in
 * the small pages.
 */
void heap_prepare(void)
{
	mallopt(M_TOP_PAD, STEP);
	mallopt(M_MMAP_THRESHOLD, LARGE);
	mallopt(M_TRIM_THRESHOLD, KEPT);
	uintptr_t first = (uintptr_t)sbrk(0) + SMALL;
	uintptr_t gap = -first & (HUGE_PAGE - 1);
	char *begin = sbrk((intptr_t)gap);
	if ((intptr_t)begin == -1)
		return;
	free(mem_alloc(1));
	madvise(begin + gap + SMALL, STEP, MADV_HUGEPAGE);
}
