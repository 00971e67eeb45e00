#include "base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/rand.h"

enum { MAX_REMOVE_DEPTH = 512, READ_SIZE = 16384 };

int fd_open(const char *path, int flags, mode_t mode, Error *err)
{
	int fd = open(path, flags | O_CLOEXEC, mode);
	if (fd < 0)
		err_errno(err, "open %s", path);
	return fd;
}

int fd_open_beneath(int dir_fd, const char *path, int flags, mode_t mode, Error *err)
{
	struct open_how how = {.flags = (unsigned)flags | O_CLOEXEC,
			       .mode = flags & O_CREAT ? mode : 0,
			       .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
	int fd = (int)syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
	if (fd >= 0)
		return fd;
	if (errno == EXDEV || errno == ELOOP)
		err_set(err, ERR_FORBIDDEN, "open %s: leads out of its directory", path);
	else
		err_errno(err, "open %s", path);
	return -1;
}

bool fd_path_has_links(int dir_fd, const char *path)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS};
	autofd int fd = (int)syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
	return fd < 0 && errno == ELOOP;
}

bool fd_read_all(int fd, size_t limit, Buf *out, Error *err)
{
	return fd_read_file(fd, 0, limit, out, err);
}

bool fd_read_file(int fd, size_t size, size_t limit, Buf *out, Error *err)
{
	size_t total = 0, at_once = size > 0 && size <= limit ? size + 1 : READ_SIZE;
	for (;;) {
		buf_reserve(out, at_once);
		ssize_t got = read(fd, out->ptr + out->len, out->cap - out->len - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(err, "read");
		if (got == 0)
			return true;
		total += (size_t)got;
		if (total > limit)
			return err_set(err, ERR_LIMIT, "larger than the limit of %zu bytes", limit);
		out->len += (size_t)got;
		out->ptr[out->len] = '\0';
		if (size > 0 && total == size)
			return true; /* there was room for one more */
		at_once = READ_SIZE;
	}
}

bool fd_read_at(int fd, uint64_t offset, size_t size, Buf *out, Error *err)
{
	buf_reserve(out, size);
	while (size) {
		ssize_t got = pread(fd, out->ptr + out->len, size, (off_t)offset);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? err_errno(err, "read")
				       : err_set(err, ERR_IO, "read: the file has become shorter");
		out->len += (size_t)got;
		offset += (uint64_t)got;
		size -= (size_t)got;
	}
	out->ptr[out->len] = '\0';
	return true;
}

bool fd_write_all(int fd, const void *bytes, size_t len, Error *err)
{
	const char *at = bytes;
	while (len) {
		ssize_t put = write(fd, at, len);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return err_errno(err, "write");
		at += put;
		len -= (size_t)put;
	}
	return true;
}

bool file_read(const char *path, size_t limit, Buf *out, Error *err)
{
	autofd int fd = fd_open(path, O_RDONLY, 0, err);
	if (fd < 0)
		return false;
	if (!fd_read_all(fd, limit, out, err))
		return err_wrap(err, "%s", path);
	return true;
}

static bool write_and_sync(int fd, const void *bytes, size_t len, Error *err)
{
	if (!fd_write_all(fd, bytes, len, err))
		return false;
	if (fsync(fd) != 0)
		return err_errno(err, "fsync");
	return true;
}

bool file_write_atomic(const char *path, const void *bytes, size_t len, mode_t mode, Error *err)
{
	char suffix[9];
	rand_name(suffix, 8);
	autofree char *temp = mem_printf("%s.tmp-%s", path, suffix);
	autofd int fd = fd_open(temp, O_WRONLY | O_CREAT | O_EXCL, mode, err);
	if (fd < 0)
		return false;
	if (!write_and_sync(fd, bytes, len, err)) {
		unlink(temp);
		return err_wrap(err, "%s", path);
	}
	if (rename(temp, path) != 0) {
		err_errno(err, "rename %s to %s", temp, path);
		unlink(temp);
		return false;
	}
	return true;
}

bool dir_make(const char *path, mode_t mode, Error *err)
{
	if (mkdir(path, mode) == 0 || errno == EEXIST)
		return true;
	if (errno != ENOENT)
		return err_errno(err, "mkdir %s", path);
	autofree char *parent = path_dir(path);
	if (cstr_eq(parent, path) || !dir_make(parent, mode, err))
		return err_is_set(err) ? false : err_set(err, ERR_NOT_FOUND, "mkdir %s", path);
	if (mkdir(path, mode) == 0 || errno == EEXIST)
		return true;
	return err_errno(err, "mkdir %s", path);
}

static void auto_closedir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

bool dir_names(int dir_fd, size_t limit, Vec *out, Error *err)
{
	/* A descriptor of its own: reading moves the offset that dup would share. */
	autofd int own = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	__attribute__((cleanup(auto_closedir))) DIR *dir = own < 0 ? NULL : fdopendir(own);
	if (!dir)
		return err_errno(err, "read directory");
	own = -1; /* closedir closes it */
	for (size_t count = 0;;) {
		errno = 0;
		const struct dirent *entry = readdir(dir);
		if (!entry && errno)
			return err_errno(err, "read directory");
		if (!entry)
			break;
		if (cstr_eq(entry->d_name, ".") || cstr_eq(entry->d_name, ".."))
			continue;
		if (count++ >= limit)
			return err_set(err, ERR_LIMIT, "a directory of more than %zu entries",
				       limit);
		vec_push(out, mem_strdup(entry->d_name));
	}
	vec_sort(out, vec_compare_strings);
	return true;
}

const char *dir_temp(void)
{
	const char *dir = getenv("TMPDIR");
	return cstr_empty(dir) ? "/tmp" : dir;
}

char *dir_make_temp(const char *parent, const char *prefix, Error *err)
{
	autofree char *path = mem_printf("%s/%s-XXXXXX", parent, prefix);
	if (!mkdtemp(path)) {
		err_errno(err, "make a directory in %s", parent);
		return NULL;
	}
	return steal(&path);
}

/* Empties the directory that fd names; consumes fd. */
static bool remove_entries(int take_fd, int depth, Error *err)
{
	if (depth > MAX_REMOVE_DEPTH) {
		close(take_fd);
		return err_set(err, ERR_LIMIT, "more than %d nested directories", MAX_REMOVE_DEPTH);
	}
	DIR *dir = fdopendir(take_fd);
	if (!dir) {
		close(take_fd);
		return err_errno(err, "read directory");
	}
	bool ok = true;
	for (const struct dirent *e; ok && (e = readdir(dir));) {
		if (cstr_eq(e->d_name, ".") || cstr_eq(e->d_name, ".."))
			continue;
		if (unlinkat(dirfd(dir), e->d_name, 0) == 0 || errno == ENOENT)
			continue;
		int child = openat(dirfd(dir), e->d_name,
				   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		ok = child >= 0 ? remove_entries(child, depth + 1, err)
				: err_errno(err, "remove %s", e->d_name);
		if (ok && unlinkat(dirfd(dir), e->d_name, AT_REMOVEDIR) != 0)
			ok = err_errno(err, "remove %s", e->d_name);
	}
	closedir(dir);
	return ok;
}

bool dir_remove(const char *path, Error *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		if (errno == ENOENT || unlink(path) == 0)
			return true;
		return err_errno(err, "remove %s", path);
	}
	if (!remove_entries(fd, 0, err))
		return err_wrap(err, "remove %s", path);
	if (rmdir(path) != 0 && errno != ENOENT)
		return err_errno(err, "remove %s", path);
	return true;
}

void dir_auto_remove(char **path)
{
	autoerror Error ignored = {0};
	if (*path)
		dir_remove(*path, &ignored);
	free(*path);
}

int fd_nameless(const char *dir, Error *err)
{
	autofree char *path = mem_printf("%s/" FD_NAMELESS_PREFIX "XXXXXX", dir);
	int fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		err_errno(err, "make a file in %s", dir);
	else
		unlink(path);
	return fd;
}
