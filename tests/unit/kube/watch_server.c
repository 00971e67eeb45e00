#include "watch_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../cmocka_all.h"

#include "base/clock.h"
#include "base/cond.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"

enum { MAX_CHANGES = 20000, BACKLOG = 256, LOOK_MS = 50 };

struct WatchServer {
	FaultFn *fault;
	void *arg;
	int port;
	char *url;
	atomic_size_t cuts;
	pthread_t thread;
	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t changed;
	int listen_fd;
	bool refusing, stopping;
	Vec targets; /* owned texts */
	Vec open;    /* Connection */
	Change history[MAX_CHANGES];
	size_t count;
	long version, floor;
	size_t bookmarks;
};

typedef struct {
	WatchServer *server;
	int fd;
	Fault fault;
	bool is_over;
	size_t sent; /* of the reply's body */
} Connection;

/* --- bytes --- */

static bool send_all(Connection *connection, const char *bytes, size_t len)
{
	while (len && !connection->is_over) {
		ssize_t sent = send(connection->fd, bytes, len, MSG_NOSIGNAL);
		if (sent <= 0)
			connection->is_over = true;
		else
			bytes += sent, len -= (size_t)sent;
	}
	return !connection->is_over;
}

static void reset(Connection *connection)
{
	const struct linger now = {.l_onoff = 1};
	setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	connection->is_over = true;
}

/* A part of the reply's body, in chunks, up to where it is cut. */
static bool send_body(Connection *connection, const char *bytes, size_t len)
{
	const Fault *fault = &connection->fault;
	size_t left = fault->is_cut ? fault->cut_after - connection->sent : SIZE_MAX;
	size_t end = len < left ? len : left;
	for (size_t at = 0; at < end && !connection->is_over;) {
		char head[24];
		size_t piece = end - at;
		if (fault->piece && fault->piece < piece)
			piece = fault->piece;
		snprintf(head, sizeof(head), "%zx\r\n", piece);
		send_all(connection, head, strlen(head));
		send_all(connection, bytes + at, piece);
		send_all(connection, "\r\n", 2);
		at += piece;
	}
	connection->sent += end;
	if (fault->is_cut && !connection->is_over && connection->sent == fault->cut_after) {
		atomic_fetch_add(&connection->server->cuts, 1);
		if (fault->is_clean)
			send_all(connection, "0\r\n\r\n", 5);
		connection->is_over = true;
	}
	return !connection->is_over;
}

static bool begin(Connection *connection, int status)
{
	char head[128];
	snprintf(head, sizeof(head),
		 "HTTP/1.1 %d X\r\nContent-Type: application/json\r\n"
		 "Transfer-Encoding: chunked\r\n\r\n",
		 status);
	return send_all(connection, head, strlen(head)) && send_body(connection, "", 0);
}

static void reply(Connection *connection, int status, const Buf *body)
{
	if (begin(connection, status) && send_body(connection, buf_text(body), body->len))
		send_all(connection, "0\r\n\r\n", 5);
}

static void add_status(Buf *out, int code, const char *reason, const char *message)
{
	buf_printf(out,
		   "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":"
		   "\"Failure\",\"reason\":\"%s\",\"message\":\"%s\",\"code\":%d}",
		   reason, message, code);
}

static void refuse(Connection *connection, int code, const char *reason, const char *message)
{
	autobuf Buf body = {0};
	add_status(&body, code, reason, message);
	reply(connection, code, &body);
}

static void refuse_gone(Connection *connection)
{
	autobuf Buf body = {0};
	if (!connection->fault.as_event) {
		refuse(connection, 410, "Expired", "too old resource version");
		return;
	}
	buf_puts(&body, "{\"type\":\"ERROR\",\"object\":");
	add_status(&body, 410, "Gone", "too old resource version");
	buf_puts(&body, "}\n");
	reply(connection, 200, &body);
}

/* --- objects; with the lock --- */

/* Braces, quotes and more than a byte a character: where a stream may be taken apart wrongly. */
static void add_object(Buf *out, int name, long version)
{
	buf_printf(out,
		   "{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":"
		   "\"map-%d\",\"namespace\":\"apps\",\"resourceVersion\":\"%ld\"},"
		   "\"data\":{\"v\":\"%ld\",\"}{\\\"\":\"\xc3\xa4\\\\\"}}",
		   name, version, version);
}

static void add_event(Buf *out, const Change *change, int copies)
{
	static const char *const types[] = {"ADDED", "MODIFIED", "DELETED"};
	for (int i = 0; i <= copies; i++) {
		buf_printf(out, "{\"type\":\"%s\",\"object\":", types[change->what]);
		add_object(out, change->name, change->version);
		buf_puts(out, "}\n");
	}
}

static void add_bookmark(Buf *out, long version, bool ends_state)
{
	buf_printf(out,
		   "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"ConfigMap\",\"apiVersion\":"
		   "\"v1\",\"metadata\":{\"resourceVersion\":\"%ld\"%s}}}\n",
		   version,
		   ends_state ? ",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}" : "");
}

/* The version of each object as it was then; 0: it was not there. */
static void state_at(const WatchServer *server, long version, long out[NAMES])
{
	memset(out, 0, NAMES * sizeof(out[0]));
	for (size_t i = 0; i < server->count && server->history[i].version <= version; i++) {
		const Change *change = &server->history[i];
		out[change->name] = change->what == INFORMER_DELETED ? 0 : change->version;
	}
}

/* --- replies --- */

static const char *parameter(const char *target, const char *name)
{
	const char *at = strstr(target, name);
	return at ? at + strlen(name) : NULL;
}

static void list(Connection *connection, const char *target)
{
	WatchServer *server = connection->server;
	const char *token = parameter(target, "continue=");
	bool paged = parameter(target, "limit=") != NULL;
	long state[NAMES], version;
	int from = 0, items = 0;
	autobuf Buf body = {0};
	pthread_mutex_lock(&server->lock);
	version = server->version;
	bool gone = connection->fault.gone && token;
	if (token && sscanf(token, "%ld-%d", &version, &from) == 2)
		gone |= version < server->floor;
	state_at(server, version, state);
	pthread_mutex_unlock(&server->lock);
	if (gone) {
		refuse(connection, 410, "Expired", "the token is too old");
		return;
	}
	buf_puts(&body, "{\"kind\":\"ConfigMapList\",\"apiVersion\":\"v1\",\"items\":[");
	for (; from < NAMES && (!paged || items < PAGE_ITEMS); from++) {
		if (!state[from])
			continue;
		buf_puts(&body, items++ ? "," : "");
		add_object(&body, from, state[from]);
	}
	buf_printf(&body, "],\"metadata\":{\"resourceVersion\":\"%ld\"", version);
	if (from < NAMES)
		buf_printf(&body, ",\"continue\":\"%ld-%d\"", version, from);
	buf_puts(&body, "}}");
	reply(connection, 200, &body);
}

static bool has_left(const Connection *connection)
{
	struct pollfd fd = {.fd = connection->fd, .events = POLLIN | POLLRDHUP};
	return poll(&fd, 1, 0) > 0;
}

/* What is new since *at and *bookmarks; waits for it. With the lock. */
static void add_news(Connection *connection, size_t *at, size_t *bookmarks, Buf *out)
{
	WatchServer *server = connection->server;
	while (!server->stopping && !server->refusing && *at == server->count &&
	       *bookmarks == server->bookmarks && !(connection->is_over = has_left(connection)))
		cond_wait_until(&server->changed, &server->lock, clock_mono_ms() + LOOK_MS);
	for (; *at < server->count; ++*at)
		add_event(out, &server->history[*at], connection->fault.copies);
	if (*bookmarks != server->bookmarks)
		add_bookmark(out, server->version, false);
	*bookmarks = server->bookmarks;
	connection->is_over |= server->stopping || server->refusing;
}

static size_t first_after(const WatchServer *server, long version)
{
	size_t at = 0;
	while (at < server->count && server->history[at].version <= version)
		at++;
	return at;
}

static void add_state(const WatchServer *server, Buf *out)
{
	long state[NAMES];
	state_at(server, server->version, state);
	for (int i = 0; i < NAMES; i++)
		if (state[i])
			add_event(out, &(Change){state[i], INFORMER_ADDED, i}, 0);
	add_bookmark(out, server->version, true);
}

static void watch(Connection *connection, const char *target)
{
	WatchServer *server = connection->server;
	const char *from = parameter(target, "resourceVersion=");
	autobuf Buf out = {0};
	pthread_mutex_lock(&server->lock);
	long version = from ? strtol(from, NULL, 10) : server->version;
	size_t at = first_after(server, version), bookmarks = server->bookmarks;
	bool gone = from && (connection->fault.gone || version < server->floor);
	if (!from)
		add_state(server, &out);
	if (!from && connection->fault.is_state_only)
		connection->fault = (Fault){.is_cut = true, .cut_after = out.len};
	pthread_mutex_unlock(&server->lock);
	if (gone) {
		refuse_gone(connection);
		return;
	}
	bool ok = begin(connection, 200);
	while (ok && send_body(connection, buf_text(&out), out.len)) {
		buf_clear(&out);
		pthread_mutex_lock(&server->lock);
		add_news(connection, &at, &bookmarks, &out);
		pthread_mutex_unlock(&server->lock);
	}
	connection->is_over = true;
}

static void answer(Connection *connection, const char *target)
{
	static const char core_v1[] =
		"{\"kind\":\"APIResourceList\",\"groupVersion\":\"v1\",\"resources\":[{\"name\":"
		"\"configmaps\",\"singularName\":\"configmap\",\"namespaced\":true,\"kind\":"
		"\"ConfigMap\",\"verbs\":[\"list\",\"watch\"]}]}";
	autobuf Buf body = {0};
	if (connection->fault.drop) {
		reset(connection);
	} else if (connection->fault.status) {
		refuse(connection, connection->fault.status, "TestFault", connection->fault.text);
	} else if (strstr(target, "watch=true")) {
		watch(connection, target);
	} else if (strstr(target, "/configmaps")) {
		list(connection, target);
	} else {
		buf_puts(&body, core_v1);
		reply(connection, 200, &body);
	}
}

/* --- connections --- */

static bool read_target(Connection *connection, char *target)
{
	enum { HEAD = 8192, TARGET = 1024 };
	char head[HEAD] = "";
	size_t len = 0;
	while (!strstr(head, "\r\n\r\n") && len < HEAD - 1) {
		ssize_t got = recv(connection->fd, head + len, HEAD - 1 - len, 0);
		if (got <= 0)
			return false;
		len += (size_t)got;
	}
	return sscanf(head, "%*s %1023s", target) == 1;
}

static void *serve(void *arg)
{
	Connection *connection = arg;
	WatchServer *server = connection->server;
	char target[1024];
	while (!connection->is_over && read_target(connection, target)) {
		connection->fault = server->fault ? server->fault(server->arg, target) : (Fault){0};
		connection->sent = 0;
		pthread_mutex_lock(&server->lock);
		vec_push(&server->targets, mem_strdup(target));
		pthread_mutex_unlock(&server->lock);
		answer(connection, target);
	}
	pthread_mutex_lock(&server->lock);
	for (size_t i = 0; i < server->open.len; i++)
		if (server->open.items[i] == connection)
			vec_remove(&server->open, i--);
	close(connection->fd);
	free(connection);
	pthread_cond_broadcast(&server->changed);
	pthread_mutex_unlock(&server->lock);
	return NULL;
}

static void take_connection(WatchServer *server, int fd)
{
	Connection *connection = mem_zalloc(1, sizeof(*connection));
	*connection = (Connection){.server = server, .fd = fd};
	pthread_t thread;
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_mutex_lock(&server->lock);
	if (server->refusing)
		reset(connection);
	vec_push(&server->open, connection);
	assert_int_equal(pthread_create(&thread, &attr, serve, connection), 0);
	pthread_mutex_unlock(&server->lock);
	pthread_attr_destroy(&attr);
}

static void *accept_all(void *arg)
{
	WatchServer *server = arg;
	for (int fd; (fd = accept(server->listen_fd, NULL, NULL)) >= 0;)
		take_connection(server, fd);
	return NULL;
}

static void listen_at(WatchServer *server)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons((uint16_t)server->port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	const int yes = 1;
	server->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(server->listen_fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	assert_int_equal(bind(server->listen_fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(server->listen_fd, BACKLOG), 0);
	getsockname(server->listen_fd, (struct sockaddr *)&address, &len);
	server->port = ntohs(address.sin_port);
	pthread_create(&server->thread, NULL, accept_all, server);
}

static void end_connections(WatchServer *server)
{
	shutdown(server->listen_fd, SHUT_RDWR);
	pthread_join(server->thread, NULL);
	close(server->listen_fd);
	pthread_mutex_lock(&server->lock);
	pthread_cond_broadcast(&server->changed);
	for (size_t i = 0; i < server->open.len; i++)
		shutdown(((Connection *)server->open.items[i])->fd, SHUT_RDWR);
	while (server->open.len)
		pthread_cond_wait(&server->changed, &server->lock);
	pthread_mutex_unlock(&server->lock);
}

WatchServer *watch_server_start(FaultFn *fault, void *arg)
{
	WatchServer *server = mem_zalloc(1, sizeof(*server));
	server->fault = fault;
	server->arg = arg;
	server->version = 100;
	pthread_mutex_init(&server->lock, NULL);
	cond_init(&server->changed);
	listen_at(server);
	server->url = mem_printf("http://127.0.0.1:%d", server->port);
	return server;
}

void watch_server_stop(WatchServer *server)
{
	pthread_mutex_lock(&server->lock);
	bool is_up = !server->refusing;
	server->stopping = true;
	pthread_mutex_unlock(&server->lock);
	if (is_up)
		end_connections(server);
	vec_dispose_strings(&server->targets);
	vec_dispose(&server->open);
	pthread_cond_destroy(&server->changed);
	pthread_mutex_destroy(&server->lock);
	free(server->url);
	free(server);
}

KubeClient *watch_server_client(const WatchServer *server, Loop *loop)
{
	autoerror Error err = {0};
	autokubeconfig KubeConfig config = {.server = mem_strdup(server->url)};
	KubeClient *client = kube_client_new(loop, &config, "tester", &err);
	if (!client)
		fail_msg("%s", err_text(&err));
	return client;
}

void watch_server_down(WatchServer *server)
{
	pthread_mutex_lock(&server->lock);
	server->refusing = true;
	pthread_mutex_unlock(&server->lock);
	end_connections(server);
}

void watch_server_up(WatchServer *server)
{
	pthread_mutex_lock(&server->lock);
	server->refusing = false;
	pthread_mutex_unlock(&server->lock);
	listen_at(server);
}

/* --- changes --- */

static long change(WatchServer *server, int name, InformerEvent what)
{
	pthread_mutex_lock(&server->lock);
	assert_true(server->count < MAX_CHANGES);
	long version = ++server->version;
	server->history[server->count++] = (Change){version, what, name};
	pthread_cond_broadcast(&server->changed);
	pthread_mutex_unlock(&server->lock);
	return version;
}

long watch_server_put(WatchServer *server, int name)
{
	return change(server, name,
		      watch_server_has(server, name) ? INFORMER_MODIFIED : INFORMER_ADDED);
}

long watch_server_delete(WatchServer *server, int name)
{
	return change(server, name, INFORMER_DELETED);
}

void watch_server_skip(WatchServer *server, long versions)
{
	pthread_mutex_lock(&server->lock);
	server->version += versions;
	pthread_mutex_unlock(&server->lock);
}

void watch_server_bookmark(WatchServer *server)
{
	pthread_mutex_lock(&server->lock);
	server->bookmarks++;
	pthread_cond_broadcast(&server->changed);
	pthread_mutex_unlock(&server->lock);
}

void watch_server_compact(WatchServer *server)
{
	pthread_mutex_lock(&server->lock);
	server->floor = server->version;
	pthread_mutex_unlock(&server->lock);
}

const Change *watch_server_history(const WatchServer *server, size_t *out_len)
{
	*out_len = server->count;
	return server->history;
}

bool watch_server_has(const WatchServer *server, int name)
{
	long state[NAMES];
	state_at(server, server->version, state);
	return state[name] != 0;
}

size_t watch_server_cuts(const WatchServer *server)
{
	return atomic_load(&server->cuts);
}

size_t watch_server_count(WatchServer *server, const char *part)
{
	size_t count = 0;
	pthread_mutex_lock(&server->lock);
	for (size_t i = 0; i < server->targets.len; i++)
		count += strstr(server->targets.items[i], part) != NULL;
	pthread_mutex_unlock(&server->lock);
	return count;
}
