/* See http_pipe.h. `lock` guards all fields; the spool file is written by the loop's thread and
 * read by the worker, both under the lock: it is the page cache that does the work. */
#include "git/http_pipe.h"

#include <errno.h>
#include <pthread.h>

#include "base/clock.h"
#include "base/cond.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

enum { MEMORY_BYTES = 1 << 20 };
static const off_t max_spool_bytes = (off_t)4 << 30;

struct HttpPipe {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	HttpCall *call;			 /* valid until ended */
	bool (*is_cancelled)(void *arg); /* this and the next: set once, the worker's */
	void *cancel_arg;
	HttpResponse head;
	bool has_head, ended;
	Error err; /* why it ended, when not well */
	Buf memory;
	size_t memory_at; /* read so far */
	int spool_fd;	  /* -1 until needed; its bytes follow those in memory */
	off_t spool_read, spool_written;
};

/* --- the loop's side --- */

static bool spool(HttpPipe *pipe, const char *bytes, size_t len, Error *err)
{
	if (pipe->spool_fd < 0)
		pipe->spool_fd = fd_nameless(dir_temp(), err);
	if (pipe->spool_fd < 0)
		return false;
	if (pipe->spool_written + (off_t)len > max_spool_bytes)
		return err_set(err, ERR_LIMIT, "reply comes faster than it can be stored");
	while (len) {
		ssize_t put = pwrite(pipe->spool_fd, bytes, len, pipe->spool_written);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return err_errno(err, "write a temporary file in %s", dir_temp());
		bytes += put;
		len -= (size_t)put;
		pipe->spool_written += put;
	}
	return true;
}

static bool on_head(void *arg, int status, const HttpResponse *head)
{
	HttpPipe *pipe = arg;
	pthread_mutex_lock(&pipe->lock);
	pipe->has_head = true;
	pipe->head.status = status;
	buf_add(&pipe->head.headers, buf_str(&head->headers));
	pthread_cond_signal(&pipe->changed);
	pthread_mutex_unlock(&pipe->lock);
	return true;
}

static bool on_data(void *arg, const char *bytes, size_t len)
{
	HttpPipe *pipe = arg;
	pthread_mutex_lock(&pipe->lock);
	bool ok = true;
	if (pipe->spool_written == 0 && pipe->memory.len - pipe->memory_at + len <= MEMORY_BYTES) {
		if (pipe->memory_at > MEMORY_BYTES / 2) {
			buf_consume(&pipe->memory, pipe->memory_at);
			pipe->memory_at = 0;
		}
		buf_append(&pipe->memory, bytes, len);
	} else {
		ok = spool(pipe, bytes, len, &pipe->err);
	}
	pthread_cond_signal(&pipe->changed);
	pthread_mutex_unlock(&pipe->lock);
	return ok;
}

static void on_end(void *arg, const Error *err)
{
	HttpPipe *pipe = arg;
	pthread_mutex_lock(&pipe->lock);
	pipe->ended = true;
	if (err->code != ERR_NONE && !err_is_set(&pipe->err))
		err_copy(&pipe->err, err);
	pthread_cond_signal(&pipe->changed);
	pthread_mutex_unlock(&pipe->lock);
}

/* --- the worker's side --- */

HttpPipe *http_pipe_start(HttpClient *client, const HttpRequest *request,
			  bool (*is_cancelled)(void *arg), void *arg)
{
	static const HttpHandler handler = {on_head, on_data, on_end};
	HttpPipe *pipe = mem_zalloc(1, sizeof(*pipe));
	pthread_mutex_init(&pipe->lock, NULL);
	cond_init(&pipe->changed);
	pipe->is_cancelled = is_cancelled;
	pipe->cancel_arg = arg;
	pipe->spool_fd = -1;
	pipe->call = httpc_start(client, request, &handler, pipe);
	return pipe;
}

/* With the lock held, which is given up meanwhile: waits until something may have changed. */
static bool wait_for_change(HttpPipe *pipe, Error *err)
{
	if (cond_wait_until(&pipe->changed, &pipe->lock, clock_mono_ms() + HTTP_PIPE_LOOK_MS) ||
	    !pipe->is_cancelled)
		return true;
	pthread_mutex_unlock(&pipe->lock);
	bool cancelled = pipe->is_cancelled(pipe->cancel_arg);
	pthread_mutex_lock(&pipe->lock);
	return !cancelled || err_set(err, ERR_CANCELLED, "the daemon stops");
}

const HttpResponse *http_pipe_head(HttpPipe *pipe, Error *err)
{
	bool wanted = true;
	pthread_mutex_lock(&pipe->lock);
	while (wanted && !pipe->has_head && !pipe->ended)
		wanted = wait_for_change(pipe, err);
	const HttpResponse *head = pipe->has_head ? &pipe->head : NULL;
	if (!wanted)
		head = NULL;
	else if (!head && err_is_set(&pipe->err))
		err_copy(err, &pipe->err);
	else if (!head)
		err_set(err, ERR_UNAVAILABLE, "no reply");
	pthread_mutex_unlock(&pipe->lock);
	return head;
}

static size_t unread(const HttpPipe *pipe)
{
	return pipe->memory.len - pipe->memory_at +
	       (size_t)(pipe->spool_written - pipe->spool_read);
}

static ssize_t take_spooled(HttpPipe *pipe, char *out, size_t cap, Error *err)
{
	ssize_t got;
	do {
		got = pread(pipe->spool_fd, out, cap, pipe->spool_read);
	} while (got < 0 && errno == EINTR);
	if (got <= 0) {
		err_errno(err, "read a temporary file");
		return -1;
	}
	pipe->spool_read += got;
	if (pipe->spool_read == pipe->spool_written) {
		pipe->spool_read = pipe->spool_written = 0;
		(void)!ftruncate(pipe->spool_fd, 0); /* only gives room back */
	}
	return got;
}

static ssize_t take(HttpPipe *pipe, char *out, size_t cap, Error *err)
{
	size_t len = pipe->memory.len - pipe->memory_at;
	if (len == 0)
		return take_spooled(pipe, out, cap, err);
	len = len < cap ? len : cap;
	memcpy(out, pipe->memory.ptr + pipe->memory_at, len);
	pipe->memory_at += len;
	if (pipe->memory_at == pipe->memory.len) {
		buf_clear(&pipe->memory);
		pipe->memory_at = 0;
	}
	return (ssize_t)len;
}

ssize_t http_pipe_read(HttpPipe *pipe, char *out, size_t cap, Error *err)
{
	ssize_t got = 0;
	bool wanted = true;
	pthread_mutex_lock(&pipe->lock);
	while (wanted && unread(pipe) == 0 && !pipe->ended)
		wanted = wait_for_change(pipe, err);
	if (!wanted) {
		got = -1;
	} else if (unread(pipe)) {
		got = take(pipe, out, cap, err);
	} else if (err_is_set(&pipe->err)) {
		err_copy(err, &pipe->err);
		got = -1;
	}
	pthread_mutex_unlock(&pipe->lock);
	return got;
}

void http_pipe_free(HttpPipe *pipe)
{
	if (!pipe)
		return;
	pthread_mutex_lock(&pipe->lock);
	/* Under the lock, so that on_end waits and the handle stays valid. */
	if (!pipe->ended)
		httpc_cancel(pipe->call);
	while (!pipe->ended)
		pthread_cond_wait(&pipe->changed, &pipe->lock);
	pthread_mutex_unlock(&pipe->lock);
	pthread_cond_destroy(&pipe->changed);
	pthread_mutex_destroy(&pipe->lock);
	http_response_dispose(&pipe->head);
	buf_dispose(&pipe->memory);
	auto_close(&pipe->spool_fd);
	error_dispose(&pipe->err);
	free(pipe);
}
