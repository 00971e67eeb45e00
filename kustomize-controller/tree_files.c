/* An artifact's tree as the engine wants its files: nothing in it leads out, as it has no links. */
#include "internal.h"

#include "base/mem.h"

static const FileTree *tree_of(const void *arg)
{
	return arg;
}

static KustomizeNode tree_stat(void *arg, const char *path)
{
	static const KustomizeNode nodes[] = {[FILE_TREE_NONE] = KUSTOMIZE_NONE,
					      [FILE_TREE_FILE] = KUSTOMIZE_FILE,
					      [FILE_TREE_DIR] = KUSTOMIZE_DIR};
	return nodes[file_tree_stat(tree_of(arg), path)];
}

static bool tree_read(void *arg, const char *path, Buf *out, Error *err)
{
	return file_tree_read(tree_of(arg), path, KUSTOMIZE_FILE_MAX, out, err);
}

static bool tree_list(void *arg, const char *path, Vec *out, Error *err)
{
	return file_tree_list(tree_of(arg), path, KUSTOMIZE_NAMES_MAX, out, err);
}

KustomizeFiles tree_files(const FileTree *tree)
{
	/* The functions only read. */
	return (KustomizeFiles){(void *)(uintptr_t)tree, tree_stat, tree_read, tree_list, NULL};
}
