#include "base/child_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"

/* Descriptors for the child are moved above those that they become there. */
enum { FIRST_OWN_FD = 32, FIRST_GIVEN_FD = 3 };

int child_fd_above(int take_fd, Error *err)
{
	autofd int fd = take_fd;
	int high = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, FIRST_OWN_FD);
	if (high < 0)
		err_errno(err, "descriptor for a program");
	return high;
}

int child_pipe(int *out_theirs, Error *err)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0) {
		err_errno(err, "pipe to a program");
		return -1;
	}
	autofd int ours = ends[0];
	*out_theirs = child_fd_above(ends[1], err);
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

bool child_spawn(const ChildSpec *spec, const int own[3], pid_t *out_pid, Error *err)
{
	int given[CHILD_FDS_MAX];
	size_t count = 0;
	bool ok = true;
	while (ok && count < spec->fd_count) {
		given[count] = child_fd_above(fcntl(spec->fds[count], F_DUPFD_CLOEXEC, 0), err);
		ok = given[count++] >= 0;
	}
	int code = ok ? spawn(spec, own, given, out_pid) : 0;
	for (size_t i = 0; i < count; i++)
		auto_close(&given[i]);
	if (code) {
		errno = code;
		err_errno(err, "run %s", spec->argv[0]);
		err->code = code == ENOENT ? ERR_NOT_FOUND : ERR_UNAVAILABLE;
	}
	return ok && !code;
}

int child_reap(pid_t pid)
{
	int status = 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
