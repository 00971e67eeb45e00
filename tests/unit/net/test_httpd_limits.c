/* Limits that a server may set for itself, and what it is told of its requests. */
#include "../cmocka_all.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/fd.h"
#include "net/httpd.h"

static int dial(int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons((uint16_t)port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static void send_text(int fd, const char *text)
{
	autoerror Error err = {0};
	assert_true(fd_write_all(fd, text, strlen(text), &err));
}

/* Reads until the peer closes or `until` was seen. */
static char *receive(int fd, const char *until)
{
	Buf out = {0};
	char bytes[4096];
	while (!until || !strstr(buf_text(&out), until)) {
		ssize_t got = recv(fd, bytes, sizeof(bytes), 0);
		if (got <= 0)
			break;
		buf_append(&out, bytes, (size_t)got);
	}
	return buf_steal(&out);
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in:\n%s", part, text);
}

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(larger_headers_where_they_are_wanted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
