/* A reply that comes faster than it is read, and one that nobody reads. */
#include "../cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>

#include "base/mem.h"
#include "git/http_pipe.h"
#include "net/httpd.h"

enum { BODY = 3 << 20 };

/* A file system without O_TMPFILE, as overlayfs was and NFS is. The linker puts the former in the
 * place of the C library's (meson.build). */
int __wrap_open64(const char *path, int flags, ...);
int __real_open64(const char *path, int flags, ...);

int __wrap_open64(const char *path, int flags, ...)
{
	va_list args;
	va_start(args, flags);
	mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
	va_end(args);
	if ((flags & O_TMPFILE) != O_TMPFILE)
		return __real_open64(path, flags, mode);
	errno = EOPNOTSUPP;
	return -1;
}

static char byte_at(size_t i)
{
	return (char)(i * 31 + (i >> 12));
}

static void serve(void *arg, HttpdRequest *request)
{
	httpd_reply(request, 200, "text/plain", arg, BODY);
}

typedef struct {
	char *body;
	Httpd *httpd;
	Loop *loop;
	HttpClient *client;
} Fixture;

static int set_up(void **state)
{
	autoerror Error err = {0};
	Fixture *f = mem_zalloc(1, sizeof(*f));
	*state = f;
	f->body = mem_alloc(BODY);
	for (size_t i = 0; i < BODY; i++)
		f->body[i] = byte_at(i);
	HttpdConfig config = {.address = "127.0.0.1:0", .handler = serve, .arg = f->body};
	f->httpd = httpd_start(&config, &err);
	f->loop = loop_new(&err);
	f->client = httpc_new(f->loop, &(HttpClientConfig){0}, &err);
	return err_is_set(&err);
}

static int tear_down(void **state)
{
	Fixture *f = *state;
	httpc_free(f->client);
	loop_free(f->loop);
	httpd_stop(f->httpd, 1000);
	free(f->body);
	free(f);
	return 0;
}

static HttpPipe *start(const Fixture *f, int port)
{
	autofree char *url = mem_printf("http://127.0.0.1:%d/", port);
	return http_pipe_start(f->client, &(HttpRequest){.url = url, .timeout_ms = 20000}, NULL,
			       NULL);
}

static void slow_reader_gets_every_byte(void **state)
{
	const Fixture *f = *state;
	autohttppipe HttpPipe *pipe = start(f, httpd_port(f->httpd));
	autoerror Error err = {0};
	assert_int_equal(http_pipe_head(pipe, &err)->status, 200);
	static char chunk[8192];
	size_t at = 0;
	for (;;) {
		/* Bytes one by one at first: the rest overflows memory meanwhile. */
		size_t cap = at < 100000 ? 1 : sizeof(chunk);
		ssize_t got = http_pipe_read(pipe, chunk, cap, &err);
		assert_true(got >= 0);
		if (got == 0)
			break;
		assert_memory_equal(chunk, f->body + at, (size_t)got);
		at += (size_t)got;
	}
	assert_int_equal(at, BODY);
	assert_int_equal(http_pipe_read(pipe, chunk, 1, &err), 0);
}

static void pipe_may_be_left_at_any_time(void **state)
{
	const Fixture *f = *state;
	autoerror Error err = {0};
	char byte;
	HttpPipe *at_once = start(f, httpd_port(f->httpd));
	http_pipe_free(at_once);
	HttpPipe *amid = start(f, httpd_port(f->httpd));
	assert_int_equal(http_pipe_read(amid, &byte, 1, &err), 1);
	http_pipe_free(amid);
}

static void failure_reaches_the_reader(void **state)
{
	const Fixture *f = *state;
	autohttppipe HttpPipe *pipe = start(f, 1);
	autoerror Error head_err = {0}, err = {0};
	char byte;
	assert_null(http_pipe_head(pipe, &head_err));
	assert_int_equal(head_err.code, ERR_UNAVAILABLE);
	assert_int_equal(http_pipe_read(pipe, &byte, 1, &err), -1);
	assert_int_equal(err.code, ERR_UNAVAILABLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slow_reader_gets_every_byte),
		cmocka_unit_test(pipe_may_be_left_at_any_time),
		cmocka_unit_test(failure_reaches_the_reader),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
