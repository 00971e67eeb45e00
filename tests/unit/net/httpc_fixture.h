/* A client, and a server that tells what it got. */
#ifndef TEST_HTTPC_FIXTURE_H
#define TEST_HTTPC_FIXTURE_H

#include <pthread.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "net/httpc.h"
#include "net/httpd.h"
#include "raw_server.h"

typedef struct {
	Loop *loop;
	HttpClient *client;
	Httpd *httpd;
	HttpdStream *stream;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int closed;
} Fixture;

static inline void on_stream_close(void *arg)
{
	Fixture *f = arg;
	pthread_mutex_lock(&f->lock);
	f->stream = NULL;
	f->closed++;
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
}

static inline void echo(HttpdRequest *request)
{
	autobuf Buf out = {0};
	static const char *const names[] = {"Authorization", "Content-Type", "Expect",
					    "X-Test",	     "User-Agent",   "X-Empty",
					    "Content-Length"};
	buf_printf(&out, "%s %s?%s\n", httpd_method(request), httpd_path(request),
		   httpd_query(request));
	for (size_t i = 0; i < COUNT(names); i++) {
		const char *value = httpd_header(request, names[i]);
		if (value)
			buf_printf(&out, "%s=%s\n", names[i], value);
	}
	buf_add(&out, httpd_body(request));
	httpd_set_header(request, "X-Reply", "  yes ");
	httpd_reply(request, 200, "text/plain", out.ptr, out.len);
}

static inline void serve(void *arg, HttpdRequest *request)
{
	Fixture *f = arg;
	const char *path = httpd_path(request);
	if (cstr_eq(path, "/redirect")) {
		httpd_set_header(request, "Location", httpd_param(request, "to"));
		httpd_reply(request, 302, NULL, "moved", 5);
	} else if (cstr_eq(path, "/status")) {
		httpd_reply(request, 503, NULL, "no", 2);
	} else if (cstr_eq(path, "/big")) {
		autofree char *bytes = mem_zalloc(1, 100000);
		httpd_reply(request, 200, NULL, bytes, 100000);
	} else if (cstr_eq(path, "/stream")) {
		pthread_mutex_lock(&f->lock);
		f->stream = httpd_reply_stream(request, 200, "text/x", on_stream_close, f);
		pthread_cond_broadcast(&f->changed);
		pthread_mutex_unlock(&f->lock);
	} else {
		echo(request);
	}
}

static inline int set_up(void **state)
{
	autoerror Error err = {0};
	Fixture *f = mem_zalloc(1, sizeof(*f));
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->changed, NULL);
	HttpdConfig config = {.address = "127.0.0.1:0", .handler = serve, .arg = f};
	f->httpd = httpd_start(&config, &err);
	f->loop = loop_new(&err);
	f->client = httpc_new(f->loop, &(HttpClientConfig){0}, &err);
	*state = f;
	return err_is_set(&err);
}

static inline int tear_down(void **state)
{
	Fixture *f = *state;
	httpc_free(f->client);
	loop_free(f->loop);
	httpd_stop(f->httpd, 1000);
	free(f);
	return 0;
}

static inline char *url_of(const Fixture *f, const char *path)
{
	return mem_printf("http://127.0.0.1:%d%s", httpd_port(f->httpd), path);
}

static inline char *raw_url(const RawServer *server)
{
	return mem_printf("http://127.0.0.1:%d/x", server->port);
}

/* Waits for the server's side of the stream, or, with `closed`, for its end. */
static inline void wait_stream(Fixture *f, bool closed)
{
	pthread_mutex_lock(&f->lock);
	while (closed ? !f->closed : !f->stream)
		pthread_cond_wait(&f->changed, &f->lock);
	pthread_mutex_unlock(&f->lock);
}

static inline void feed(Fixture *f, const char *text)
{
	pthread_mutex_lock(&f->lock);
	assert_true(httpd_stream_write(f->stream, text, strlen(text), 1000));
	pthread_mutex_unlock(&f->lock);
}

#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif
