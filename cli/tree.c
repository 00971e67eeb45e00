#include "tree.h"

#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"

bool local_tree_open(const char *path, const char *root, Tree *out, Error *err)
{
	autofree char *real = realpath(path, NULL), *real_root = realpath(root, NULL);
	if (!real || !real_root)
		return err_errno(err, "%s", real ? root : path);
	if (real_root[1] && !path_is_below(real, real_root))
		return err_set(err, ERR_FORBIDDEN, "%s is not in or below %s", path, real_root);
	const char *below = real + (real_root[1] ? strlen(real_root) : 0);
	int fd = fd_open(real_root, O_RDONLY | O_DIRECTORY, 0, err);
	if (fd < 0)
		return false;
	*out = (Tree){fd, mem_strdup(below[0] && below[1] ? below + 1 : ".")};
	return true;
}

void local_tree_dispose(Tree *tree)
{
	auto_close(&tree->root_fd);
	free(tree->dir);
	*tree = NO_TREE;
}

char *local_tree_shorten(const char *text)
{
	autofree char *here = realpath(".", NULL);
	autofree char *prefix = mem_printf("%s/", here && here[1] ? here + 1 : "");
	size_t len = strlen(prefix);
	if (len < 2)
		return mem_strdup(text);
	autobuf Buf out = {0};
	for (const char *found; (found = strstr(text, prefix)); text = found + len)
		buf_append(&out, text, (size_t)(found - text));
	buf_puts(&out, text);
	return buf_steal(&out);
}
