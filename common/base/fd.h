/*
 * Files and directories by descriptor. Paths from outside are opened beneath a directory descriptor
 * (openat2 RESOLVE_BENEATH), so that no link or ".." leads out of it.
 */
#ifndef BASE_FD_H
#define BASE_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/vec.h"

static inline void auto_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
/* `autofd int fd = ...`: closed when fd leaves its scope; -1 is nothing. */
#define autofd __attribute__((cleanup(auto_close)))

/* The descriptor, leaving -1 in *fd. */
static inline int fd_steal(int *fd)
{
	int stolen = *fd;
	*fd = -1;
	return stolen;
}

/* Opens with O_CLOEXEC; -1 and err on failure. `mode` is for O_CREAT. */
int fd_open(const char *path, int flags, mode_t mode, Error *err) MUST_USE;

/* As fd_open, below directory `dir_fd`; whatever leads out of it (links, "..", absolute names)
 * fails with ERR_FORBIDDEN. */
int fd_open_beneath(int dir_fd, const char *path, int flags, mode_t mode, Error *err) MUST_USE;

/* Whether a path below dir_fd goes through symbolic links; false, too, when it is not there. */
bool fd_path_has_links(int dir_fd, const char *path);

/* Reads to the end, up to `limit` bytes (more: ERR_LIMIT), appending to out. */
bool fd_read_all(int fd, size_t limit, Buf *out, Error *err) MUST_USE;

/* As fd_read_all for a file that fstat said has `size` bytes (0: not known): one read where that is
 * so, and no more memory than it needs. */
bool fd_read_file(int fd, size_t size, size_t limit, Buf *out, Error *err) MUST_USE;

/* Appends `size` bytes from `offset` on, which the file must have (else ERR_IO); its own offset
 * does not move. */
bool fd_read_at(int fd, uint64_t offset, size_t size, Buf *out, Error *err) MUST_USE;
bool fd_write_all(int fd, const void *bytes, size_t len, Error *err) MUST_USE;

/* A whole file by path. */
bool file_read(const char *path, size_t limit, Buf *out, Error *err) MUST_USE;

/* Writes a temporary file beside `path`, syncs it and renames it over, so that a reader sees the
 * old or the new content and a crash leaves no half. */
bool file_write_atomic(const char *path, const void *bytes, size_t len, mode_t mode,
		       Error *err) MUST_USE;

/* mkdir -p. */
bool dir_make(const char *path, mode_t mode, Error *err) MUST_USE;

/* Appends the names in a directory but "." and "..", sorted by bytes, as owned strings; more than
 * `limit` is ERR_LIMIT. The descriptor's offset does not move. */
bool dir_names(int dir_fd, size_t limit, Vec *out, Error *err) MUST_USE;

/* A new file in `dir` that has no name, open for reading and writing: it is gone when it is closed.
 * A process that is killed while it makes one leaves FD_NAMELESS_PREFIX... there. -1 and err. */
#define FD_NAMELESS_PREFIX "nameless-"
int fd_nameless(const char *dir, Error *err) MUST_USE;

/* A new directory "PREFIX-xxxxxx" in `parent`, mode 0700; its path is owned by the caller. */
char *dir_make_temp(const char *parent, const char *prefix, Error *err) MUST_USE;

/* Removes a tree without following links. A path that is not there is success. */
bool dir_remove(const char *path, Error *err);

/* Where temporary files go: $TMPDIR, else /tmp. Borrowed from the environment. */
const char *dir_temp(void);

/* `autotempdir char *dir = dir_make_temp(...)`: removed with all below and freed. */
void dir_auto_remove(char **path);
#define autotempdir __attribute__((cleanup(dir_auto_remove)))

#endif
