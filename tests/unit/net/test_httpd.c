#include "raw_client.h"

#include <fcntl.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "net/httpd.h"
#include "raw_server.h"

typedef struct {
	Httpd *httpd;
	HttpdStream *stream;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int opened, closed;
	bool release; /* lets /block go on */
	char *file;
} Fixture;

static void on_close(void *arg)
{
	Fixture *f = arg;
	pthread_mutex_lock(&f->lock);
	f->stream = NULL;
	f->closed++;
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
}

static void open_stream(Fixture *f, HttpdRequest *request)
{
	pthread_mutex_lock(&f->lock);
	f->stream = httpd_reply_stream(request, 200, "text/x", on_close, f);
	f->opened++;
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
}

static void block(Fixture *f, HttpdRequest *request)
{
	pthread_mutex_lock(&f->lock);
	f->opened++;
	pthread_cond_broadcast(&f->changed);
	while (!f->release)
		pthread_cond_wait(&f->changed, &f->lock);
	pthread_mutex_unlock(&f->lock);
	httpd_reply(request, 200, NULL, "late", 4);
}

static void add_header(void *arg, const char *name, const char *value)
{
	if (strncasecmp(name, "X-", 2) == 0)
		buf_printf(arg, "%s=%s;", name, value);
}

static void serve(void *arg, HttpdRequest *request)
{
	Fixture *f = arg;
	const char *path = httpd_path(request);
	if (cstr_eq(path, "/file")) {
		httpd_set_header(request, "ETag", "\"v1\"");
		httpd_reply_file(request, open(f->file, O_RDONLY | O_CLOEXEC), "text/plain");
	} else if (cstr_eq(path, "/stream")) {
		open_stream(f, request);
	} else if (cstr_eq(path, "/block")) {
		block(f, request);
	} else if (cstr_eq(path, "/silent")) {
		return;
	} else if (cstr_eq(path, "/headers")) {
		autobuf Buf text = {0};
		httpd_each_header(request, add_header, &text);
		httpd_reply(request, 200, NULL, text.ptr, text.len);
	} else if (cstr_eq(path, "/param")) {
		const char *a = httpd_param(request, "a b"), *none = httpd_param(request, "none");
		autofree char *text =
			mem_printf("%s|%s|%s", a ? a : "-", none ? none : "-", httpd_peer(request));
		httpd_reply(request, 200, NULL, text, strlen(text));
	} else {
		autofree char *text = mem_printf("%s %zu", path, httpd_body(request).len);
		httpd_set_header(request, "X-Bad", "a\r\nX-Evil: 1");
		httpd_reply(request, 200, NULL, text, strlen(text));
	}
}

static int set_up(void **state)
{
	autoerror Error err = {0};
	Fixture *f = mem_zalloc(1, sizeof(*f));
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->changed, NULL);
	f->file = mem_strdup("/tmp/httpd-XXXXXX");
	autofd int fd = mkstemp(f->file);
	assert_true(fd_write_all(fd, "0123456789", 10, &err));
	HttpdConfig config = {
		.address = "127.0.0.1:0", .handler = serve, .arg = f, .max_body = 1000};
	f->httpd = httpd_start(&config, &err);
	*state = f;
	return f->httpd ? 0 : 1;
}

static int tear_down(void **state)
{
	Fixture *f = *state;
	httpd_stop(f->httpd, 1000);
	unlink(f->file);
	free(f->file);
	free(f);
	return 0;
}

/* --- a client of raw bytes --- */

static char *ask(const Fixture *f, const char *method, const char *target, const char *headers)
{
	autofd int fd = dial(httpd_port(f->httpd));
	autofree char *text = mem_printf("%s %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n%s\r\n",
					 method, target, headers);
	send_text(fd, text);
	return receive(fd, NULL);
}

/* --- requests --- */

static void paths_queries_and_peer(void **state)
{
	Fixture *f = *state;
	autofree char *raw = ask(f, "GET", "/a%2Fb%zz?x=%20", "");
	assert_has(raw, "\r\n\r\n/a%2Fb%zz 0");
	assert_null(strstr(raw, "X-Evil"));
	autofree char *param = ask(f, "GET", "/param?x=1&a+b=c%2Bd+e&a+b=second", "");
	assert_has(param, "\r\n\r\nc+d e|-|127.0.0.1");
	autofree char *bad = ask(f, "GET", "/param?a+b=%zz", "");
	assert_has(bad, "\r\n\r\n-|-|127.0.0.1");
	autofree char *silent = ask(f, "GET", "/silent", "");
	assert_has(silent, "HTTP/1.1 500 ");
}

static void repeated_headers_are_all_seen(void **state)
{
	autofree char *reply =
		ask(*state, "GET", "/headers", "X-A: 1\r\nx-a: 2,3\r\nX-B:\r\nX-A: 1\r\n");
	assert_has(reply, "\r\n\r\nX-A=1;x-a=2,3;X-B=;X-A=1;");
}

/* Sends a body of `len` bytes while the reply may come at any time. */
static char *upload(const Fixture *f, size_t len, bool chunked)
{
	autofd int fd = dial(httpd_port(f->httpd));
	autobuf Buf out = {0};
	buf_puts(&out, "POST /up HTTP/1.1\r\nHost: h\r\nConnection: close\r\n");
	if (chunked)
		buf_printf(&out, "Transfer-Encoding: chunked\r\n\r\n%zx\r\n", len);
	else
		buf_printf(&out, "Content-Length: %zu\r\n\r\n", len);
	autofree char *body = mem_alloc(len);
	memset(body, 'x', len);
	buf_append(&out, body, len);
	buf_puts(&out, chunked ? "\r\n0\r\n\r\n" : "");
	autoerror Error err = {0};
	assert_true(fd_write_all(fd, out.ptr, out.len, &err));
	return receive(fd, NULL);
}

static void N_body_limit_is_413_and_the_client_sees_it(void **state)
{
	Fixture *f = *state;
	static const struct {
		size_t len;
		const char *expected;
	} rows[] = {
		{1000, "/up 1000"},
		{1001, "HTTP/1.1 413 "},
		{5000000, "HTTP/1.1 413 "},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autofree char *sized = upload(f, rows[i].len, false);
		assert_has(sized, rows[i].expected);
		autofree char *chunked = upload(f, rows[i].len, true);
		assert_has(chunked, rows[i].expected);
	}
	autofree char *expect =
		ask(f, "PUT", "/", "Content-Length: 99999999999\r\nExpect: 100-continue\r\n");
	assert_has(expect, "HTTP/1.1 413 ");
	autofree char *huge = ask(f, "PUT", "/", "Content-Length: 99999999999\r\n");
	assert_has(huge, "HTTP/1.1 413 ");
}

static void header_flood_is_refused(void **state)
{
	Fixture *f = *state;
	autobuf Buf headers = {0};
	while (headers.len < 100000)
		buf_printf(&headers, "X-%zu: %0500d\r\n", headers.len, 0);
	autofd int fd = dial(httpd_port(f->httpd));
	send_text(fd, "GET / HTTP/1.1\r\nHost: h\r\n");
	ssize_t sent = send(fd, headers.ptr, headers.len, MSG_NOSIGNAL);
	assert_true(sent > 0);
	autofree char *reply = receive(fd, NULL);
	assert_null(strstr(reply, "HTTP/1.1 200"));
	autofree char *after = ask(f, "GET", "/alive", "");
	assert_has(after, "/alive 0");
}

static void garbage_does_no_harm(void **state)
{
	Fixture *f = *state;
	static const char *const rows[] = {"\r\n\r\n", "GET\r\n\r\n", "\x16\x03\x01\x02",
					   "GET / HTTP/9.9\r\n\r\n",
					   "GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n"};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autofd int fd = dial(httpd_port(f->httpd));
		send_text(fd, rows[i]);
	}
	autofree char *after = ask(f, "GET", "/alive", "");
	assert_has(after, "/alive 0");
}

static void one_connection_serves_many_requests(void **state)
{
	Fixture *f = *state;
	autofd int fd = dial(httpd_port(f->httpd));
	for (int i = 0; i < 20; i++) {
		autofree char *text = mem_printf("GET /n%d HTTP/1.1\r\nHost: h\r\n\r\n", i);
		autofree char *expected = mem_printf("/n%d 0", i);
		send_text(fd, text);
		autofree char *reply = receive(fd, expected);
		assert_has(reply, expected);
	}
}

/* The header trickles in, so that libmicrohttpd's idle timeout never comes. */
static void slow_header_is_hung_up_on(void **state)
{
	Fixture *f = *state;
	autoerror Error err = {0};
	HttpdConfig config = {
		.address = "127.0.0.1:0", .handler = serve, .arg = f, .header_timeout_s = 1};
	Httpd *strict = httpd_start(&config, &err);
	assert_non_null(strict);
	autofd int fd = dial(httpd_port(strict));
	int64_t before_ms = clock_mono_ms();
	send_text(fd, "GET / HTTP/1.1\r\nX: ");
	struct pollfd closed = {.fd = fd, .events = POLLIN};
	while (poll(&closed, 1, 100) == 0)
		if (send(fd, "x", 1, MSG_NOSIGNAL) != 1)
			break;
	assert_in_range(clock_mono_ms() - before_ms, 900, 9000);
	httpd_stop(strict, 0);
}

/* --- files --- */

static void ranges(void **state)
{
	Fixture *f = *state;
	static const struct {
		const char *method, *headers, *status, *range, *body;
	} rows[] = {
		{"GET", "", "200", NULL, "0123456789"},
		{"GET", "Range: bytes=2-4\r\n", "206", "bytes 2-4/10", "234"},
		{"GET", "Range: bytes=8-\r\n", "206", "bytes 8-9/10", "89"},
		{"GET", "Range: bytes=8-99\r\n", "206", "bytes 8-9/10", "89"},
		{"GET", "Range: bytes=-3\r\n", "206", "bytes 7-9/10", "789"},
		{"GET", "Range: bytes=-99\r\n", "206", "bytes 0-9/10", "0123456789"},
		{"GET", "Range: bytes=0-18446744073709551615\r\n", "206", "bytes 0-9/10",
		 "0123456789"},
		{"GET", "Range: bytes=10-\r\n", "416", "bytes */10", ""},
		{"GET", "Range: bytes=-0\r\n", "416", "bytes */10", ""},
		{"GET", "Range: bytes=4-2\r\n", "200", NULL, "0123456789"},
		{"GET", "Range: bytes=0-1,3-4\r\n", "200", NULL, "0123456789"},
		{"GET", "Range: bytes=-\r\n", "200", NULL, "0123456789"},
		{"GET", "Range: lines=1-2\r\n", "200", NULL, "0123456789"},
		{"GET", "Range: bytes=a-b\r\n", "200", NULL, "0123456789"},
		{"GET", "Range: bytes=1-1\r\nIf-Range: \"v1\"\r\n", "206", "bytes 1-1/10", "1"},
		{"GET", "Range: bytes=1-1\r\nIf-Range: \"v0\"\r\n", "200", NULL, "0123456789"},
		{"HEAD", "", "200", NULL, ""},
		{"HEAD", "Range: bytes=1-1\r\n", "200", NULL, ""},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autofree char *reply = ask(f, rows[i].method, "/file", rows[i].headers);
		autofree char *status = mem_printf("HTTP/1.1 %s ", rows[i].status);
		assert_has(reply, status);
		assert_has(reply, "Accept-Ranges: bytes");
		if (rows[i].range)
			assert_has(reply, rows[i].range);
		else
			assert_null(strstr(reply, "Content-Range"));
		if (cstr_eq(rows[i].method, "HEAD"))
			assert_has(reply, "Content-Length: 10");
		const char *body = strstr(reply, "\r\n\r\n");
		assert_non_null(body);
		assert_string_equal(body + 4, rows[i].body);
	}
}

static char *put_letters(const Fixture *f, size_t size)
{
	autoerror Error err = {0};
	autofd int fd = open(f->file, O_WRONLY | O_TRUNC | O_CLOEXEC);
	char *text = mem_zalloc(size + 1, 1);
	for (size_t i = 0; i < size; i++)
		text[i] = (char)('a' + i % 23);
	assert_true(fd_write_all(fd, text, size, &err));
	return text;
}

static void S3_files_of_every_size_arrive_whole(void **state)
{
	Fixture *f = *state;
	static const size_t sizes[] = {0, 1, 32767, 32768, 32769, 300000};
	for (size_t i = 0; i < COUNT(sizes); i++) {
		autofree char *text = put_letters(f, sizes[i]);
		autofree char *whole = ask(f, "GET", "/file", "");
		assert_string_equal(strstr(whole, "\r\n\r\n") + 4, text);
		autofree char *length = mem_printf("Content-Length: %zu\r\n", sizes[i]);
		autofree char *head = ask(f, "HEAD", "/file", "");
		assert_has(head, length);
		autofree char *part = ask(f, "GET", "/file", "Range: bytes=7-32775\r\n");
		if (sizes[i] > 7)
			assert_memory_equal(strstr(part, "\r\n\r\n") + 4, text + 7,
					    sizes[i] < 32776 ? sizes[i] - 7 : 32769);
	}
}

/* A packet more costs both sides more than the rest of the reply. */
static void S3_a_small_file_and_its_head_are_one_packet(void **state)
{
	Fixture *f = *state;
	char buf[65536];
	autofree char *text = put_letters(f, 4096);
	for (size_t i = 0; i < 20; i++) {
		autofd int fd = dial(httpd_port(f->httpd));
		send_text(fd, "GET /file HTTP/1.1\r\nHost: h\r\n\r\n");
		ssize_t got = recv(fd, buf, sizeof(buf) - 1, 0);
		assert_true(got > 0);
		buf[got] = '\0';
		assert_has(buf, "\r\n\r\n");
		assert_string_equal(strstr(buf, "\r\n\r\n") + 4, text);
	}
}

static void no_file_is_500(void **state)
{
	Fixture *f = *state;
	unlink(f->file);
	autofree char *reply = ask(f, "GET", "/file", "");
	assert_has(reply, "HTTP/1.1 500 ");
}

/* --- streams --- */

static const char open_request[] = "GET /stream HTTP/1.1\r\nHost: h\r\n\r\n";

static int stream_open(Fixture *f, int count)
{
	int fd = dial(httpd_port(f->httpd));
	send_text(fd, open_request);
	pthread_mutex_lock(&f->lock);
	while (f->opened < count)
		pthread_cond_wait(&f->changed, &f->lock);
	pthread_mutex_unlock(&f->lock);
	return fd;
}

static void wait_closed(Fixture *f, int count)
{
	pthread_mutex_lock(&f->lock);
	while (f->closed < count)
		pthread_cond_wait(&f->changed, &f->lock);
	assert_int_equal(f->closed, count);
	pthread_mutex_unlock(&f->lock);
}

static bool stream_put(Fixture *f, const char *bytes, size_t len, size_t limit)
{
	pthread_mutex_lock(&f->lock);
	bool ok = f->stream && httpd_stream_write(f->stream, bytes, len, limit);
	pthread_mutex_unlock(&f->lock);
	return ok;
}

static void stream_end(Fixture *f)
{
	pthread_mutex_lock(&f->lock);
	if (f->stream)
		httpd_stream_end(f->stream);
	pthread_mutex_unlock(&f->lock);
}

static void stream_head_comes_at_once_and_end_closes(void **state)
{
	Fixture *f = *state;
	autofd int fd = stream_open(f, 1);
	autofree char *head = receive(fd, "\r\n\r\n");
	assert_has(head, "HTTP/1.1 200 ");
	assert_has(head, "chunked");
	assert_true(stream_put(f, "hello", 5, 100));
	autofree char *data = receive(fd, "hello");
	assert_has(data, "hello");
	assert_true(stream_put(f, "last", 4, 100));
	stream_end(f);
	autofree char *rest = receive(fd, "0\r\n\r\n");
	assert_has(rest, "last");
	wait_closed(f, 1);
}

static void client_leaving_a_silent_stream_closes_it(void **state)
{
	Fixture *f = *state;
	for (int i = 1; i <= 5; i++) {
		int fd = stream_open(f, i);
		autofree char *head = receive(fd, "\r\n\r\n");
		assert_has(head, "HTTP/1.1 200 ");
		close(fd);
		wait_closed(f, i); /* nobody wrote */
		assert_false(stream_put(f, "x", 1, 10));
	}
}

static void slow_reader_hits_the_limit(void **state)
{
	Fixture *f = *state;
	autofd int fd = stream_open(f, 1);
	autofree char *bytes = mem_zalloc(1, 65536);
	size_t written = 0;
	assert_false(stream_put(f, bytes, 101, 100)); /* larger than the limit by itself */
	while (written < 1000000000 && stream_put(f, bytes, 65536, 1000000))
		written += 65536;
	assert_in_range(written, 900000, 100000000);
	assert_false(stream_put(f, bytes, 65536, 1000000));
	stream_end(f);
	close(fd_steal(&fd));
	wait_closed(f, 1);
}

typedef struct {
	Fixture *f;
	int count;
} Writer;

static void *write_lines(void *arg)
{
	const Writer *writer = arg;
	for (int i = 0; i < writer->count; i++)
		if (!stream_put(writer->f, "0123456789abcdef", 16, 100000000))
			return NULL;
	return NULL;
}

static void writers_of_many_threads(void **state)
{
	Fixture *f = *state;
	autofd int fd = stream_open(f, 1);
	pthread_t threads[4];
	Writer writer = {f, 2000};
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, write_lines, &writer);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	stream_end(f);
	autofree char *all = receive(fd, "\r\n0\r\n\r\n");
	size_t letters = 0;
	for (const char *at = strstr(all, "\r\n\r\n"); *at; at++)
		letters += *at == 'f'; /* hexadecimal chunk sizes have some, too */
	assert_in_range(letters, 8000, 8000 + 4000);
	wait_closed(f, 1);
}

/* The writer races the client's leaving. */
static void writer_against_leaving_client(void **state)
{
	Fixture *f = *state;
	for (int i = 1; i <= 30; i++) {
		int fd = stream_open(f, i);
		pthread_t thread;
		Writer writer = {f, 300};
		pthread_create(&thread, NULL, write_lines, &writer);
		close(fd);
		pthread_join(thread, NULL);
		wait_closed(f, i);
	}
}

static void head_of_a_stream_closes_it(void **state)
{
	Fixture *f = *state;
	autofree char *reply = ask(f, "HEAD", "/stream", "");
	assert_has(reply, "HTTP/1.1 200 ");
	wait_closed(f, 1);
}

/* --- stopping --- */

static void stop_ends_open_streams_once(void **state)
{
	Fixture *f = *state;
	int fds[5];
	for (int i = 0; i < 5; i++)
		fds[i] = stream_open(f, i + 1);
	int64_t before_ms = clock_mono_ms();
	httpd_stop(steal(&f->httpd), 60000);
	assert_true(clock_mono_ms() - before_ms < 30000);
	assert_int_equal(f->closed, 5);
	for (int i = 0; i < 5; i++) {
		autofree char *all = receive(fds[i], NULL);
		assert_has(all, "0\r\n\r\n"); /* a clean end */
		close(fds[i]);
	}
}

static void *ask_block(void *arg)
{
	return ask(arg, "GET", "/block", "");
}

typedef struct {
	Fixture *f;
	int port;
} Releaser;

/* Lets the handler go on once the server takes no connections any more. */
static void *release_when_closed(void *arg)
{
	const Releaser *releaser = arg;
	for (int fd; (fd = dial(releaser->port)) >= 0; sched_yield())
		close(fd);
	pthread_mutex_lock(&releaser->f->lock);
	releaser->f->release = true;
	pthread_cond_broadcast(&releaser->f->changed);
	pthread_mutex_unlock(&releaser->f->lock);
	return NULL;
}

static void stop_lets_a_request_end(void **state)
{
	Fixture *f = *state;
	pthread_t asker, thread;
	pthread_create(&asker, NULL, ask_block, f);
	pthread_mutex_lock(&f->lock);
	while (!f->opened)
		pthread_cond_wait(&f->changed, &f->lock);
	pthread_mutex_unlock(&f->lock);
	Releaser releaser = {f, httpd_port(f->httpd)};
	pthread_create(&thread, NULL, release_when_closed, &releaser);
	httpd_stop(steal(&f->httpd), 20000);
	pthread_join(thread, NULL);
	void *reply;
	pthread_join(asker, &reply);
	assert_has(reply, "late");
	free(reply);
}

static void bad_addresses(void **state)
{
	Fixture *f = *state;
	autofree char *taken = mem_printf("127.0.0.1:%d", httpd_port(f->httpd));
	const char *const rows[] = {taken, "nonsense", "127.0.0.1:x", "[::1", "192.0.2.1:0"};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		HttpdConfig config = {.address = rows[i], .handler = serve, .arg = f};
		assert_null(httpd_start(&config, &err));
		assert_int_equal(err.code, ERR_IO);
		assert_has(err.message, rows[i]);
	}
}

static void listens_on_all_addresses(void **state)
{
	Fixture *f = *state;
	autoerror Error err = {0};
	HttpdConfig config = {.address = ":0", .handler = serve, .arg = f, .threads = 1};
	Httpd *second = httpd_start(&config, &err);
	assert_non_null(second);
	Fixture view = {.httpd = second};
	autofree char *reply = ask(&view, "GET", "/param", "");
	assert_has(reply, "|127.0.0.1");
	httpd_stop(second, 0);
}

#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SERVER(paths_queries_and_peer),
		WITH_SERVER(repeated_headers_are_all_seen),
		WITH_SERVER(N_body_limit_is_413_and_the_client_sees_it),
		WITH_SERVER(header_flood_is_refused),
		WITH_SERVER(garbage_does_no_harm),
		WITH_SERVER(one_connection_serves_many_requests),
		WITH_SERVER(slow_header_is_hung_up_on),
		WITH_SERVER(ranges),
		WITH_SERVER(S3_files_of_every_size_arrive_whole),
		WITH_SERVER(S3_a_small_file_and_its_head_are_one_packet),
		WITH_SERVER(no_file_is_500),
		WITH_SERVER(stream_head_comes_at_once_and_end_closes),
		WITH_SERVER(client_leaving_a_silent_stream_closes_it),
		WITH_SERVER(slow_reader_hits_the_limit),
		WITH_SERVER(writers_of_many_threads),
		WITH_SERVER(writer_against_leaving_client),
		WITH_SERVER(head_of_a_stream_closes_it),
		WITH_SERVER(stop_ends_open_streams_once),
		WITH_SERVER(stop_lets_a_request_end),
		WITH_SERVER(bad_addresses),
		WITH_SERVER(listens_on_all_addresses),
	};
	return cmocka_run_group_tests_name("net/httpd", tests, NULL, NULL);
}
