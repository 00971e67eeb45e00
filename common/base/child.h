/*
 * Another program, no shell: run to its end, bytes in, bytes out (child_run), or beside us
 * (child_open). It gets no descriptor of ours but those it is given, a process group of its own,
 * and a time limit at which the group is killed. Blocks: never on the loop's thread.
 */
#ifndef BASE_CHILD_H
#define BASE_CHILD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

typedef struct {
	const char *const *argv; /* NULL-terminated; argv[0] is looked up in PATH unless it has a
				    slash */
	const char *const *env;	 /* the whole environment, NULL-terminated; NULL: ours */
	Str input;		 /* what it reads on its standard input */
	const int *fds;		 /* become its descriptors 3, 4, ...; borrowed */
	size_t fd_count;	 /* at most CHILD_FDS_MAX */
	int64_t timeout_ms;
	const int *cancel_fd; /* when it can be read, the program is killed; NULL: none */
	size_t max_output;    /* bytes of standard output, and as many of standard error */
} ChildSpec;

enum { CHILD_FDS_MAX = 8 };

/*
 * Runs it and waits. Appends what it wrote to `out` and `errors` (each may be NULL: thrown away);
 * *out_code is its exit code, 128 + N when signal N ended it. False: it could not be started
 * (ERR_NOT_FOUND when there is no such program), ran into the time limit (ERR_TIMEOUT), was
 * cancelled (ERR_CANCELLED), or wrote more than max_output (ERR_LIMIT).
 */
bool child_run(const ChildSpec *spec, Buf *out, Buf *errors, int *out_code, Error *err) MUST_USE;

/* A program that runs beside us. One thread at a time. */
typedef struct {
	pid_t pid;
	int pid_fd;		   /* can be read once it has ended */
	int input, output, errors; /* our ends of its streams, non-blocking; -1: closed */
} ChildPipes;

/* Starts it; of the spec argv, env and fds count. Ended by child_close. False: ERR_NOT_FOUND when
 * there is no such program. A write to a program that has ended raises SIGPIPE. */
bool child_open(const ChildSpec *spec, ChildPipes *out, Error *err) MUST_USE;

/* Kills what is left of its process group and waits for it. */
void child_close(ChildPipes *child);

#endif
