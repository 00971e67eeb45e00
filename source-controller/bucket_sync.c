/*
 * Listing to index, index to files. Keys are somebody's text: what they name is confined to the
 * work directory, first as text, then by the kernel (openat2).
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "archive/ignore.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "bucket.h"

#define IGNORE_FILE ".sourceignore"

enum { IGNORE_MAX = 1 << 20, INDEX_MAX = 250000, DIR_MODE = 0700, FILE_MODE = 0600 };

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

/* --- the index --- */

typedef struct {
	BucketIndex *index;
	const IgnoreRules *rules;
} Listing;

static bool visit(void *arg, BucketObject *take_object, Error *err)
{
	Listing *listing = arg;
	const char *key = take_object->key;
	if (cstr_ends(key, "/") || cstr_eq(key, IGNORE_FILE) ||
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
	if (bucket_get(bucket, IGNORE_FILE, IGNORE_MAX, deadline_ms, &out->text, err)) {
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

/* --- the files --- */

/* "a/b" for what a key names below the work directory: "../a//b" too (S84). Owned. */
static char *path_of(const char *key)
{
	autofree char *rooted = path_confine("/", key);
	return mem_strdup(rooted + strspn(rooted, "/"));
}

/* The directories above a file. One that is there already, by another key, is what is wanted. */
static bool make_parents(int dir_fd, const char *path, Error *err)
{
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		autofree char *dir = mem_strndup(path, (size_t)(slash - path));
		if (mkdirat(dir_fd, dir, DIR_MODE) != 0 && errno != EEXIST)
			return err_errno(err, "make a directory for the object");
	}
	return true;
}

static int open_file(int dir_fd, const char *path, Error *err)
{
	if (!make_parents(dir_fd, path, err))
		return -1;
	return fd_open_beneath(dir_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, FILE_MODE,
			       err);
}

static int open_object(void *arg, const BucketObject *object, Error *err)
{
	const int *dir_fd = arg;
	autofree char *path = path_of(object->key);
	if (!*path) {
		err_set(err, ERR_INVALID, "object '%s' names no file", object->key);
		return -1;
	}
	int fd = open_file(*dir_fd, path, err);
	if (fd < 0)
		err_wrap(err, "object '%s'", object->key);
	return fd;
}

/* An object's file must not be there when the object is not (S85). */
static void drop_gone(int dir_fd, const BucketIndex *index)
{
	for (size_t i = 0; i < index->objects.len; i++) {
		const BucketObject *object = index->objects.items[i];
		if (!object->gone)
			continue;
		autofree char *path = path_of(object->key);
		unlinkat(dir_fd, path, 0);
	}
}

static bool put_ignore(int dir_fd, const BucketIgnore *ignore, Error *err)
{
	if (!ignore->found)
		return true;
	autofd int fd = open_file(dir_fd, IGNORE_FILE, err);
	return fd >= 0 && fd_write_all(fd, buf_text(&ignore->text), ignore->text.len, err);
}

bool bucket_download(CloudBucket *bucket, const Bucket *view, BucketIndex *index,
		     const BucketIgnore *ignore, const char *dir, Error *err)
{
	autofd int dir_fd = fd_open(dir, O_RDONLY | O_DIRECTORY, 0, err);
	if (dir_fd < 0)
		return false;
	int64_t deadline_ms = clock_mono_ms() + view->timeout_ms;
	if (!put_ignore(dir_fd, ignore, err) ||
	    !bucket_fetch(bucket, &index->objects, deadline_ms, open_object, &dir_fd, err))
		return false;
	drop_gone(dir_fd, index);
	return true;
}
