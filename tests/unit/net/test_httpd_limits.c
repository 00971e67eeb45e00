/* Limits that a server may set for itself, and what it is told of its requests. */
#include "raw_client.h"

#include <errno.h>
#include <pthread.h>

#include "base/clock.h"
#include "net/httpd.h"

typedef struct {
	pthread_mutex_t lock; /* guards the counts */
	int ok, too_large, others;
	size_t bytes;
} Observed;

static void reply_four_bytes(void *arg, HttpdRequest *request)
{
	(void)arg;
	httpd_reply(request, 200, NULL, "four", 4);
}

static void observe(void *arg, const HttpdRequest *request, int status, size_t body_bytes,
		    double seconds)
{
	Observed *seen = arg;
	assert_true(seconds >= 0 && seconds < 60 && httpd_path(request)[0] == '/');
	pthread_mutex_lock(&seen->lock);
	seen->ok += status == 200;
	seen->too_large += status == 413;
	seen->others += status != 200 && status != 413;
	seen->bytes += status == 200 ? body_bytes : 0;
	pthread_mutex_unlock(&seen->lock);
}

static char *ask_with_header(int port, size_t header_bytes)
{
	autobuf Buf text = {0};
	buf_puts(&text, "GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n");
	while (text.len < header_bytes)
		buf_printf(&text, "X-%zu: %01000d\r\n", text.len, 0);
	buf_puts(&text, "\r\n");
	autofd int fd = dial(port);
	send(fd, text.ptr, text.len, MSG_NOSIGNAL);
	return receive(fd, NULL);
}

static void larger_headers_where_they_are_wanted(void **state)
{
	(void)state;
	autoerror Error err = {0};
	Observed seen = {.lock = PTHREAD_MUTEX_INITIALIZER};
	HttpdConfig config = {.address = "127.0.0.1:0",
			      .handler = reply_four_bytes,
			      .arg = &seen,
			      .observe = observe,
			      .max_body = 10,
			      .max_header = 256 << 10};
	Httpd *httpd = httpd_start(&config, &err);
	assert_non_null(httpd);
	autofree char *large = ask_with_header(httpd_port(httpd), 250 << 10);
	assert_has(large, "HTTP/1.1 200");
	autofree char *huge = ask_with_header(httpd_port(httpd), 400 << 10);
	assert_null(strstr(huge, "HTTP/1.1 200"));
	autofd int fd = dial(httpd_port(httpd));
	send_text(fd, "POST /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
		      "Content-Length: 11\r\n\r\n01234567890");
	autofree char *refused = receive(fd, NULL);
	assert_has(refused, "HTTP/1.1 413");
	httpd_stop(httpd, 1000);
	assert_int_equal(seen.ok, 1);
	assert_int_equal(seen.bytes, 4);
	assert_int_equal(seen.too_large, 1);
	assert_int_equal(seen.others, 0);
}

static void reply_ok(void *arg, HttpdRequest *request)
{
	(void)arg;
	httpd_reply(request, 200, NULL, "", 0);
}

/* The reply's header to one request on a connection that stays open, if the server lets it. */
static char *ask_on(int fd)
{
	send_text(fd, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	return receive(fd, "\r\n\r\n");
}

static void check_crowd(bool thread_each)
{
	autoerror Error err = {0};
	HttpdConfig config = {.address = "127.0.0.1:0",
			      .handler = reply_ok,
			      .max_kept = 2,
			      .thread_each = thread_each};
	Httpd *httpd = httpd_start(&config, &err);
	assert_non_null(httpd);
	autofd int one = dial(httpd_port(httpd)), two = dial(httpd_port(httpd));
	for (int i = 0; i < 2; i++) {
		autofree char *first = ask_on(one), *second = ask_on(two);
		assert_null(strstr(first, "close"));
		assert_null(strstr(second, "close"));
	}
	autofd int three = dial(httpd_port(httpd));
	autofree char *third = ask_on(three);
	assert_has(third, "HTTP/1.1 200");
	assert_has(third, "Connection: close");
	autofree char *nothing = receive(three, NULL);
	assert_string_equal(nothing, "");
	httpd_stop(httpd, 1000);
}

static void a_crowd_of_connections_is_not_kept(void **state)
{
	(void)state;
	check_crowd(false);
	check_crowd(true);
}

/* One that says nothing, one amid its header, one amid its body, one kept after a reply; and one
 * too many. */
static void threads_of_their_own_change_no_limit(void **state)
{
	(void)state;
	autoerror Error err = {0};
	HttpdConfig config = {.address = "127.0.0.1:0",
			      .handler = reply_ok,
			      .max_body = 10,
			      .max_connections = 4,
			      .idle_timeout_s = 4,
			      .header_timeout_s = 4,
			      .thread_each = true};
	Httpd *httpd = httpd_start(&config, &err);
	assert_non_null(httpd);
	int port = httpd_port(httpd);
	autofd int silent = dial(port), slow = dial(port), body = dial(port), kept = dial(port);
	send_text(slow, "GET / HTTP/1.1\r\nHo");
	send_text(body, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n01");
	autofree char *ok = ask_on(kept);
	assert_has(ok, "HTTP/1.1 200");
	autofd int fifth = dial(port);
	const int all[] = {silent, slow, body, kept, fifth};
	for (size_t i = 0; i < COUNT(all); i++) {
		autofree char *end = receive(all[i], NULL);
		assert_null(strstr(end, "HTTP/1.1 200"));
	}
	/* The server has its room again a moment after the peers saw their ends. */
	bool again = false;
	const int64_t until_ms = clock_mono_ms() + 30000;
	while (!again && clock_mono_ms() < until_ms) {
		autofd int fd = dial(port);
		autofree char *reply = ask_on(fd);
		again = strstr(reply, "HTTP/1.1 200") != NULL;
	}
	assert_true(again);
	httpd_stop(httpd, 1000);
}

/* It waits in the kernel's queue, and its turn comes when another has left. */
static void one_too_many_waits_for_its_turn(void **state)
{
	(void)state;
	autoerror Error err = {0};
	HttpdConfig config = {
		.address = "127.0.0.1:0", .handler = reply_ok, .threads = 1, .max_connections = 1};
	Httpd *httpd = httpd_start(&config, &err);
	assert_non_null(httpd);
	int first = dial(httpd_port(httpd));
	autofree char *ok = ask_on(first);
	assert_has(ok, "HTTP/1.1 200");
	autofd int second = dial(httpd_port(httpd));
	send_text(second, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	for (int i = 0; i < 10; i++) {
		autofree char *again = ask_on(first);
		assert_has(again, "HTTP/1.1 200");
	}
	char byte;
	assert_int_equal(recv(second, &byte, 1, MSG_DONTWAIT), -1);
	assert_true(errno == EAGAIN);
	close(first);
	autofree char *late = receive(second, "\r\n\r\n");
	assert_has(late, "HTTP/1.1 200");
	httpd_stop(httpd, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(larger_headers_where_they_are_wanted),
		cmocka_unit_test(a_crowd_of_connections_is_not_kept),
		cmocka_unit_test(threads_of_their_own_change_no_limit),
		cmocka_unit_test(one_too_many_waits_for_its_turn),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
