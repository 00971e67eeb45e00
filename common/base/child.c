#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"

/* Descriptors for the child are moved above those that they become there. */
enum { FIRST_OWN_FD = 32, FIRST_GIVEN_FD = 3 };

/* One of its outputs on our side. */
typedef struct {
	int fd;
	Buf *buf;
} Stream;

typedef struct {
	pid_t pid;
	int pid_fd;
	Stream streams[2];
	int cancel_fd;
	int64_t end_ms;
	size_t max_output;
} Child;

static int above(int take_fd, Error *err)
{
	autofd int fd = take_fd;
	int high = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, FIRST_OWN_FD);
	if (high < 0)
		err_errno(err, "descriptor for a program");
	return high;
}

static int input_file(Str bytes, Error *err)
{
	autofd int fd = above(memfd_create("input", MFD_CLOEXEC), err);
	if (fd < 0)
		return -1;
	if (bytes.len && !fd_write_all(fd, bytes.ptr, bytes.len, err))
		return -1;
	if (lseek(fd, 0, SEEK_SET) != 0)
		return (err_errno(err, "descriptor for a program"), -1);
	return fd_steal(&fd);
}

/* Our end is returned, *out_theirs is the child's. */
static int output_pipe(int *out_theirs, Error *err)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0) {
		err_errno(err, "pipe to a program");
		return -1;
	}
	autofd int ours = ends[0];
	*out_theirs = above(ends[1], err);
	return *out_theirs < 0 ? -1 : fd_steal(&ours);
}

static int spawn(const ChildSpec *spec, const int own[3], const int *given, pid_t *out_pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, all;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
						POSIX_SPAWN_SETPGROUP);
	for (int i = 0; i < 3; i++)
		posix_spawn_file_actions_adddup2(&actions, own[i], i);
	for (size_t i = 0; i < spec->fd_count; i++)
		posix_spawn_file_actions_adddup2(&actions, given[i], FIRST_GIVEN_FD + (int)i);
	posix_spawn_file_actions_addclosefrom_np(&actions, FIRST_GIVEN_FD + (int)spec->fd_count);
	const char *const *env = spec->env ? spec->env : (const char *const *)environ;
	int code =
		posix_spawnp(out_pid, spec->argv[0], &actions, &attr,
			     (char *const *)(uintptr_t)spec->argv, (char *const *)(uintptr_t)env);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	return code;
}

static bool start(const ChildSpec *spec, Child *child, Error *err)
{
	int given[CHILD_FDS_MAX];
	size_t count = 0;
	autofd int input = input_file(spec->input, err), output = -1, errors = -1;
	if (input < 0 || (child->streams[0].fd = output_pipe(&output, err)) < 0 ||
	    (child->streams[1].fd = output_pipe(&errors, err)) < 0)
		return false;
	const int own[3] = {input, output, errors};
	bool ok = true;
	while (ok && count < spec->fd_count) {
		given[count] = above(fcntl(spec->fds[count], F_DUPFD_CLOEXEC, 0), err);
		ok = given[count++] >= 0;
	}
	int code = ok ? spawn(spec, own, given, &child->pid) : 0;
	for (size_t i = 0; i < count; i++)
		auto_close(&given[i]);
	if (code) {
		errno = code;
		err_errno(err, "run %s", spec->argv[0]);
		err->code = code == ENOENT ? ERR_NOT_FOUND : ERR_UNAVAILABLE;
	}
	return ok && !code;
}

/* Reads what is there; closes the stream at its end. */
static bool drain(Child *child, Stream *stream, Error *err)
{
	char bytes[16384];
	ssize_t got = read(stream->fd, bytes, sizeof(bytes));
	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (got <= 0) {
		auto_close(&stream->fd);
		stream->fd = -1;
		return true;
	}
	if (!stream->buf)
		return true;
	if (stream->buf->len + (size_t)got > child->max_output)
		return err_set(err, ERR_LIMIT, "its output is longer than %zu bytes",
			       child->max_output);
	buf_append(stream->buf, bytes, (size_t)got);
	return true;
}

/* Until both outputs are at their end and the program has ended. A grandchild that holds an output
 * open counts as the program. */
static bool follow(Child *child, Error *err)
{
	bool ended = false;
	while (!ended || child->streams[0].fd >= 0 || child->streams[1].fd >= 0) {
		int64_t left_ms = child->end_ms - clock_mono_ms();
		struct pollfd fds[] = {
			{.fd = child->streams[0].fd, .events = POLLIN},
			{.fd = child->streams[1].fd, .events = POLLIN},
			{.fd = ended ? -1 : child->pid_fd, .events = POLLIN},
			{.fd = child->cancel_fd, .events = POLLIN},
		};
		if (left_ms <= 0)
			return err_set(err, ERR_TIMEOUT, "it has not ended in time");
		if (poll(fds, COUNT(fds), (int)(left_ms < 60000 ? left_ms : 60000)) < 0 &&
		    errno != EINTR)
			return err_errno(err, "wait for it");
		if (fds[3].revents)
			return err_set(err, ERR_CANCELLED, "cancelled");
		for (size_t i = 0; i < 2; i++)
			if (fds[i].revents && !drain(child, &child->streams[i], err))
				return false;
		ended = ended || fds[2].revents;
	}
	return true;
}

static int reap(pid_t pid)
{
	int status = 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

bool child_run(const ChildSpec *spec, Buf *out, Buf *errors, int *out_code, Error *err)
{
	Child child = {.pid_fd = -1,
		       .streams = {{-1, out}, {-1, errors}},
		       .cancel_fd = spec->cancel_fd ? spec->cancel_fd : -1,
		       .end_ms = clock_mono_ms() + spec->timeout_ms,
		       .max_output = spec->max_output};
	bool ok = start(spec, &child, err);
	if (ok) {
		child.pid_fd = pidfd_open(child.pid, 0);
		ok = child.pid_fd >= 0 ? follow(&child, err) : err_errno(err, "wait for it");
		if (!ok)
			kill(-child.pid, SIGKILL);
		*out_code = reap(child.pid);
		if (!ok)
			err_wrap(err, "%s", spec->argv[0]);
	}
	auto_close(&child.pid_fd);
	for (size_t i = 0; i < 2; i++)
		auto_close(&child.streams[i].fd);
	return ok;
}
