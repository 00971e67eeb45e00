/*
 * A commit's tree straight from the object database into the archive: no work tree is written. The
 * walk runs twice, first for the .sourceignore files, then for the content that the rules leave.
 */
#include "gitrepository.h"

#include <string.h>

#include "archive/tar.h"
#include "base/mem.h"
#include "base/path.h"

enum {
	MODE_TREE = 040000,
	MODE_EXECUTABLE = 0100755,
	MODE_KIND = 0170000,
	MODE_FILE = 0100000,
	IGNORE_FILE_MAX = 1 << 20,
};
#define BLOB_MAX (UINT64_C(1) << 30)

typedef struct {
	GitStore *store;
	const GitTarget *target;
	const json_t *sparse;
	bool *sparse_found; /* one a listed path */
	IgnoreRules *rules;
	TarWriter *tar; /* second walk only */
} Pack;

static const char *without_dot(const char *path)
{
	return strncmp(path, "./", 2) == 0 ? path + 2 : path;
}

/* Sparse checkout is a literal string prefix on paths, which leaves root files out (S37). */
static bool is_listed(const Pack *pack, const char *path)
{
	if (!json_array_size(pack->sparse))
		return true;
	size_t i;
	json_t *item;
	bool listed = false;
	json_array_foreach((json_t *)(uintptr_t)pack->sparse, i, item)
	{
		const char *want = without_dot(json_string_value(item));
		size_t len = strlen(want);
		while (len && want[len - 1] == '/')
			len--;
		if (strncmp(path, want, len) != 0)
			continue;
		listed = true;
		if (path[len] == '/' || path[len] == '\0')
			pack->sparse_found[i] = true;
	}
	return listed;
}

static bool is_file(const GitEntry *entry)
{
	return (entry->mode & MODE_KIND) == MODE_FILE;
}

static bool add_ignore_file(Pack *pack, const GitEntry *entry, Error *err)
{
	autogitblob GitBlob *blob = git_store_blob(pack->store, entry->hash, IGNORE_FILE_MAX, err);
	if (!blob)
		return err_wrap(err, "%s", entry->path);
	size_t len;
	const void *bytes = git_blob_bytes(blob, &len);
	autofree char *dir = path_dir(entry->path);
	ignore_add_file(pack->rules, cstr_eq(dir, ".") ? "" : dir, str_sized(bytes, len));
	return true;
}

static bool collect_rules(void *arg, const GitEntry *entry, Error *err)
{
	Pack *pack = arg;
	bool listed = is_listed(pack, entry->path);
	if (!listed || !is_file(entry) || !cstr_eq(path_base(entry->path), ".sourceignore"))
		return true;
	return add_ignore_file(pack, entry, err);
}

static bool write_entry(void *arg, const GitEntry *entry, Error *err)
{
	Pack *pack = arg;
	bool is_dir = entry->mode == MODE_TREE;
	if ((!is_dir && !is_file(entry)) || !is_listed(pack, entry->path) ||
	    ignore_matches(pack->rules, entry->path, is_dir))
		return true;
	if (is_dir)
		return tar_writer_dir(pack->tar, entry->path, err);
	autogitblob GitBlob *blob = git_store_blob(pack->store, entry->hash, BLOB_MAX, err);
	if (!blob)
		return err_wrap(err, "%s", entry->path);
	size_t len;
	const void *bytes = git_blob_bytes(blob, &len);
	return tar_writer_file(pack->tar, entry->path, (entry->mode & 0111) != 0, bytes, len, err);
}

static bool write_archive(void *arg, struct TarWriter *tar, Error *err)
{
	Pack *pack = arg;
	pack->tar = tar;
	return git_store_walk(pack->store, pack->target->hash, write_entry, pack, err);
}

static bool check_sparse(const Pack *pack, Error *err)
{
	size_t i;
	json_t *item;
	json_array_foreach((json_t *)(uintptr_t)pack->sparse, i, item)
	{
		if (pack->sparse_found[i])
			continue;
		err_set(err, ERR_NOT_FOUND,
			"failed to sparse checkout directories : %s does not exist in the commit",
			json_string_value(item));
		return err_reason(err, "GitOperationFailed");
	}
	return true;
}

bool gitrepository_pack(Run *run, const GitRepository *repo, GitStore *store,
			const GitTarget *target, Artifact *out, Error *err)
{
	const SourceContext *context = run_context(run);
	autoignore IgnoreRules *rules = ignore_new();
	autofree bool *found = mem_zalloc(json_array_size(repo->sparse) + 1, sizeof(bool));
	Pack pack = {.store = store,
		     .target = target,
		     .sparse = repo->sparse,
		     .sparse_found = found,
		     .rules = rules};
	if (!git_store_walk(store, target->hash, collect_rules, &pack, err))
		return err_wrap(err, "failed to load source ignore patterns from repository");
	if (!check_sparse(&pack, err))
		return false;
	ignore_add_spec(rules, repo->ignore);
	ignore_finish(rules);
	autofree char *file = mem_printf("%s.tar.gz", target->hash);
	if (store_pack(context->store, run_kind(run)->kind, run_namespace(run), run_name(run), file,
		       target->revision, write_archive, &pack, out, err))
		return true;
	return err_wrap(err, "unable to archive artifact to storage");
}
