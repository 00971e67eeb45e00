/* A source of files in memory, and a build of it as YAML text: what the engine's tests work on. */
#ifndef TEST_MEMORY_FILES_H
#define TEST_MEMORY_FILES_H

#include "kustomize/kustomize.h"

/* A file; the list ends with a NULL path. Directories are what paths imply. */
typedef struct {
	const char *path, *text;
} MemoryFile;

KustomizeFiles memory_files(const MemoryFile *files);

/* Builds `dir` with `options` (their files are replaced); owned text, NULL with err. */
char *memory_build_with(const MemoryFile *files, const char *dir, KustomizeOptions options,
			Error *err);

/* The same of ".", without options. */
char *memory_build(const MemoryFile *files, Error *err);

/* The build of "." must give the text, or fail with a message that has `part`. */
void assert_builds(const MemoryFile *files, const char *text);
void assert_fails(const MemoryFile *files, const char *part);

#endif
