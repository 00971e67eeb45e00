/*
 * A process's directory for what need not outlive it, in $TMPDIR or /tmp: removed at its end, or,
 * when the process was killed, by the next one with the same prefix. A lock on the directory tells
 * which are in use.
 */
#ifndef BASE_WORKDIR_H
#define BASE_WORKDIR_H

#include "base/auto.h"
#include "base/error.h"

typedef struct WorkDir WorkDir;

/* Makes PREFIX-XXXXXX, after it removed what dead processes of this user left under that name.
 * Owned by the caller. */
WorkDir *workdir_new(const char *prefix, Error *err) MUST_USE;

/* Removes it with all below. NULL is allowed. */
void workdir_free(WorkDir *workdir);

/* Its path; borrowed. */
const char *workdir_path(const WorkDir *workdir);

#endif
