/*
 * What a tar.gz holds, unpacked into one file without a name and found by an index in memory: a
 * tree of thousands of files costs no directory entries and nobody has to remove it. Symbolic links
 * are skipped or refused, as by archive/unpack.h. Once made it does not change: any thread may
 * read.
 */
#ifndef ARCHIVE_FILE_TREE_H
#define ARCHIVE_FILE_TREE_H

#include "archive/unpack.h"
#include "base/buf.h"
#include "base/vec.h"

typedef enum { FILE_TREE_NONE, FILE_TREE_FILE, FILE_TREE_DIR } FileTreeNode;

typedef struct FileTree FileTree;

/* From a descriptor's offset to its end; `dir` is where the file lies. Errors are those of
 * unpack_fd; ERR_INVALID, too, when a path is a file and a directory, ERR_LIMIT when names are over
 * 64 MiB in sum. */
FileTree *file_tree_unpack(int fd, const char *dir, const UnpackLimits *limits,
			   Error *err) MUST_USE;
void file_tree_free(FileTree *tree);
AUTO_POINTER(FileTree, file_tree_free, auto_file_tree);
#define autofiletree __attribute__((cleanup(auto_file_tree)))

/* Paths are clean and relative, "." is the root. */
FileTreeNode file_tree_stat(const FileTree *tree, const char *path);

/* Appends a file's bytes; ERR_NOT_FOUND, ERR_INVALID when it is none, ERR_LIMIT beyond `limit`. */
bool file_tree_read(const FileTree *tree, const char *path, size_t limit, Buf *out,
		    Error *err) MUST_USE;

/* Pushes the names in a directory, sorted by bytes, as owned strings; more than `limit` is
 * ERR_LIMIT. */
bool file_tree_list(const FileTree *tree, const char *path, size_t limit, Vec *out,
		    Error *err) MUST_USE;

#endif
