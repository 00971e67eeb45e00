#include <fcntl.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/mem.h"
#include "kustomize/kustomize.h"

/* Files below a directory descriptor: the kernel refuses what leads out of it (B102, B103). */

enum { FILE_MAX = 50 * 1024 * 1024, NAMES_MAX = 100000 };

struct KustomizeDirFiles {
	int dir_fd; /* borrowed */
	KustomizeFiles files;
};

static KustomizeNode node_of(mode_t mode)
{
	if (S_ISREG(mode))
		return KUSTOMIZE_FILE;
	return S_ISDIR(mode) ? KUSTOMIZE_DIR : KUSTOMIZE_NONE;
}

static KustomizeNode dir_stat(void *arg, const char *path)
{
	const KustomizeDirFiles *self = arg;
	autoerror Error ignored = {0};
	autofd int fd = fd_open_beneath(self->dir_fd, path, O_PATH, 0, &ignored);
	struct stat info;
	if (fd < 0 || fstat(fd, &info) != 0)
		return KUSTOMIZE_NONE;
	return node_of(info.st_mode);
}

static bool dir_read(void *arg, const char *path, Buf *out, Error *err)
{
	const KustomizeDirFiles *self = arg;
	/* Without O_NONBLOCK a FIFO in the tree would hold the build. */
	autofd int fd = fd_open_beneath(self->dir_fd, path, O_RDONLY | O_NONBLOCK, 0, err);
	if (fd < 0)
		return false;
	struct stat info;
	if (fstat(fd, &info) != 0)
		return err_errno(err, "%s", path);
	if (!S_ISREG(info.st_mode))
		return err_set(err, ERR_INVALID, "%s: not a file", path);
	if (info.st_size > FILE_MAX)
		return err_set(err, ERR_LIMIT, "%s: over %d bytes", path, FILE_MAX);
	/* One read gets the most of them whole; what grew meanwhile is read on. */
	size_t size = (size_t)info.st_size;
	buf_reserve(out, size);
	ssize_t got = read(fd, out->ptr + out->len, size);
	if (got > 0) {
		out->len += (size_t)got;
		out->ptr[out->len] = '\0';
	}
	return got == (ssize_t)size || fd_read_all(fd, FILE_MAX, out, err) ||
	       err_wrap(err, "%s", path);
}

static bool dir_list(void *arg, const char *path, Vec *out, Error *err)
{
	const KustomizeDirFiles *self = arg;
	autofd int fd = fd_open_beneath(self->dir_fd, path, O_RDONLY | O_DIRECTORY, 0, err);
	return fd >= 0 && dir_names(fd, NAMES_MAX, out, err);
}

KustomizeDirFiles *kustomize_dir_files_new(int dir_fd)
{
	KustomizeDirFiles *self = mem_zalloc(1, sizeof(*self));
	self->dir_fd = dir_fd;
	self->files = (KustomizeFiles){self, dir_stat, dir_read, dir_list};
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
