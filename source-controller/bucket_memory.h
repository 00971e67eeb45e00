/*
 * What the stored artifact of each Bucket was made of, so that of a changed listing only what
 * changed is downloaded: eight bytes an object, in memory only, bounded. Thread-safe.
 */
#ifndef SOURCE_CONTROLLER_BUCKET_MEMORY_H
#define SOURCE_CONTROLLER_BUCKET_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct BucketMemory BucketMemory;

BucketMemory *bucket_memory_new(void);
void bucket_memory_free(BucketMemory *memory);

/* The mark of an object: equal for equal key and etag, not to be foreseen by who names them. */
uint64_t bucket_memory_mark(const char *key, const char *etag);

/* Notes that the artifact of `revision` of the Bucket `uid` has these objects. Too many of them are
 * not noted, and what was is forgotten. */
void bucket_memory_put(BucketMemory *memory, const char *uid, const char *revision,
		       uint64_t *take_marks, size_t count);

/* The marks of the artifact of that revision, sorted; owned; NULL when they are not known. */
uint64_t *bucket_memory_get(BucketMemory *memory, const char *uid, const char *revision,
			    size_t *out_count);

/* The Bucket is gone. */
void bucket_memory_forget(BucketMemory *memory, const char *uid);

bool bucket_memory_has(const uint64_t *marks, size_t count, uint64_t mark);

#endif
