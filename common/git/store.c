/*
 * A bare object database: PATH/objects/pack with indexed packs, and PATH/shallow, one hash a line,
 * as Git keeps it. libgit2 reads packs; its caches are off, as each object is read once.
 */
#include "git/store_internal.h"

#include <git2/common.h>
#include <git2/errors.h>
#include <git2/global.h>
#include <git2/object.h>
#include <git2/oid.h>
#include <pthread.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"

enum {
	MAX_SHALLOW_BYTES = 32 << 20,
	WINDOW_BYTES = 2 << 20,	      /* of a pack mapped at once */
	MAPPED_BYTES = 8 << 20,	      /* of all packs: mapped pages are memory too */
	MAX_OBJECT_BYTES = 256 << 20, /* in a pack, unpacked */
	MAX_PACK_OBJECTS = 20 * 1000 * 1000,
};

/* libgit2 stays initialized for the life of the process. */
static void init_libgit2(void)
{
	if (git_libgit2_init() < 0)
		abort(); /* memory is out */
	git_libgit2_opts(GIT_OPT_ENABLE_CACHING, 0);
	git_libgit2_opts(GIT_OPT_SET_MWINDOW_SIZE, (size_t)WINDOW_BYTES);
	git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, (size_t)MAPPED_BYTES);
	git_libgit2_opts(GIT_OPT_SET_PACK_MAX_OBJECT_SIZE, (size_t)MAX_OBJECT_BYTES);
	git_libgit2_opts(GIT_OPT_SET_PACK_MAX_OBJECTS, (size_t)MAX_PACK_OBJECTS);
}

bool git_store_fail(int code, Error *err, const char *format, ...)
{
	autobuf Buf what = {0};
	va_list args;
	va_start(args, format);
	buf_vprintf(&what, format, args);
	va_end(args);
	const git_error *last = git_error_last();
	const char *text = last && last->message ? last->message : "unknown failure";
	return err_set(err, code == GIT_ENOTFOUND ? ERR_NOT_FOUND : ERR_INVALID, "%s: %s",
		       buf_text(&what), text);
}

/* --- shallow --- */

static bool load_shallow(GitStore *store, Error *err)
{
	autofree char *path = path_join(store->path, "shallow");
	autobuf Buf text = {0};
	autoerror Error why = {0};
	if (!file_read(path, MAX_SHALLOW_BYTES, &text, &why))
		return why.code == ERR_NOT_FOUND || err_move(err, &why);
	Str rest = buf_str(&text), line;
	while (str_next(&rest, '\n', &line))
		if (git_hash_is_valid(line))
			vec_push(&store->shallow, str_dup(line));
	return true;
}

static bool holds(const Vec *hashes, const char *hash)
{
	for (size_t i = 0; i < hashes->len; i++)
		if (cstr_eq(hashes->items[i], hash))
			return true;
	return false;
}

bool git_store_save_shallow(GitStore *store, const GitBoundary *boundary, Error *err)
{
	autobuf Buf text = {0};
	autostrings Vec kept = {0};
	for (size_t i = 0; i < store->shallow.len; i++)
		if (!holds(&boundary->unshallow, store->shallow.items[i]))
			vec_push(&kept, mem_strdup(store->shallow.items[i]));
	for (size_t i = 0; i < boundary->shallow.len; i++)
		if (!holds(&kept, boundary->shallow.items[i]))
			vec_push(&kept, mem_strdup(boundary->shallow.items[i]));
	for (size_t i = 0; i < kept.len; i++)
		buf_printf(&text, "%s\n", (const char *)kept.items[i]);
	autofree char *path = path_join(store->path, "shallow");
	if (!file_write_atomic(path, buf_text(&text), text.len, 0600, err))
		return false;
	vec_dispose_strings(&store->shallow);
	store->shallow = kept;
	kept = (Vec){0};
	return true;
}

/* --- life --- */

GitStore *git_store_open(const char *path, Error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, init_libgit2);
	autogitstore GitStore *store = mem_zalloc(1, sizeof(*store));
	store->path = mem_strdup(path);
	autofree char *objects = path_join(path, "objects");
	autofree char *packs = path_join(objects, "pack");
	if (!dir_make(packs, 0700, err))
		return NULL;
	int code = git_odb_open(&store->odb, objects);
	if (code < 0) {
		git_store_fail(code, err, "open %s", objects);
		return NULL;
	}
	if (!load_shallow(store, err))
		return NULL;
	return steal(&store);
}

bool git_store_refresh(GitStore *store, Error *err)
{
	int code = git_odb_refresh(store->odb);
	if (code < 0)
		return git_store_fail(code, err, "look for new packs in %s", store->path);
	vec_dispose_strings(&store->shallow);
	return load_shallow(store, err);
}

void git_store_free(GitStore *store)
{
	if (!store)
		return;
	git_odb_free(store->odb);
	vec_dispose_strings(&store->shallow);
	free(store->path);
	free(store);
}

/* --- objects --- */

static bool parse_hash(const char *hash, git_oid *out, Error *err)
{
	if (git_hash_is_valid(str_of(hash)) && git_oid_fromstr(out, hash) == 0)
		return true;
	return err_set(err, ERR_INVALID, "not a SHA-1: %.64s", hash ? hash : "");
}

bool git_store_has(GitStore *store, const char *hash)
{
	autoerror Error ignored = {0};
	git_oid oid;
	return parse_hash(hash, &oid, &ignored) && git_odb_exists(store->odb, &oid) == 1;
}

git_odb_object *git_store_read(GitStore *store, const char *hash, git_object_t type,
			       uint64_t max_bytes, Error *err)
{
	git_oid oid;
	size_t len;
	git_object_t found;
	git_odb_object *object = NULL;
	if (!parse_hash(hash, &oid, err))
		return NULL;
	int code = git_odb_read_header(&len, &found, store->odb, &oid);
	if (code == 0 && found != type)
		return err_null(err, ERR_INVALID, "%s is a %s, not a %s", hash,
				git_object_type2string(found), git_object_type2string(type));
	if (code == 0 && len > max_bytes)
		return err_null(err, ERR_LIMIT, "%s %s has %zu bytes, more than %llu",
				git_object_type2string(found), hash, len,
				(unsigned long long)max_bytes);
	if (code == 0)
		code = git_odb_read(&object, store->odb, &oid);
	if (code < 0)
		git_store_fail(code, err, "read object %s", hash);
	return object;
}

struct GitBlob {
	git_odb_object *object;
};

GitBlob *git_store_blob(GitStore *store, const char *hash, uint64_t max_bytes, Error *err)
{
	git_odb_object *object = git_store_read(store, hash, GIT_OBJECT_BLOB, max_bytes, err);
	if (!object)
		return NULL;
	GitBlob *blob = mem_alloc(sizeof(*blob));
	blob->object = object;
	return blob;
}

const void *git_blob_bytes(const GitBlob *blob, size_t *out_len)
{
	*out_len = git_odb_object_size(blob->object);
	return git_odb_object_data(blob->object);
}

void git_blob_free(GitBlob *blob)
{
	if (!blob)
		return;
	git_odb_object_free(blob->object);
	free(blob);
}
