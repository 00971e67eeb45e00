/*
 * Index to files. Keys are somebody's text: what they name is confined to the work directory, first
 * as text, then by the kernel (openat2). What the stored artifact has already is unpacked beside it
 * and moved over.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "archive/unpack.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/path.h"
#include "bucket.h"

enum { DIR_MODE = 0700, FILE_MODE = 0600 };

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
	int fd = open_file(*dir_fd, path, err);
	if (fd < 0)
		err_wrap(err, "object '%s'", object->key);
	return fd;
}

/* An object's file must not be there when the object is not (S85). */
static void drop_gone(int dir_fd, const Vec *objects)
{
	for (size_t i = 0; i < objects->len; i++) {
		const BucketObject *object = objects->items[i];
		autofree char *path = path_of(object->key);
		if (object->gone)
			unlinkat(dir_fd, path, 0);
	}
}

static bool put_ignore(int dir_fd, const BucketIgnore *ignore, Error *err)
{
	if (!ignore->found)
		return true;
	autofd int fd = open_file(dir_fd, BUCKET_IGNORE_FILE, err);
	return fd >= 0 && fd_write_all(fd, buf_text(&ignore->text), ignore->text.len, err);
}

/* Objects by the path that they come to, the last of each. Borrowed from the index. */
static Map *by_path(const BucketIndex *index, Error *err)
{
	Map *paths = map_new(NULL);
	for (size_t i = 0; i < index->objects.len; i++) {
		BucketObject *object = index->objects.items[i];
		autofree char *path = path_of(object->key);
		if (*path) {
			map_put(paths, path, object);
			continue;
		}
		map_free(paths);
		return err_null(err, ERR_INVALID, "object '%s' names no file", object->key);
	}
	return paths;
}

/* The stored artifact's tree, beside the work directory; NULL when there is none to be had, which
 * costs a download. Owned. */
static char *unpack_stored(const BucketStored *stored, const char *dir)
{
	autoerror Error ignored = {0};
	autofree char *parent = path_dir(dir);
	if (!stored->marks)
		return NULL;
	autofd int file_fd = fd_open_beneath(store_root_fd(stored->store), stored->artifact->path,
					     O_RDONLY, 0, &ignored);
	autotempdir char *tree = dir_make_temp(parent, "stored", &ignored);
	autofd int tree_fd = tree ? fd_open(tree, O_RDONLY | O_DIRECTORY, 0, &ignored) : -1;
	const UnpackLimits limits = {.max_bytes = BUCKET_MAX_BYTES,
				     .max_entries = 2 * BUCKET_MAX_OBJECTS};
	if (file_fd < 0 || tree_fd < 0 || !unpack_fd(file_fd, tree_fd, &limits, &ignored))
		return NULL;
	return steal(&tree);
}

/* True when the file was there and is in the work directory now. */
static bool move_over(int tree_fd, int dir_fd, const char *path)
{
	autoerror Error ignored = {0};
	autofd int fd = fd_open_beneath(tree_fd, path, O_RDONLY | O_NOFOLLOW, 0, &ignored);
	struct stat st;
	return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	       make_parents(dir_fd, path, &ignored) && renameat(tree_fd, path, dir_fd, path) == 0;
}

/* Takes what is stored already; the rest is appended to *out. */
static void take_stored(const Map *paths, const BucketStored *stored, const char *dir, int dir_fd,
			Vec *out)
{
	autoerror Error ignored = {0};
	autotempdir char *tree = unpack_stored(stored, dir);
	autofd int tree_fd = tree ? fd_open(tree, O_RDONLY | O_DIRECTORY, 0, &ignored) : -1;
	size_t at = 0;
	const char *path;
	void *value;
	while (map_next(paths, &at, &path, &value)) {
		const BucketObject *object = value;
		bool same = tree_fd >= 0 &&
			    bucket_memory_has(stored->marks, stored->count,
					      bucket_memory_mark(object->key, object->etag));
		if (!same || !move_over(tree_fd, dir_fd, path))
			vec_push(out, value);
	}
}

bool bucket_download(CloudBucket *bucket, const Bucket *view, BucketIndex *index,
		     const BucketIgnore *ignore, const BucketStored *stored, const char *dir,
		     Error *err)
{
	int64_t deadline_ms = clock_mono_ms() + view->timeout_ms;
	autofd int dir_fd = fd_open(dir, O_RDONLY | O_DIRECTORY, 0, err);
	automap Map *paths = dir_fd >= 0 ? by_path(index, err) : NULL;
	if (!paths || !put_ignore(dir_fd, ignore, err))
		return false;
	autovec Vec wanted = {0};
	take_stored(paths, stored, dir, dir_fd, &wanted);
	if (!bucket_fetch(bucket, &wanted, deadline_ms, open_object, &dir_fd, err))
		return false;
	drop_gone(dir_fd, &wanted);
	return true;
}
