/*
 * Makes files and directories below one descriptor. Every open is beneath it and follows no link,
 * so that even a tree that somebody else put links into cannot lead out. The parent of the last
 * file stays open: archives list a directory's files together.
 */
#include "archive/unpack_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"

void tree_writer_init(TreeWriter *tree, int root_fd)
{
	*tree = (TreeWriter){.root_fd = root_fd, .parent_fd = -1, .file_fd = -1};
}

void tree_writer_dispose(TreeWriter *tree)
{
	auto_close(&tree->parent_fd);
	auto_close(&tree->file_fd);
	free(tree->parent);
	tree_writer_init(tree, -1);
}

/* Opens the directory, made with those above it when absent; -1 on failure. `path` is clean, its
 * depth bounded by unpack_name. */
static int open_dir(const TreeWriter *tree, const char *path, mode_t mode, Error *err)
{
	const char *name = *path ? path : ".";
	int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
	autoerror Error first = {0};
	int fd = fd_open_beneath(tree->root_fd, name, flags, 0, &first);
	if (fd >= 0)
		return fd;
	if (first.code != ERR_NOT_FOUND || !*path) {
		err_move(err, &first);
		return -1;
	}
	autofree char *above = path_dir(path);
	autofd int parent = open_dir(tree, cstr_eq(above, ".") ? "" : above, 0700, err);
	if (parent < 0)
		return -1;
	if (mkdirat(parent, path_base(path), mode) != 0 && errno != EEXIST) {
		err_errno(err, "make directory %s", path);
		return -1;
	}
	return fd_open_beneath(parent, path_base(path), flags, 0, err);
}

static bool write_dir(void *arg, const char *path, unsigned mode, Error *err)
{
	const TreeWriter *tree = arg;
	/* The owner can always enter and clean up, and nobody else writes. */
	autofd int fd = open_dir(tree, path, (mode & 0755) | 0700, err);
	return fd >= 0;
}

/* Makes parent_fd the directory above `path`. */
static bool open_parent(TreeWriter *tree, const char *path, Error *err)
{
	autofree char *above = path_dir(path);
	const char *parent = cstr_eq(above, ".") ? "" : above;
	if (tree->parent && cstr_eq(tree->parent, parent))
		return true;
	int fd = open_dir(tree, parent, 0700, err);
	if (fd < 0)
		return false;
	auto_close(&tree->parent_fd);
	tree->parent_fd = fd;
	free(tree->parent);
	tree->parent = mem_strdup(parent);
	return true;
}

static bool write_open(void *arg, const char *path, unsigned mode, uint64_t size, Error *err)
{
	TreeWriter *tree = arg;
	(void)size;
	if (!open_parent(tree, path, err))
		return false;
	tree->file_fd = fd_open_beneath(tree->parent_fd, path_base(path),
					O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK,
					(mode & 0755) | 0600, err);
	return tree->file_fd >= 0;
}

static bool write_data(void *arg, const void *bytes, size_t len, Error *err)
{
	const TreeWriter *tree = arg;
	return fd_write_all(tree->file_fd, bytes, len, err);
}

static bool write_close(void *arg, Error *err)
{
	TreeWriter *tree = arg;
	int fd = fd_steal(&tree->file_fd);
	if (fd >= 0 && close(fd) != 0)
		return err_errno(err, "close");
	return true;
}

UnpackTarget tree_writer_target(TreeWriter *tree)
{
	return (UnpackTarget){tree, NULL, write_dir, write_open, write_data, write_close};
}
