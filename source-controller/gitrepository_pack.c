/*
 * A commit's tree straight from the object database into the archive: no work tree is written. The
 * walk runs twice, first for the .sourceignore files, then for the content that the rules leave.
 * Includes, which come as files, are the exception: with them the tree is written out and packed
 * from there.
 */
#include "gitrepository.h"

#include <fcntl.h>
#include <string.h>

#include "archive/tar.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"

enum {
	MODE_TREE = 040000,
	MODE_EXECUTABLE = 0100755,
	MODE_KIND = 0170000,
	MODE_FILE = 0100000,
	IGNORE_FILE_MAX = 1 << 20,
};
/* Such a file is held in memory twice while its delta is applied. */
#define BLOB_MAX (UINT64_C(256) << 20)

typedef struct {
	const GitTree *tree;
	const json_t *sparse;
	bool *sparse_found; /* one a listed path */
	IgnoreRules *rules;
	TarWriter *tar;	  /* second walk only */
	const char *work; /* the work tree, for includes, and its descriptor */
	int work_fd;
} Pack;

static const char *without_dot(const char *path)
{
	return strncmp(path, "./", 2) == 0 ? path + 2 : path;
}

/* Whether the path is what was listed, or lies below it: upstream looks for the former. */
static bool is_within(const char *path, const char *want)
{
	size_t len = strlen(want);
	while (len && want[len - 1] == '/')
		len--;
	bool is_root = len == 0 || cstr_eq(want, ".");
	return is_root || (strncmp(path, want, len) == 0 && (path[len] == '/' || !path[len]));
}

/* Sparse checkout is a literal string prefix on paths, those of directories with a slash behind:
 * "charts" takes "charts2/", "charts/" does not; it leaves root files out (S37). */
static bool is_listed(const Pack *pack, const GitEntry *entry)
{
	if (!json_array_size(pack->sparse))
		return true;
	size_t i;
	json_t *item;
	bool listed = false;
	autofree char *path = mem_printf("%s%s", entry->path, entry->mode == MODE_TREE ? "/" : "");
	json_array_foreach(json_borrow(pack->sparse), i, item)
	{
		const char *want = without_dot(json_string_value(item));
		listed |= cstr_starts(path, want);
		pack->sparse_found[i] |= is_within(entry->path, want);
	}
	return listed;
}

static bool is_file(const GitEntry *entry)
{
	return (entry->mode & MODE_KIND) == MODE_FILE;
}

static bool add_ignore_file(Pack *pack, GitStore *store, const GitEntry *entry, Error *err)
{
	autogitblob GitBlob *blob = git_store_blob(store, entry->hash, IGNORE_FILE_MAX, err);
	if (!blob) {
		err_wrap(err, "%s", entry->path);
		return source_rules_failed(err);
	}
	size_t len;
	const void *bytes = git_blob_bytes(blob, &len);
	autofree char *dir = path_dir(entry->path);
	ignore_add_file(pack->rules, cstr_eq(dir, ".") ? "" : dir, str_sized(bytes, len));
	return true;
}

static bool collect_rules(void *arg, GitStore *store, const GitEntry *entry, Error *err)
{
	Pack *pack = arg;
	bool listed = is_listed(pack, entry);
	if (!listed || !is_file(entry) || !cstr_eq(path_base(entry->path), ".sourceignore"))
		return true;
	return add_ignore_file(pack, store, entry, err);
}

static bool write_entry(void *arg, GitStore *store, const GitEntry *entry, Error *err)
{
	Pack *pack = arg;
	bool is_dir = entry->mode == MODE_TREE;
	if ((!is_dir && !is_file(entry)) || !is_listed(pack, entry) ||
	    ignore_matches(pack->rules, entry->path, is_dir))
		return true;
	if (is_dir)
		return tar_writer_dir(pack->tar, entry->path, err);
	autogitblob GitBlob *blob = git_store_blob(store, entry->hash, BLOB_MAX, err);
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
	return git_tree_walk(pack->tree, write_entry, pack, err);
}

static bool check_sparse(const Pack *pack, Error *err)
{
	size_t i;
	json_t *item;
	json_array_foreach(json_borrow(pack->sparse), i, item)
	{
		if (pack->sparse_found[i])
			continue;
		err_set(err, ERR_NOT_FOUND,
			"failed to sparse checkout directories : sparse checkout dir '%s' does not "
			"exist in repository",
			json_string_value(item));
		return err_reason(err, "GitOperationFailed");
	}
	return true;
}

/* --- with includes --- */

/* A sparse tree is told without the directories above what is listed. */
static bool make_parent(const Pack *pack, const char *path, Error *err)
{
	autofree char *parent = path_dir(path);
	autofree char *whole = path_join(pack->work, parent);
	return dir_make(whole, 0700, err);
}

static bool write_file(const Pack *pack, const GitEntry *entry, GitStore *store, Error *err)
{
	autogitblob GitBlob *blob = git_store_blob(store, entry->hash, BLOB_MAX, err);
	if (!blob)
		return false;
	mode_t mode = (entry->mode & 0111) != 0 ? 0700 : 0600;
	if (!make_parent(pack, entry->path, err))
		return false;
	autofd int fd =
		fd_open_beneath(pack->work_fd, entry->path, O_WRONLY | O_CREAT | O_EXCL, mode, err);
	size_t len;
	const void *bytes = git_blob_bytes(blob, &len);
	return fd >= 0 && fd_write_all(fd, bytes, len, err);
}

/* Ignored files too: a rule of an include's .sourceignore may bring them back. */
static bool check_out(void *arg, GitStore *store, const GitEntry *entry, Error *err)
{
	const Pack *pack = arg;
	bool is_dir = entry->mode == MODE_TREE;
	if ((!is_dir && !is_file(entry)) || !is_listed(pack, entry))
		return true;
	if (is_dir) {
		autofree char *whole = path_join(pack->work, entry->path);
		return dir_make(whole, 0700, err);
	}
	return write_file(pack, entry, store, err) || err_wrap(err, "%s", entry->path);
}

static bool pack_dir(Run *run, const GitRepository *repo, Pack *pack, const GitIncludes *includes,
		     const char *revision, Artifact *out, Error *err)
{
	const SourceContext *context = run_context(run);
	autotempdir char *dir = dir_make_temp(workdir_path(context->workdir), "gitrepository", err);
	autofree char *work = dir ? dir_make_temp(dir, "work", err) : NULL;
	autofd int work_fd = work ? fd_open(work, O_RDONLY | O_DIRECTORY, 0, err) : -1;
	if (work_fd < 0)
		return err_reason(err, "DirectoryCreationFailed");
	pack->work = work;
	pack->work_fd = work_fd;
	if (!git_tree_walk(pack->tree, check_out, pack, err) ||
	    !git_includes_place(run, includes, work, err))
		return false;
	autoignore IgnoreRules *rules = ignore_of_dir(work_fd, repo->ignore, err);
	if (!rules)
		return source_rules_failed(err);
	autofree char *file = mem_printf("%s.tar.gz", pack->tree->hash);
	return store_pack_dir(context->store, run_kind(run)->kind, run_namespace(run),
			      run_name(run), file, revision, work_fd, rules, out, err) ||
	       err_wrap(err, "unable to archive artifact to storage");
}

/* --- */

static bool pack_trees(Run *run, const GitRepository *repo, Pack *pack, const char *revision,
		       Artifact *out, Error *err)
{
	const SourceContext *context = run_context(run);
	ignore_add_spec(pack->rules, repo->ignore);
	ignore_finish(pack->rules);
	if (!ignore_check(pack->rules, err))
		return source_rules_failed(err);
	autofree char *file = mem_printf("%s.tar.gz", pack->tree->hash);
	return store_pack(context->store, run_kind(run)->kind, run_namespace(run), run_name(run),
			  file, revision, write_archive, pack, out, err) ||
	       err_wrap(err, "unable to archive artifact to storage");
}

bool gitrepository_pack(Run *run, const GitRepository *repo, const GitTree *tree,
			const GitIncludes *includes, const char *revision, Artifact *out,
			Error *err)
{
	autoignore IgnoreRules *rules = ignore_new();
	autofree bool *found = mem_zalloc(json_array_size(repo->sparse) + 1, sizeof(bool));
	Pack pack = {.tree = tree,
		     .sparse = repo->sparse,
		     .sparse_found = found,
		     .rules = rules,
		     .work_fd = -1};
	if (!git_tree_walk(tree, collect_rules, &pack, err) || !check_sparse(&pack, err))
		return false;
	if (includes->len)
		return pack_dir(run, repo, &pack, includes, revision, out, err);
	return pack_trees(run, repo, &pack, revision, out, err);
}
