#include "base/child_internal.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/fd.h"

static int input_pipe(int *out_theirs, Error *err)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0) {
		err_errno(err, "pipe to a program");
		return -1;
	}
	autofd int ours = ends[1];
	*out_theirs = child_fd_above(ends[0], err);
	return *out_theirs < 0 ? -1 : fd_steal(&ours);
}

static bool start(const ChildSpec *spec, ChildPipes *child, Error *err)
{
	autofd int input = -1, output = -1, errors = -1;
	if ((child->input = input_pipe(&input, err)) < 0 ||
	    (child->output = child_pipe(&output, err)) < 0 ||
	    (child->errors = child_pipe(&errors, err)) < 0)
		return false;
	const int ours[] = {child->input, child->output, child->errors};
	for (size_t i = 0; i < COUNT(ours); i++)
		if (fcntl(ours[i], F_SETFL, O_NONBLOCK) != 0)
			return err_errno(err, "pipe to a program");
	if (!child_spawn(spec, (int[]){input, output, errors}, &child->pid, err))
		return false;
	child->pid_fd = pidfd_open(child->pid, 0);
	return child->pid_fd >= 0 || err_errno(err, "wait for %s", spec->argv[0]);
}

bool child_open(const ChildSpec *spec, ChildPipes *out, Error *err)
{
	ChildPipes child = {.pid_fd = -1, .input = -1, .output = -1, .errors = -1};
	bool ok = start(spec, &child, err);
	if (ok)
		*out = child;
	else
		child_close(&child);
	return ok;
}

void child_close(ChildPipes *child)
{
	int *const fds[] = {&child->input, &child->output, &child->errors, &child->pid_fd};
	if (child->pid > 0) {
		kill(-child->pid, SIGKILL);
		child_reap(child->pid);
	}
	for (size_t i = 0; i < COUNT(fds); i++) {
		auto_close(fds[i]);
		*fds[i] = -1;
	}
	child->pid = 0;
}
