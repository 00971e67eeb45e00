/* gpgv as a child that reads and writes memory files by descriptor. */
#include "sign/gpgv.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "base/fd.h"

/* The child's descriptors; ours are moved above them first. */
enum { CHILD_STATUS = 3, CHILD_KEYRING, CHILD_SIGNATURE, CHILD_PAYLOAD, CHILD_COUNT };
enum { FIRST_OWN_FD = 16, LIMIT_MS = 20 * 1000, MAX_STATUS_BYTES = 1 << 20 };

static int memory_file(Str bytes, Error *err)
{
	autofd int fd = memfd_create("gpgv", MFD_CLOEXEC);
	autofd int high = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, FIRST_OWN_FD);
	if (high < 0) {
		err_errno(err, "memory file");
		return -1;
	}
	if (bytes.len && !fd_write_all(high, bytes.ptr, bytes.len, err))
		return -1;
	return fd_steal(&high);
}

static int spawn_gpgv(const int fds[CHILD_COUNT], pid_t *out_pid)
{
	static const char *const argv[] = {
		"gpgv",	     "--homedir",	"/nonexistent",	   "--status-fd",     "3",
		"--keyring", "/proc/self/fd/4", "/proc/self/fd/5", "/proc/self/fd/6", NULL,
	};
	static const char *const env[] = {"PATH=/usr/bin:/bin:/usr/local/bin", "LC_ALL=C", NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none;
	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	for (int i = 0; i < 3; i++)
		posix_spawn_file_actions_addopen(&actions, i, "/dev/null", O_RDWR, 0);
	for (int i = CHILD_STATUS; i < CHILD_COUNT; i++)
		posix_spawn_file_actions_adddup2(&actions, fds[i], i);
	int code = posix_spawnp(out_pid, argv[0], &actions, &attr, (char *const *)(uintptr_t)argv,
				(char *const *)(uintptr_t)env);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	return code;
}

/* Waits for its end; kills it at the limit. False when that happened. */
static bool await_end(pid_t pid)
{
	autofd int fd = pidfd_open(pid, 0);
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	int got = 1;
	if (fd >= 0)
		while ((got = poll(&poll_fd, 1, LIMIT_MS)) < 0 && errno == EINTR)
			;
	if (got == 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return got != 0;
}

bool gpgv_run(Str keyring, Str signature, Str payload, Buf *out, Error *err)
{
	autofd int status_fd = memory_file(STR(""), err);
	autofd int keyring_fd = status_fd < 0 ? -1 : memory_file(keyring, err);
	autofd int signature_fd = keyring_fd < 0 ? -1 : memory_file(signature, err);
	autofd int payload_fd = signature_fd < 0 ? -1 : memory_file(payload, err);
	if (payload_fd < 0)
		return false;
	const int fds[CHILD_COUNT] = {[CHILD_STATUS] = status_fd,
				      [CHILD_KEYRING] = keyring_fd,
				      [CHILD_SIGNATURE] = signature_fd,
				      [CHILD_PAYLOAD] = payload_fd};
	pid_t pid;
	int code = spawn_gpgv(fds, &pid);
	if (code != 0) {
		errno = code;
		err_errno(err, "run gpgv, which OpenPGP signatures need");
		err->code = ERR_UNAVAILABLE;
		return false;
	}
	if (!await_end(pid))
		return err_set(err, ERR_TIMEOUT, "gpgv took longer than %d ms", LIMIT_MS);
	if (lseek(status_fd, 0, SEEK_SET) != 0)
		return err_errno(err, "read what gpgv says");
	return fd_read_all(status_fd, MAX_STATUS_BYTES, out, err);
}
