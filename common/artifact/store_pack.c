/*
 * Writing. Bytes go to a file without a name (O_TMPFILE), are hashed on the way and get their name
 * at the end, so that neither a failure nor a crash leaves a part (S19, S102) and a reader sees the
 * old file or the new one. No fsync: what a power cut damages, the next run's hash finds (S13).
 */
#include "artifact/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "archive/tar.h"
#include "artifact/store_internal.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/rand.h"

enum { FILE_MODE = 0600, DIR_MODE = 0700, COPY_BYTES = 65536 };

/* One artifact being written. */
typedef struct {
	int dir_fd;
	int lock_fd;
	int fd;
	char *temp; /* name of fd's file in dir_fd; NULL while it has none */
	Digest *digest;
	int64_t size;
} Writing;

static void writing_dispose(Writing *w)
{
	if (w->temp)
		unlinkat(w->dir_fd, w->temp, 0);
	free(w->temp);
	auto_close(&w->fd);
	auto_close(&w->lock_fd); /* drops the lock */
	auto_close(&w->dir_fd);
	digest_free(w->digest);
}
#define autowriting __attribute__((cleanup(writing_dispose)))

/* Opens root/kind/ns/name, making what is not there; -1 on failure. */
static int make_dir(const Store *store, const char *dir, Error *err)
{
	autofd int at = fcntl(store->root_fd, F_DUPFD_CLOEXEC, 0);
	Str rest = str_of(dir), part;
	while (at >= 0 && str_next(&rest, '/', &part)) {
		autofree char *name = str_dup(part);
		if (mkdirat(at, name, DIR_MODE) != 0 && errno != EEXIST) {
			err_errno(err, "make directory %s", dir);
			return -1;
		}
		int next = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		auto_close(&at);
		at = next;
	}
	if (at < 0)
		err_errno(err, "open directory %s", dir);
	return fd_steal(&at);
}

/* Each open file description locks for itself, so threads exclude each other as processes do. */
static bool take_lock(Writing *w, const char *file, Error *err)
{
	autofree char *name = mem_printf("%s.lock", file);
	w->lock_fd = openat(w->dir_fd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
	if (w->lock_fd < 0)
		return err_errno(err, "open %s", name);
	while (flock(w->lock_fd, LOCK_EX) != 0) {
		if (errno != EINTR)
			return err_errno(err, "lock %s", name);
	}
	return true;
}

static char *temp_name(void)
{
	char suffix[9];
	rand_name(suffix, 8);
	return mem_printf("%s%s", STORE_TEMP_PREFIX, suffix);
}

static bool open_output(Writing *w, Error *err)
{
	w->fd = openat(w->dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, FILE_MODE);
	if (w->fd >= 0)
		return true;
	if (errno != EOPNOTSUPP && errno != EISDIR)
		return err_errno(err, "make a temporary file");
	autofree char *temp = temp_name();
	w->fd = openat(w->dir_fd, temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
	if (w->fd < 0)
		return err_errno(err, "make a temporary file");
	w->temp = steal(&temp);
	return true;
}

static bool writing_begin(Writing *w, const Store *store, const char *dir, const char *file,
			  Error *err)
{
	w->dir_fd = make_dir(store, dir, err);
	if (w->dir_fd < 0)
		return err_reason(err, STORE_REASON_DIRECTORY);
	w->digest = digest_new(store->algo);
	return take_lock(w, file, err) && open_output(w, err);
}

static bool writing_put(void *arg, const void *bytes, size_t len, Error *err)
{
	Writing *w = arg;
	digest_update(w->digest, bytes, len);
	w->size += (int64_t)len;
	return fd_write_all(w->fd, bytes, len, err);
}

/* Gives the nameless file a name, `file` itself when nothing is there yet. */
static bool name_output(Writing *w, const char *file, bool *out_done, Error *err)
{
	autofree char *self = mem_printf("/proc/self/fd/%d", w->fd);
	*out_done = linkat(AT_FDCWD, self, w->dir_fd, file, AT_SYMLINK_FOLLOW) == 0;
	if (*out_done)
		return true;
	if (errno != EEXIST)
		return err_errno(err, "name %s", file);
	autofree char *temp = temp_name();
	if (linkat(AT_FDCWD, self, w->dir_fd, temp, AT_SYMLINK_FOLLOW) != 0)
		return err_errno(err, "name %s", file);
	w->temp = steal(&temp);
	return true;
}

static bool writing_commit(Writing *w, const char *file, Error *err)
{
	/* The umask does not decide who may read artifacts. */
	if (fchmod(w->fd, FILE_MODE) != 0)
		return err_errno(err, "chmod %s", file);
	bool done = false;
	if (!w->temp && !name_output(w, file, &done, err))
		return false;
	if (done)
		return true;
	if (renameat(w->dir_fd, w->temp, w->dir_fd, file) != 0)
		return err_errno(err, "rename to %s", file);
	free(steal(&w->temp));
	return true;
}

static void describe(const Store *store, const Writing *w, const char *dir, const char *file,
		     const char *revision, Artifact *out)
{
	char digest[DIGEST_TEXT_SIZE];
	digest_final(w->digest, digest);
	char *path = mem_printf("%s/%s", dir, file);
	*out = (Artifact){
		.path = path,
		.url = store_url(store, path),
		.revision = mem_strdup(revision),
		.digest = mem_strdup(digest),
		.last_update_ms = clock_wall_ms(),
		.size = w->size,
	};
}

/* Writes what the file holds. */
typedef bool FillFn(void *arg, Writing *w, Error *err);

typedef struct {
	const char *kind, *ns, *name, *file, *revision;
} Target;

static bool write_file(const Store *store, const Target *t, FillFn *fill, void *arg, Artifact *out,
		       Error *err)
{
	autofree char *dir = store_object_dir(t->kind, t->ns, t->name, err);
	if (!dir)
		return false;
	if (!store_is_file_name(t->file) || cstr_ends(t->file, ".lock"))
		return err_set(err, ERR_INVALID, "storage: impossible file name %s", t->file);
	autowriting Writing w = {.dir_fd = -1, .lock_fd = -1, .fd = -1};
	bool ok = writing_begin(&w, store, dir, t->file, err) && fill(arg, &w, err) &&
		  writing_commit(&w, t->file, err);
	if (!ok)
		return err_wrap(err, "write artifact %s/%s", dir, t->file);
	describe(store, &w, dir, t->file, t->revision, out);
	return true;
}

/* As write_file; failures that have no reason yet are the archive's. */
static bool write_artifact(const Store *store, const Target *t, FillFn *fill, void *arg,
			   Artifact *out, Error *err)
{
	if (write_file(store, t, fill, arg, out, err))
		return true;
	return err->reason ? false : err_reason(err, STORE_REASON_ARCHIVE);
}

typedef struct {
	StorePackFn *fn;
	void *arg;
} PackFill;

static bool fill_pack(void *arg, Writing *w, Error *err)
{
	const PackFill *fill = arg;
	autotarwriter TarWriter *tar = tar_writer_new(writing_put, w, err);
	return tar && fill->fn(fill->arg, tar, err) && tar_writer_finish(tar, err);
}

bool store_pack(Store *store, const char *kind, const char *ns, const char *name, const char *file,
		const char *revision, StorePackFn *fn, void *arg, Artifact *out, Error *err)
{
	const Target target = {kind, ns, name, file, revision};
	PackFill fill = {fn, arg};
	return write_artifact(store, &target, fill_pack, &fill, out, err);
}

typedef struct {
	int dir_fd;
	const IgnoreRules *rules;
} DirPack;

static bool pack_tree(void *arg, struct TarWriter *tar, Error *err)
{
	const DirPack *pack = arg;
	return tar_writer_tree(tar, pack->dir_fd, pack->rules, err);
}

bool store_pack_dir(Store *store, const char *kind, const char *ns, const char *name,
		    const char *file, const char *revision, int dir_fd, const IgnoreRules *rules,
		    Artifact *out, Error *err)
{
	DirPack pack = {dir_fd, rules};
	return store_pack(store, kind, ns, name, file, revision, pack_tree, &pack, out, err);
}

static bool fill_copy(void *arg, Writing *w, Error *err)
{
	const int *fd = arg;
	if (lseek(*fd, 0, SEEK_SET) != 0)
		return err_errno(err, "rewind");
	autofree char *chunk = mem_alloc(COPY_BYTES);
	for (;;) {
		ssize_t got = read(*fd, chunk, COPY_BYTES);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(err, "read");
		if (got == 0)
			return true;
		if (!writing_put(w, chunk, (size_t)got, err))
			return false;
	}
}

bool store_put_file(Store *store, const char *kind, const char *ns, const char *name,
		    const char *file, const char *revision, int fd, Artifact *out, Error *err)
{
	const Target target = {kind, ns, name, file, revision};
	return write_artifact(store, &target, fill_copy, &fd, out, err);
}
