/*
 * Redirects and links into internal addresses. A literal one is refused as soon as it is seen; a
 * name is judged by what it resolves to, before a connection is made and again before a request
 * goes over one that was there already. A proxy resolves names itself: there the literals are all
 * we see.
 */
#include <string.h>

#include "net/httpc_internal.h"

#include "base/mem.h"
#include "base/str.h"
#include "net/address.h"
#include "net/url.h"

/* As curl has them; the proxy of http has no name in upper case, which a CGI's client could set. */
static const char *const proxy_variables[] = {"http_proxy", "https_proxy", "HTTPS_PROXY",
					      "all_proxy", "ALL_PROXY"};
enum { CURL_PROXY_PORT = 1080 };

static bool refuse(HttpCall *call, const char *url)
{
	autofree char *shown = url_redacted(url);
	if (!err_is_set(&call->failure))
		err_set(&call->failure, ERR_FORBIDDEN,
			"link or redirect to an internal address refused: %s", shown);
	return false;
}

/* The URL that curl is at: the request's, or one that a redirect has led to. */
static const char *current_url(const HttpCall *call)
{
	char *url = NULL;
	curl_easy_getinfo(call->easy, CURLINFO_EFFECTIVE_URL, &url);
	return url ? url : call->request.url;
}

static bool leads_elsewhere(const HttpCall *call, const char *url)
{
	autoerror Error ignored = {0};
	autourl Url from = {0};
	return url_parse(call->request.url, &from, &ignored) &&
	       address_leads_elsewhere(from.host, url);
}

bool httpc_guard_location(HttpCall *call, const char *location)
{
	autoerror Error ignored = {0};
	autourl Url to = {0};
	autofree char *url = url_resolve(current_url(call), location, &ignored);
	/* What is no URL for us curl may still follow: nobody sends that in good faith. */
	if (!url || !url_parse(url, &to, &ignored))
		return err_set(&call->failure, ERR_INVALID, "redirect to something that is no URL");
	httpc_set_exempt(call, url);
	return address_kind_of_host(to.host) != ADDRESS_INTERNAL || !leads_elsewhere(call, url) ||
	       refuse(call, url);
}

bool httpc_guard_url(HttpCall *call)
{
	autoerror Error ignored = {0};
	autourl Url url = {0};
	if (!call->request.no_internal)
		return true;
	if (!url_parse(call->request.url, &url, &ignored))
		return err_set(&call->failure, ERR_INVALID, "link to something that is no URL");
	return address_kind_of_host(url.host) != ADDRESS_INTERNAL ||
	       refuse(call, call->request.url);
}

/* Whether another host's reply has led here. */
static bool is_guarded(const HttpCall *call)
{
	long hops = 0;
	if (call->request.no_internal)
		return true;
	curl_easy_getinfo(call->easy, CURLINFO_REDIRECT_COUNT, &hops);
	if (!hops)
		return false;
	return leads_elsewhere(call, current_url(call));
}

static int proxy_port(const char *proxy)
{
	autoerror Error ignored = {0};
	autourl Url url = {0};
	autofree char *text = mem_printf("%s%s", strstr(proxy, "://") ? "" : "http://", proxy);
	if (!url_parse(text, &url, &ignored))
		return -1;
	return url.port ? url.port : cstr_eq(url.scheme, "https") ? 443 : CURL_PROXY_PORT;
}

/* Whether a connection to that port may be one to a proxy, which an operator has named. */
static bool may_be_proxy(const HttpClient *client, int port)
{
	if (client->proxy || !client->env_proxy)
		return client->proxy != NULL;
	for (size_t i = 0; i < COUNT(proxy_variables); i++) {
		const char *proxy = getenv(proxy_variables[i]);
		if (!cstr_empty(proxy) && proxy_port(proxy) == port)
			return true;
	}
	return false;
}

static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	(void)purpose;
	HttpCall *call = arg;
	if (address_kind(&address->addr) == ADDRESS_INTERNAL && is_guarded(call) &&
	    !may_be_proxy(call->client, address_port(&address->addr))) {
		refuse(call, current_url(call));
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

bool httpc_guard_peer(HttpCall *call, const char *address, int port)
{
	const HttpRequest *request = &call->request;
	if (!request->no_internal && !request->follow_redirects)
		return true;
	if (err_is_set(&call->failure)) /* another address of the name was refused */
		return false;
	if (address_kind_of_host(address) != ADDRESS_INTERNAL || !is_guarded(call) ||
	    may_be_proxy(call->client, port))
		return true;
	return refuse(call, current_url(call));
}

void httpc_guard_set(HttpCall *call)
{
	if (!call->request.no_internal && !call->request.follow_redirects)
		return;
	curl_easy_setopt(call->easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(call->easy, CURLOPT_OPENSOCKETDATA, call);
}
