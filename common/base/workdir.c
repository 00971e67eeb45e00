#include "base/workdir.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"

enum { SUFFIX_LEN = 7 /* -XXXXXX */, TRIES = 10 };

struct WorkDir {
	char *path;
	int fd; /* holds the lock */
};

static int open_dir(const char *path)
{
	return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Whether the directory that fd names is still there under its path. */
static bool is_at(int fd, const char *path)
{
	struct stat held, named;
	return fstat(fd, &held) == 0 && lstat(path, &named) == 0 && held.st_dev == named.st_dev &&
	       held.st_ino == named.st_ino;
}

/* Only what is ours and what nobody holds; whoever makes one at this moment finds it gone and makes
 * another. */
static void remove_if_dead(const char *path)
{
	autoerror Error ignored = {0};
	struct stat info;
	autofd int fd = open_dir(path);
	if (fd >= 0 && fstat(fd, &info) == 0 && info.st_uid == geteuid() &&
	    flock(fd, LOCK_EX | LOCK_NB) == 0 && is_at(fd, path))
		dir_remove(path, &ignored);
}

static void remove_dead(const char *parent, const char *prefix)
{
	size_t len = strlen(prefix);
	DIR *dir = opendir(parent);
	if (!dir)
		return;
	for (const struct dirent *e; (e = readdir(dir));) {
		const char *name = e->d_name;
		if (!cstr_starts(name, prefix) || name[len] != '-' ||
		    strlen(name) != len + SUFFIX_LEN)
			continue;
		autofree char *path = path_join(parent, name);
		remove_if_dead(path);
	}
	closedir(dir);
}

WorkDir *workdir_new(const char *prefix, Error *err)
{
	const char *parent = dir_temp();
	remove_dead(parent, prefix);
	for (int i = 0; i < TRIES; i++) {
		autofree char *path = dir_make_temp(parent, prefix, err);
		if (!path)
			return NULL;
		autofd int fd = open_dir(path);
		if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0 || !is_at(fd, path))
			continue;
		WorkDir *workdir = mem_alloc(sizeof(*workdir));
		*workdir = (WorkDir){.path = steal(&path), .fd = fd_steal(&fd)};
		return workdir;
	}
	return err_null(err, ERR_UNAVAILABLE, "cannot keep a directory in %s", parent);
}

void workdir_free(WorkDir *workdir)
{
	autoerror Error ignored = {0};
	if (!workdir)
		return;
	dir_remove(workdir->path, &ignored);
	auto_close(&workdir->fd);
	free(workdir->path);
	free(workdir);
}

const char *workdir_path(const WorkDir *workdir)
{
	return workdir->path;
}
