/*
 * A whole kustomization tree from one input, files told apart by lines "=== PATH": any build ends,
 * with objects or an error; built twice, with and without a cache, the text is the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "kustomize/kustomize.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { FILES_MAX = 32 };

typedef struct {
	char *path;
	Str text;
} File;

typedef struct {
	File files[FILES_MAX];
	size_t len;
} Tree;

static void read_tree(Str input, Tree *out)
{
	while (out->len < FILES_MAX) {
		ptrdiff_t head = str_find(input, STR("=== "));
		if (head < 0)
			return;
		Str rest = str_slice(input, (size_t)head + 4, input.len), line;
		str_cut(rest, '\n', &line, &rest);
		ptrdiff_t next = str_find(rest, STR("\n=== "));
		size_t end = next < 0 ? rest.len : (size_t)next + 1;
		autofree char *raw = str_dup(line);
		out->files[out->len++] = (File){path_clean(raw), str_slice(rest, 0, end)};
		input = str_slice(rest, end, rest.len);
	}
}

static const File *find(const Tree *tree, const char *path)
{
	for (size_t i = 0; i < tree->len; i++)
		if (cstr_eq(tree->files[i].path, path))
			return &tree->files[i];
	return NULL;
}

static KustomizeNode tree_stat(void *arg, const char *path)
{
	const Tree *tree = arg;
	if (find(tree, path))
		return KUSTOMIZE_FILE;
	for (size_t i = 0; i < tree->len; i++)
		if (cstr_eq(path, ".") || path_is_below(tree->files[i].path, path))
			return KUSTOMIZE_DIR;
	return KUSTOMIZE_NONE;
}

static bool tree_read(void *arg, const char *path, Buf *out, Error *err)
{
	const File *file = find(arg, path);
	if (!file)
		return err_set(err, ERR_NOT_FOUND, "%s is not there", path);
	buf_add(out, file->text);
	return true;
}

static char *build(const KustomizeFiles *files, KustomizeCache *cache)
{
	KustomizeOptions options = {.files = files, .cache = cache, .load_anywhere = true};
	autokustomizeresult KustomizeResult result = {0};
	autoerror Error err = {0};
	autobuf Buf text = {0};
	if (!kustomize_build(".", &options, &result, &err)) {
		if (!err_is_set(&err))
			abort();
		return NULL;
	}
	kustomize_emit(&result, &text);
	return buf_steal(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	Tree tree = {0};
	read_tree(str_sized((const char *)bytes, size), &tree);
	KustomizeFiles files = {.arg = &tree, .stat = tree_stat, .read = tree_read};
	__attribute__((cleanup(auto_kustomize_cache))) KustomizeCache *cache =
		kustomize_cache_new(1 << 20);
	autofree char *first = build(&files, cache);
	autofree char *again = build(&files, cache);
	autofree char *plain = build(&files, NULL);
	if (!first != !plain || (first && (!cstr_eq(first, plain) || !cstr_eq(first, again))))
		abort();
	for (size_t i = 0; i < tree.len; i++)
		free(tree.files[i].path);
	return 0;
}
