/*
 * The server: life, connections with their phase limits, requests. Each connection belongs to one
 * of libmicrohttpd's threads, which others may share; handlers run there.
 *
 * Limits: header block max_header (431 beyond), header phase 10 s, body max_body (413) within 30 s,
 * idle_timeout_s without progress.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/httpd_internal.h"

#include "base/cond.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "net/url.h"

enum {
	DEFAULT_MAX_BODY = 3 * 1024 * 1024,
	DEFAULT_THREADS = 2,
	DEFAULT_CONNECTIONS = 1024,
	DEFAULT_IDLE_S = 30,
	DEFAULT_HEADER = 32 * 1024,
	STACK_SIZE = 512 * 1024,
	DEFAULT_HEADER_S = 10,
	BODY_MS = 30000,
	DISCARD_MAX = 64 * 1024 * 1024, /* of a body too large, before we hang up on the sender */
	BACKLOG = 511,
};

/* --- connections and their phases --- */

/* When the connection has outstayed its phase, or INT64_MAX. */
static int64_t phase_end_ms(const Connection *connection)
{
	switch (connection->phase) {
	case PHASE_HEADER:
		return connection->since_ms + connection->httpd->header_timeout_s * 1000 +
		       (connection->reused ? connection->httpd->idle_timeout_s * 1000 : 0);
	case PHASE_BODY:
		return connection->since_ms + BODY_MS;
	case PHASE_REPLY:
		break;
	}
	return INT64_MAX;
}

static void sweep(void *arg);

/* With the lock held. */
static void arm_sweep(Httpd *httpd, int64_t due_ms)
{
	if (httpd->sweep_armed || due_ms == INT64_MAX)
		return;
	httpd->sweep_armed = true;
	/* A little late on purpose: one wake-up serves many. */
	loop_after(httpd->loop, due_ms - clock_mono_ms() + 1000, sweep, httpd);
}

/* Hangs up on the slow. The descriptor is open: its entry goes, under the lock, before it closes.
 */
static void sweep(void *arg)
{
	Httpd *httpd = arg;
	int64_t now_ms = clock_mono_ms(), next_ms = INT64_MAX;
	pthread_mutex_lock(&httpd->lock);
	httpd->sweep_armed = false;
	for (Connection *c = httpd->connections; c; c = c->next) {
		int64_t end_ms = phase_end_ms(c);
		if (end_ms <= now_ms)
			shutdown(c->fd, SHUT_RDWR);
		else if (end_ms < next_ms)
			next_ms = end_ms;
	}
	arm_sweep(httpd, next_ms);
	pthread_mutex_unlock(&httpd->lock);
}

static void connection_add(Httpd *httpd, struct MHD_Connection *mhd, void **socket_context)
{
	Connection *connection = mem_zalloc(1, sizeof(*connection));
	connection->httpd = httpd;
	connection->fd =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	connection->since_ms = clock_mono_ms();
	*socket_context = connection;
	pthread_mutex_lock(&httpd->lock);
	connection->next = httpd->connections;
	if (connection->next)
		connection->next->prev = connection;
	httpd->connections = connection;
	httpd->open++;
	arm_sweep(httpd, phase_end_ms(connection));
	pthread_mutex_unlock(&httpd->lock);
}

static void connection_remove(Httpd *httpd, Connection *connection)
{
	pthread_mutex_lock(&httpd->lock);
	if (connection->next)
		connection->next->prev = connection->prev;
	if (connection->prev)
		connection->prev->next = connection->next;
	else
		httpd->connections = connection->next;
	httpd->open--;
	pthread_mutex_unlock(&httpd->lock);
	free(connection);
}

static void on_connection(void *arg, struct MHD_Connection *mhd, void **socket_context,
			  enum MHD_ConnectionNotificationCode what)
{
	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		connection_add(arg, mhd, socket_context);
	else if (*socket_context)
		connection_remove(arg, *socket_context);
}

static void set_phase(HttpdRequest *request, Phase phase)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	Connection *connection = info ? info->socket_context : NULL;
	if (!connection)
		return;
	pthread_mutex_lock(&request->httpd->lock);
	connection->phase = phase;
	connection->reused = true;
	connection->since_ms = clock_mono_ms();
	arm_sweep(request->httpd, phase_end_ms(connection));
	pthread_mutex_unlock(&request->httpd->lock);
}

/* --- requests --- */

/* The request line is in; what is returned becomes the request's context. */
static void *on_uri(void *arg, const char *uri, struct MHD_Connection *mhd)
{
	Httpd *httpd = arg;
	HttpdRequest *request = mem_zalloc(1, sizeof(*request));
	Str path, query;
	str_cut(str_of(uri), '?', &path, &query);
	request->httpd = httpd;
	request->connection = mhd;
	request->path = str_dup(path);
	request->query = str_dup(query);
	pthread_mutex_lock(&httpd->lock);
	httpd->requests++;
	pthread_mutex_unlock(&httpd->lock);
	return request;
}

static void free_request(HttpdRequest *request)
{
	free(request->method);
	free(request->path);
	free(request->query);
	free(request->peer);
	httpd_client_free(request->client);
	buf_dispose(&request->body);
	vec_dispose_strings(&request->headers);
	vec_dispose_strings(&request->params);
	free(request);
}

static void on_completed(void *arg, struct MHD_Connection *mhd, void **context,
			 enum MHD_RequestTerminationCode why)
{
	(void)mhd, (void)why;
	Httpd *httpd = arg;
	HttpdRequest *request = *context;
	if (!request)
		return;
	*context = NULL;
	if (request->stream)
		httpd_stream_detach(request->stream);
	set_phase(request, PHASE_HEADER);
	if (httpd->observe && request->begun && request->replied)
		httpd->observe(httpd->arg, request, request->status, request->reply_bytes,
			       (double)(clock_mono_ms() - request->begun_ms) / 1000.0);
	free_request(request);
	pthread_mutex_lock(&httpd->lock);
	httpd->requests--;
	pthread_cond_broadcast(&httpd->idle_changed);
	pthread_mutex_unlock(&httpd->lock);
}

static char *peer_text(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	char text[INET6_ADDRSTRLEN + 16] = "";
	if (info && info->client_addr) {
		socklen_t len = info->client_addr->sa_family == AF_INET6
					? sizeof(struct sockaddr_in6)
					: sizeof(struct sockaddr_in);
		getnameinfo(info->client_addr, len, text, sizeof(text), NULL, 0, NI_NUMERICHOST);
	}
	return mem_strdup(cstr_starts(text, "::ffff:") ? text + 7 : text);
}

static void reply_too_large(HttpdRequest *request)
{
	static const char text[] = "request body too large\n";
	httpd_set_header(request, "Connection", "close");
	httpd_reply(request, 413, "text/plain", text, sizeof(text) - 1);
}

/*
 * The header is in. A body too large is read and thrown away, up to a point, before the 413: with
 * unread bytes in its socket the kernel would reset the connection and the client might never see
 * the reply. A sender that waits for "100 Continue" has sent nothing yet.
 */
static void begin(HttpdRequest *request, const char *method)
{
	const Httpd *httpd = request->httpd;
	unsigned long long len = 0;
	request->begun = true;
	request->begun_ms = clock_mono_ms();
	request->method = mem_strdup(method);
	request->peer = peer_text(request->connection);
	set_phase(request, PHASE_BODY);
	if (httpd->asks_client_cert)
		request->client = httpd_tls_client(request->connection);
	if (str_to_u64(str_of(httpd_header(request, "Content-Length")), &len) &&
	    len > httpd->max_body) {
		request->too_large = true;
		if (httpd_header(request, "Expect") || len > DISCARD_MAX)
			reply_too_large(request);
	}
}

static enum MHD_Result take_upload(HttpdRequest *request, const char *bytes, size_t *len)
{
	autoerror Error ignored = {0};
	if (!request->too_large &&
	    !buf_append_limited(&request->body, bytes, *len, request->httpd->max_body, &ignored)) {
		request->too_large = true;
		buf_dispose(&request->body);
	}
	if (request->too_large)
		request->discarded += *len;
	*len = 0;
	return request->discarded > DISCARD_MAX ? MHD_NO : MHD_YES;
}

static enum MHD_Result on_access(void *arg, struct MHD_Connection *mhd, const char *url,
				 const char *method, const char *version, const char *upload,
				 size_t *upload_len, void **context)
{
	(void)mhd, (void)url, (void)version;
	const Httpd *httpd = arg;
	HttpdRequest *request = *context;
	if (!request->begun) {
		begin(request, method);
		return MHD_YES;
	}
	if (*upload_len)
		return take_upload(request, upload, upload_len);
	if (request->replied)
		return MHD_YES;
	set_phase(request, PHASE_REPLY);
	if (request->too_large)
		reply_too_large(request);
	else
		httpd->handler(httpd->arg, request);
	if (!request->replied)
		httpd_reply(request, 500, "text/plain", "no reply\n", 9);
	return MHD_YES;
}

const char *httpd_method(const HttpdRequest *request)
{
	return request->method;
}

const char *httpd_path(const HttpdRequest *request)
{
	return request->path;
}

const char *httpd_query(const HttpdRequest *request)
{
	return request->query;
}

const char *httpd_header(const HttpdRequest *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

typedef struct {
	HttpdHeaderVisit *visit;
	void *arg;
} HeaderWalk;

static enum MHD_Result visit_header(void *arg, enum MHD_ValueKind kind, const char *name,
				    const char *value)
{
	const HeaderWalk *walk = arg;
	(void)kind;
	walk->visit(walk->arg, name, value ? value : "");
	return MHD_YES;
}

void httpd_each_header(const HttpdRequest *request, HttpdHeaderVisit *visit, void *arg)
{
	HeaderWalk walk = {visit, arg};
	MHD_get_connection_values(request->connection, MHD_HEADER_KIND, visit_header, &walk);
}

Str httpd_body(const HttpdRequest *request)
{
	return buf_str(&request->body);
}

const char *httpd_peer(const HttpdRequest *request)
{
	return request->peer;
}

const HttpdClient *httpd_client(const HttpdRequest *request)
{
	return request->client;
}

const char *httpd_param(HttpdRequest *request, const char *name)
{
	Str rest = str_of(request->query), piece, key, value;
	while (str_next(&rest, '&', &piece)) {
		str_cut(piece, '=', &key, &value);
		autofree char *raw_key = str_dup(key);
		autofree char *decoded_key = url_unescape(raw_key, true);
		if (!cstr_eq(decoded_key, name))
			continue;
		autofree char *raw_value = str_dup(value);
		char *decoded = url_unescape(raw_value, true);
		if (decoded)
			vec_push(&request->params, decoded);
		return decoded;
	}
	return NULL;
}

/* --- starting --- */

static bool split_address(const char *address, char **out_host, char **out_port)
{
	const char *colon = strrchr(address, ':');
	if (!colon)
		return false;
	bool bracketed = address[0] == '[' && colon > address + 1 && colon[-1] == ']';
	*out_host = bracketed ? mem_strndup(address + 1, (size_t)(colon - address) - 2)
			      : mem_strndup(address, (size_t)(colon - address));
	*out_port = mem_strdup(colon + 1);
	return true;
}

static int bind_one(const struct addrinfo *info)
{
	autofd int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1, off = 0;
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (info->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, info->ai_addr, info->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0)
		return -1;
	return fd_steal(&fd);
}

/* Without a host: IPv6's wildcard, which takes IPv4 as well, or IPv4's where there is no IPv6. */
static int bind_address(const char *address, Error *err)
{
	autofree char *host = NULL;
	autofree char *port = NULL;
	if (!split_address(address, &host, &port)) {
		err_set(err, ERR_IO, "listen on %s: no port", address);
		return -1;
	}
	int fd = -1;
	static const int families[] = {AF_INET6, AF_INET};
	for (size_t i = 0; fd < 0 && i < COUNT(families); i++) {
		struct addrinfo *info = NULL;
		struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
					 .ai_family = families[i],
					 .ai_socktype = SOCK_STREAM};
		errno = EADDRNOTAVAIL;
		if (getaddrinfo(*host ? host : NULL, port, &hints, &info) != 0)
			continue;
		fd = bind_one(info);
		freeaddrinfo(info);
		if (fd < 0 && errno == EADDRINUSE)
			break;
	}
	if (fd < 0) {
		autofree char *why = mem_printf("%s", strerrordesc_np(errno));
		err_set(err, ERR_IO, "listen on %s: %s", address, why);
	}
	return fd;
}

static int port_of(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address = {0};
	socklen_t len = sizeof(address);
	getsockname(fd, &address.any, &len);
	return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port
						       : address.v4.sin_port);
}

/* libmicrohttpd takes the texts through void pointers; it only reads them. */
static void *text_pointer(const char *text)
{
	union {
		const char *in;
		void *out;
	} same = {.in = text};
	return same.out;
}

static size_t tls_options(const HttpdConfig *config, struct MHD_OptionItem *out)
{
	static const char versions[] = "NORMAL:-VERS-TLS1.0:-VERS-TLS1.1";
	size_t count = 0;
	if (config->cert_pem) {
		out[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0,
						       text_pointer(config->cert_pem)};
		out[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0,
						       text_pointer(config->key_pem)};
		out[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0,
						       text_pointer(versions)};
	}
	if (config->cert_pem && config->client_ca_pem)
		out[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_TRUST, 0,
						       text_pointer(config->client_ca_pem)};
	return count;
}

static unsigned or_default(unsigned value, unsigned fallback)
{
	return value ? value : fallback;
}

/*
 * By poll: with epoll libmicrohttpd (0.9.75) aborts when we stop it while one of its threads meets
 * its limit of connections, as both take the listener out of that thread's set. What is suspended
 * is not polled: quiet watches cost nothing, an idle connection some 0.1 us of each request.
 */
static struct MHD_Daemon *start_daemon(Httpd *httpd, const HttpdConfig *config, int listen_fd)
{
	unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_ITC | MHD_USE_POLL;
	flags |= config->thread_each ? MHD_USE_THREAD_PER_CONNECTION : MHD_ALLOW_SUSPEND_RESUME;
	if (config->cert_pem)
		flags |= MHD_USE_TLS;
	unsigned threads = or_default(config->threads, DEFAULT_THREADS);
	struct MHD_OptionItem options[16] = {{MHD_OPTION_END, 0, NULL}};
	size_t count = tls_options(config, options);
	if (threads > 1 && !config->thread_each) /* a pool of one is refused */
		options[count++] = (struct MHD_OptionItem){MHD_OPTION_THREAD_POOL_SIZE,
							   (intptr_t)threads, NULL};
	options[count] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
	return MHD_start_daemon(
		flags, 0, NULL, NULL, on_access, httpd, MHD_OPTION_LISTEN_SOCKET, listen_fd,
		MHD_OPTION_URI_LOG_CALLBACK, on_uri, httpd, MHD_OPTION_NOTIFY_COMPLETED,
		on_completed, httpd, MHD_OPTION_NOTIFY_CONNECTION, on_connection, httpd,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, httpd->max_header, MHD_OPTION_CONNECTION_LIMIT,
		or_default(config->max_connections, DEFAULT_CONNECTIONS),
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)httpd->idle_timeout_s,
		MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK_SIZE, MHD_OPTION_ARRAY, options,
		MHD_OPTION_END);
}

static void destroy(Httpd *httpd)
{
	loop_free(httpd->loop);
	pthread_mutex_destroy(&httpd->lock);
	pthread_cond_destroy(&httpd->idle_changed);
	free(httpd);
}

static Httpd *make(const HttpdConfig *config)
{
	Httpd *httpd = mem_zalloc(1, sizeof(*httpd));
	cond_init(&httpd->idle_changed);
	pthread_mutex_init(&httpd->lock, NULL);
	httpd->handler = config->handler;
	httpd->observe = config->observe;
	httpd->arg = config->arg;
	httpd->max_body = config->max_body ? config->max_body : DEFAULT_MAX_BODY;
	/* libmicrohttpd keeps the header's bytes and a node for each field in one pool. */
	httpd->max_header =
		config->max_header ? config->max_header + config->max_header / 4 : DEFAULT_HEADER;
	httpd->max_kept = config->max_kept ? config->max_kept : SIZE_MAX;
	httpd->idle_timeout_s = (int)or_default(config->idle_timeout_s, DEFAULT_IDLE_S);
	httpd->header_timeout_s = (int)or_default(config->header_timeout_s, DEFAULT_HEADER_S);
	httpd->asks_client_cert = config->cert_pem && config->client_ca_pem;
	return httpd;
}

/* Signals are for the main thread: libmicrohttpd's threads start with all of them blocked. */
static bool serve(Httpd *httpd, const HttpdConfig *config, Error *err)
{
	autofd int fd = bind_address(config->address, err);
	if (fd < 0)
		return false;
	httpd->port = port_of(fd);
	httpd->loop = loop_new(err);
	if (!httpd->loop)
		return false;
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	httpd->daemon = start_daemon(httpd, config, fd);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!httpd->daemon)
		return err_set(err, ERR_IO, "serve on %s: %s", config->address,
			       config->cert_pem ? "certificate or key is unusable"
						: "libmicrohttpd refused");
	fd_steal(&fd);
	return true;
}

Httpd *httpd_start(const HttpdConfig *config, Error *err)
{
	if (!config->cert_pem != !config->key_pem)
		return err_null(err, ERR_INVALID, "certificate without key, or key without");
	Httpd *httpd = make(config);
	if (serve(httpd, config, err))
		return httpd;
	destroy(httpd);
	return NULL;
}

int httpd_port(const Httpd *httpd)
{
	return httpd->port;
}

/* --- stopping --- */

static void wait_for_requests(Httpd *httpd, int64_t drain_ms)
{
	int64_t until_ms = clock_mono_ms() + drain_ms;
	pthread_mutex_lock(&httpd->lock);
	while (httpd->requests && cond_wait_until(&httpd->idle_changed, &httpd->lock, until_ms))
		;
	pthread_mutex_unlock(&httpd->lock);
}

void httpd_stop(Httpd *httpd, int64_t drain_ms)
{
	if (!httpd)
		return;
	pthread_mutex_lock(&httpd->lock);
	httpd->stopping = true;
	pthread_mutex_unlock(&httpd->lock);
	int listen_fd = MHD_quiesce_daemon(httpd->daemon);
	/* Else the kernel goes on taking connections that nobody will serve. */
	shutdown(listen_fd, SHUT_RDWR);
	httpd_streams_end(httpd);
	if (drain_ms > 0)
		wait_for_requests(httpd, drain_ms);
	MHD_stop_daemon(httpd->daemon);
	auto_close(&listen_fd);
	destroy(httpd);
}
