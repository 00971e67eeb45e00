/*
 * Listing to index: what the ignore rules leave, sorted, one entry a key. Bounds: entries, bytes of
 * the rules, time.
 */
#include <string.h>

#include "archive/ignore.h"
#include "base/clock.h"
#include "base/mem.h"
#include "bucket.h"

enum { IGNORE_MAX = 1 << 20, INDEX_MAX = 250000 };

void bucket_index_dispose(BucketIndex *index)
{
	bucket_objects_dispose(&index->objects);
}

void bucket_ignore_dispose(BucketIgnore *ignore)
{
	buf_dispose(&ignore->text);
}

void bucket_index_digest(const BucketIndex *index, DigestAlgo algo, char out[DIGEST_TEXT_SIZE])
{
	autodigest Digest *digest = digest_new(algo);
	for (size_t i = 0; i < index->objects.len; i++) {
		const BucketObject *object = index->objects.items[i];
		if (object->gone)
			continue;
		const char *etag = object->etag ? object->etag : "";
		digest_update(digest, object->key, strlen(object->key));
		digest_update(digest, " ", 1);
		digest_update(digest, etag, strlen(etag));
		digest_update(digest, "\n", 1);
	}
	digest_final(digest, out);
}

typedef struct {
	BucketIndex *index;
	const IgnoreRules *rules;
} Listing;

static bool visit(void *arg, BucketObject *take_object, Error *err)
{
	Listing *listing = arg;
	const char *key = take_object->key;
	if (cstr_ends(key, "/") || cstr_eq(key, BUCKET_IGNORE_FILE) ||
	    ignore_matches(listing->rules, key, false)) {
		bucket_object_free(take_object);
		return true;
	}
	vec_push(&listing->index->objects, take_object);
	if (listing->index->objects.len > INDEX_MAX)
		return err_set(err, ERR_LIMIT, "more than %d objects are left by the ignore rules",
			       INDEX_MAX);
	return true;
}

static int by_key(const void *a, const void *b)
{
	const BucketObject *left = a, *right = b;
	return strcmp(left->key, right->key);
}

/* Sorted, and of a key that was listed twice the last. */
static void settle_index(BucketIndex *index)
{
	Vec *objects = &index->objects;
	vec_sort(objects, by_key);
	size_t kept = 0;
	for (size_t i = 0; i < objects->len; i++) {
		if (kept && by_key(objects->items[kept - 1], objects->items[i]) == 0)
			bucket_object_free(objects->items[--kept]);
		objects->items[kept++] = objects->items[i];
	}
	objects->len = kept;
}

/* Rules of the bucket's root; a bucket that is not there is told by the listing. */
static bool get_ignore(CloudBucket *bucket, const Bucket *view, int64_t deadline_ms,
		       BucketIgnore *out, Error *err)
{
	if (bucket_get(bucket, BUCKET_IGNORE_FILE, IGNORE_MAX, deadline_ms, &out->text, err)) {
		out->found = true;
		return true;
	}
	if (err->code != ERR_NOT_FOUND)
		return err_wrap(err, "failed to confirm existence of '%s' bucket",
				view->bucket_name);
	error_dispose(err);
	return true;
}

bool bucket_make_index(CloudBucket *bucket, const Bucket *view, BucketIndex *out,
		       BucketIgnore *ignore, Error *err)
{
	int64_t deadline_ms = clock_mono_ms() + view->timeout_ms;
	autoignore IgnoreRules *rules = ignore_new_empty();
	if (!get_ignore(bucket, view, deadline_ms, ignore, err))
		return false;
	ignore_add_file(rules, "", buf_str(&ignore->text));
	ignore_add_spec(rules, view->ignore);
	if (!ignore_check(rules, err))
		return err_wrap(err, "indexation of objects from bucket '%s' failed",
				view->bucket_name);
	Listing listing = {.index = out, .rules = rules};
	if (bucket_list(bucket, view->prefix, deadline_ms, visit, &listing, err)) {
		settle_index(out);
		return true;
	}
	if (err->http_status == 404) {
		error_dispose(err);
		return err_set(err, ERR_NOT_FOUND, "bucket '%s' not found", view->bucket_name);
	}
	return err_wrap(err, "indexation of objects from bucket '%s' failed", view->bucket_name);
}

uint64_t *bucket_index_marks(const BucketIndex *index, size_t *out_count)
{
	uint64_t *marks = mem_zalloc(index->objects.len + 1, sizeof(*marks));
	size_t count = 0;
	for (size_t i = 0; i < index->objects.len; i++) {
		const BucketObject *object = index->objects.items[i];
		if (!object->gone)
			marks[count++] = bucket_memory_mark(object->key, object->etag);
	}
	*out_count = count;
	return marks;
}
