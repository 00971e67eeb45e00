/*
 * Streams: a queue of bytes between any thread that writes and the server thread that sends. While
 * the queue is empty the connection is suspended; the writer resumes it. libmicrohttpd does not see
 * a client leave a suspended connection, so the loop watches the socket for that.
 *
 * References: the request's (until on_close has run) and the response's.
 */
#include <string.h>
#include <sys/epoll.h>

#include "net/httpd_internal.h"

#include "base/mem.h"

enum { CHUNK = 4096 };

struct HttpdStream {
	Httpd *httpd;
	HttpdStream *prev, *next; /* httpd->lock */
	struct MHD_Connection *connection;
	int fd;
	void (*on_close)(void *arg);
	void *arg;
	atomic_uint refs;

	pthread_mutex_t lock; /* guards what follows */
	Buf queue;
	size_t sent; /* of queue */
	bool suspended, ended, gone;
};

static void unref(HttpdStream *stream)
{
	if (atomic_fetch_sub(&stream->refs, 1) != 1)
		return;
	pthread_mutex_destroy(&stream->lock);
	buf_dispose(&stream->queue);
	free(stream);
}

static void unref_response(void *arg)
{
	unref(arg);
}

/* With the stream's lock held. */
static void resume(HttpdStream *stream)
{
	if (!stream->suspended)
		return;
	stream->suspended = false;
	MHD_resume_connection(stream->connection);
}

/* With the stream's lock held: the next bytes, or what there is instead. */
static ssize_t read_queue(HttpdStream *stream, char *out, size_t max)
{
	size_t left = stream->queue.len - stream->sent;
	if (stream->gone)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (left == 0 && stream->ended)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (left == 0) {
		stream->suspended = true;
		MHD_suspend_connection(stream->connection);
		return 0;
	}
	size_t len = left < max ? left : max;
	memcpy(out, stream->queue.ptr + stream->sent, len);
	stream->sent += len;
	if (stream->sent == stream->queue.len) {
		stream->sent = 0;
		buf_dispose(&stream->queue); /* thousands of quiet watches hold nothing */
	}
	return (ssize_t)len;
}

static ssize_t on_read(void *arg, uint64_t position, char *out, size_t max)
{
	(void)position;
	HttpdStream *stream = arg;
	pthread_mutex_lock(&stream->lock);
	ssize_t len = read_queue(stream, out, max);
	pthread_mutex_unlock(&stream->lock);
	return len;
}

/* --- the client's leaving --- */

static void on_socket_event(void *arg, int fd, uint32_t events)
{
	(void)events;
	HttpdStream *stream = arg;
	autoerror Error ignored = {0};
	loop_watch(stream->httpd->loop, fd, 0, NULL, NULL, &ignored);
	pthread_mutex_lock(&stream->lock);
	stream->gone = true;
	resume(stream);
	pthread_mutex_unlock(&stream->lock);
}

static void start_watch(void *arg)
{
	HttpdStream *stream = arg;
	autoerror Error ignored = {0};
	/* Where it fails, the next write finds out that the client has left. */
	(void)!loop_watch(stream->httpd->loop, stream->fd, EPOLLRDHUP, on_socket_event, stream,
			  &ignored);
}

static void stop_watch(void *arg)
{
	const HttpdStream *stream = arg;
	autoerror Error ignored = {0};
	loop_watch(stream->httpd->loop, stream->fd, 0, NULL, NULL, &ignored);
}

/* --- life --- */

static void link_stream(HttpdStream *stream)
{
	Httpd *httpd = stream->httpd;
	pthread_mutex_lock(&httpd->lock);
	stream->next = httpd->streams;
	if (stream->next)
		stream->next->prev = stream;
	httpd->streams = stream;
	stream->ended = httpd->stopping;
	pthread_mutex_unlock(&httpd->lock);
}

static void unlink_stream(HttpdStream *stream)
{
	Httpd *httpd = stream->httpd;
	pthread_mutex_lock(&httpd->lock);
	if (stream->next)
		stream->next->prev = stream->prev;
	if (stream->prev)
		stream->prev->next = stream->next;
	else
		httpd->streams = stream->next;
	pthread_mutex_unlock(&httpd->lock);
}

HttpdStream *httpd_reply_stream(HttpdRequest *request, int status, const char *content_type,
				void (*on_close)(void *arg), void *arg)
{
	HttpdStream *stream = mem_zalloc(1, sizeof(*stream));
	stream->httpd = request->httpd;
	stream->connection = request->connection;
	stream->on_close = on_close;
	stream->arg = arg;
	atomic_init(&stream->refs, 2);
	pthread_mutex_init(&stream->lock, NULL);
	stream->fd = MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD)
			     ->connect_fd;
	request->stream = stream;
	link_stream(stream);
	loop_post(stream->httpd->loop, start_watch, stream);
	struct MHD_Response *response = MHD_create_response_from_callback(
		MHD_SIZE_UNKNOWN, CHUNK, on_read, stream, unref_response);
	if (!response)
		abort(); /* memory is out */
	if (content_type)
		httpd_set_header(request, "Content-Type", content_type);
	httpd_queue(request, status, response);
	return stream;
}

void httpd_stream_detach(HttpdStream *stream)
{
	unlink_stream(stream);
	pthread_mutex_lock(&stream->lock);
	stream->gone = true;
	stream->suspended = false;
	pthread_mutex_unlock(&stream->lock);
	/* Waits: the descriptor is about to be closed, or to serve the next request. libmicrohttpd
	 * holds no lock here that the loop's thread could want. */
	loop_call(stream->httpd->loop, stop_watch, stream);
	/* No lock held: on_close takes the caller's own, under which it writes. */
	if (stream->on_close)
		stream->on_close(stream->arg);
	unref(stream);
}

void httpd_streams_end(Httpd *httpd)
{
	pthread_mutex_lock(&httpd->lock);
	for (HttpdStream *stream = httpd->streams; stream; stream = stream->next)
		httpd_stream_end(stream);
	pthread_mutex_unlock(&httpd->lock);
}

bool httpd_stream_write(HttpdStream *stream, const void *bytes, size_t len, size_t limit)
{
	pthread_mutex_lock(&stream->lock);
	size_t waiting = stream->queue.len - stream->sent;
	bool ok = !stream->gone && !stream->ended && len <= limit && waiting <= limit - len;
	if (ok && len) {
		/* Sent bytes are dropped when they are half of the buffer, not each time. */
		if (stream->sent > stream->queue.len / 2) {
			buf_consume(&stream->queue, stream->sent);
			stream->sent = 0;
		}
		buf_append(&stream->queue, bytes, len);
		resume(stream);
	}
	pthread_mutex_unlock(&stream->lock);
	return ok;
}

void httpd_stream_end(HttpdStream *stream)
{
	pthread_mutex_lock(&stream->lock);
	stream->ended = true;
	resume(stream);
	pthread_mutex_unlock(&stream->lock);
}
