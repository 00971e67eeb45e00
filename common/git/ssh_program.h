/*
 * OpenSSH's client program, for a host that may show a certificate, which libssh knows nothing of.
 * It connects to nobody: what it says and hears goes through two pipes of ours, so that names,
 * proxies and time limits are those of every remote. What it reads (identity, known hosts) are
 * files without a name, descriptors of the shell that starts it, in whose /proc it finds them: ours
 * is closed to other processes, and ssh closes what it inherits. Nothing reaches a disk. It gets an
 * environment, options and known hosts made here and reads no configuration.
 */
#ifndef GIT_SSH_PROGRAM_H
#define GIT_SSH_PROGRAM_H

#include "base/child.h"
#include "git/remote_internal.h"

/* Owned by one worker. */
typedef struct {
	ChildPipes child;	 /* its streams are git-upload-pack's */
	int to_it, from_it, log; /* what it hears, says, and writes down; -1: closed */
} SshProgram;

/* Nothing that runs; the only state besides that of a started one. */
void ssh_program_init(SshProgram *self);

/* Whether there is such a program. */
bool ssh_program_exists(void);

/* Starts it: log in, run git-upload-pack, offer `protocol`. */
bool ssh_program_start(SshProgram *self, const GitRemote *remote, const char *protocol,
		       Error *err) MUST_USE;

/* Fills err with why it has ended: its own words, else the server's, which came on its standard
 * error (`errors`). Returns false. */
bool ssh_program_explain(const SshProgram *self, Str errors, Error *err);

/* Ends it, at any time, and twice. */
void ssh_program_end(SshProgram *self);

#endif
