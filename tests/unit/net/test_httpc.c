#include "../cmocka_all.h"
#include "../descriptors.h"

#include <stdio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "net/proxy_env.h"
#include "httpc_fixture.h"
#include "test_names.h"

static ErrorCode fails(HttpClient *client, const HttpRequest *request, const char *text)
{
	autohttpresponse HttpResponse reply = {0};
	autoerror Error err = {0};
	if (httpc_do(client, request, &reply, &err))
		fail_msg("got status %d", reply.status);
	if (text && !strstr(err_text(&err), text))
		fail_msg("\"%s\" is not in \"%s\"", text, err_text(&err));
	assert_int_equal(reply.status, 0);
	return err.code;
}

/* --- plain calls --- */

static void methods_headers_and_bodies_arrive(void **state)
{
	Fixture *f = *state;
	autofree char *url = url_of(f, "/a%2Fb?q=1");
	const char *headers[] = {"X-Test: 1", "Content-Type: application/json", "X-Empty:", NULL};
	static const struct {
		const char *method, *body, *expected;
	} rows[] = {
		{NULL, NULL, "GET /a%2Fb?q=1\n"},	 {"GET", "body", "GET /a%2Fb?q=1\n"},
		{"POST", "body", "POST /a%2Fb?q=1\n"},	 {"POST", NULL, "POST /a%2Fb?q=1\n"},
		{"PUT", "body", "PUT /a%2Fb?q=1\n"},	 {"PATCH", "body", "PATCH /a%2Fb?q=1\n"},
		{"DELETE", NULL, "DELETE /a%2Fb?q=1\n"}, {"DELETE", "body", "DELETE /a%2Fb?q=1\n"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autohttpresponse HttpResponse reply = {0};
		autoerror Error err = {0};
		HttpRequest request = {.method = rows[i].method,
				       .url = url,
				       .headers = headers,
				       .body = rows[i].body,
				       .body_len = rows[i].body ? 4 : 0};
		assert_true(httpc_do(f->client, &request, &reply, &err));
		assert_int_equal(reply.status, 200);
		assert_true(cstr_starts(reply.body.ptr, rows[i].expected));
		assert_non_null(strstr(reply.body.ptr, "X-Test=1\n"));
		assert_non_null(strstr(reply.body.ptr, "X-Empty=\n"));
		assert_non_null(strstr(reply.body.ptr, "Content-Type=application/json\n"));
		assert_non_null(strstr(reply.body.ptr, "User-Agent=sluice/"));
		assert_null(strstr(reply.body.ptr, "Expect="));
		assert_int_equal(rows[i].body != NULL, cstr_ends(reply.body.ptr, "body"));
		autofree char *header = http_response_header(&reply, "x-reply");
		assert_string_equal(header, "yes");
		assert_null(http_response_header(&reply, "x-none"));
	}
}

static void empty_post_has_length_zero_and_no_type(void **state)
{
	Fixture *f = *state;
	autofree char *url = url_of(f, "/");
	autohttpresponse HttpResponse reply = {0};
	autoerror Error err = {0};
	assert_true(
		httpc_do(f->client, &(HttpRequest){.method = "POST", .url = url}, &reply, &err));
	assert_non_null(strstr(reply.body.ptr, "Content-Length=0"));
	assert_null(strstr(reply.body.ptr, "Content-Type"));
}

static void big_body_goes_up_and_statuses_are_replies(void **state)
{
	Fixture *f = *state;
	autofree char *body = mem_alloc(2000000);
	memset(body, 'x', 2000000);
	autofree char *url = url_of(f, "/");
	autohttpresponse HttpResponse reply = {0};
	autoerror Error err = {0};
	HttpRequest request = {.method = "PUT",
			       .url = url,
			       .body = body,
			       .body_len = 2000000,
			       .timeout_ms = 20000};
	assert_true(httpc_do(f->client, &request, &reply, &err));
	assert_true(reply.body.len > 2000000);
	http_response_dispose(&reply);
	autofree char *bad = url_of(f, "/status");
	assert_true(httpc_do(f->client, &(HttpRequest){.url = bad}, &reply, &err));
	assert_int_equal(reply.status, 503);
	assert_string_equal(reply.body.ptr, "no");
}

static void head_has_headers_only(void **state)
{
	Fixture *f = *state;
	autofree char *url = url_of(f, "/big");
	autohttpresponse HttpResponse reply = {0};
	autoerror Error err = {0};
	HttpRequest request = {.method = "HEAD", .url = url, .max_body = 10, .timeout_ms = 5000};
	assert_true(httpc_do(f->client, &request, &reply, &err));
	assert_int_equal(reply.status, 200);
	assert_int_equal(reply.body.len, 0);
	autofree char *len = http_response_header(&reply, "content-length");
	assert_string_equal(len, "100000");
}

static void body_limit_is_exact(void **state)
{
	Fixture *f = *state;
	autofree char *url = url_of(f, "/big");
	autohttpresponse HttpResponse reply = {0};
	autoerror Error err = {0};
	HttpRequest request = {.url = url, .max_body = 100000};
	assert_true(httpc_do(f->client, &request, &reply, &err));
	request.max_body = 99999;
	assert_int_equal(fails(f->client, &request, "/big"), ERR_LIMIT);
}

static void basic_authentication(void **state)
{
	Fixture *f = *state;
	autofree char *url = url_of(f, "/");
	autohttpresponse HttpResponse reply = {0};
	autoerror Error err = {0};
	HttpRequest request = {.url = url, .user = "a:b", .password = NULL};
	request.user = "user";
	request.password = "p:w";
	assert_true(httpc_do(f->client, &request, &reply, &err));
	assert_non_null(strstr(reply.body.ptr, "Authorization=Basic dXNlcjpwOnc="));
}

static void header_injection_is_refused(void **state)
{
	Fixture *f = *state;
	autofree char *url = url_of(f, "/");
	const char *headers[] = {"X-Test: 1\r\nX-Evil: 2", NULL};
	assert_int_equal(fails(f->client, &(HttpRequest){.url = url, .headers = headers}, NULL),
			 ERR_INVALID);
	assert_int_equal(
		fails(f->client, &(HttpRequest){.url = url, .method = "GET /x HTTP/1.0\r\n"}, NULL),
		ERR_INVALID);
	assert_int_equal(fails(f->client, &(HttpRequest){.url = "file:///etc/passwd"}, NULL),
			 ERR_INVALID);
	assert_int_equal(fails(f->client, &(HttpRequest){.url = ""}, NULL), ERR_INVALID);
}

static void credentials_stay_with_their_host(void **state)
{
	Fixture *f = *state;
	autofree char *same = url_of(f, "/redirect?to=/end");
	/* Another port is another origin. */
	RawServer other;
	raw_start(&other, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", false);
	autofree char *cross = mem_printf("http://127.0.0.1:%d/redirect?to=http://localhost:%d/end",
					  httpd_port(f->httpd), other.port);
	const char *headers[] = {"Authorization: Bearer secret", NULL};
	autohttpresponse HttpResponse reply = {0};
	autoerror Error err = {0};
	HttpRequest request = {.url = same, .headers = headers, .follow_redirects = true};
	assert_true(httpc_do(f->client, &request, &reply, &err));
	assert_non_null(strstr(reply.body.ptr, "Authorization=Bearer secret"));
	assert_true(cstr_starts(reply.body.ptr, "GET /end"));
	http_response_dispose(&reply);
	request.url = cross;
	assert_true(httpc_do(f->client, &request, &reply, &err));
	assert_string_equal(reply.body.ptr, "ok");
	http_response_dispose(&reply);
	request.headers = NULL;
	request.user = "user";
	request.password = "secret";
	assert_true(httpc_do(f->client, &request, &reply, &err));
	raw_stop(&other);
	assert_null(strstr(other.seen, "uthorization"));
	assert_non_null(strstr(other.seen, "GET /end"));
}

static void redirects_end(void **state)
{
	Fixture *f = *state;
	autofree char *loop = url_of(f, "/redirect?to=/redirect%3Fto%3D/redirect");
	autofree char *file = url_of(f, "/redirect?to=file:///etc/passwd");
	autohttpresponse HttpResponse reply = {0};
	autoerror Error err = {0};
	assert_true(httpc_do(f->client, &(HttpRequest){.url = loop}, &reply, &err));
	assert_int_equal(reply.status, 302);
	assert_string_equal(reply.body.ptr, "moved");
	assert_int_equal(
		fails(f->client, &(HttpRequest){.url = file, .follow_redirects = true}, NULL),
		ERR_INVALID);
	RawServer raw;
	/* Said to close, because curl gives up on the sixth connection that dies under it. */
	raw_start(
		&raw,
		"HTTP/1.1 302 F\r\nLocation: /x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
		false);
	autofree char *url = raw_url(&raw);
	assert_int_equal(
		fails(f->client, &(HttpRequest){.url = url, .follow_redirects = true}, NULL),
		ERR_LIMIT);
	raw_stop(&raw);
	assert_int_equal(raw.accepted, 11);
}

/* --- what goes wrong --- */

static void refused_connection_is_unavailable_and_redacted(void **state)
{
	Fixture *f = *state;
	RawServer raw;
	raw_start(&raw, NULL, false);
	raw_stop(&raw);
	autofree char *url = mem_printf("http://user:secret@127.0.0.1:%d/p?token=secret", raw.port);
	autohttpresponse HttpResponse reply = {0};
	autoerror Error err = {0};
	assert_false(httpc_do(f->client, &(HttpRequest){.url = url}, &reply, &err));
	assert_int_equal(err.code, ERR_UNAVAILABLE);
	assert_null(strstr(err.message, "secret"));
	assert_non_null(strstr(err.message, "GET http://127.0.0.1"));
	assert_int_equal(
		fails(f->client, &(HttpRequest){.url = "http://no.such.host.invalid/"}, NULL),
		ERR_UNAVAILABLE);
}

/* Answers a first message in plain text and waits for its peer to leave: one that left first, with
 * bytes unread, would reset the connection over its answer. */
static void *answer_in_plain_text(void *arg)
{
	static const char reply[] = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
	const RawServer *server = arg;
	char bytes[4096];
	int fd = accept(server->fd, NULL, NULL);
	if (recv(fd, bytes, sizeof(bytes), 0) > 0)
		(void)!send(fd, reply, sizeof(reply) - 1, MSG_NOSIGNAL);
	shutdown(fd, SHUT_WR);
	while (recv(fd, bytes, sizeof(bytes), 0) > 0)
		;
	close(fd);
	return NULL;
}

/* What is told again and again reads the same, and says who did not answer. */
static void failures_to_connect_are_told_alike(void **state)
{
	Fixture *f = *state;
	RawServer raw;
	raw_start(&raw, NULL, false);
	raw_stop(&raw);
	autofree char *url = mem_printf("http://127.0.0.1:%d/", raw.port);
	autofree char *said =
		mem_printf("GET %s: Failed to connect to 127.0.0.1 port %d: ", url, raw.port);
	autofree char *by_proxy =
		mem_printf("proxy: Failed to connect to 127.0.0.1 port %d: ", raw.port);
	assert_int_equal(fails(f->client, &(HttpRequest){.url = url}, said), ERR_UNAVAILABLE);
	autoerror Error err = {0};
	autohttpc HttpClient *client = httpc_new(f->loop, &(HttpClientConfig){.proxy = url}, &err);
	assert_int_equal(fails(client, &(HttpRequest){.url = "http://a.test/"}, by_proxy),
			 ERR_UNAVAILABLE);
	RawServer plain = {0};
	raw_listen(&plain);
	pthread_create(&plain.thread, NULL, answer_in_plain_text, &plain);
	autofree char *tls = mem_printf("https://127.0.0.1:%d/", plain.port);
	assert_int_equal(fails(f->client, &(HttpRequest){.url = tls},
			       "the server does not speak TLS there: "),
			 ERR_UNAVAILABLE);
	raw_stop(&plain);
}

static void cut_replies_are_unavailable(void **state)
{
	Fixture *f = *state;
	static const char *const replies[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
		"HTTP/1.1 200 OK\r\nContent-Le",
		"",
		"garbage that is no HTTP at all\r\n\r\n",
	};
	for (size_t i = 0; i < COUNT(replies); i++) {
		RawServer raw;
		raw_start(&raw, replies[i], false);
		autofree char *url = raw_url(&raw);
		ErrorCode code =
			fails(f->client, &(HttpRequest){.url = url, .timeout_ms = 5000}, NULL);
		raw_stop(&raw);
		if (i < 4)
			assert_int_equal(code, ERR_UNAVAILABLE);
		else
			assert_true(code == ERR_UNAVAILABLE || code == ERR_INVALID);
	}
}

static void header_flood_is_a_limit(void **state)
{
	Fixture *f = *state;
	autobuf Buf reply = {0};
	buf_puts(&reply, "HTTP/1.1 200 OK\r\n");
	while (reply.len < 400 * 1024)
		buf_printf(&reply, "X-%zu: %01000d\r\n", reply.len, 0);
	buf_puts(&reply, "\r\n");
	RawServer raw;
	raw_start(&raw, reply.ptr, false);
	autofree char *url = raw_url(&raw);
	ErrorCode code = fails(f->client, &(HttpRequest){.url = url, .timeout_ms = 5000}, NULL);
	raw_stop(&raw);
	assert_true(code == ERR_LIMIT || code == ERR_UNAVAILABLE);
}

static void whole_timeout(void **state)
{
	Fixture *f = *state;
	RawServer raw;
	raw_start(&raw, NULL, true);
	autofree char *url = raw_url(&raw);
	int64_t before_ms = clock_mono_ms();
	HttpRequest request = {.url = url, .timeout_ms = 150};
	assert_int_equal(fails(f->client, &request, "not done within 150 ms"), ERR_TIMEOUT);
	assert_in_range(clock_mono_ms() - before_ms, 140, 5000);
	raw_stop(&raw);
}

static void idle_timeout_in_mid_body(void **state)
{
	Fixture *f = *state;
	RawServer raw;
	raw_start(&raw, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", true);
	autofree char *url = raw_url(&raw);
	HttpRequest request = {.url = url, .timeout_ms = 60000, .idle_timeout_ms = 150};
	assert_int_equal(fails(f->client, &request, "nothing received for 150 ms"), ERR_TIMEOUT);
	raw_stop(&raw);
}

/* --- what may be sent only for a time --- */

typedef struct {
	RawServer raw;	  /* its socket */
	int64_t until_ms; /* clock_boot_ms() before which it takes no more */
	bool is_proxy;	  /* SOCKS 5, which lets the client through after that */
	size_t got;	  /* bytes of the request after that */
} LateServer;

static void *serve_late(void *arg)
{
	LateServer *late = arg;
	static const char chosen[] = {5, 0}, through[] = {5, 0, 0, 1, 0, 0, 0, 0, 0, 0};
	static char bytes[65536];
	int fd = accept(late->raw.fd, NULL, NULL);
	(void)!recv(fd, bytes, late->is_proxy ? sizeof(bytes) : 1, 0);
	while (clock_boot_ms() <= late->until_ms)
		usleep(10000); /* between two looks at the clock */
	if (late->is_proxy) {
		(void)!send(fd, chosen, sizeof(chosen), MSG_NOSIGNAL);
		(void)!recv(fd, bytes, sizeof(bytes), 0);
		(void)!send(fd, through, sizeof(through), MSG_NOSIGNAL);
	}
	ssize_t got;
	while ((got = recv(fd, bytes, sizeof(bytes), 0)) > 0)
		late->got += (size_t)got;
	close(fd);
	return NULL;
}

static void late_start(LateServer *late, bool is_proxy)
{
	*late = (LateServer){.until_ms = clock_boot_ms() + 150, .is_proxy = is_proxy};
	raw_listen(&late->raw);
	pthread_create(&late->raw.thread, NULL, serve_late, late);
}

/* A process that was stopped, and a lease that ran out meanwhile: A86. */
static void a_handshake_that_ends_too_late_sends_nothing(void **state)
{
	Fixture *f = *state;
	LateServer late;
	late_start(&late, true);
	autofree char *proxy = mem_printf("socks5://127.0.0.1:%d", late.raw.port);
	autoerror Error err = {0};
	autohttpc HttpClient *client =
		httpc_new(f->loop, &(HttpClientConfig){.proxy = proxy}, &err);
	HttpRequest request = {.method = "DELETE",
			       .url = "http://127.0.0.1:1/x",
			       .begin_until_ms = late.until_ms,
			       .timeout_ms = 10000};
	assert_int_equal(fails(client, &request, "time to begin it is over"), ERR_CANCELLED);
	raw_stop(&late.raw);
	assert_int_equal(late.got, 0);
}

static void a_body_is_not_sent_to_its_end_too_late(void **state)
{
	enum { BODY = 16 * 1024 * 1024 }; /* more than sockets hold */
	Fixture *f = *state;
	LateServer late;
	late_start(&late, false);
	autofree char *url = raw_url(&late.raw);
	autofree char *body = mem_zalloc(1, BODY);
	HttpRequest request = {.method = "PUT",
			       .url = url,
			       .body = body,
			       .body_len = BODY,
			       .at_most_once = true,
			       .begin_until_ms = late.until_ms,
			       .timeout_ms = 10000};
	assert_int_equal(fails(f->client, &request, "time to begin it is over"), ERR_CANCELLED);
	raw_stop(&late.raw);
	assert_in_range(late.got, 1, BODY - 1);
}

/* --- Retry-After --- */

static void retry_after_forms(void **state)
{
	(void)state;
	char date[64];
	time_t soon = time(NULL) + 60;
	struct tm tm;
	gmtime_r(&soon, &tm);
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	const struct {
		const char *value;
		int64_t min_ms, max_ms;
	} rows[] = {
		{"5", 5000, 5000},
		{" 0 ", 0, 0},
		{"-5", 0, 0},
		{"soon", 0, 0},
		{"99999999999999999999", 0, 86400000},
		{"999999999", 86400000, 86400000},
		{"Thu, 01 Jan 1970 00:00:00 GMT", 0, 0},
		{date, 50000, 60000},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autohttpresponse HttpResponse reply = {0};
		buf_printf(&reply.headers, "a: b\r\nretry-after: %s\r\n", rows[i].value);
		assert_in_range(http_response_retry_after_ms(&reply), rows[i].min_ms,
				rows[i].max_ms);
	}
	autohttpresponse HttpResponse none = {0};
	assert_int_equal(http_response_retry_after_ms(&none), 0);
}

/* --- configuration --- */

static void bad_configurations(void **state)
{
	Fixture *f = *state;
	const struct {
		HttpClientConfig config;
		const char *text;
	} rows[] = {
		{{.ca_pem = "nonsense"}, "CA"},
		{{.cert_pem = "x"}, "without key"},
		{{.key_pem = "x"}, "without key"},
		{{.cert_pem = "x", .key_pem = "x"}, "client certificate"},
		{{.proxy = "ftp://proxy"}, "proxy"},
		{{.proxy = "u:secret@proxy"}, "proxy"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		assert_null(httpc_new(f->loop, &rows[i].config, &err));
		assert_int_equal(err.code, ERR_INVALID);
		assert_non_null(strstr(err.message, rows[i].text));
		assert_null(strstr(err.message, "secret"));
	}
}

static void proxy_is_used_and_environment_only_when_asked(void **state)
{
	Fixture *f = *state;
	RawServer proxy;
	raw_start(&proxy, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nproxy", false);
	autofree char *proxy_url = mem_printf("http://127.0.0.1:%d", proxy.port);
	autofree char *url = url_of(f, "/direct");
	/* The proxy's reply to names that do not exist; the server's own name goes there directly.
	 */
	autofree char *exempt = mem_printf("inside.test:%d,other.invalid:1", httpd_port(f->httpd));
	autofree char *inside = mem_printf("http://inside.test:%d/direct", httpd_port(f->httpd));
	setenv("HTTP_PROXY", proxy_url, 1);
	setenv("NO_PROXY", exempt, 1);
	proxy_env_settle();
	const struct {
		const char *target;
		HttpClientConfig config;
		bool by_proxy;
	} rows[] = {
		{inside, {.env_proxy = true}, false},
		{"http://inside.test/", {.env_proxy = true}, true},
		{url, {0}, false},
		{"http://other.invalid/", {.env_proxy = true}, true},
		{url, {.env_proxy = true}, false}, /* this machine */
		{url, {.proxy = proxy_url, .proxy_user = "u", .proxy_password = "p"}, true},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autohttpresponse HttpResponse reply = {0};
		autoerror Error err = {0};
		autohttpc HttpClient *client = httpc_new(f->loop, &rows[i].config, &err);
		assert_true(httpc_do(client, &(HttpRequest){.url = rows[i].target}, &reply, &err));
		assert_int_equal(cstr_eq(reply.body.ptr, "proxy"), rows[i].by_proxy);
	}
	unsetenv("HTTP_PROXY");
	unsetenv("NO_PROXY");
	unsetenv("http_proxy");
	unsetenv("no_proxy");
	raw_stop(&proxy);
	assert_non_null(strstr(proxy.seen, "Proxy-Authorization: Basic dTpw"));
}

static void unix_socket(void **state)
{
	Fixture *f = *state;
	autoerror Error err = {0};
	autotempdir char *dir = dir_make_temp("/tmp", "net", &err);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/s", dir);
	RawServer raw = {.reply = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nunix"};
	raw.fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(raw.fd, (struct sockaddr *)&address, sizeof(address)), 0);
	listen(raw.fd, 4);
	pthread_create(&raw.thread, NULL, raw_serve, &raw);
	autohttpresponse HttpResponse reply = {0};
	HttpRequest request = {.url = "http://name/x", .unix_socket = address.sun_path};
	assert_true(httpc_do(f->client, &request, &reply, &err));
	assert_string_equal(reply.body.ptr, "unix");
	raw_stop(&raw);
}

/* Connections stay for the next call, but not for ever: not a descriptor more than before the
 * first. */
static void connections_end_with_the_calls(void **state)
{
	Fixture *f = *state;
	autoerror Error err = {0};
	autofree char *url = url_of(f, "/");
	autohttpc HttpClient *client =
		httpc_new(f->loop, &(HttpClientConfig){.keep_ms = 100}, &err);
	size_t before = descriptors_open();
	for (int i = 0; i < 3; i++) {
		autohttpresponse HttpResponse reply = {0};
		assert_true(httpc_do(client, &(HttpRequest){.url = url}, &reply, &err));
		assert_int_equal(reply.status, 200);
		int64_t end_ms = clock_mono_ms() + 10000;
		while (descriptors_open() > before && clock_mono_ms() < end_ms)
			usleep(10000); /* between two looks */
		assert_int_equal(descriptors_open(), before);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SERVER(methods_headers_and_bodies_arrive),
		WITH_SERVER(empty_post_has_length_zero_and_no_type),
		WITH_SERVER(big_body_goes_up_and_statuses_are_replies),
		WITH_SERVER(head_has_headers_only),
		WITH_SERVER(body_limit_is_exact),
		WITH_SERVER(basic_authentication),
		WITH_SERVER(header_injection_is_refused),
		WITH_SERVER(credentials_stay_with_their_host),
		WITH_SERVER(redirects_end),
		WITH_SERVER(refused_connection_is_unavailable_and_redacted),
		WITH_SERVER(failures_to_connect_are_told_alike),
		WITH_SERVER(cut_replies_are_unavailable),
		WITH_SERVER(header_flood_is_a_limit),
		WITH_SERVER(whole_timeout),
		WITH_SERVER(idle_timeout_in_mid_body),
		WITH_SERVER(a_handshake_that_ends_too_late_sends_nothing),
		WITH_SERVER(a_body_is_not_sent_to_its_end_too_late),
		cmocka_unit_test(retry_after_forms),
		WITH_SERVER(bad_configurations),
		WITH_SERVER(proxy_is_used_and_environment_only_when_asked),
		WITH_SERVER(unix_socket),
		WITH_SERVER(connections_end_with_the_calls),
	};
	return cmocka_run_group_tests_name("net/httpc", tests, NULL, NULL);
}
