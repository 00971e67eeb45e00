/*
 * One call: its copy of the request, curl's options, the bytes that come, and its one end.
 * Whole-call and idle time share one loop timer, which looks at the clock when it fires instead of
 * being set again for each byte. (curl's own total timeout does not run while a call waits for a
 * connection.)
 */
#include <ctype.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

#include "net/httpc_internal.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"

enum {
	MAX_REDIRECTS = 10,
	DOWNLOAD_BUFFER = 16 * 1024,
	SHARED_BUFFER =
		512 * 1024, /* the most that curl takes; pages are used as they are touched */
	UPLOAD_BUFFER = 16 * 1024,
};

/* --- making and freeing --- */

static void copy_request(HttpCall *call, const HttpRequest *from)
{
	HttpRequest *to = &call->request;
	to->method = mem_strdup(from->method);
	to->url = mem_strdup(from->url);
	to->user = mem_strdup(from->user);
	to->password = mem_strdup(from->password);
	to->unix_socket = mem_strdup(from->unix_socket);
	if (from->body)
		to->body = mem_dup(from->body, from->body_len);
	size_t count = 0;
	while (from->headers && from->headers[count])
		count++;
	call->owned_headers = mem_zalloc(count + 1, sizeof(char *));
	for (size_t i = 0; i < count; i++)
		call->owned_headers[i] = mem_strdup(from->headers[i]);
	to->headers = (const char *const *)call->owned_headers;
}

HttpCall *httpc_call_new(HttpClient *client, const HttpRequest *request, bool borrowed,
			 const HttpHandler *handler, void *arg)
{
	HttpCall *call = mem_zalloc(1, sizeof(*call));
	call->client = client;
	call->loop = client->loop;
	atomic_init(&call->refs, 1);
	call->request = *request;
	if (!request->method)
		call->request.method = "GET";
	call->borrowed = borrowed;
	if (!borrowed) {
		HttpRequest given = call->request;
		copy_request(call, &given);
	}
	call->max_body = request->max_body ? request->max_body : DEFAULT_MAX_BODY;
	call->handler = *handler;
	call->arg = arg;
	call->collect = handler->on_data == NULL;
	call->queued = true;
	return call;
}

/* Headers and passwords may hold credentials. */
static void free_secret(const char *text)
{
	union {
		const char *in;
		char *out; /* our own copy */
	} same = {.in = text};
	if (text)
		mem_wipe(same.out, strlen(text));
	free(same.out);
}

static void free_copies(HttpCall *call)
{
	for (size_t i = 0; call->owned_headers[i]; i++)
		free_secret(call->owned_headers[i]);
	free(call->owned_headers);
	const HttpRequest *request = &call->request;
	const char *const texts[] = {request->method, request->url, request->user,
				     request->password, request->unix_socket};
	for (size_t i = 0; i < COUNT(texts); i++)
		free_secret(texts[i]);
	union {
		const void *in;
		void *out;
	} body = {.in = request->body};
	free(body.out);
}

void httpc_call_unref(HttpCall *call)
{
	if (atomic_fetch_sub(&call->refs, 1) != 1)
		return;
	curl_slist_free_all(call->headers);
	http_response_dispose(&call->response);
	error_dispose(&call->failure);
	if (!call->borrowed)
		free_copies(call);
	free(call);
}

/* --- the bytes that come --- */

/* Where curl will follow the reply to, or NULL. Owned. */
static char *redirects_to(const HttpCall *call)
{
	if (!call->request.follow_redirects || call->response.status < 300 ||
	    call->response.status > 399)
		return NULL;
	autofree char *location = http_response_header(&call->response, "location");
	return cstr_empty(location) ? NULL : steal(&location);
}

/* Tells the caller about the final head, once. False when the call is to end. */
static bool announce_head(HttpCall *call)
{
	if (call->head_done || call->ended)
		return !call->ended;
	call->head_done = true;
	if (!call->handler.on_head ||
	    call->handler.on_head(call->arg, call->response.status, &call->response))
		return !call->ended;
	if (!call->ended && !err_is_set(&call->failure))
		err_set(&call->failure, ERR_CANCELLED, "broken off by the reader");
	return false;
}

static void put_header(Buf *out, Str line)
{
	Str name, value;
	/* Obsolete folding (RFC 9112 5.2) continues the line before. */
	if ((line.ptr[0] == ' ' || line.ptr[0] == '\t') && out->len >= 2) {
		out->len -= 2;
		buf_putc(out, ' ');
		buf_add(out, str_trim(line));
	} else {
		if (!str_cut(line, ':', &name, &value))
			return;
		for (size_t i = 0; i < name.len; i++)
			buf_putc(out, (char)tolower((unsigned char)name.ptr[i]));
		buf_puts(out, ": ");
		buf_add(out, str_trim(value));
	}
	buf_puts(out, "\r\n");
}

/* "HTTP/1.1 200 OK", "HTTP/2 200": a reply begins, also behind a 1xx or a redirect. */
static void begin_head(HttpCall *call, Str line)
{
	Str version, rest;
	str_cut(line, ' ', &version, &rest);
	unsigned long long status = 0;
	str_to_u64(str_slice(str_trim(rest), 0, 3), &status);
	call->response.status = (int)status;
	buf_clear(&call->response.headers);
	call->head_ended = false;
}

/* The header is complete: of a final reply, or of one that is not shown. */
static bool end_head(HttpCall *call)
{
	if (call->response.status < 200)
		return true;
	autofree char *location = redirects_to(call);
	return location ? httpc_guard_location(call, location) : announce_head(call);
}

static size_t on_header(char *bytes, size_t size, size_t count, void *arg)
{
	HttpCall *call = arg;
	size_t len = size * count;
	if (call->ended)
		return 0;
	call->last_byte_ms = clock_mono_ms();
	if (call->head_done) /* trailers */
		return len;
	Str line = str_sized(bytes, len);
	if (str_starts(line, STR("HTTP/"))) {
		begin_head(call, line);
		return len;
	}
	if (str_trim(line).len == 0) {
		call->head_ended = true;
		return end_head(call) ? len : 0;
	}
	if (call->response.headers.len + len > MAX_HEADER_BYTES) {
		err_set(&call->failure, ERR_LIMIT, "reply headers of more than %d bytes",
			MAX_HEADER_BYTES);
		return 0;
	}
	put_header(&call->response.headers, line);
	return len;
}

static bool take_bytes(HttpCall *call, const char *bytes, size_t len)
{
	if (call->collect)
		return buf_append_limited(&call->response.body, bytes, len, call->max_body,
					  &call->failure);
	if (call->handler.on_data(call->arg, bytes, len))
		return !call->ended;
	if (!call->ended)
		err_set(&call->failure, ERR_CANCELLED, "broken off by the reader");
	return false;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
	HttpCall *call = arg;
	size_t len = size * count;
	if (call->ended || !announce_head(call))
		return 0;
	call->last_byte_ms = clock_mono_ms();
	/* Any other return value than len breaks the transfer off; 0 of 0 bytes would not. */
	return take_bytes(call, bytes, len) ? len : len + 1;
}

/* --- curl's options --- */

static bool has_header(const HttpRequest *request, const char *name)
{
	size_t len = strlen(name);
	for (size_t i = 0; request->headers && request->headers[i]; i++)
		if (strncasecmp(request->headers[i], name, len) == 0 &&
		    request->headers[i][len] == ':')
			return true;
	return false;
}

/* A line break would smuggle a second header in. */
static bool headers_are_clean(const HttpRequest *request)
{
	for (size_t i = 0; request->headers && request->headers[i]; i++)
		if (strpbrk(request->headers[i], "\r\n"))
			return false;
	return !strpbrk(request->method, " \t\r\n");
}

/* curl takes "Name:" as "do not send it"; an empty value is written "Name;". */
static void set_headers(HttpCall *call)
{
	const HttpRequest *request = &call->request;
	struct curl_slist *list = NULL;
	for (size_t i = 0; request->headers && request->headers[i]; i++) {
		Str name, value;
		str_cut(str_of(request->headers[i]), ':', &name, &value);
		if (str_trim(value).len) {
			list = curl_slist_append(list, request->headers[i]);
			continue;
		}
		autofree char *line = mem_printf("%.*s;", (int)name.len, name.ptr);
		list = curl_slist_append(list, line);
	}
	list = curl_slist_append(list, "Expect:");
	if (!has_header(request, "Content-Type"))
		list = curl_slist_append(list, "Content-Type:");
	if (!has_header(request, "Accept"))
		list = curl_slist_append(list, "Accept: */*");
	call->headers = list;
	curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, list);
}

/* Asked again as late as can be: between a call's start and its bytes may lie a handshake, a queue,
 * or a process that was stopped. A peer that has only a part of a request does not act on it. */
static bool is_in_time(HttpCall *call)
{
	int64_t until_ms = call->request.begin_until_ms;
	return !until_ms || clock_boot_ms() < until_ms ||
	       err_set(&call->failure, ERR_CANCELLED, "the time to begin it is over");
}

static size_t read_body(char *out, size_t size, size_t count, void *arg)
{
	HttpCall *call = arg;
	if (!is_in_time(call))
		return CURL_READFUNC_ABORT;
	size_t left = call->request.body_len - call->sent;
	size_t len = size * count < left ? size * count : left;
	memcpy(out, (const char *)call->request.body + call->sent, len);
	call->sent += len;
	return len;
}

/* curl goes back to send once more: behind a redirect, or because the connection died without a
 * reply, when the peer may have done what was asked. */
static int rewind_body(void *arg, curl_off_t offset, int origin)
{
	HttpCall *call = arg;
	if (!call->response.status || offset != 0 || origin != SEEK_SET)
		return CURL_SEEKFUNC_FAIL;
	call->response.status = 0;
	return CURL_SEEKFUNC_OK;
}

/* curl begins to send, perhaps not for the first time: what it had read and not yet sent when a
 * connection died it forgets without a word, and goes on where it was. */
static int begin_request(void *arg, char *address, char *local_address, int port, int local_port)
{
	(void)local_address, (void)local_port;
	HttpCall *call = arg;
	call->sent = 0;
	bool may_send = is_in_time(call) && httpc_guard_peer(call, address, port);
	return may_send ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

static void set_body(HttpCall *call)
{
	const HttpRequest *request = &call->request;
	curl_easy_setopt(call->easy, CURLOPT_POST, 1L);
	curl_easy_setopt(call->easy, CURLOPT_POSTFIELDSIZE_LARGE,
			 (curl_off_t)(request->body ? request->body_len : 0));
	if (!request->at_most_once || !request->body || !request->body_len) {
		curl_easy_setopt(call->easy, CURLOPT_POSTFIELDS,
				 request->body ? request->body : "");
		return;
	}
	curl_easy_setopt(call->easy, CURLOPT_READFUNCTION, read_body);
	curl_easy_setopt(call->easy, CURLOPT_READDATA, call);
	curl_easy_setopt(call->easy, CURLOPT_SEEKFUNCTION, rewind_body);
	curl_easy_setopt(call->easy, CURLOPT_SEEKDATA, call);
}

/* POST goes without CUSTOMREQUEST so that curl may turn it into GET behind a 303. */
static void set_method_and_body(HttpCall *call)
{
	const HttpRequest *request = &call->request;
	const char *method = request->method;
	bool post = cstr_eq(method, "POST");
	if (cstr_eq(method, "HEAD")) {
		curl_easy_setopt(call->easy, CURLOPT_NOBODY, 1L);
		return;
	}
	if (request->body || post || cstr_eq(method, "PUT") || cstr_eq(method, "PATCH"))
		set_body(call);
	if (!post && (request->body || !cstr_eq(method, "GET")))
		curl_easy_setopt(call->easy, CURLOPT_CUSTOMREQUEST, method);
}

/* Over plain TCP there is no ALPN that would say whether a connection can be shared: waiting for
 * one would make calls queue behind a stream's first byte. */
static void set_protocol(HttpCall *call)
{
	bool tls = strncasecmp(call->request.url, "https:", 6) == 0;
	long version = tls ? (long)CURL_HTTP_VERSION_2TLS : (long)CURL_HTTP_VERSION_1_1;
	curl_easy_setopt(call->easy, CURLOPT_HTTP_VERSION, version);
	curl_easy_setopt(call->easy, CURLOPT_PIPEWAIT, tls ? 1L : 0L);
	/* On a shared connection curl 7.88 takes what comes for other streams, too, and pauses all
	 * where such a stream's buffer is full. With small ones it was seen to spin until calls
	 * timed out. */
	curl_easy_setopt(call->easy, CURLOPT_BUFFERSIZE,
			 tls ? (long)SHARED_BUFFER : (long)DOWNLOAD_BUFFER);
}

static void set_options(HttpCall *call)
{
	const HttpRequest *request = &call->request;
	CURL *easy = call->easy;
	curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->errbuf);
	curl_easy_setopt(easy, CURLOPT_URL, request->url);
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, request->path_as_is ? 1L : 0L);
	curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)UPLOAD_BUFFER);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
	if (request->user) {
		curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
		curl_easy_setopt(easy, CURLOPT_USERNAME, request->user);
		curl_easy_setopt(easy, CURLOPT_PASSWORD,
				 request->password ? request->password : "");
	}
	if (request->follow_redirects) {
		curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
		curl_easy_setopt(easy, CURLOPT_MAXREDIRS, (long)MAX_REDIRECTS);
	}
	httpc_guard_set(call);
	httpc_set_exempt(call, request->url);
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, begin_request);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, call);
	if (request->unix_socket)
		curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, request->unix_socket);
	set_protocol(call);
	set_method_and_body(call);
	set_headers(call);
}

/* --- time --- */

static void on_timer(void *arg);

/* Milliseconds until the first of the two limits, or -1 when there is none. */
static int64_t time_left(const HttpCall *call)
{
	int64_t now_ms = clock_mono_ms(), due_ms = INT64_MAX;
	if (call->request.timeout_ms > 0)
		due_ms = call->deadline_ms;
	int64_t idle_ms = call->request.idle_timeout_ms;
	if (idle_ms > 0 && call->last_byte_ms + idle_ms < due_ms)
		due_ms = call->last_byte_ms + idle_ms;
	if (due_ms == INT64_MAX)
		return -1;
	return due_ms > now_ms ? due_ms - now_ms : 0;
}

static void arm_timer(HttpCall *call)
{
	int64_t left_ms = time_left(call);
	call->timer = left_ms < 0 ? 0 : loop_after(call->loop, left_ms, on_timer, call);
}

static void on_timer(void *arg)
{
	HttpCall *call = arg;
	call->timer = 0;
	if (time_left(call) > 0) {
		arm_timer(call);
		return;
	}
	const HttpRequest *request = &call->request;
	bool whole = request->timeout_ms > 0 && clock_mono_ms() >= call->deadline_ms;
	autofree char *name = httpc_call_name(call);
	if (whole)
		err_set(&call->failure, ERR_TIMEOUT, "%s: not done within %lld ms", name,
			(long long)request->timeout_ms);
	else
		err_set(&call->failure, ERR_TIMEOUT, "%s: nothing received for %lld ms", name,
			(long long)request->idle_timeout_ms);
	httpc_call_finish(call, CURLE_OPERATION_TIMEDOUT);
}

/* --- start and end --- */

static void link_call(HttpCall *call)
{
	HttpClient *client = call->client;
	call->next = client->calls;
	if (call->next)
		call->next->prev = call;
	client->calls = call;
}

static void unlink_call(HttpCall *call)
{
	if (call->next)
		call->next->prev = call->prev;
	if (call->prev)
		call->prev->next = call->next;
	else if (call->client && call->client->calls == call)
		call->client->calls = call->next;
	call->prev = call->next = NULL;
}

/* False with the reason in call->failure. */
static bool may_start(HttpCall *call)
{
	if (!headers_are_clean(&call->request))
		return err_set(&call->failure, ERR_INVALID, "line break in a request header");
	return is_in_time(call) && httpc_guard_url(call);
}

void httpc_call_start(HttpCall *call)
{
	HttpClient *client = call->client;
	if (call->ended) { /* cancelled while queued */
		httpc_call_unref(call);
		return;
	}
	call->queued = false;
	link_call(call);
	if (!may_start(call)) {
		httpc_call_finish(call, CURLE_BAD_FUNCTION_ARGUMENT);
		return;
	}
	call->last_byte_ms = clock_mono_ms();
	call->deadline_ms = call->last_byte_ms + call->request.timeout_ms;
	call->easy = httpc_handle_take(client);
	set_options(call);
	arm_timer(call);
	client->in_curl++;
	CURLMcode added = curl_multi_add_handle(client->multi, call->easy);
	client->in_curl--;
	if (added != CURLM_OK) {
		err_set(&call->failure, ERR_INTERNAL, "curl: %s", curl_multi_strerror(added));
		httpc_call_finish(call, CURLE_FAILED_INIT);
	}
}

/* Our own reason, put behind the call's name, or curl's. */
static void fill_result(HttpCall *call, CURLcode result, Error *err)
{
	if (!err_is_set(&call->failure)) {
		if (result != CURLE_OK)
			httpc_classify(call, result, err);
		return;
	}
	err_move(err, &call->failure);
	if (err->code == ERR_TIMEOUT)
		return;
	autofree char *name = httpc_call_name(call);
	err_wrap(err, "%s", name);
}

/* curl takes a connection that closes amid the header for the end of a reply without body. False
 * when the caller's callback has ended the call. */
static bool complete_head(HttpCall *call)
{
	if (call->head_ended)
		announce_head(call);
	else
		err_set(&call->failure, ERR_UNAVAILABLE, "reply cut short in its header");
	return !call->ended;
}

void httpc_call_finish(HttpCall *call, CURLcode result)
{
	if (call->ended)
		return;
	if (result == CURLE_OK && !call->head_done && !complete_head(call))
		return;
	if (call->easy && result == CURLE_OK) {
		long version = 0;
		curl_easy_getinfo(call->easy, CURLINFO_HTTP_VERSION, &version);
		call->client->speaks_http2 = version == CURL_HTTP_VERSION_2_0;
		call->client->replied = true;
	}
	call->ended = true;
	loop_cancel(call->loop, call->timer);
	call->timer = 0;
	unlink_call(call);
	autoerror Error err = {0};
	fill_result(call, result, &err);
	call->handler.on_end(call->arg, &err);
	if (call->easy)
		httpc_handle_release(call);
	else if (!call->queued) /* else whoever takes it off the queue */
		httpc_call_unref(call);
}

void httpc_call_cancel(HttpCall *call, const char *why)
{
	if (call->ended)
		return;
	error_dispose(&call->failure);
	err_set(&call->failure, ERR_CANCELLED, "%s", why);
	httpc_call_finish(call, CURLE_ABORTED_BY_CALLBACK);
}

static void run_posted_cancel(void *arg)
{
	HttpCall *call = arg;
	httpc_call_cancel(call, "cancelled");
	httpc_call_unref(call);
}

void httpc_cancel(HttpCall *call)
{
	if (loop_is_current(call->loop)) {
		httpc_call_cancel(call, "cancelled");
		return;
	}
	atomic_fetch_add(&call->refs, 1);
	loop_post(call->loop, run_posted_cancel, call);
}
