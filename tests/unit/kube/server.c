#include "server.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include "../cmocka_all.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "net/httpd.h"

enum { WAIT_MS = 10000, THREADS = 8 };

struct Server {
	Httpd *httpd;
	char *url;
	AnswerFn *answer;
	void *arg;
	pthread_mutex_t answering; /* one at a time */
	pthread_mutex_t lock;	   /* guards what follows */
	pthread_cond_t changed;
	bool open;
	Vec asked;
};

static Asked *note(Server *server, HttpdRequest *request)
{
	Asked *asked = mem_zalloc(1, sizeof(*asked));
	const char *authorization = httpd_header(request, "Authorization");
	asked->method = mem_strdup(httpd_method(request));
	asked->path = mem_strdup(httpd_path(request));
	asked->body = str_dup(httpd_body(request));
	asked->authorization = mem_strdup(authorization);
	asked->at_ms = clock_mono_ms();
	pthread_mutex_lock(&server->lock);
	vec_push(&server->asked, asked);
	pthread_cond_broadcast(&server->changed);
	while (!server->open)
		pthread_cond_wait(&server->changed, &server->lock);
	pthread_mutex_unlock(&server->lock);
	return asked;
}

static void handle(void *arg, HttpdRequest *request)
{
	Server *server = arg;
	const Asked *asked = note(server, request);
	pthread_mutex_lock(&server->answering);
	Answered answered = server->answer(server->arg, asked);
	pthread_mutex_unlock(&server->answering);
	const char *body = answered.take_body ? answered.take_body : "{}";
	if (answered.retry_after)
		httpd_set_header(request, "Retry-After", answered.retry_after);
	httpd_reply(request, answered.status ? answered.status : 200, "application/json", body,
		    strlen(body));
	free(answered.take_body);
}

Server *server_start(AnswerFn *answer, void *arg)
{
	autoerror Error err = {0};
	Server *server = mem_zalloc(1, sizeof(*server));
	server->answer = answer;
	server->arg = arg;
	server->open = true;
	pthread_mutex_init(&server->answering, NULL);
	pthread_mutex_init(&server->lock, NULL);
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&server->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	server->httpd = httpd_start(&(HttpdConfig){.address = "127.0.0.1:0",
						   .handler = handle,
						   .arg = server,
						   .threads = THREADS},
				    &err);
	assert_non_null(server->httpd);
	server->url = mem_printf("http://127.0.0.1:%d", httpd_port(server->httpd));
	return server;
}

static void free_asked(void *value)
{
	Asked *asked = value;
	free(asked->method);
	free(asked->path);
	free(asked->body);
	free(asked->authorization);
	free(asked);
}

void server_stop(Server *server)
{
	server_gate(server, true);
	httpd_stop(server->httpd, 1000);
	vec_dispose_with(&server->asked, free_asked);
	pthread_cond_destroy(&server->changed);
	pthread_mutex_destroy(&server->lock);
	pthread_mutex_destroy(&server->answering);
	free(server->url);
	free(server);
}

const char *server_url(const Server *server)
{
	return server->url;
}

void server_gate(Server *server, bool open)
{
	pthread_mutex_lock(&server->lock);
	server->open = open;
	pthread_cond_broadcast(&server->changed);
	pthread_mutex_unlock(&server->lock);
}

static bool is_such(const Asked *asked, const char *method, const char *path)
{
	return (!method || cstr_eq(asked->method, method)) && strstr(asked->path, path);
}

/* With the lock. *out is the index-th, or NULL. */
static size_t count_such(Server *server, const char *method, const char *path, size_t index,
			 const Asked **out)
{
	size_t count = 0;
	*out = NULL;
	for (size_t i = 0; i < server->asked.len; i++) {
		const Asked *asked = server->asked.items[i];
		if (!is_such(asked, method, path))
			continue;
		if (count++ == index)
			*out = asked;
	}
	return count;
}

void server_wait(Server *server, const char *method, const char *path, size_t count)
{
	int64_t until = clock_mono_ms() + WAIT_MS;
	struct timespec at = {.tv_sec = until / 1000, .tv_nsec = (until % 1000) * 1000000};
	const Asked *ignored;
	pthread_mutex_lock(&server->lock);
	size_t got;
	while ((got = count_such(server, method, path, 0, &ignored)) < count &&
	       pthread_cond_timedwait(&server->changed, &server->lock, &at) == 0)
		;
	pthread_mutex_unlock(&server->lock);
	if (got < count)
		fail_msg("%zu of %zu requests %s %s", got, count, method ? method : "", path);
}

size_t server_count(Server *server, const char *method, const char *path)
{
	const Asked *ignored;
	pthread_mutex_lock(&server->lock);
	size_t count = count_such(server, method, path, 0, &ignored);
	pthread_mutex_unlock(&server->lock);
	return count;
}

const Asked *server_asked(Server *server, const char *method, const char *path, size_t index)
{
	const Asked *asked;
	pthread_mutex_lock(&server->lock);
	count_such(server, method, path, index, &asked);
	pthread_mutex_unlock(&server->lock);
	assert_non_null(asked);
	return asked;
}

KubeClient *server_client(const Server *server, Loop *loop)
{
	autoerror Error err = {0};
	autokubeconfig KubeConfig config = {.server = mem_strdup(server->url),
					    .token = mem_strdup("secret-token")};
	KubeClient *client = kube_client_new(loop, &config, "tester", &err);
	if (!client)
		fail_msg("%s", err_text(&err));
	return client;
}
