/* .helmignore: patterns of what a chart's directory holds that is no part of the chart. */
#ifndef HELM_HELMIGNORE_H
#define HELM_HELMIGNORE_H

#include <stdbool.h>

#include "base/auto.h"
#include "base/error.h"

typedef struct HelmIgnore HelmIgnore;

/* Reads the file in a directory, if there is one. Owned. */
HelmIgnore *helmignore_load(int dir_fd, Error *err) MUST_USE;
void helmignore_free(HelmIgnore *ignore);
AUTO_POINTER(HelmIgnore, helmignore_free, auto_helmignore);
#define autohelmignore __attribute__((cleanup(auto_helmignore)))

/* `path` is relative to the chart. */
bool helmignore_ignores(const HelmIgnore *ignore, const char *path, bool is_dir);

#endif
