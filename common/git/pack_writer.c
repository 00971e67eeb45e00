/*
 * A pack on its way to disk: libgit2's indexer writes and indexes it as it comes. Connectivity is
 * not verified, as the parents of a shallow boundary are absent by intent; the indexer computes
 * every object's name, so a server cannot pass off one object as another. An empty pack, sent when
 * nothing is missing, is dropped; so is one that was fetched for an object that it does not have.
 */
#include "git/store_internal.h"

#include <fcntl.h>
#include <git2/errors.h>
#include <git2/indexer.h>
#include <git2/odb_backend.h>
#include <git2/oid.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"

enum { PACK_HEADER = 12, PACK_TRAILER = 20, MAX_FILES = 100 };
static const uint64_t default_max_bytes = 2ull << 30;

struct GitPackWriter {
	GitStore *store;
	git_indexer *indexer;
	char *dir; /* where the pack is written */
	const char *awaited;
	uint64_t max_bytes, bytes;
	int64_t deadline_ms;
	bool late;
	unsigned char header[PACK_HEADER];
	git_indexer_progress progress;
};

/* For each object: a server must not hold us with a pack that takes for ever to unpack. */
static int check_time(const git_indexer_progress *progress, void *arg)
{
	(void)progress;
	GitPackWriter *writer = arg;
	writer->late = writer->deadline_ms && clock_mono_ms() > writer->deadline_ms;
	return writer->late ? GIT_EUSER : 0;
}

static bool fail(const GitPackWriter *writer, int code, Error *err)
{
	if (writer->late)
		return err_set(err, ERR_TIMEOUT, "no time left to index the pack");
	const git_error *last = git_error_last();
	if (!last || last->klass != GIT_ERROR_OS)
		return git_store_fail(code, err, "index the pack");
	/* Which disk is full; without the name of our own directory, which differs each time. */
	autofree char *dir = path_dir(writer->store->path);
	git_store_fail(code, err, "index the pack below %s", dir);
	err->code = ERR_IO;
	return false;
}

static bool choose_dir(GitPackWriter *writer, Error *err)
{
	const char *path = writer->store->path;
	writer->dir = path_join(path, writer->awaited ? GIT_STORE_INCOMING : GIT_STORE_PACKS);
	return !writer->awaited ||
	       (dir_remove(writer->dir, err) && dir_make(writer->dir, 0700, err));
}

GitPackWriter *git_pack_writer_new(GitStore *store, const GitPackLimits *limits, Error *err)
{
	autogitpackwriter GitPackWriter *writer = mem_zalloc(1, sizeof(*writer));
	writer->store = store;
	writer->max_bytes = limits->max_bytes ? limits->max_bytes : default_max_bytes;
	writer->deadline_ms = limits->deadline_ms;
	writer->awaited = limits->awaited;
	if (!choose_dir(writer, err))
		return NULL;
	git_indexer_options options = {.version = GIT_INDEXER_OPTIONS_VERSION,
				       .progress_cb = check_time,
				       .progress_cb_payload = writer};
	int code = git_indexer_new(&writer->indexer, writer->dir, 0600,
				   limits->thin ? store->odb : NULL, &options);
	if (code < 0) {
		git_store_fail(code, err, "begin a pack in %s", writer->dir);
		return NULL;
	}
	return steal(&writer);
}

static bool check_header(GitPackWriter *writer, const char *bytes, size_t len, Error *err)
{
	for (size_t i = 0; i < len && writer->bytes + i < PACK_HEADER; i++)
		writer->header[writer->bytes + i] = (unsigned char)bytes[i];
	size_t known = writer->bytes + len < 4 ? (size_t)writer->bytes + len : 4;
	if (memcmp(writer->header, "PACK", known) != 0)
		return err_set(err, ERR_INVALID, "the server sent no pack");
	return true;
}

bool git_pack_writer_put(void *arg, const char *bytes, size_t len, Error *err)
{
	GitPackWriter *writer = arg;
	if (len > writer->max_bytes - writer->bytes)
		return err_set(err, ERR_LIMIT, "pack of more than %llu bytes",
			       (unsigned long long)writer->max_bytes);
	if (writer->bytes < PACK_HEADER && !check_header(writer, bytes, len, err))
		return false;
	writer->bytes += len;
	int code = git_indexer_append(writer->indexer, bytes, len, &writer->progress);
	return code >= 0 || fail(writer, code, err);
}

static bool is_empty(const GitPackWriter *writer)
{
	static const unsigned char none[4];
	return writer->bytes == PACK_HEADER + PACK_TRAILER &&
	       memcmp(writer->header + 8, none, sizeof(none)) == 0;
}

/* --- packs that wait --- */

static bool pack_has(const char *index, const char *hash, bool *out, Error *err)
{
	git_odb *odb = NULL;
	git_odb_backend *backend = NULL;
	git_oid oid;
	int code = git_oid_fromstr(&oid, hash);
	if (code >= 0)
		code = git_odb_new(&odb);
	if (code >= 0)
		code = git_odb_backend_one_pack(&backend, index);
	if (code >= 0)
		code = git_odb_add_backend(odb, backend, 1);
	if (code >= 0)
		*out = git_odb_exists(odb, &oid) == 1;
	git_odb_free(odb);
	return code >= 0 || git_store_fail(code, err, "open the pack");
}

static bool waiting_has(const GitPackWriter *writer, const Vec *names, bool *out, Error *err)
{
	for (size_t i = 0; i < names->len && !*out; i++) {
		autofree char *path = path_join(writer->dir, names->items[i]);
		if (cstr_ends(path, ".idx") && !pack_has(path, writer->awaited, out, err))
			return false;
	}
	return true;
}

/* Into the store, where the pack with the awaited object stays. */
static bool let_in(const GitPackWriter *writer, bool *out_let, Error *err)
{
	autostrings Vec names = {0};
	autofd int fd = fd_open(writer->dir, O_RDONLY | O_DIRECTORY, 0, err);
	*out_let = false;
	if (fd < 0 || !dir_names(fd, MAX_FILES, &names, err) ||
	    !waiting_has(writer, &names, out_let, err))
		return false;
	/* From the last name: a pack is there before its index tells of it. */
	for (size_t i = names.len; *out_let && i-- > 0;) {
		autofree char *from = path_join(writer->dir, names.items[i]);
		autofree char *packs = path_join(writer->store->path, GIT_STORE_PACKS);
		autofree char *to = path_join(packs, names.items[i]);
		if (rename(from, to) != 0)
			return err_errno(err, "rename %s", from);
	}
	return true;
}

/* *out_kept: whether the pack is now part of the store. */
static bool end_pack(GitPackWriter *writer, bool *out_kept, Error *err)
{
	int code = git_indexer_commit(writer->indexer, &writer->progress);
	*out_kept = true;
	if (code < 0)
		return fail(writer, code, err);
	if (writer->awaited && !let_in(writer, out_kept, err))
		return false;
	code = git_odb_refresh(writer->store->odb);
	return code >= 0 || git_store_fail(code, err, "open the pack");
}

bool git_pack_writer_finish(GitPackWriter *writer, const GitBoundary *boundary, Error *err)
{
	bool kept = true;
	if (writer->bytes < PACK_HEADER + PACK_TRAILER)
		return err_set(err, ERR_UNAVAILABLE, "pack cut short");
	if (!is_empty(writer) && !end_pack(writer, &kept, err))
		return false;
	if (!kept || (boundary->shallow.len == 0 && boundary->unshallow.len == 0))
		return true;
	return git_store_save_shallow(writer->store, boundary, err);
}

uint64_t git_pack_writer_bytes(const GitPackWriter *writer)
{
	return writer->bytes;
}

void git_pack_writer_free(GitPackWriter *writer)
{
	if (!writer)
		return;
	autoerror Error ignored = {0};
	git_indexer_free(writer->indexer);
	if (writer->awaited)
		dir_remove(writer->dir, &ignored);
	free(writer->dir);
	free(writer);
}
