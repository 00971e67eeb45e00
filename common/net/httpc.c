/*
 * The client: configuration, a pool of easy handles, and one curl multi that the loop drives. curl
 * is entered from the loop's thread only and never from inside itself (in_curl): what a callback
 * ends meanwhile goes to the `dead` list.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "net/httpc_internal.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "net/proxy_env.h"

enum {
	CONNECT_TIMEOUT_MS = 10000,
	POOL_SIZE = 64,	      /* idle easy handles kept, some 6 KiB each */
	MAX_CONNECTIONS = 64, /* kept open */
	MAX_STREAMS = 250,    /* on one HTTP/2 connection; kube-apiserver allows as many */
	KEEP_MS = 30000,
	KEEPALIVE_IDLE_S = 30,
	KEEPALIVE_INTERVAL_S = 15,
	UNACKED_TIMEOUT_MS = 30000, /* a peer that vanished is noticed even under load */
};

/* --- curl multi on the loop --- */

/* Takes the handles out that could not be while curl was at work. */
static void reap(HttpClient *client)
{
	while (client->in_curl == 0 && client->dead) {
		HttpCall *call = client->dead;
		client->dead = call->next;
		call->next = NULL;
		httpc_handle_release(call);
	}
}

/* Ends the calls that curl has done with. on_end may do anything but enter curl. */
static void take_results(HttpClient *client)
{
	const CURLMsg *message;
	int left;
	while (client->multi && (message = curl_multi_info_read(client->multi, &left))) {
		HttpCall *call = NULL;
		CURLcode result = message->data.result;
		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call);
		if (call && !call->ended)
			httpc_call_finish(call, result);
	}
	reap(client);
}

static void drive(HttpClient *client, curl_socket_t fd, int mask)
{
	int running;
	client->in_curl++;
	curl_multi_socket_action(client->multi, fd, mask, &running);
	client->in_curl--;
	take_results(client);
}

static void on_socket_ready(void *arg, int fd, uint32_t events)
{
	int mask = 0;
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP))
		mask |= CURL_CSELECT_IN;
	if (events & EPOLLOUT)
		mask |= CURL_CSELECT_OUT;
	if (events & EPOLLERR)
		mask |= CURL_CSELECT_ERR;
	drive(arg, fd, mask);
}

static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	(void)easy, (void)socket_arg;
	HttpClient *client = arg;
	uint32_t events = 0;
	if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
		events |= EPOLLIN;
	if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
		events |= EPOLLOUT;
	autoerror Error err = {0};
	return loop_watch(client->loop, fd, events, on_socket_ready, client, &err) ? 0 : -1;
}

static void on_curl_timeout(void *arg)
{
	HttpClient *client = arg;
	client->timer = 0;
	drive(client, CURL_SOCKET_TIMEOUT, 0);
}

static int on_curl_timer(CURLM *multi, long timeout_ms, void *arg)
{
	(void)multi;
	HttpClient *client = arg;
	loop_cancel(client->loop, client->timer);
	client->timer =
		timeout_ms < 0 ? 0 : loop_after(client->loop, timeout_ms, on_curl_timeout, client);
	return 0;
}

static void make_multi(HttpClient *client)
{
	client->multi = curl_multi_init();
	if (!client->multi)
		abort(); /* memory is out */
	CURLM *multi = client->multi;
	curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
	curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, client);
	curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
	curl_multi_setopt(multi, CURLMOPT_TIMERDATA, client);
	curl_multi_setopt(multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
	curl_multi_setopt(multi, CURLMOPT_MAX_CONCURRENT_STREAMS, (long)MAX_STREAMS);
	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)MAX_CONNECTIONS);
}

/* --- rest --- */

static void drop_idle_handles(HttpClient *client)
{
	for (size_t i = 0; i < client->idle_handles.len; i++)
		curl_easy_cleanup(client->idle_handles.items[i]);
	vec_dispose(&client->idle_handles);
}

/* curl looks at the connections that it keeps when it makes another one: without this, those of the
 * last call would stay for as long as the client does, also when the peer has left. */
static void rest(void *arg)
{
	HttpClient *client = arg;
	int64_t left_ms = client->idle_since_ms + client->keep_ms - clock_mono_ms();
	client->keep_timer = 0;
	if (client->calls || client->dead) /* the end of one comes back here */
		return;
	if (left_ms > 0) {
		client->keep_timer = loop_after(client->loop, left_ms, rest, client);
		return;
	}
	drop_idle_handles(client);
	client->in_curl++;
	curl_multi_cleanup(steal(&client->multi));
	client->in_curl--;
	loop_cancel(client->loop, client->timer);
	client->timer = 0;
}

static void rest_later(HttpClient *client)
{
	client->idle_since_ms = clock_mono_ms();
	if (!client->keep_timer && !client->calls)
		client->keep_timer = loop_after(client->loop, client->keep_ms, rest, client);
}

/* --- handles --- */

static int on_new_socket(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	(void)arg, (void)purpose;
	int timeout_ms = UNACKED_TIMEOUT_MS;
	/* Fails on a unix socket, where it means nothing. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof(timeout_ms));
	return CURL_SOCKOPT_OK;
}

static CURLcode on_ssl_ctx(CURL *easy, void *ssl_ctx, void *arg)
{
	(void)easy;
	return tls_identity_apply(arg, ssl_ctx) ? CURLE_OK : CURLE_SSL_CERTPROBLEM;
}

static void set_tls(const HttpClient *client, CURL *easy)
{
	/* No file: the roots come with on_ssl_ctx. */
	curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, NULL);
	curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, NULL);
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_ssl_ctx);
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, client->tls);
	if (client->has_server_name) /* OpenSSL compares, with the configured name */
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	if (!client->insecure)
		return;
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	curl_easy_setopt(easy, CURLOPT_PROXY_SSL_VERIFYPEER, 0L);
	curl_easy_setopt(easy, CURLOPT_PROXY_SSL_VERIFYHOST, 0L);
}

/* By curl, which compares these when it looks for a connection to be used again. */
static void set_certificate(HttpClient *client, CURL *easy)
{
	pthread_mutex_lock(&client->lock);
	char *cert = client->cert_pem, *key = client->key_pem;
	if (cert) {
		struct curl_blob certs = {cert, strlen(cert), CURL_BLOB_COPY};
		struct curl_blob keys = {key, strlen(key), CURL_BLOB_COPY};
		curl_easy_setopt(easy, CURLOPT_SSLCERT_BLOB, &certs);
		curl_easy_setopt(easy, CURLOPT_SSLKEY_BLOB, &keys);
	}
	pthread_mutex_unlock(&client->lock);
}

void httpc_set_exempt(const HttpCall *call, const char *url)
{
	if (call->client->proxy || !call->client->env_proxy)
		return;
	autofree char *exempt = proxy_env_exempt(url);
	if (exempt)
		curl_easy_setopt(call->easy, CURLOPT_NOPROXY, exempt);
}

static void set_proxy(const HttpClient *client, CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	if (!client->proxy && client->env_proxy)
		return;
	curl_easy_setopt(easy, CURLOPT_PROXY, client->proxy ? client->proxy : "");
	curl_easy_setopt(easy, CURLOPT_NOPROXY, ""); /* NO_PROXY is for the environment's proxies */
	if (!client->proxy)
		return;
	curl_easy_setopt(easy, CURLOPT_PROXYTYPE, client->proxy_type);
	if (client->proxy_user) {
		curl_easy_setopt(easy, CURLOPT_PROXYUSERNAME, client->proxy_user);
		curl_easy_setopt(easy, CURLOPT_PROXYPASSWORD,
				 client->proxy_password ? client->proxy_password : "");
	}
}

CURL *httpc_handle_take(HttpClient *client)
{
	if (!client->multi)
		make_multi(client);
	CURL *easy = vec_pop(&client->idle_handles);
	if (!easy)
		easy = curl_easy_init();
	if (!easy)
		abort(); /* as mem_alloc: curl_easy_init fails only when memory is out */
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_USERAGENT, client->user_agent);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, client->connect_timeout_ms);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, (long)KEEPALIVE_IDLE_S);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, (long)KEEPALIVE_INTERVAL_S);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_new_socket);
	set_tls(client, easy);
	set_certificate(client, easy);
	set_proxy(client, easy);
	return easy;
}

void httpc_handle_release(HttpCall *call)
{
	HttpClient *client = call->client;
	if (client->in_curl) {
		call->next = client->dead;
		client->dead = call;
		return;
	}
	CURL *easy = steal(&call->easy);
	client->in_curl++;
	curl_multi_remove_handle(client->multi, easy);
	client->in_curl--;
	curl_easy_reset(easy);
	if (client->idle_handles.len < POOL_SIZE)
		vec_push(&client->idle_handles, easy);
	else
		curl_easy_cleanup(easy);
	rest_later(client);
	httpc_call_unref(call);
}

/* --- starting calls --- */

static void start_incoming(void *arg)
{
	HttpClient *client = arg;
	pthread_mutex_lock(&client->lock);
	autovec Vec batch = client->incoming;
	client->incoming = (Vec){0};
	client->posted = false;
	pthread_mutex_unlock(&client->lock);
	for (size_t i = 0; i < batch.len; i++)
		httpc_call_start(batch.items[i]);
	take_results(client);
}

static void refuse_call(void *arg)
{
	HttpCall *call = arg;
	call->queued = false;
	httpc_call_cancel(call, "the client is closed");
}

/* The message is posted under the lock: after `closing` is set none can follow, so that the one
 * which frees the client is the last. */
void httpc_enqueue(HttpClient *client, HttpCall *const *calls, size_t count)
{
	pthread_mutex_lock(&client->lock);
	for (size_t i = 0; i < count; i++) {
		if (!client->closing) {
			vec_push(&client->incoming, calls[i]);
			continue;
		}
		calls[i]->client = NULL; /* gone when the message arrives */
		loop_post(client->loop, refuse_call, calls[i]);
	}
	if (!client->closing && !client->posted && count) {
		client->posted = true;
		loop_post(client->loop, start_incoming, client);
	}
	pthread_mutex_unlock(&client->lock);
}

HttpCall *httpc_start(HttpClient *client, const HttpRequest *request, const HttpHandler *handler,
		      void *arg)
{
	HttpCall *call = httpc_call_new(client, request, false, handler, arg);
	httpc_enqueue(client, &call, 1);
	return call;
}

/* --- making and freeing --- */

static const struct {
	const char *prefix;
	long type;
} proxy_kinds[] = {
	{"http://", CURLPROXY_HTTP},
	{"https://", CURLPROXY_HTTPS},
	{"socks5://", CURLPROXY_SOCKS5_HOSTNAME}, /* names are resolved by the proxy, as in Go */
	{"socks5h://", CURLPROXY_SOCKS5_HOSTNAME},
};

/* curl would let the URL's scheme win over the type, so socks5 is given to it as socks5h. */
static bool set_proxy_kind(HttpClient *client, const char *proxy, Error *err)
{
	for (size_t i = 0; i < COUNT(proxy_kinds); i++) {
		size_t len = strlen(proxy_kinds[i].prefix);
		if (strncasecmp(proxy, proxy_kinds[i].prefix, len) != 0)
			continue;
		client->proxy_type = proxy_kinds[i].type;
		bool socks = client->proxy_type == (long)CURLPROXY_SOCKS5_HOSTNAME;
		client->proxy = socks ? mem_printf("socks5h://%s", proxy + len) : mem_strdup(proxy);
		return true;
	}
	return err_set(err, ERR_INVALID, "proxy: the URL's scheme is not http, https or socks5");
}

static void init_curl(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void free_wiped(char *text)
{
	if (text)
		mem_wipe(text, strlen(text));
	free(text);
}

static void free_client(HttpClient *client)
{
	drop_idle_handles(client);
	vec_dispose(&client->incoming);
	if (client->multi)
		curl_multi_cleanup(client->multi);
	if (client->loop) {
		loop_cancel(client->loop, client->timer);
		loop_cancel(client->loop, client->keep_timer);
	}
	tls_identity_free(client->tls);
	pthread_mutex_destroy(&client->lock);
	char *const texts[] = {client->proxy,	   client->proxy_user, client->proxy_password,
			       client->user_agent, client->cert_pem,   client->key_pem};
	for (size_t i = 0; i < COUNT(texts); i++)
		free_wiped(texts[i]);
	free(client);
}

static bool configure(HttpClient *client, const HttpClientConfig *config, Error *err)
{
	client->proxy_user = mem_strdup(config->proxy_user);
	client->proxy_password = mem_strdup(config->proxy_password);
	client->user_agent =
		mem_strdup(config->user_agent ? config->user_agent : "sluice/" SLUICE_VERSION);
	client->env_proxy = config->env_proxy;
	client->insecure = config->insecure_skip_verify;
	client->has_server_name = config->server_name != NULL;
	client->connect_timeout_ms = (long)(config->connect_timeout_ms ? config->connect_timeout_ms
								       : CONNECT_TIMEOUT_MS);
	client->keep_ms = config->keep_ms ? config->keep_ms : KEEP_MS;
	if (config->proxy && !set_proxy_kind(client, config->proxy, err))
		return false;
	TlsConfig tls = {.ca_pem = config->ca_pem,
			 .add_system_roots = config->add_system_roots,
			 .cert_pem = config->cert_pem,
			 .key_pem = config->key_pem,
			 .server_name = config->server_name};
	client->tls = tls_identity_new(&tls, err);
	return client->tls != NULL;
}

HttpClient *httpc_new(Loop *loop, const HttpClientConfig *config, Error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, init_curl);
	HttpClient *client = mem_zalloc(1, sizeof(*client));
	pthread_mutex_init(&client->lock, NULL);
	if (!configure(client, config, err)) {
		free_client(client);
		return NULL;
	}
	client->loop = loop;
	return client;
}

bool httpc_set_certificate(HttpClient *client, const char *cert_pem, const char *key_pem,
			   Error *err)
{
	/* Whether they are a pair is told here and not by each call. */
	TlsConfig pair = {.cert_pem = cert_pem, .key_pem = key_pem};
	TlsIdentity *tried = tls_identity_new(&pair, err);
	if (!tried)
		return false;
	tls_identity_free(tried);
	pthread_mutex_lock(&client->lock);
	free_wiped(client->cert_pem);
	free_wiped(client->key_pem);
	client->cert_pem = mem_strdup(cert_pem);
	client->key_pem = mem_strdup(key_pem);
	pthread_mutex_unlock(&client->lock);
	return true;
}

/* Ends every call, queued or running. on_end may start new ones: they are refused. */
static void cancel_all(HttpClient *client)
{
	static const char why[] = "the client is closed";
	while (client->calls)
		httpc_call_cancel(client->calls, why);
	pthread_mutex_lock(&client->lock);
	autovec Vec queued = client->incoming;
	client->incoming = (Vec){0};
	pthread_mutex_unlock(&client->lock);
	for (size_t i = 0; i < queued.len; i++) {
		httpc_call_cancel(queued.items[i], why);
		httpc_call_unref(queued.items[i]);
	}
}

static void run_cancel_all(void *arg)
{
	HttpClient *client = arg;
	cancel_all(client);
	reap(client);
}

void httpc_close(HttpClient *client)
{
	pthread_mutex_lock(&client->lock);
	client->closing = true;
	/* In line before the one that frees it. */
	loop_post(client->loop, run_cancel_all, client);
	pthread_mutex_unlock(&client->lock);
}

/* Runs from the loop itself, never from inside curl. */
static void close_client(void *arg)
{
	HttpClient *client = arg;
	cancel_all(client);
	reap(client);
	client->in_curl++; /* its callbacks still come while connections are closed */
	free_client(client);
}

void httpc_free(HttpClient *client)
{
	if (!client)
		return;
	pthread_mutex_lock(&client->lock);
	client->closing = true;
	pthread_mutex_unlock(&client->lock);
	if (!loop_is_current(client->loop)) {
		loop_call(client->loop, close_client, client);
		return;
	}
	/* Perhaps in one of curl's callbacks, and with start_incoming posted: end the calls now,
	 * free behind both. */
	cancel_all(client);
	loop_post(client->loop, close_client, client);
}
