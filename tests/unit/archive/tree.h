/* Trees and processes for the archive tests. Failures end the test. */
#ifndef TESTS_ARCHIVE_TREE_H
#define TESTS_ARCHIVE_TREE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/fd.h"

/* A new temporary directory. Declare with autotempdir. */
char *tree_new(void);

/* An open descriptor of the directory. */
int tree_fd(const char *dir);

/* Writes dir/name, making the directories above it. */
void tree_put(const char *dir, const char *name, const char *text, mode_t mode);
void tree_make_dir(const char *dir, const char *name);

/* Paths of all files and directories below dir, one a line, sorted; directories end in "/". Owned.
 */
char *tree_list(const char *dir);

/* Runs argv in dir (NULL: here) with `input` on its standard input, output into *out. Returns the
 * exit status. */
int tree_run(const char *dir, const char *const *argv, const char *input, Buf *out);

#endif
