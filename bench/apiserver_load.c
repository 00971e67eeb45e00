/*
 * Sends HTTP requests as fast as a TLS server answers them: apiserver_load HOST PORT CONNECTIONS
 * FILE. FILE holds requests as "LENGTH\n" and that many bytes each. A thread a connection, one
 * request at a time on each. Prints the seconds that it took. The server's certificate is not
 * checked: it is a server that bench/apiserver has started.
 */
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"

enum { REPLY_MAX = 1 << 18, CONNECTIONS_MAX = 64 };

typedef struct {
	const char *bytes;
	int len;
} Line;

typedef struct {
	SSL *tls;
	const Line *requests;
	size_t count, first, step;
	bool failed;
} Client;

static void fail(const char *what)
{
	fprintf(stderr, "apiserver_load: %s\n", what);
	exit(1);
}

/* Bytes of the whole reply as far as its head tells; 0 when the head is not complete. */
static size_t reply_length(const char *reply)
{
	const char *end = strstr(reply, "\r\n\r\n");
	const char *length = strcasestr(reply, "\r\nContent-Length: ");
	if (!end)
		return 0;
	if (!length || length > end)
		fail("a reply without length");
	return (size_t)(end + 4 - reply) + strtoul(length + 18, NULL, 10);
}

static bool exchange(Client *client, const Line *request, char *reply)
{
	if (SSL_write(client->tls, request->bytes, request->len) != request->len)
		return false;
	size_t have = 0, need = 0;
	while (need == 0 || have < need) {
		int got = SSL_read(client->tls, reply + have, (int)(REPLY_MAX - have));
		if (got <= 0)
			return false;
		have += (size_t)got;
		reply[have] = '\0';
		need = need ? need : reply_length(reply);
		if (need > REPLY_MAX)
			fail("a reply is too long");
	}
	return strncmp(reply, "HTTP/1.1 20", 11) == 0;
}

static void *run(void *arg)
{
	Client *client = arg;
	autofree char *reply = mem_zalloc(1, REPLY_MAX + 1);
	for (size_t i = client->first; i < client->count && !client->failed; i += client->step)
		client->failed = !exchange(client, &client->requests[i], reply);
	return NULL;
}

static SSL *open_connection(SSL_CTX *context, const char *host, const char *port)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	if (getaddrinfo(host, port, &hints, &found) != 0)
		fail("no such host");
	int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;
	if (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen) != 0)
		fail("cannot connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	freeaddrinfo(found);
	SSL *tls = SSL_new(context);
	SSL_set_fd(tls, fd);
	if (SSL_connect(tls) != 1)
		fail("no TLS");
	return tls;
}

/* Cuts the file's text into requests; the array is owned, its lines are borrowed of the text. */
static Line *cut_requests(char *text, size_t len, size_t *out_count)
{
	Line *lines = NULL;
	size_t count = 0, room = 0;
	for (char *at = text; at < text + len; count++) {
		if (count == room) {
			room = room ? 2 * room : 1024;
			lines = mem_realloc(lines, room * sizeof(*lines));
		}
		char *start;
		long size = strtol(at, &start, 10);
		if (size <= 0 || *start != '\n' || start + 1 + size > text + len)
			fail("a malformed file of requests");
		lines[count] = (Line){start + 1, (int)size};
		at = start + 1 + size;
	}
	*out_count = count;
	return lines;
}

int main(int argc, char **argv)
{
	size_t connections = argc == 5 ? strtoul(argv[3], NULL, 10) : 0;
	if (connections < 1 || connections > CONNECTIONS_MAX)
		fail("usage: apiserver_load HOST PORT CONNECTIONS FILE");
	autoerror Error err = {0};
	autobuf Buf text = {0};
	if (!file_read(argv[4], (size_t)1 << 30, &text, &err))
		fail(err_text(&err));
	size_t count;
	autofree Line *requests = cut_requests(text.ptr, text.len, &count);
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	Client clients[CONNECTIONS_MAX];
	pthread_t threads[CONNECTIONS_MAX];
	for (size_t i = 0; i < connections; i++)
		clients[i] = (Client){open_connection(context, argv[1], argv[2]),
				      requests,
				      count,
				      i,
				      connections,
				      false};
	int64_t started = clock_mono_ms();
	for (size_t i = 0; i < connections; i++)
		pthread_create(&threads[i], NULL, run, &clients[i]);
	for (size_t i = 0; i < connections; i++)
		pthread_join(threads[i], NULL);
	printf("%.3f\n", (double)(clock_mono_ms() - started) / 1000);
	for (size_t i = 0; i < connections; i++) {
		if (clients[i].failed)
			fail("a request was refused or cut");
		close(SSL_get_fd(clients[i].tls));
		SSL_free(clients[i].tls);
	}
	SSL_CTX_free(context);
	return 0;
}
