/* The trees of a commit and of its submodules, walked as one. */
#include "gitrepository.h"

#include <string.h>

#include "base/mem.h"

enum { MODE_LINK = 0160000, MODE_TREE = 040000 };

void git_tree_dispose(GitTree *tree)
{
	for (size_t i = 0; i < tree->module_count; i++)
		git_tree_dispose(&tree->modules[i]);
	free(tree->modules);
	git_lease_free(tree->lease);
	free(tree->path);
	free(tree->url);
	*tree = (GitTree){0};
}

bool git_tree_open(const GitAuth *auth, GitTree *tree, Error *err)
{
	tree->lease = git_auth_lease(auth, tree->url, err);
	if (!tree->lease)
		return false;
	tree->store = git_lease_store(tree->lease);
	return true;
}

void git_tree_spoil(GitTree *tree)
{
	if (tree->lease)
		git_lease_spoil(tree->lease);
	for (size_t i = 0; i < tree->module_count; i++)
		git_tree_spoil(&tree->modules[i]);
}

typedef struct {
	const GitTree *tree;
	const char *prefix; /* "" or "dir/" */
	GitTreeFn *fn;
	void *arg;
} Walk;

static bool visit(void *arg, const GitEntry *entry, Error *err);

static const GitTree *find_module(const GitTree *tree, const char *path)
{
	for (size_t i = 0; i < tree->module_count; i++)
		if (cstr_eq(tree->modules[i].path, path))
			return &tree->modules[i];
	return NULL;
}

static bool walk_module(const Walk *parent, const GitTree *module, const char *path, Error *err)
{
	GitEntry dir = {path, MODE_TREE, module->hash};
	if (!parent->fn(parent->arg, module->store, &dir, err))
		return false;
	autofree char *prefix = mem_printf("%s/", path);
	Walk walk = {module, prefix, parent->fn, parent->arg};
	return git_store_walk(module->store, module->hash, visit, &walk, err) ||
	       err_wrap(err, "submodule %s", path);
}

static bool visit(void *arg, const GitEntry *entry, Error *err)
{
	const Walk *walk = arg;
	autofree char *path = mem_printf("%s%s", walk->prefix, entry->path);
	GitEntry whole = {path, entry->mode, entry->hash};
	if (entry->mode != MODE_LINK)
		return walk->fn(walk->arg, walk->tree->store, &whole, err);
	const GitTree *module = find_module(walk->tree, entry->path);
	return !module || walk_module(walk, module, path, err);
}

bool git_tree_walk(const GitTree *tree, GitTreeFn *fn, void *arg, Error *err)
{
	Walk walk = {tree, "", fn, arg};
	return git_store_walk(tree->store, tree->hash, visit, &walk, err);
}
