/*
 * Packs a directory: names in byte order, a directory before what is in it (Go's filepath.Walk).
 * Links and specials are left out; ignored directories are still entered (S8). Bounds: depth.
 */
#include "archive/tar.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "archive/walk_internal.h"
#include "base/fd.h"

typedef struct {
	TarWriter *tar;
	const IgnoreRules *rules;
} TreeWalk;

static bool walk_dir(const TreeWalk *walk, int dir_fd, const char *dir, int depth, Error *err);

static bool is_ignored(const TreeWalk *walk, const char *path, bool is_dir)
{
	return walk->rules && ignore_matches(walk->rules, path, is_dir);
}

static bool pack_file(const TreeWalk *walk, int dir_fd, const char *path, const char *name,
		      Error *err)
{
	/* O_NONBLOCK: a FIFO put in the file's place must not hang the worker. */
	autofd int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, "open %s", path);
	struct stat st;
	if (fstat(fd, &st) != 0)
		return err_errno(err, "stat %s", path);
	if (!S_ISREG(st.st_mode))
		return true;
	return tar_writer_file_fd(walk->tar, path, (st.st_mode & 0111) != 0, fd,
				  (uint64_t)st.st_size, err);
}

static bool pack_dir(const TreeWalk *walk, int dir_fd, const char *path, const char *name,
		     int depth, Error *err)
{
	autofd int fd = walk_open_dir(dir_fd, name, err);
	if (fd < 0)
		return false;
	if (!is_ignored(walk, path, true) && !tar_writer_dir(walk->tar, path, err))
		return false;
	return walk_dir(walk, fd, path, depth + 1, err);
}

static bool walk_dir(const TreeWalk *walk, int dir_fd, const char *dir, int depth, Error *err)
{
	if (depth > WALK_MAX_DEPTH)
		return err_set(err, ERR_LIMIT, "more than %d nested directories", WALK_MAX_DEPTH);
	autostrings Vec names = {0};
	if (!dir_names(dir_fd, WALK_MAX_ENTRIES, &names, err))
		return false;
	for (size_t i = 0; i < names.len; i++) {
		const char *name = names.items[i];
		autofree char *path = walk_path(dir, name);
		struct stat st;
		if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			return err_errno(err, "stat %s", path);
		bool ok = true;
		if (S_ISDIR(st.st_mode))
			ok = pack_dir(walk, dir_fd, path, name, depth, err);
		else if (S_ISREG(st.st_mode) && !is_ignored(walk, path, false))
			ok = pack_file(walk, dir_fd, path, name, err);
		if (!ok)
			return false;
	}
	return true;
}

bool tar_writer_tree(TarWriter *tar, int dir_fd, const IgnoreRules *rules, Error *err)
{
	TreeWalk walk = {.tar = tar, .rules = rules};
	return walk_dir(&walk, dir_fd, "", 0, err);
}
