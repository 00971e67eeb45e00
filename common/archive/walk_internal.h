/* Walking a tree by descriptors, for tar_tree.c and ignore_walk.c. */
#ifndef ARCHIVE_WALK_INTERNAL_H
#define ARCHIVE_WALK_INTERNAL_H

#include "base/error.h"

enum { WALK_MAX_DEPTH = 256, WALK_MAX_ENTRIES = 1000000 };

/* A directory below dir_fd opened for reading, without following a link; -1 on failure. */
int walk_open_dir(int dir_fd, const char *name, Error *err) MUST_USE;

/* "dir/name", or name when dir is "". Owned. */
char *walk_path(const char *dir, const char *name);

#endif
