/* File names as text. Nothing here touches the file system. */
#ifndef BASE_PATH_H
#define BASE_PATH_H

#include <stdbool.h>

/* "dir/name" with exactly one slash between; owned by the caller. An absolute name is still put
 * below dir. An empty dir gives name. */
char *path_join(const char *dir, const char *name);

/* Without ".", empty and, as far as they go, ".." parts, as a rooted or relative path like the
 * input; "." when nothing is left. Owned by the caller. */
char *path_clean(const char *path);

/*
 * `name` below `root`, lexically confined: ".." never climbs above root (`path_confine("/a",
 * "../../etc")` is "/a/etc"). Symbolic links are for fd_open_beneath to refuse. Owned.
 */
char *path_confine(const char *root, const char *name);

/* What follows the last slash; borrowed. */
const char *path_base(const char *path);

/* What stands before the last slash, "." without one, "/" for a root entry; owned. */
char *path_dir(const char *path);

/* True when path is `dir` itself or below it; both clean. */
bool path_is_below(const char *path, const char *dir);

#endif
