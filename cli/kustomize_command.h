/* sluice kustomize: the build engine as a command, with the real tool's arguments. */
#ifndef CLI_KUSTOMIZE_COMMAND_H
#define CLI_KUSTOMIZE_COMMAND_H

#include "kustomize/kustomize.h"

/* Writes the objects to `path`: a file, or in a directory a file for each object, named as the real
 * tool names them. */
bool kustomize_write(const KustomizeResult *result, const char *path, Error *err) MUST_USE;

#endif
