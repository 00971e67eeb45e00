/* A directory that the command line names, as the engines see it: below a root that nothing leaves.
 */
#ifndef CLI_TREE_H
#define CLI_TREE_H

#include "base/error.h"

typedef struct {
	int root_fd; /* owned */
	char *dir;   /* clean, below it; owned */
} Tree;

#define NO_TREE ((Tree){.root_fd = -1})

/* `root`: "/" for all that the caller may read, or a directory that `path` must lie in. */
bool local_tree_open(const char *path, const char *root, Tree *out, Error *err) MUST_USE;
void local_tree_dispose(Tree *tree);
#define autotree __attribute__((cleanup(local_tree_dispose)))

/* A message in which paths start at "/": from where the caller is, as people want them. Owned. */
char *local_tree_shorten(const char *text);

#endif
