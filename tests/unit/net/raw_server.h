/* A TCP server of canned bytes: for each connection it reads a request's header, writes the reply
 * as it is, then closes or, with `hold`, waits until the client goes away. */
#ifndef TEST_RAW_SERVER_H
#define TEST_RAW_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
	int fd, port;
	const char *reply; /* NULL: says nothing */
	bool hold;
	atomic_int accepted;
	pthread_t thread;
	char seen[8192]; /* of the last request */
} RawServer;

static inline void raw_read_header(RawServer *server, int fd)
{
	size_t len = 0;
	while (len < sizeof(server->seen) - 1) {
		ssize_t got = recv(fd, server->seen + len, sizeof(server->seen) - 1 - len, 0);
		if (got <= 0)
			return;
		len += (size_t)got;
		server->seen[len] = '\0';
		bool tls_hello = server->seen[0] == 0x16;
		if (tls_hello || strstr(server->seen, "\r\n\r\n"))
			return;
	}
}

static inline void *raw_serve(void *arg)
{
	RawServer *server = arg;
	for (;;) {
		int fd = accept(server->fd, NULL, NULL);
		if (fd < 0)
			return NULL;
		atomic_fetch_add(&server->accepted, 1);
		raw_read_header(server, fd);
		if (server->reply)
			(void)!send(fd, server->reply, strlen(server->reply), MSG_NOSIGNAL);
		char byte;
		while (server->hold && recv(fd, &byte, 1, 0) > 0)
			;
		close(fd);
	}
}

static inline void raw_listen(RawServer *server)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bind(server->fd, (struct sockaddr *)&address, len);
	listen(server->fd, 16);
	getsockname(server->fd, (struct sockaddr *)&address, &len);
	server->port = ntohs(address.sin_port);
}

static inline void raw_start(RawServer *server, const char *reply, bool hold)
{
	memset(server, 0, sizeof(*server));
	server->reply = reply;
	server->hold = hold;
	raw_listen(server);
	pthread_create(&server->thread, NULL, raw_serve, server);
}

static inline void raw_stop(RawServer *server)
{
	shutdown(server->fd, SHUT_RDWR);
	pthread_join(server->thread, NULL);
	close(server->fd);
}

#endif
