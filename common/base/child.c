#include "base/child_internal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"

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

static int input_file(Str bytes, Error *err)
{
	autofd int fd = child_fd_above(memfd_create("input", MFD_CLOEXEC), err);
	if (fd < 0)
		return -1;
	if (bytes.len && !fd_write_all(fd, bytes.ptr, bytes.len, err))
		return -1;
	if (lseek(fd, 0, SEEK_SET) != 0)
		return (err_errno(err, "descriptor for a program"), -1);
	return fd_steal(&fd);
}

static bool start(const ChildSpec *spec, Child *child, Error *err)
{
	autofd int input = input_file(spec->input, err), output = -1, errors = -1;
	if (input < 0 || (child->streams[0].fd = child_pipe(&output, err)) < 0 ||
	    (child->streams[1].fd = child_pipe(&errors, err)) < 0)
		return false;
	return child_spawn(spec, (int[]){input, output, errors}, &child->pid, err);
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

bool child_run(const ChildSpec *spec, Buf *out, Buf *errors, int *out_code, Error *err)
{
	Child child = {.pid_fd = -1,
		       .streams = {{-1, out}, {-1, errors}},
		       .cancel_fd = spec->cancel_fd ? *spec->cancel_fd : -1,
		       .end_ms = clock_mono_ms() + spec->timeout_ms,
		       .max_output = spec->max_output};
	bool ok = start(spec, &child, err);
	if (ok) {
		child.pid_fd = pidfd_open(child.pid, 0);
		ok = child.pid_fd >= 0 ? follow(&child, err) : err_errno(err, "wait for it");
		if (!ok)
			kill(-child.pid, SIGKILL);
		*out_code = child_reap(child.pid);
		if (!ok)
			err_wrap(err, "%s", spec->argv[0]);
	}
	auto_close(&child.pid_fd);
	for (size_t i = 0; i < 2; i++)
		auto_close(&child.streams[i].fd);
	return ok;
}
