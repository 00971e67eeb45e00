/*
 * Retention (S11): first what is older than the TTL, then the oldest until `records` files are
 * left. The current file, links and lock files stay; a lock goes with its file. Bounds: 1000 files,
 * 5 s; errors are ignored, because the next run sweeps again.
 */
#include "artifact/store.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "artifact/store_internal.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"

enum { MAX_FILES = 1000, MAX_NAMES = 100000, MAX_TIME_MS = 5000, NS_PER_MS = 1000000 };

typedef struct {
	char *name;
	int64_t mtime_ns;
	bool is_current;
	bool goes;
} SweepFile;

static void file_free(void *item)
{
	SweepFile *file = item;
	free(file->name);
	free(file);
}

static void dispose_files(Vec *files)
{
	vec_dispose_with(files, file_free);
}
#define autofiles __attribute__((cleanup(dispose_files)))

static int by_age(const void *a, const void *b)
{
	const SweepFile *one = a, *two = b;
	return (one->mtime_ns > two->mtime_ns) - (one->mtime_ns < two->mtime_ns);
}

static int64_t mtime_ns(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * 1000 * NS_PER_MS + st->st_mtim.tv_nsec;
}

/* Fills files with the regular ones. Names being written right now are no records yet. */
static void collect(int dir_fd, const char *current, int64_t ttl_ns, Vec *files)
{
	autoerror Error ignored = {0};
	autostrings Vec names = {0};
	if (!dir_names(dir_fd, MAX_NAMES, &names, &ignored))
		return;
	int64_t now_ns = clock_wall_ns();
	for (size_t i = 0; i < names.len && files->len < MAX_FILES; i++) {
		const char *name = names.items[i];
		struct stat st;
		if (cstr_ends(name, ".lock") ||
		    fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
			continue;
		bool is_current = cstr_eq(name, current);
		bool expired = !is_current && now_ns - mtime_ns(&st) > ttl_ns;
		if (cstr_starts(name, STORE_TEMP_PREFIX) && !expired)
			continue;
		SweepFile *file = mem_zalloc(1, sizeof(*file));
		*file = (SweepFile){mem_strdup(name), mtime_ns(&st), is_current, expired};
		vec_push(files, file);
	}
}

/* Marks the oldest until `records` would be left. */
static void mark_surplus(Vec *files, int records)
{
	size_t left = 0;
	for (size_t i = 0; i < files->len; i++)
		left += !((const SweepFile *)files->items[i])->goes;
	vec_sort(files, by_age);
	for (size_t i = 0; i < files->len && left > (size_t)records; i++) {
		SweepFile *file = files->items[i];
		if (file->is_current || file->goes)
			continue;
		file->goes = true;
		left--;
	}
}

static int remove_marked(int dir_fd, const Vec *files, int64_t until_ms)
{
	int removed = 0;
	for (size_t i = 0; i < files->len && clock_mono_ms() < until_ms; i++) {
		const SweepFile *file = files->items[i];
		if (!file->goes)
			continue;
		removed += unlinkat(dir_fd, file->name, 0) == 0;
		autofree char *lock = mem_printf("%s.lock", file->name);
		unlinkat(dir_fd, lock, 0);
	}
	return removed;
}

/* The current artifact's name when it lies in this directory, else NULL. */
static const char *name_in(const Artifact *current, const char *dir)
{
	if (!current || !current->path)
		return NULL;
	const char *path = current->path + strspn(current->path, "/");
	size_t len = strlen(dir);
	bool is_inside = strncmp(path, dir, len) == 0 && path[len] == '/';
	return is_inside ? path + len + 1 : NULL;
}

int store_sweep(Store *store, const char *kind, const char *ns, const char *name,
		const Artifact *current)
{
	autoerror Error ignored = {0};
	int64_t until_ms = clock_mono_ms() + MAX_TIME_MS;
	autofree char *dir = store_object_dir(kind, ns, name, &ignored);
	if (!dir)
		return 0;
	autofd int dir_fd =
		fd_open_beneath(store->root_fd, dir, O_RDONLY | O_DIRECTORY, 0, &ignored);
	if (dir_fd < 0)
		return 0;
	autofiles Vec files = {0};
	collect(dir_fd, name_in(current, dir), store->ttl_ms * NS_PER_MS, &files);
	mark_surplus(&files, store->records > 0 ? store->records : 0);
	return remove_marked(dir_fd, &files, until_ms);
}
