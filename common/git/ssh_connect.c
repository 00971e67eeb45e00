/* CONNECT_ONLY: curl connects, through a proxy's tunnel if there is one (S36), and hands over. */
#include "git/ssh_connect.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"
#include "net/address.h"

enum { SSH_PORT = 22 };

static const char refusal[] = "link to an internal address refused";

static void init_curl(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* As httpc: names are resolved by a SOCKS proxy. The environment's proxies are for HTTP. */
static void set_proxy(CURL *easy, const GitRemote *remote)
{
	static const char socks[] = "socks5://";
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
	if (!remote->proxy)
		return;
	const char *proxy = remote->proxy;
	bool is_socks = strncasecmp(proxy, socks, strlen(socks)) == 0;
	autofree char *text =
		is_socks ? mem_printf("socks5h://%s", proxy + strlen(socks)) : mem_strdup(proxy);
	curl_easy_setopt(easy, CURLOPT_PROXY, text);
	curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
	if (remote->proxy_user) {
		curl_easy_setopt(easy, CURLOPT_PROXYUSERNAME, remote->proxy_user);
		curl_easy_setopt(easy, CURLOPT_PROXYPASSWORD,
				 remote->proxy_password ? remote->proxy_password : "");
	}
}

/* One connecting. */
typedef struct {
	const GitRemote *remote;
	const GitTransport *transport;
	bool refused;
} Connecting;

/* Asked about once a second. */
static int check_cancelled(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	(void)a, (void)b, (void)c, (void)d;
	autoerror Error ignored = {0};
	const Connecting *connecting = arg;
	return git_goes_on(connecting->transport, &ignored) ? 0 : 1;
}

/* A proxy resolves names itself: of what it reaches only literals are seen. */
static bool is_guarded(const GitRemote *remote)
{
	return !remote->proxy && git_remote_is_guarded(remote, remote->url.host);
}

static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	(void)purpose;
	Connecting *connecting = arg;
	if (address_kind(&address->addr) == ADDRESS_INTERNAL && is_guarded(connecting->remote)) {
		connecting->refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static CURL *new_handle(const GitRemote *remote, int64_t timeout_ms)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, init_curl);
	CURL *easy = curl_easy_init();
	if (!easy)
		abort(); /* memory is out */
	const Url *url = &remote->url;
	bool bracketed = strchr(url->host, ':') != NULL;
	int port = url->port ? url->port : SSH_PORT;
	autofree char *text =
		mem_printf(bracketed ? "http://[%s]:%d" : "http://%s:%d", url->host, port);
	curl_easy_setopt(easy, CURLOPT_URL, text);
	curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)timeout_ms);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	set_proxy(easy, remote);
	return easy;
}

/* While the handle is ours: what the callbacks look at goes before it. */
static CURLcode connect_by(CURL *easy, Connecting *connecting)
{
	curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, check_cancelled);
	curl_easy_setopt(easy, CURLOPT_XFERINFODATA, connecting);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, connecting);
	CURLcode code = curl_easy_perform(easy);
	curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 1L);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, NULL);
	return code;
}

CURL *git_ssh_connect(const GitRemote *remote, const GitTransport *transport, int *out_fd,
		      Error *err)
{
	Connecting connecting = {.remote = remote, .transport = transport};
	const char *host = remote->url.host;
	if (address_kind_of_host(host) == ADDRESS_INTERNAL && git_remote_is_guarded(remote, host))
		return err_null(err, ERR_FORBIDDEN, "%s", refusal);
	CURL *easy = new_handle(remote, git_time_left_ms(transport));
	curl_socket_t fd = CURL_SOCKET_BAD;
	CURLcode code = connect_by(easy, &connecting);
	if (code == CURLE_OK)
		curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &fd);
	if (fd == CURL_SOCKET_BAD) {
		curl_easy_cleanup(easy);
		if (!git_goes_on(transport, err))
			return NULL;
		if (connecting.refused)
			return err_null(err, ERR_FORBIDDEN, "%s", refusal);
		return err_null(err,
				code == CURLE_OPERATION_TIMEDOUT ? ERR_TIMEOUT : ERR_UNAVAILABLE,
				"connect: %s", curl_easy_strerror(code));
	}
	*out_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (*out_fd < 0) {
		err_errno(err, "connect");
		curl_easy_cleanup(easy);
		return NULL;
	}
	return easy;
}
