#include "notify/line_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

enum { LINE_MAX_BYTES = 64 << 10, CHUNK = 4096 };

struct LineSocket {
	int fd, cancel_fd;
	int64_t deadline_ms;
	SSL_CTX *context;
	SSL *tls; /* NULL: plain */
	Buf input;
};

/* True when fd is ready for `events`. */
static bool wait_for(const LineSocket *socket, short events, Error *err)
{
	struct pollfd fds[2] = {{.fd = socket->fd, .events = events},
				{.fd = socket->cancel_fd, .events = POLLIN}};
	int64_t left = socket->deadline_ms - clock_mono_ms();
	int ready = poll(fds, 2, left > 0 ? (int)left : 0);
	if (ready < 0 && errno == EINTR)
		return wait_for(socket, events, err);
	if (fds[1].revents)
		return err_set(err, ERR_CANCELLED, "the daemon stops");
	if (ready <= 0)
		return err_set(err, ERR_TIMEOUT, "timed out");
	return true;
}

static bool finish_connect(LineSocket *socket, Error *err)
{
	int failure = 0;
	socklen_t len = sizeof(failure);
	if (!wait_for(socket, POLLOUT, err))
		return false;
	getsockopt(socket->fd, SOL_SOCKET, SO_ERROR, &failure, &len);
	return !failure || err_set(err, ERR_UNAVAILABLE, "%s", strerrordesc_np(failure));
}

static bool connect_to(LineSocket *out, const struct addrinfo *info, Error *err)
{
	out->fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (out->fd >= 0 && (connect(out->fd, info->ai_addr, info->ai_addrlen) == 0 ||
			     (errno == EINPROGRESS && finish_connect(out, err))))
		return true;
	if (!err_is_set(err))
		err_set(err, ERR_UNAVAILABLE, "%s", strerrordesc_np(errno));
	if (out->fd >= 0)
		close(out->fd);
	out->fd = -1;
	return false;
}

LineSocket *line_socket_connect(const char *host, int port, int64_t deadline_ms, int cancel_fd,
				Error *err)
{
	struct addrinfo *list = NULL, hints = {.ai_socktype = SOCK_STREAM};
	char service[16];
	snprintf(service, sizeof(service), "%d", port);
	int code = getaddrinfo(host, service, &hints, &list);
	if (code != 0)
		return err_null(err, ERR_UNAVAILABLE, "%s: %s", host, gai_strerror(code));
	LineSocket *out = mem_zalloc(1, sizeof(*out));
	out->fd = -1;
	out->cancel_fd = cancel_fd;
	out->deadline_ms = deadline_ms;
	for (const struct addrinfo *info = list; info && out->fd < 0; info = info->ai_next) {
		error_dispose(err);
		connect_to(out, info, err);
	}
	freeaddrinfo(list);
	if (out->fd >= 0)
		return out;
	line_socket_free(out);
	return err_wrap_null(err, "%s:%d", host, port);
}

void line_socket_free(LineSocket *socket)
{
	if (!socket)
		return;
	SSL_free(socket->tls);
	SSL_CTX_free(socket->context);
	if (socket->fd >= 0)
		close(socket->fd);
	buf_dispose(&socket->input);
	free(socket);
}

/* After an SSL call that did not get through: waits for what it wants. False: it failed. */
static bool tls_wait(const LineSocket *socket, int result, Error *err)
{
	switch (SSL_get_error(socket->tls, result)) {
	case SSL_ERROR_WANT_READ:
		return wait_for(socket, POLLIN, err);
	case SSL_ERROR_WANT_WRITE:
		return wait_for(socket, POLLOUT, err);
	default:
		return err_set(err, ERR_UNAVAILABLE, "the connection was cut");
	}
}

bool line_socket_start_tls(LineSocket *socket, const char *host, Error *err)
{
	socket->context = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_min_proto_version(socket->context, TLS1_2_VERSION);
	SSL_CTX_set_verify(socket->context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_default_verify_paths(socket->context);
	socket->tls = SSL_new(socket->context);
	autofree char *name = mem_strdup(host); /* the macro casts const away */
	SSL_set_tlsext_host_name(socket->tls, name);
	SSL_set1_host(socket->tls, host);
	SSL_set_fd(socket->tls, socket->fd);
	for (;;) {
		int result = SSL_connect(socket->tls);
		if (result == 1)
			return true;
		if (SSL_get_error(socket->tls, result) == SSL_ERROR_SSL)
			return err_set(
				err, ERR_UNAUTHORIZED, "tls: %s",
				X509_verify_cert_error_string(SSL_get_verify_result(socket->tls)));
		if (!tls_wait(socket, result, err))
			return false;
	}
}

/* Bytes read, 0 and err at the end. */
static size_t read_some(LineSocket *socket, char *out, size_t len, Error *err)
{
	for (;;) {
		int result = socket->tls ? SSL_read(socket->tls, out, (int)len)
					 : (int)recv(socket->fd, out, len, 0);
		if (result > 0)
			return (size_t)result;
		bool again = socket->tls ? tls_wait(socket, result, err)
					 : result < 0 && errno == EAGAIN &&
						   wait_for(socket, POLLIN, err);
		if (again)
			continue;
		if (!err_is_set(err))
			err_set(err, ERR_UNAVAILABLE, "the connection was cut");
		return 0;
	}
}

char *line_socket_read(LineSocket *socket, Error *err)
{
	for (;;) {
		ptrdiff_t end = str_find_char(buf_str(&socket->input), '\n');
		if (end >= 0) {
			char *line = str_dup(
				str_trim(str_slice(buf_str(&socket->input), 0, (size_t)end)));
			buf_consume(&socket->input, (size_t)end + 1);
			return line;
		}
		char chunk[CHUNK];
		size_t len = read_some(socket, chunk, sizeof(chunk), err);
		if (!len || !buf_append_limited(&socket->input, chunk, len, LINE_MAX_BYTES, err))
			return NULL;
	}
}

bool line_socket_write(LineSocket *socket, const void *bytes, size_t len, Error *err)
{
	const char *at = bytes;
	while (len) {
		int result = socket->tls ? SSL_write(socket->tls, at, (int)len)
					 : (int)send(socket->fd, at, len, MSG_NOSIGNAL);
		if (result > 0) {
			at += result;
			len -= (size_t)result;
			continue;
		}
		bool again = socket->tls ? tls_wait(socket, result, err)
					 : result < 0 && errno == EAGAIN &&
						   wait_for(socket, POLLOUT, err);
		if (!again)
			return err_is_set(err)
				       ? false
				       : err_set(err, ERR_UNAVAILABLE, "the connection was cut");
	}
	return true;
}
