/*
 * Submodules (S37): those that .gitmodules names and the tree has, each at the commit that the tree
 * says, with depth 1, and theirs in turn. Depth as upstream; a count that no honest tree reaches,
 * as each costs a fetch.
 */
#include "gitrepository.h"

#include <string.h>

#include "base/mem.h"
#include "git/modules.h"

enum { MODE_LINK = 0160000, MODE_KIND = 0170000, MODE_FILE = 0100000 };
enum { MAX_DEPTH = 10, MAX_MODULES = 200, MODULES_FILE_MAX = 1 << 20 };

typedef struct {
	const GitAuth *auth;
	int count;
} Work;

/* What one walk finds. */
typedef struct {
	char modules_file[GIT_HASH_SIZE]; /* .gitmodules, "" without */
	Vec paths, hashes;		  /* of the links; owned, in step */
} Found;

static void found_dispose(Found *found)
{
	vec_dispose_strings(&found->paths);
	vec_dispose_strings(&found->hashes);
}

static bool note_entry(void *arg, const GitEntry *entry, Error *err)
{
	Found *found = arg;
	bool is_file = (entry->mode & MODE_KIND) == MODE_FILE;
	if (is_file && cstr_eq(entry->path, ".gitmodules"))
		memcpy(found->modules_file, entry->hash, GIT_HASH_SIZE);
	if (entry->mode != MODE_LINK)
		return true;
	if (found->paths.len >= MAX_MODULES)
		return err_set(err, ERR_LIMIT, "more than %d submodules", MAX_MODULES);
	vec_push(&found->paths, mem_strdup(entry->path));
	vec_push(&found->hashes, mem_strdup(entry->hash));
	return true;
}

static bool read_modules(const GitTree *tree, const char *hash, GitModules *out, Error *err)
{
	if (!hash[0])
		return true;
	autogitblob GitBlob *blob = git_store_blob(tree->store, hash, MODULES_FILE_MAX, err);
	if (!blob)
		return err_wrap(err, ".gitmodules");
	size_t len;
	const void *bytes = git_blob_bytes(blob, &len);
	return git_modules_parse(str_sized(bytes, len), out, err);
}

static bool fetch_module(Work *work, const GitTree *parent, const GitModuleSpec *spec,
			 const char *hash, GitTree *out, Error *err)
{
	out->path = mem_strdup(spec->path);
	memcpy(out->hash, hash, GIT_HASH_SIZE);
	out->url = git_module_url(parent->url, spec->url, err);
	if (!out->url)
		return false;
	autogitremote GitRemote *remote = git_auth_remote(work->auth, parent->url, out->url, err);
	GitFetch fetch = {.hash = hash};
	return remote && git_tree_open(work->auth, out, err) &&
	       git_lease_fetch(out->lease, remote, &fetch, NULL, err);
}

/* Before any of the tree's is fetched: what is too much costs nothing. */
static bool count_modules(Work *work, const Found *found, const GitModules *modules, int depth,
			  Error *err)
{
	int named = 0;
	for (size_t i = 0; i < found->paths.len; i++)
		named += git_modules_find(modules, found->paths.items[i]) != NULL;
	work->count += named;
	if (named && (depth > MAX_DEPTH || work->count > MAX_MODULES))
		return err_set(err, ERR_LIMIT, "submodules deeper than %d or more than %d",
			       MAX_DEPTH, MAX_MODULES);
	return true;
}

static bool fetch_all(Work *work, GitTree *tree, int depth, Error *err)
{
	__attribute__((cleanup(found_dispose))) Found found = {0};
	autogitmodules GitModules modules = {0};
	if (!git_store_walk(tree->store, tree->hash, note_entry, &found, err)) {
		git_lease_spoil(tree->lease);
		return false;
	}
	if (!read_modules(tree, found.modules_file, &modules, err) ||
	    !count_modules(work, &found, &modules, depth, err))
		return false;
	tree->modules = mem_zalloc(found.paths.len + 1, sizeof(GitTree));
	for (size_t i = 0; i < found.paths.len; i++) {
		const GitModuleSpec *spec = git_modules_find(&modules, found.paths.items[i]);
		if (!spec)
			continue; /* as git: what nobody says where to get stays away */
		GitTree *module = &tree->modules[tree->module_count++];
		if (!fetch_module(work, tree, spec, found.hashes.items[i], module, err) ||
		    !fetch_all(work, module, depth + 1, err))
			return err_wrap(err, "submodule %s", spec->path);
	}
	return true;
}

bool gitrepository_fetch_modules(const GitAuth *auth, GitTree *tree, Error *err)
{
	Work work = {.auth = auth};
	return fetch_all(&work, tree, 1, err);
}
