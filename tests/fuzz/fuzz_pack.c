/*
 * A pack as a hostile server sends it, in pieces, into a store of its own; then whatever became
 * visible is read. No crash, no long run, and what was refused leaves nothing.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/path.h"
#include "git/store_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_READ = 1 << 20, PIECE = 113, LIMIT_MS = 5000 };

static bool take(GitStore *store, const char *bytes, size_t size, Error *err)
{
	GitPackLimits limits = {.max_bytes = 1 << 20, .deadline_ms = clock_mono_ms() + LIMIT_MS};
	autogitpackwriter GitPackWriter *writer = git_pack_writer_new(store, &limits, err);
	if (!writer)
		return false;
	for (size_t at = 0; at < size; at += PIECE) {
		size_t len = size - at < PIECE ? size - at : PIECE;
		if (!git_pack_writer_put(writer, bytes + at, len, err))
			return false;
	}
	return git_pack_writer_finish(writer, &(GitBoundary){0}, err);
}

static bool ignore_entry(void *arg, const GitEntry *entry, Error *err)
{
	(void)arg, (void)err;
	if (entry->path[0] == '/' || strncmp(entry->path, "../", 3) == 0 ||
	    strstr(entry->path, "/../"))
		abort();
	return true;
}

static int read_object(const git_oid *oid, void *arg)
{
	GitStore *store = arg;
	char hash[GIT_HASH_SIZE];
	autoerror Error blob_err = {0}, commit_err = {0}, tag_err = {0}, walk_err = {0};
	autogitcommit GitCommit commit = {0}, tag = {0};
	git_oid_tostr(hash, sizeof(hash), oid);
	git_blob_free(git_store_blob(store, hash, MAX_READ, &blob_err));
	(void)!git_store_tag(store, hash, &tag, &tag_err);
	if (git_store_commit(store, hash, &commit, &commit_err))
		(void)!git_store_walk(store, hash, ignore_entry, NULL, &walk_err);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autoerror Error err = {0};
	autotempdir char *dir = dir_make_temp("/tmp", "fuzz-pack", &err);
	autogitstore GitStore *store = dir ? git_store_open(dir, &err) : NULL;
	if (!store)
		abort();
	if (take(store, (const char *)data, size, &err)) {
		git_odb_foreach(store->odb, read_object, store);
		return 0;
	}
	autofree char *packs = path_join(dir, "objects/pack");
	autoerror Error ignored = {0};
	autostrings Vec names = {0};
	autofd int fd = fd_open(packs, O_RDONLY | O_DIRECTORY, 0, &ignored);
	if (!err_is_set(&err) || !dir_names(fd, 10, &names, &ignored) || names.len)
		abort();
	return 0;
}
