/* sluice kustomize: the build engine as a command, with the real tool's arguments. */
#ifndef CLI_KUSTOMIZE_COMMAND_H
#define CLI_KUSTOMIZE_COMMAND_H

#include "kustomize/kustomize.h"
#include "tool_flags.h"

extern const ToolFlags kustomize_flags;

/* Writes the objects to `path`: a file, or in a directory a file for each object, named as the real
 * tool names them. */
bool kustomize_write(const KustomizeResult *result, const char *path, Error *err) MUST_USE;

/* Builds `dir` by options that lack only what fetches. */
typedef bool (*KustomizeBuilder)(void *arg, const char *dir, KustomizeOptions *options,
				 KustomizeResult *out, Error *err);

/* `kustomize build ...`, argv[0] being "kustomize"; the exit code. */
int kustomize_command(int argc, char **argv, KustomizeBuilder builder, void *arg);

#endif
