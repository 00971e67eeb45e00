/* Commits and tags of a store. */
#include "git/object.h"
#include "git/store_internal.h"

#include "base/mem.h"

enum { MAX_COMMIT_BYTES = 16 << 20 };

typedef bool Parser(Str raw, GitCommit *out, Error *err);

static bool load(GitStore *store, const char *hash, git_object_t type, Parser *parse,
		 GitCommit *out, Error *err)
{
	autogitobject git_odb_object *object =
		git_store_read(store, hash, type, MAX_COMMIT_BYTES, err);
	if (!object)
		return false;
	if (!parse(git_object_bytes(object), out, err))
		return err_wrap(err, "%s", hash);
	memcpy(out->hash, hash, GIT_HASH_SIZE);
	return true;
}

bool git_store_commit(GitStore *store, const char *hash, GitCommit *out, Error *err)
{
	return load(store, hash, GIT_OBJECT_COMMIT, git_commit_parse, out, err);
}

bool git_store_tag(GitStore *store, const char *hash, GitCommit *out, Error *err)
{
	return load(store, hash, GIT_OBJECT_TAG, git_tag_parse, out, err);
}
