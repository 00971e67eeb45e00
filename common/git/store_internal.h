/* What the files of the store share: store.c (life, objects), pack_writer.c, store_object.c,
 * walk.c. */
#ifndef GIT_STORE_INTERNAL_H
#define GIT_STORE_INTERNAL_H

#include <git2/odb.h>

#include "base/vec.h"
#include "git/git.h"
#include "git/protocol.h"

/* One thread at a time. */
struct GitStore {
	char *path;
	git_odb *odb;
	Vec shallow; /* owned hashes: commits whose parents the store lacks, as in Git's file */
};

/* Fills err with libgit2's last words; ERR_NOT_FOUND for GIT_ENOTFOUND. Returns false. */
bool git_store_fail(int code, Error *err, const char *format, ...) PRINTF(3, 4);

/* An object's bytes, of this type and no larger than max_bytes; to be freed with
 * git_odb_object_free. */
git_odb_object *git_store_read(GitStore *store, const char *hash, git_object_t type,
			       uint64_t max_bytes, Error *err) MUST_USE;

static inline void git_auto_object(git_odb_object **object)
{
	git_odb_object_free(*object);
}
#define autogitobject __attribute__((cleanup(git_auto_object)))

static inline Str git_object_bytes(git_odb_object *object)
{
	return str_sized(git_odb_object_data(object), git_odb_object_size(object));
}

/* --- pack_writer.c --- */

/* Where a pack lies, below the store, until it is known to have the object that it was fetched for.
 * One fetch at a time. */
#define GIT_STORE_INCOMING "incoming"
#define GIT_STORE_PACKS "objects/pack"

/* Indexes a pack while it arrives. A thin one is completed with objects of the store. */
typedef struct GitPackWriter GitPackWriter;
typedef struct {
	bool thin;	     /* deltas against objects of the store are allowed */
	uint64_t max_bytes;  /* 0: 2 GiB */
	int64_t deadline_ms; /* monotonic; 0: none. Unpacking takes time too (S38) */
	const char *awaited; /* a pack without this object is dropped; NULL: any counts. Borrowed */
} GitPackLimits;
GitPackWriter *git_pack_writer_new(GitStore *store, const GitPackLimits *limits,
				   Error *err) MUST_USE;

/* A GitPackSink's put; arg is the writer. */
bool git_pack_writer_put(void *arg, const char *bytes, size_t len, Error *err) MUST_USE;

/* The pack is whole: makes its objects visible, and keeps the boundaries. True, too, when it was
 * dropped. */
bool git_pack_writer_finish(GitPackWriter *writer, const GitBoundary *boundary,
			    Error *err) MUST_USE;
uint64_t git_pack_writer_bytes(const GitPackWriter *writer);

/* Without finish nothing of the pack stays. */
void git_pack_writer_free(GitPackWriter *writer);
AUTO_POINTER(GitPackWriter, git_pack_writer_free, auto_git_pack_writer);
#define autogitpackwriter __attribute__((cleanup(auto_git_pack_writer)))

/* --- store.c --- */

/* Sees what others have put into the directory since it was opened. */
bool git_store_refresh(GitStore *store, Error *err) MUST_USE;

/* The `shallow` file. */
bool git_store_save_shallow(GitStore *store, const GitBoundary *boundary, Error *err) MUST_USE;

#endif
