/* Where a chart's files come from: archives and directories. */
#ifndef HELM_ARCHIVE_H
#define HELM_ARCHIVE_H

#include "helm/chart.h"

/* Files as they are read; names and data are in the arena. */
typedef struct {
	Arena *arena;
	HelmFile *items; /* owned */
	size_t len, cap, bytes;
} HelmFiles;
void helm_files_dispose(HelmFiles *files);

/* Adds a copy of the bytes, without a byte order mark; ERR_LIMIT past what a chart may weigh. */
bool helm_files_add(HelmFiles *files, const char *name, Str bytes, Error *err) MUST_USE;

/* A directory, with its .helmignore; symbolic links are followed. A file over max_file bytes is
 * ERR_LIMIT. */
HelmChart *helm_chart_load_dir(Arena *arena, const char *path, size_t max_file,
			       Error *err) MUST_USE;

/* A .tgz: a gzipped tar whose entries share one directory, which is left away. What is hostile in
 * it is refused in Helm's words (E1, E2, S76). */
HelmChart *helm_chart_of_archive(Arena *arena, Str bytes, Error *err) MUST_USE;
/* The same from a file's start. */
HelmChart *helm_chart_of_archive_fd(Arena *arena, int fd, Error *err) MUST_USE;

/* The metadata alone (Chart.yaml with requirements.yaml, each up to max_file bytes), checked: the
 * whole archive is read, nothing of it is kept. Owned. */
json_t *helm_archive_metadata(int fd, size_t max_file, Error *err) MUST_USE;

/* The same of a chart's directory. */
json_t *helm_dir_metadata(const char *path, size_t max_file, Error *err) MUST_USE;

/* Text without a byte order mark. */
Str helm_without_mark(Str data);

#endif
