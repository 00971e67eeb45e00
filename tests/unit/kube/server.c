#include "server.h"

#include <arpa/inet.h>
#include <assert.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../cmocka_all.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"

enum { WAIT_MS = 10000, MAX_CONNECTIONS = 64 };

/* A thread for each connection: an answer that waits holds no other one up. */
typedef struct {
	Server *server;
	pthread_t thread;
	int fd;
} Connection;

struct Server {
	int listen_fd;
	pthread_t thread;
	char *url;
	AnswerFn *answer;
	void *arg;
	pthread_mutex_t answering; /* one at a time */
	pthread_mutex_t lock;	   /* guards what follows */
	pthread_cond_t changed;
	bool open;
	Vec asked;
	Connection connections[MAX_CONNECTIONS];
	size_t connection_count;
};

static char *header_of(const char *head, const char *name)
{
	const char *at = strcasestr(head, name);
	return at ? mem_strndup(at + strlen(name), strcspn(at + strlen(name), "\r\n")) : NULL;
}

static bool fill(int fd, Buf *in)
{
	char chunk[4096];
	ssize_t got = read(fd, chunk, sizeof(chunk));
	if (got > 0)
		buf_append(in, chunk, (size_t)got);
	return got > 0;
}

/* One request, taken out of what was read; NULL at the connection's end. */
static Asked *read_request(int fd, Buf *in)
{
	const char *end;
	while (!(end = strstr(buf_text(in), "\r\n\r\n")))
		if (!fill(fd, in))
			return NULL;
	size_t head_len = (size_t)(end - buf_text(in)) + 4;
	autofree char *head = mem_strndup(buf_text(in), head_len);
	autofree char *length = header_of(head, "\r\nContent-Length: ");
	size_t body_len = length ? strtoul(length, NULL, 10) : 0;
	while (in->len < head_len + body_len)
		if (!fill(fd, in))
			return NULL;
	Str method, path, rest;
	str_cut(str_of(head), ' ', &method, &rest);
	str_cut(rest, ' ', &path, &rest);
	Asked *asked = mem_zalloc(1, sizeof(*asked));
	asked->method = str_dup(method);
	asked->path = str_dup(path);
	asked->authorization = header_of(head, "\r\nAuthorization: ");
	asked->as_user = header_of(head, "\r\nImpersonate-User: ");
	asked->connection = fd;
	asked->body = mem_strndup(buf_text(in) + head_len, body_len);
	asked->at_ms = clock_mono_ms();
	buf_consume(in, head_len + body_len);
	return asked;
}

static void note(Server *server, Asked *take_asked)
{
	pthread_mutex_lock(&server->lock);
	vec_push(&server->asked, take_asked);
	pthread_cond_broadcast(&server->changed);
	while (!server->open)
		pthread_cond_wait(&server->changed, &server->lock);
	pthread_mutex_unlock(&server->lock);
}

static bool send_answer(int fd, const Answered *answered)
{
	autobuf Buf out = {0};
	const char *body = answered->take_body ? answered->take_body : "{}";
	buf_printf(&out, "HTTP/1.1 %d X\r\nContent-Type: application/json\r\n",
		   answered->status ? answered->status : 200);
	if (answered->retry_after)
		buf_printf(&out, "Retry-After: %s\r\n", answered->retry_after);
	buf_printf(&out, "Content-Length: %zu\r\n\r\n%s", strlen(body), body);
	return send(fd, buf_text(&out), out.len, MSG_NOSIGNAL) == (ssize_t)out.len;
}

static void *serve(void *arg)
{
	const Connection *connection = arg;
	Server *server = connection->server;
	autobuf Buf in = {0};
	bool ok = true;
	for (Asked *asked; ok && (asked = read_request(connection->fd, &in));) {
		note(server, asked);
		pthread_mutex_lock(&server->answering);
		Answered answered = server->answer(server->arg, asked);
		pthread_mutex_unlock(&server->answering);
		ok = send_answer(connection->fd, &answered);
		free(answered.take_body);
	}
	shutdown(connection->fd, SHUT_RDWR);
	return NULL;
}

static void *accept_all(void *arg)
{
	Server *server = arg;
	for (int fd; (fd = accept(server->listen_fd, NULL, NULL)) >= 0;) {
		assert(server->connection_count < MAX_CONNECTIONS);
		Connection *connection = &server->connections[server->connection_count++];
		*connection = (Connection){.server = server, .fd = fd};
		pthread_create(&connection->thread, NULL, serve, connection);
	}
	return NULL;
}

Server *server_start(AnswerFn *answer, void *arg)
{
	Server *server = mem_zalloc(1, sizeof(*server));
	server->answer = answer;
	server->arg = arg;
	server->open = true;
	pthread_mutex_init(&server->answering, NULL);
	pthread_mutex_init(&server->lock, NULL);
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&server->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	server->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(server->listen_fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(server->listen_fd, MAX_CONNECTIONS), 0);
	getsockname(server->listen_fd, (struct sockaddr *)&address, &len);
	server->url = mem_printf("http://127.0.0.1:%d", ntohs(address.sin_port));
	pthread_create(&server->thread, NULL, accept_all, server);
	return server;
}

static void free_asked(void *value)
{
	Asked *asked = value;
	free(asked->method);
	free(asked->path);
	free(asked->body);
	free(asked->authorization);
	free(asked->as_user);
	free(asked);
}

void server_stop(Server *server)
{
	server_gate(server, true);
	shutdown(server->listen_fd, SHUT_RDWR);
	pthread_join(server->thread, NULL);
	close(server->listen_fd);
	for (size_t i = 0; i < server->connection_count; i++) {
		shutdown(server->connections[i].fd, SHUT_RDWR);
		pthread_join(server->connections[i].thread, NULL);
		close(server->connections[i].fd);
	}
	vec_dispose_with(&server->asked, free_asked);
	pthread_cond_destroy(&server->changed);
	pthread_mutex_destroy(&server->lock);
	pthread_mutex_destroy(&server->answering);
	free(server->url);
	free(server);
}

const char *server_url(const Server *server)
{
	return server->url;
}

void server_gate(Server *server, bool open)
{
	pthread_mutex_lock(&server->lock);
	server->open = open;
	pthread_cond_broadcast(&server->changed);
	pthread_mutex_unlock(&server->lock);
}

static bool is_such(const Asked *asked, const char *method, const char *path)
{
	return (!method || cstr_eq(asked->method, method)) && strstr(asked->path, path);
}

/* With the lock. *out is the index-th, or NULL. */
static size_t count_such(Server *server, const char *method, const char *path, size_t index,
			 const Asked **out)
{
	size_t count = 0;
	*out = NULL;
	for (size_t i = 0; i < server->asked.len; i++) {
		const Asked *asked = server->asked.items[i];
		if (!is_such(asked, method, path))
			continue;
		if (count++ == index)
			*out = asked;
	}
	return count;
}

void server_wait(Server *server, const char *method, const char *path, size_t count)
{
	int64_t until = clock_mono_ms() + WAIT_MS;
	struct timespec at = {.tv_sec = until / 1000, .tv_nsec = (until % 1000) * 1000000};
	const Asked *ignored;
	pthread_mutex_lock(&server->lock);
	size_t got;
	while ((got = count_such(server, method, path, 0, &ignored)) < count &&
	       pthread_cond_timedwait(&server->changed, &server->lock, &at) == 0)
		;
	pthread_mutex_unlock(&server->lock);
	if (got < count)
		fail_msg("%zu of %zu requests %s %s", got, count, method ? method : "", path);
}

size_t server_count(Server *server, const char *method, const char *path)
{
	const Asked *ignored;
	pthread_mutex_lock(&server->lock);
	size_t count = count_such(server, method, path, 0, &ignored);
	pthread_mutex_unlock(&server->lock);
	return count;
}

const Asked *server_asked(Server *server, const char *method, const char *path, size_t index)
{
	const Asked *asked;
	pthread_mutex_lock(&server->lock);
	count_such(server, method, path, index, &asked);
	pthread_mutex_unlock(&server->lock);
	assert_non_null(asked);
	return asked;
}

KubeClient *server_client(const Server *server, Loop *loop)
{
	autoerror Error err = {0};
	autokubeconfig KubeConfig config = {.server = mem_strdup(server->url),
					    .token = mem_strdup("secret-token")};
	KubeClient *client = kube_client_new(loop, &config, "tester", &err);
	if (!client)
		fail_msg("%s", err_text(&err));
	return client;
}
