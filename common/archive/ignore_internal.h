/* What ignore.c takes from glob.c. */
#ifndef ARCHIVE_IGNORE_INTERNAL_H
#define ARCHIVE_IGNORE_INTERNAL_H

#include <stdbool.h>

#include "base/str.h"

/* True when one path component matches a pattern without slashes: `*`, `?`, `[a-z]`, `[!a]`,
 * `[[:alpha:]]`, `\x`. A malformed pattern matches nothing. */
bool glob_matches(Str pattern, Str name);

#endif
