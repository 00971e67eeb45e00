/* A client that sends bytes as they are, for the tests of the HTTP server. */
#ifndef TEST_RAW_CLIENT_H
#define TEST_RAW_CLIENT_H

#include "../cmocka_all.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/fd.h"

/* To one of this machine's own addresses, 127.0.0.0/8. */
static inline int dial_at(in_addr_t own, int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons((uint16_t)port),
				      .sin_addr.s_addr = htonl(own)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static inline int dial(int port)
{
	return dial_at(INADDR_LOOPBACK, port);
}

static inline void send_text(int fd, const char *text)
{
	autoerror Error err = {0};
	assert_true(fd_write_all(fd, text, strlen(text), &err));
}

/* Reads until the peer closes or `until` was seen. */
static inline char *receive(int fd, const char *until)
{
	Buf out = {0};
	char bytes[4096];
	while (!until || !strstr(buf_text(&out), until)) {
		ssize_t got = recv(fd, bytes, sizeof(bytes), 0);
		if (got <= 0)
			break;
		buf_append(&out, bytes, (size_t)got);
	}
	return buf_steal(&out);
}

static inline void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in:\n%s", part, text);
}

#endif
