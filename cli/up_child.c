/*
 * The daemons as child processes. Each is in a process group of its own, so that Ctrl-C reaches
 * only `sluice up`, which stops them in order; and the kernel kills them when `sluice up` dies.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "up_internal.h"

enum { LOG_MAX = 8 * 1024 * 1024 };

enum { STOP_MS = 15000, LOOK_MS = 50, TAIL_LINES = 10, TAIL_BYTES = 8192, STAGES = 3 };

extern char **environ;

static void signals_of_interest(sigset_t *out)
{
	sigemptyset(out);
	sigaddset(out, SIGTERM);
	sigaddset(out, SIGINT);
	sigaddset(out, SIGHUP);
	sigaddset(out, SIGCHLD);
}

void up_signals_block(void)
{
	sigset_t set;
	signals_of_interest(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void add_env(Vec *env, const char *name, const char *value)
{
	vec_push(env, mem_printf("%s=%s", name, value));
}

/* Ours, with what a pod would be given. */
static void make_env(const Up *up, const Child *child, Vec *out)
{
	static const char *const replaced[] = {"RUNTIME_NAMESPACE=", "HOSTNAME=", "TMPDIR="};
	for (char **entry = environ; *entry; entry++) {
		bool ours = false;
		for (size_t i = 0; i < COUNT(replaced); i++)
			ours |= strncmp(*entry, replaced[i], strlen(replaced[i])) == 0;
		if (!ours)
			vec_push(out, mem_strdup(*entry));
	}
	autofree char *tmp = path_join(up->dir, "tmp");
	add_env(out, "RUNTIME_NAMESPACE", "flux-system");
	add_env(out, "HOSTNAME", child->daemon->name);
	add_env(out, "TMPDIR", tmp);
	vec_push(out, NULL);
}

/* The log of this run; that of the one before stays beside it. */
static int open_log(const Child *child, Error *err)
{
	autofree char *old = mem_printf("%s.1", child->log_path);
	rename(child->log_path, old);
	return fd_open(child->log_path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600, err);
}

static bool copy_log(int from, int to)
{
	struct stat info;
	if (fstat(from, &info) != 0)
		return false;
	/* Twice: what came while the most was copied. What comes within the last few microseconds
	 * is lost, as with any log that its writer does not open anew. */
	for (off_t at = 0; at < info.st_size;) {
		ssize_t sent = sendfile(to, from, &at, (size_t)(info.st_size - at));
		if (sent <= 0 || fstat(from, &info) != 0 || info.st_size > 2 * LOG_MAX)
			break;
	}
	return true;
}

/* The daemons hold their files open, and append: the file is copied, then emptied. Without room for
 * a copy it is emptied all the same, a full disk is worse than a lost log. */
static void rotate_log(const Child *child)
{
	autoerror Error ignored = {0};
	autofd int log = fd_open(child->log_path, O_RDWR, 0, &ignored);
	struct stat info;
	if (log < 0 || fstat(log, &info) != 0 || info.st_size <= LOG_MAX)
		return;
	autofree char *old = mem_printf("%s.1", child->log_path);
	autofd int copy = fd_open(old, O_WRONLY | O_CREAT | O_TRUNC, 0600, &ignored);
	bool kept = copy >= 0 && copy_log(log, copy);
	if (ftruncate(log, 0) == 0 && !kept)
		unlink(old);
}

void up_logs_rotate(const Up *up)
{
	for (size_t i = 0; i < UP_CHILDREN; i++)
		rotate_log(&up->children[i]);
}

/* Between fork and exec: only what is safe after a fork of a process with threads. */
static void become(const Vec *argv, const Vec *env, int log, int null, pid_t parent)
{
	sigset_t none;
	sigemptyset(&none);
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Whatever a library has opened without close-on-exec stays here. */
	bool clean = close_range(STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC) == 0 ||
		     errno == ENOSYS || errno == EINVAL;
	if (clean && getppid() == parent && dup2(null, 0) == 0 && dup2(log, 1) == 1 &&
	    dup2(log, 2) == 2) {
		sigprocmask(SIG_SETMASK, &none, NULL);
		execve(argv->items[0], (char **)argv->items, (char **)env->items);
	}
	_exit(127);
}

bool up_child_start(Up *up, Child *child, Error *err)
{
	autostrings Vec env = {0};
	make_env(up, child, &env);
	autofd int log = open_log(child, err);
	autofd int null = log < 0 ? -1 : fd_open("/dev/null", O_RDONLY, 0, err);
	if (null < 0)
		return false;
	pid_t parent = getpid();
	pid_t pid = fork();
	if (pid == 0)
		become(&child->argv, &env, log, null, parent);
	if (pid < 0)
		return err_errno(err, "start %s", child->daemon->name);
	child->pid = pid;
	return true;
}

/* The last lines of a log, in front of the error that names the child. */
static void print_tail(const Child *child)
{
	autobuf Buf text = {0};
	autoerror Error err = {0};
	autofd int fd = fd_open(child->log_path, O_RDONLY, 0, &err);
	if (fd < 0)
		return;
	off_t size = lseek(fd, 0, SEEK_END);
	if (lseek(fd, size > TAIL_BYTES ? size - TAIL_BYTES : 0, SEEK_SET) < 0 ||
	    !fd_read_all(fd, TAIL_BYTES * 2, &text, &err))
		return;
	const char *from = buf_text(&text) + text.len;
	for (int lines = 0; from > buf_text(&text); from--)
		if (from[-1] == '\n' && *from && ++lines == TAIL_LINES)
			break;
	fprintf(stderr, "%s", from);
}

static bool ended(const Child *child, int status, Error *err)
{
	print_tail(child);
	if (WIFSIGNALED(status))
		return err_set(err, ERR_UNAVAILABLE, "%s was killed by signal %d (%s); its log: %s",
			       child->daemon->name, WTERMSIG(status), strsignal(WTERMSIG(status)),
			       child->log_path);
	return err_set(err, ERR_UNAVAILABLE, "%s ended with exit code %d; its log: %s",
		       child->daemon->name, WEXITSTATUS(status), child->log_path);
}

/* Takes note of children that are gone; false with err for the first one. */
static bool reap(Up *up, Error *err)
{
	for (size_t i = 0; i < UP_CHILDREN; i++) {
		Child *child = &up->children[i];
		int status;
		if (!child->pid || waitpid(child->pid, &status, WNOHANG) != child->pid)
			continue;
		child->pid = 0;
		return ended(child, status, err);
	}
	return true;
}

/* The next signal within ms, or -1. */
static int next_signal(int64_t ms)
{
	sigset_t set;
	signals_of_interest(&set);
	struct timespec wait = {ms / 1000, ms % 1000 * 1000000};
	return sigtimedwait(&set, NULL, &wait);
}

bool up_pause(Up *up, int64_t ms, Error *err)
{
	int got = next_signal(ms);
	if (got < 0)
		return true;
	if (got == SIGCHLD)
		return reap(up, err);
	up->stopping = true;
	return err_set(err, ERR_CANCELLED, "%s", strsignal(got));
}

static void signal_stage(const Up *up, int stage, int number)
{
	for (size_t i = 0; i < UP_CHILDREN; i++) {
		const Child *child = &up->children[i];
		if (!child->pid || child->daemon->stop_stage != stage)
			continue;
		if (number == SIGKILL)
			fprintf(stderr, "⚠️ %s does not stop; killed\n", child->daemon->name);
		kill(child->pid, number);
	}
}

/* Takes note of those that have stopped; false when one did not end well. */
static bool collect_stage(Up *up, int stage, size_t *out_running)
{
	bool clean = true;
	*out_running = 0;
	for (size_t i = 0; i < UP_CHILDREN; i++) {
		Child *child = &up->children[i];
		int status;
		if (!child->pid || child->daemon->stop_stage != stage)
			continue;
		if (waitpid(child->pid, &status, WNOHANG) != child->pid) {
			++*out_running;
			continue;
		}
		child->pid = 0;
		autoerror Error err = {0};
		/* Not yet ready for signals, it dies of ours: that is a good end too. */
		bool of_ours = WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM;
		if (status && !of_ours && !ended(child, status, &err)) {
			fprintf(stderr, "✗ %s\n", err_text(&err));
			clean = false;
		}
	}
	return clean;
}

/* A second Ctrl-C, or the time-out, ends the patience. */
static bool stop_stage(Up *up, int stage)
{
	int64_t deadline = clock_mono_ms() + STOP_MS;
	bool killed = false, clean = true;
	size_t running;
	signal_stage(up, stage, SIGTERM);
	for (;;) {
		clean &= collect_stage(up, stage, &running);
		if (!running)
			return clean;
		bool impatient = next_signal(LOOK_MS) == SIGINT;
		if (!killed && (impatient || clock_mono_ms() > deadline)) {
			signal_stage(up, stage, SIGKILL);
			killed = true;
		}
	}
}

bool up_children_stop(Up *up)
{
	bool clean = true;
	for (int stage = 0; stage < STAGES; stage++)
		clean &= stop_stage(up, stage);
	return clean;
}
