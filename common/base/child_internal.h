/* What the ways to run a program share (child.c, child_pipes.c; child_start.c). */
#ifndef BASE_CHILD_INTERNAL_H
#define BASE_CHILD_INTERNAL_H

#include "base/child.h"

/* A descriptor above those that it and its like become in the child; takes the given one. -1. */
int child_fd_above(int take_fd, Error *err) MUST_USE;

/* A pipe of which the reading end is returned and *out_theirs is the child's. -1. */
int child_pipe(int *out_theirs, Error *err) MUST_USE;

/* Starts it with `own` as its descriptors 0 to 2 and the spec's after them. */
bool child_spawn(const ChildSpec *spec, const int own[3], pid_t *out_pid, Error *err) MUST_USE;

/* Waits for its end: its exit code, 128 + N when signal N ended it. */
int child_reap(pid_t pid);

#endif
