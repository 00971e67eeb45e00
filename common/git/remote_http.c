/*
 * Smart HTTP (gitprotocol-http): GET info/refs, then POST git-upload-pack. Redirects of the GET are
 * followed here, a few, never from https to http, not into internal addresses (net/address.h), and
 * only to where the path still ends as asked;
 * the POST goes where the GET ended (as git with http.followRedirects=initial). Credentials go to
 * the configured host alone.
 */
#include "git/remote_internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "git/http_pipe.h"
#include "net/address.h"

enum { MAX_REDIRECTS = 5, MAX_HEADERS = 6 };

static const char refs_path[] = "/info/refs";
static const char service_query[] = "service=git-upload-pack";

typedef struct {
	GitTransport base;
	GitRemote *remote;
	HttpPipe *pipe;
} HttpTransport;

static HttpTransport *http_of(GitTransport *transport)
{
	return (HttpTransport *)transport;
}

/* --- where to, and with which credentials --- */

/* The same host and port; or the same host's default ports, when http became https. */
static bool is_home(const Url *home, const Url *url)
{
	if (url_is_same_origin(home, url))
		return true;
	return strcasecmp(home->host, url->host) == 0 && cstr_eq(home->scheme, "http") &&
	       cstr_eq(url->scheme, "https") && url_port(home) == 80 && url_port(url) == 443;
}

/* The repository's URL with `tail` behind its path. Owned. */
static char *service_url(const Url *base, const char *tail, const char *query)
{
	size_t len = strlen(base->path);
	while (len && base->path[len - 1] == '/')
		len--;
	bool bracketed = strchr(base->host, ':') != NULL;
	Buf out = {0};
	buf_printf(&out, bracketed ? "%s://[%s]" : "%s://%s", base->scheme, base->host);
	if (base->port)
		buf_printf(&out, ":%d", base->port);
	buf_printf(&out, "%.*s%s", (int)len, base->path, tail);
	if (query)
		buf_printf(&out, "?%s", query);
	return buf_steal(&out);
}

static void copy_base(Url *to, const Url *from)
{
	url_dispose(to);
	*to = (Url){.scheme = mem_strdup(from->scheme),
		    .host = mem_strdup(from->host),
		    .port = from->port,
		    .path = mem_strdup(from->path)};
}

/* A Location in full; relative ones of a path are all that HTTP servers send otherwise. Owned. */
static char *absolute_location(const Url *from, const char *location)
{
	if (cstr_starts(location, "//"))
		return mem_printf("%s:%s", from->scheme, location);
	if (location[0] != '/')
		return mem_strdup(location);
	Url root = {.scheme = from->scheme, .host = from->host, .port = from->port};
	root.path = (char[]){""};
	return service_url(&root, location, NULL);
}

/* Sets *base to where `location` says the repository is. */
static bool follow(const GitRemote *remote, Url *base, const char *location, Error *err)
{
	autofree char *text = absolute_location(base, location);
	autourl Url to = {0};
	if (!url_parse(text, &to, err))
		return err_wrap(err, "redirect");
	bool is_http = cstr_eq(to.scheme, "http"), is_https = cstr_eq(to.scheme, "https");
	if (!is_http && !is_https)
		return err_set(err, ERR_INVALID, "redirect to a scheme that is not http(s)");
	if (is_http && cstr_eq(base->scheme, "https"))
		return err_set(err, ERR_INVALID, "redirect from https to http refused");
	if (git_remote_is_guarded(remote, to.host) &&
	    address_kind_of_host(to.host) == ADDRESS_INTERNAL)
		return err_set(err, ERR_FORBIDDEN, "redirect to an internal address refused");
	if (!cstr_ends(to.path, refs_path) || !to.query || !strstr(to.query, service_query))
		return err_set(err, ERR_INVALID, "redirect to something that is no repository");
	to.path[strlen(to.path) - strlen(refs_path)] = '\0';
	copy_base(base, &to);
	return true;
}

/* --- replies --- */

static bool fail_status(const HttpTransport *self, const HttpResponse *head, Error *err)
{
	static const struct {
		int status;
		ErrorCode code;
		const char *text;
	} rows[] = {
		{403, ERR_UNAUTHORIZED, "authorization failed"},
		{404, ERR_NOT_FOUND, "repository not found"},
		{407, ERR_UNAUTHORIZED, "proxy authentication required"},
		{410, ERR_NOT_FOUND, "repository is gone"},
		{429, ERR_TOO_MANY, "too many requests"},
	};
	const GitRemote *remote = self->remote;
	int status = head->status;
	ErrorCode code = status >= 500 ? ERR_UNAVAILABLE : ERR_INVALID;
	const char *text = "not a Git server";
	if (status >= 500)
		text = "the server fails";
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (rows[i].status != status)
			continue;
		code = rows[i].code;
		text = rows[i].text;
	}
	if (status == 401) {
		code = ERR_UNAUTHORIZED;
		text = remote->username || remote->bearer_header
			       ? "authentication required: the credentials were refused"
			       : "authentication required: no credentials were sent";
	}
	err_set(err, code, "%s (HTTP %d)", text, status);
	err->http_status = status;
	err->retry_after_ms = http_response_retry_after_ms(head);
	return false;
}

static bool check_type(const HttpResponse *head, const char *wanted, Error *err)
{
	autofree char *type = http_response_header(head, "content-type");
	Str value, rest;
	str_cut(str_of(type), ';', &value, &rest);
	if (str_eq(str_trim(value), str_of(wanted)))
		return true;
	return err_set(err, ERR_INVALID, "not a smart Git server: content type \"%.*s\"",
		       (int)(value.len < 80 ? value.len : 80), value.ptr);
}

/* --- requests --- */

typedef struct {
	const char *items[MAX_HEADERS];
	size_t len;
} Headers;

static void set_peer(const HttpTransport *self, const Url *to, HttpRequest *request,
		     Headers *headers)
{
	const GitRemote *remote = self->remote;
	request->no_internal = git_remote_is_guarded(remote, to->host);
	if (!is_home(&remote->url, to))
		return;
	if (remote->bearer_header)
		headers->items[headers->len++] = remote->bearer_header;
	request->user = remote->username;
	request->password = remote->password;
}

/* Sends and waits for the head. */
static const HttpResponse *start(HttpTransport *self, HttpRequest *request, Headers *headers,
				 Error *err)
{
	http_pipe_free(steal(&self->pipe));
	int64_t left_ms = git_time_left_ms(&self->base);
	if (left_ms == 0)
		return err_null(err, ERR_TIMEOUT, "not done within %lld ms",
				(long long)self->remote->timeout_ms);
	headers->items[headers->len] = NULL;
	request->headers = headers->items;
	request->timeout_ms = left_ms;
	self->pipe = http_pipe_start(self->remote->http, request, self->base.is_cancelled,
				     self->base.cancel_arg);
	return http_pipe_head(self->pipe, err);
}

static bool is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* One GET of the advertisement at *base; *base changes when the server points elsewhere, and then
 * *out_moved is set. */
static bool get_refs(HttpTransport *self, const char *protocol_header, Url *base, bool *out_moved,
		     Error *err)
{
	autofree char *url = service_url(base, refs_path, service_query);
	HttpRequest request = {.url = url};
	Headers headers = {{protocol_header, "Cache-Control: no-cache"}, 2};
	set_peer(self, base, &request, &headers);
	const HttpResponse *head = start(self, &request, &headers, err);
	*out_moved = false;
	if (!head)
		return false;
	if (is_redirect(head->status)) {
		autofree char *location = http_response_header(head, "location");
		*out_moved = true;
		if (cstr_empty(location))
			return err_set(err, ERR_INVALID, "redirect to nowhere");
		return follow(self->remote, base, location, err);
	}
	if (head->status != 200)
		return fail_status(self, head, err);
	return check_type(head, "application/x-git-upload-pack-advertisement", err);
}

static bool http_open(GitTransport *transport, const char *protocol, Error *err)
{
	HttpTransport *self = http_of(transport);
	autofree char *header = mem_printf("Git-Protocol: %s", protocol);
	autourl Url base = {0};
	copy_base(&base, &self->remote->url);
	bool moved = true;
	for (int i = 0; moved; i++) {
		if (i > MAX_REDIRECTS)
			return err_set(err, ERR_INVALID, "more than %d redirects", MAX_REDIRECTS);
		if (!get_refs(self, header, &base, &moved, err))
			return false;
	}
	copy_base(&self->remote->base, &base);
	return true;
}

static bool http_send(GitTransport *transport, Str bytes, Error *err)
{
	HttpTransport *self = http_of(transport);
	const Url *base = &self->remote->base;
	autofree char *url = service_url(base, "/git-upload-pack", NULL);
	autofree char *protocol = mem_printf("Git-Protocol: version=%d", transport->version);
	HttpRequest request = {
		.method = "POST", .url = url, .body = bytes.ptr, .body_len = bytes.len};
	Headers headers = {{"Content-Type: application/x-git-upload-pack-request",
			    "Accept: application/x-git-upload-pack-result"},
			   2};
	if (transport->version > 0)
		headers.items[headers.len++] = protocol;
	set_peer(self, base, &request, &headers);
	const HttpResponse *head = start(self, &request, &headers, err);
	if (!head)
		return false;
	if (head->status != 200)
		return fail_status(self, head, err);
	return check_type(head, "application/x-git-upload-pack-result", err);
}

static ssize_t http_recv(GitTransport *transport, char *out, size_t cap, Error *err)
{
	HttpTransport *self = http_of(transport);
	return self->pipe ? http_pipe_read(self->pipe, out, cap, err) : 0;
}

static void http_close(GitTransport *transport)
{
	http_pipe_free(steal(&http_of(transport)->pipe));
}

static void http_free(GitTransport *transport)
{
	http_close(transport);
	free(http_of(transport));
}

GitTransport *git_http_transport_new(GitRemote *remote)
{
	static const GitTransportKind kind = {http_open, http_send, http_recv, http_close,
					      http_free};
	HttpTransport *self = mem_zalloc(1, sizeof(*self));
	self->base = (GitTransport){.kind = &kind, .stateless = true, .version = 2};
	self->remote = remote;
	return &self->base;
}
