#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "kustomize/kustomize.h"

/* Files below a directory descriptor: the kernel refuses what leads out of it (B102, B103). */

struct KustomizeDirFiles {
	int dir_fd; /* borrowed */
	bool whole; /* it is "/" */
	KustomizeFiles files;
};

static KustomizeNode node_of(mode_t mode)
{
	if (S_ISREG(mode))
		return KUSTOMIZE_FILE;
	return S_ISDIR(mode) ? KUSTOMIZE_DIR : KUSTOMIZE_NONE;
}

static int open_path(const KustomizeDirFiles *self, const char *path, int flags, Error *err)
{
	if (!self->whole)
		return fd_open_beneath(self->dir_fd, path, flags, 0, err);
	autofree char *absolute = path_join("/", path);
	return fd_open(absolute, flags, 0, err);
}

static KustomizeNode dir_stat(void *arg, const char *path)
{
	const KustomizeDirFiles *self = arg;
	autoerror Error ignored = {0};
	autofd int fd = open_path(self, path, O_PATH, &ignored);
	struct stat info;
	if (fd < 0 || fstat(fd, &info) != 0)
		return KUSTOMIZE_NONE;
	return node_of(info.st_mode);
}

static bool dir_read(void *arg, const char *path, Buf *out, Error *err)
{
	const KustomizeDirFiles *self = arg;
	/* Without O_NONBLOCK a FIFO in the tree would hold the build. */
	autofd int fd = open_path(self, path, O_RDONLY | O_NONBLOCK, err);
	if (fd < 0)
		return false;
	struct stat info;
	if (fstat(fd, &info) != 0)
		return err_errno(err, "%s", path);
	if (!S_ISREG(info.st_mode))
		return err_set(err, ERR_INVALID, "%s: not a file", path);
	if (info.st_size > KUSTOMIZE_FILE_MAX)
		return err_set(err, ERR_LIMIT, "%s: over %d bytes", path, KUSTOMIZE_FILE_MAX);
	/* One read gets the most of them whole; what grew meanwhile is read on. */
	size_t size = (size_t)info.st_size;
	buf_reserve(out, size);
	ssize_t got = read(fd, out->ptr + out->len, size);
	if (got > 0) {
		out->len += (size_t)got;
		out->ptr[out->len] = '\0';
	}
	return got == (ssize_t)size || fd_read_all(fd, KUSTOMIZE_FILE_MAX, out, err) ||
	       err_wrap(err, "%s", path);
}

static bool dir_list(void *arg, const char *path, Vec *out, Error *err)
{
	const KustomizeDirFiles *self = arg;
	autofd int fd = open_path(self, path, O_RDONLY | O_DIRECTORY, err);
	return fd >= 0 && dir_names(fd, KUSTOMIZE_NAMES_MAX, out, err);
}

/* The kernel's name of what a descriptor has open. Owned; NULL when it has none. */
static char *name_of(int fd)
{
	char link[sizeof("/proc/self/fd/") + 12], name[PATH_MAX];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t len = readlink(link, name, sizeof(name));
	return len > 0 && (size_t)len < sizeof(name) && name[0] == '/'
		       ? mem_strndup(name, (size_t)len)
		       : NULL;
}

static char *dir_resolve(void *arg, const char *path)
{
	const KustomizeDirFiles *self = arg;
	if (!fd_path_has_links(self->dir_fd, path))
		return mem_strdup(path);
	autoerror Error ignored = {0};
	autofd int fd = open_path(self, path, O_PATH, &ignored);
	if (fd < 0)
		return NULL;
	autofree char *name = name_of(fd), *root = name_of(self->dir_fd);
	if (!name || !root || (root[1] && !path_is_below(name, root)))
		return NULL;
	const char *below = name + (root[1] ? strlen(root) : 0);
	return mem_strdup(*below && below[1] ? below + 1 : ".");
}

static bool is_whole(int dir_fd)
{
	struct stat here, root;
	return fstat(dir_fd, &here) == 0 && stat("/", &root) == 0 && here.st_dev == root.st_dev &&
	       here.st_ino == root.st_ino;
}

KustomizeDirFiles *kustomize_dir_files_new(int dir_fd)
{
	KustomizeDirFiles *self = mem_zalloc(1, sizeof(*self));
	self->dir_fd = dir_fd;
	self->whole = is_whole(dir_fd);
	self->files = (KustomizeFiles){self, dir_stat, dir_read, dir_list, dir_resolve};
	return self;
}

void kustomize_dir_files_free(KustomizeDirFiles *files)
{
	free(files);
}

const KustomizeFiles *kustomize_dir_files(const KustomizeDirFiles *files)
{
	return &files->files;
}
