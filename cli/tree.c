#include "tree.h"

#include <ctype.h>
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

static bool goes_on(char c)
{
	return c && (isalnum((unsigned char)c) || strchr("/._-", c));
}

/* The directory itself is ".", and with what is below it goes the slash in front that some have. */
char *local_tree_shorten(const char *text)
{
	autofree char *here = realpath(".", NULL);
	const char *name = here && here[1] ? here + 1 : "", *from = text;
	size_t len = strlen(name);
	autobuf Buf out = {0};
	for (const char *found; len && (found = strstr(from, name)); from = found + len) {
		const char *start = found > from && found[-1] == '/' ? found - 1 : found;
		bool below = found[len] == '/';
		/* A directory of one word may be a word of the message as well. */
		bool itself = !below && !goes_on(found[len]) && strchr(name, '/');
		if ((start > text && goes_on(start[-1])) || (!below && !itself)) {
			buf_append(&out, from, (size_t)(found + len - from));
			continue;
		}
		buf_append(&out, from, (size_t)(start - from));
		if (below)
			found++;
		else
			buf_putc(&out, '.');
	}
	buf_puts(&out, from);
	return buf_steal(&out);
}
