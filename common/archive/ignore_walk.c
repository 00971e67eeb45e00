/*
 * Collects the .sourceignore files of a tree: a directory's own before those below it, directories
 * by name, so that the order of rules does not depend on the disk. Bounds: depth, bytes of a file.
 */
#include "archive/ignore.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "archive/walk_internal.h"
#include "base/fd.h"

enum { MAX_FILE_BYTES = 1 << 20 };

typedef struct {
	IgnoreRules *rules;
	int root_fd;
} IgnoreWalk;

/* A link is followed only inside the tree; what is no regular file has no rules. */
static bool read_file(const IgnoreWalk *walk, const char *dir, Error *err)
{
	autofree char *path = walk_path(dir, ".sourceignore");
	autoerror Error open_err = {0};
	autofd int fd = fd_open_beneath(walk->root_fd, path, O_RDONLY | O_NONBLOCK, 0, &open_err);
	if (fd < 0 && open_err.code == ERR_NOT_FOUND)
		return true;
	if (fd < 0)
		return err_move(err, &open_err);
	struct stat st;
	if (fstat(fd, &st) != 0)
		return err_errno(err, "stat %s", path);
	if (!S_ISREG(st.st_mode))
		return true;
	autobuf Buf text = {0};
	if (!fd_read_all(fd, MAX_FILE_BYTES, &text, err))
		return err_wrap(err, "%s", path);
	ignore_add_file(walk->rules, dir, buf_str(&text));
	return true;
}

static bool walk_dir(const IgnoreWalk *walk, int dir_fd, const char *dir, int depth, Error *err);

static bool walk_child(const IgnoreWalk *walk, int dir_fd, const char *dir, const char *name,
		       int depth, Error *err)
{
	struct stat st;
	if (cstr_eq(name, ".git") || fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !S_ISDIR(st.st_mode))
		return true;
	autofd int child = walk_open_dir(dir_fd, name, err);
	if (child < 0)
		return false;
	autofree char *path = walk_path(dir, name);
	return walk_dir(walk, child, path, depth + 1, err);
}

static bool walk_dir(const IgnoreWalk *walk, int dir_fd, const char *dir, int depth, Error *err)
{
	if (depth > WALK_MAX_DEPTH)
		return err_set(err, ERR_LIMIT, "more than %d nested directories", WALK_MAX_DEPTH);
	if (!read_file(walk, dir, err))
		return false;
	autostrings Vec names = {0};
	if (!dir_names(dir_fd, WALK_MAX_ENTRIES, &names, err))
		return false;
	for (size_t i = 0; i < names.len; i++) {
		if (!walk_child(walk, dir_fd, dir, names.items[i], depth, err))
			return false;
	}
	return true;
}

IgnoreRules *ignore_of_dir(int dir_fd, const char *spec, Error *err)
{
	autoignore IgnoreRules *rules = ignore_new();
	IgnoreWalk walk = {.rules = rules, .root_fd = dir_fd};
	if (!walk_dir(&walk, dir_fd, "", 0, err))
		return err_wrap_null(err, "read ignore rules");
	ignore_add_spec(rules, spec);
	ignore_finish(rules);
	if (!ignore_check(rules, err))
		return err_wrap_null(err, "read ignore rules");
	return steal(&rules);
}
