/* The services of all three clouds on one loopback port: rows of a table say what is answered, and
 * what was asked is remembered. */
#ifndef TEST_FAKE_CLOUD_H
#define TEST_FAKE_CLOUD_H

#include "../cmocka_all.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "cloud/cloud.h"
#include "net/httpd.h"

typedef struct {
	const char *method, *path; /* the path with its query must start so */
	const char *header;	   /* name of one that must be there and be `value`; or NULL */
	const char *value;
	int status;
	const char *reply;
} FakeRow;

enum { FAKE_SEEN = 32 };

typedef struct {
	const FakeRow *rows;
	size_t row_count;
	Httpd *httpd;
	Loop *loop;
	pthread_mutex_t lock; /* guards what follows */
	size_t count;
	char *paths[FAKE_SEEN], *bodies[FAKE_SEEN], *logins[FAKE_SEEN];
} FakeCloud;

static inline const FakeRow *fake_find(const FakeCloud *fake, HttpdRequest *request,
				       const char *path)
{
	for (size_t i = 0; i < fake->row_count; i++) {
		const FakeRow *row = &fake->rows[i];
		bool fits =
			cstr_eq(row->method, httpd_method(request)) && cstr_starts(path, row->path);
		if (fits &&
		    (!row->header || cstr_eq(httpd_header(request, row->header), row->value)))
			return row;
	}
	return NULL;
}

static inline void fake_serve(void *arg, HttpdRequest *request)
{
	FakeCloud *fake = arg;
	const char *query = httpd_query(request);
	autofree char *path = mem_printf("%s%s%s", httpd_path(request), *query ? "?" : "", query);
	pthread_mutex_lock(&fake->lock);
	assert_true(fake->count < FAKE_SEEN);
	fake->paths[fake->count] = mem_strdup(path);
	fake->bodies[fake->count] = str_dup(httpd_body(request));
	fake->logins[fake->count++] = mem_strdup(httpd_header(request, "Authorization"));
	pthread_mutex_unlock(&fake->lock);
	const FakeRow *row = fake_find(fake, request, path);
	const char *reply = row ? row->reply : "{}";
	httpd_reply(request, row ? row->status : 404, NULL, reply, strlen(reply));
}

static inline void fake_start(FakeCloud *fake, const FakeRow *rows, size_t row_count)
{
	autoerror Error err = {0};
	*fake = (FakeCloud){.rows = rows, .row_count = row_count};
	pthread_mutex_init(&fake->lock, NULL);
	fake->loop = loop_new(&err);
	const HttpdConfig config = {.address = "127.0.0.1:0", .handler = fake_serve, .arg = fake};
	fake->httpd = httpd_start(&config, &err);
	assert_non_null(fake->httpd);
}

static inline void fake_stop(FakeCloud *fake)
{
	httpd_stop(fake->httpd, 1000);
	loop_free(fake->loop);
	for (size_t i = 0; i < fake->count; i++) {
		free(fake->paths[i]);
		free(fake->bodies[i]);
		free(fake->logins[i]);
	}
	pthread_mutex_destroy(&fake->lock);
}
#define autofake __attribute__((cleanup(fake_stop)))

/* A Cloud with an environment of its own, in which "{PORT}" is the fake's. */
static inline Cloud *fake_cloud(FakeCloud *fake, size_t cache_max, const char *const *env)
{
	char *lines[16] = {0};
	autofree char *port = mem_printf("%d", httpd_port(fake->httpd));
	for (size_t i = 0; env[i]; i++) {
		Str text = str_of(env[i]);
		ptrdiff_t at = str_find(text, STR("{PORT}"));
		lines[i] = at < 0 ? mem_strdup(env[i])
				  : mem_printf("%.*s%s%s", (int)at, env[i], port,
					       env[i] + at + strlen("{PORT}"));
	}
	Cloud *cloud = cloud_new(&(CloudConfig){.loop = fake->loop,
						.cache_max = cache_max,
						.cache_max_ms = 3600000,
						.env = (const char *const *)lines});
	for (size_t i = 0; lines[i]; i++)
		free(lines[i]);
	return cloud;
}

/* A ServiceAccount: "key", "value", ..., NULL annotations; its token says for whom it is. */
static inline const char *fake_annotation(void *arg, const char *key)
{
	for (const char *const *pair = arg; *pair; pair += 2)
		if (cstr_eq(pair[0], key))
			return pair[1];
	return NULL;
}

static inline char *fake_token(void *arg, const char *audience, Error *err)
{
	(void)arg;
	(void)err;
	return mem_printf("kubernetes-token-for-%s", audience);
}

static inline CloudAccount fake_account(const char *name, const char *const *annotations)
{
	return (CloudAccount){.ns = "team",
			      .name = name,
			      .annotation = fake_annotation,
			      .token = fake_token,
			      .arg = (void *)(uintptr_t)annotations};
}

/* A file of the test's own; removed by fake_file_remove. */
static inline void fake_file(char *path, const char *text)
{
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

#endif
