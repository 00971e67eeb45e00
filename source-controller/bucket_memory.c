#include "bucket_memory.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"

/* 4 MiB of marks for all Buckets together. */
enum { MARKS_MAX = 512 * 1024 };

typedef struct {
	char *revision;
	uint64_t *marks; /* sorted */
	size_t count;
} Noted;

struct BucketMemory {
	pthread_mutex_t lock; /* guards what follows */
	Map *by_uid;	      /* uid -> Noted */
	size_t total;	      /* marks of all */
};

static void noted_free(void *value)
{
	Noted *noted = value;
	free(noted->revision);
	free(noted->marks);
	free(noted);
}

BucketMemory *bucket_memory_new(void)
{
	BucketMemory *memory = mem_zalloc(1, sizeof(*memory));
	pthread_mutex_init(&memory->lock, NULL);
	memory->by_uid = map_new(noted_free);
	return memory;
}

void bucket_memory_free(BucketMemory *memory)
{
	if (!memory)
		return;
	map_free(memory->by_uid);
	pthread_mutex_destroy(&memory->lock);
	free(memory);
}

uint64_t bucket_memory_mark(const char *key, const char *etag)
{
	autofree char *text = mem_printf("%s\n%s", etag ? etag : "", key);
	return map_hash(text, strlen(text));
}

static int compare(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
	return left < right ? -1 : left > right;
}

/* With the lock held. */
static void forget(BucketMemory *memory, const char *uid)
{
	const Noted *noted = map_get(memory->by_uid, uid);
	if (!noted)
		return;
	memory->total -= noted->count;
	map_remove(memory->by_uid, uid);
}

void bucket_memory_put(BucketMemory *memory, const char *uid, const char *revision,
		       uint64_t *take_marks, size_t count)
{
	qsort(take_marks, count, sizeof(*take_marks), compare);
	pthread_mutex_lock(&memory->lock);
	forget(memory, uid);
	if (memory->total + count <= MARKS_MAX) {
		Noted *noted = mem_zalloc(1, sizeof(*noted));
		*noted = (Noted){mem_strdup(revision), take_marks, count};
		memory->total += count;
		map_put(memory->by_uid, uid, noted);
		take_marks = NULL;
	}
	pthread_mutex_unlock(&memory->lock);
	free(take_marks);
}

uint64_t *bucket_memory_get(BucketMemory *memory, const char *uid, const char *revision,
			    size_t *out_count)
{
	uint64_t *copy = NULL;
	pthread_mutex_lock(&memory->lock);
	const Noted *noted = map_get(memory->by_uid, uid);
	if (noted && noted->count && cstr_eq(noted->revision, revision)) {
		copy = mem_dup(noted->marks, noted->count * sizeof(*copy));
		*out_count = noted->count;
	}
	pthread_mutex_unlock(&memory->lock);
	return copy;
}

void bucket_memory_forget(BucketMemory *memory, const char *uid)
{
	pthread_mutex_lock(&memory->lock);
	forget(memory, uid);
	pthread_mutex_unlock(&memory->lock);
}

bool bucket_memory_has(const uint64_t *marks, size_t count, uint64_t mark)
{
	return count && bsearch(&mark, marks, count, sizeof(*marks), compare);
}
