/* What messages hold, and how often one that nobody takes is tried (notification.md 3, kube-api.md
 * 1.6). The waits between tries are written down and not waited. */
#include "../cmocka_all.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "kube/events.h"
#include "net/retry.h"
#include "server.h"

#define POSTS "/notify"

enum { DRAIN_MS = 20000, FULL = 253 };

/* Waits of one kind of message, on the loop's thread; read when nothing is left to do. */
typedef struct {
	int count;
	int64_t base_ms, max_ms;
} Waits;

typedef struct {
	Waits events, posts;
} AllWaits;

static AllWaits *waits(void)
{
	static AllWaits all;
	return &all;
}

/* The linker puts it in the place of net/retry.h's (meson.build). */
int64_t __wrap_retry_wait_ms(const RetryPolicy *policy, int failures, const Error *err);

int64_t __wrap_retry_wait_ms(const RetryPolicy *policy, int failures, const Error *err)
{
	(void)err;
	Waits *w = policy->base_ms == 10000 ? &waits()->events : &waits()->posts;
	w->base_ms = policy->base_ms;
	w->max_ms = policy->max_ms;
	w->count = failures;
	return 0;
}

static json_t *object_of(const char *kind, const char *ns, const char *name)
{
	json_t *object =
		json_pack("{s:s,s:s,s:{s:s,s:s,s:s}}", "apiVersion", "example.test/v1", "kind",
			  kind, "metadata", "name", name, "uid", "u", "resourceVersion", "7");
	json_put_text(json_map(object, "metadata"), "namespace", ns);
	return object;
}

typedef struct {
	Loop *loop;
	Server *server;
	KubeClient *client;
	EventRecorder *recorder;
} Site;

static Answered answer(void *arg, const Asked *asked)
{
	(void)arg;
	(void)asked;
	return (Answered){.status = 201};
}

static int site_open(void **state)
{
	autoerror Error err = {0};
	Site *site = mem_zalloc(1, sizeof(*site));
	site->loop = loop_new(&err);
	site->server = server_start(answer, site);
	site->client = server_client(site->server, site->loop);
	autofree char *address = mem_printf("%s%s", server_url(site->server), POSTS);
	setenv("HOSTNAME", "a-pod", 1);
	site->recorder = event_recorder_new(
		site->client, &(EventRecorderConfig){.controller = "tester", .address = address},
		&err);
	assert_non_null(site->recorder);
	*waits() = (AllWaits){0};
	*state = site;
	return 0;
}

static int site_close(void **state)
{
	Site *site = *state;
	event_recorder_free(site->recorder, 0);
	kube_client_free(site->client);
	server_stop(site->server);
	loop_free(site->loop);
	free(site);
	return 0;
}

/* Says it and waits until all is through. */
static void say(Site *site, json_t *take_object, EventType type, const json_t *metadata)
{
	autojson json_t *object = take_object;
	event_record(site->recorder, object, type, "Synced", metadata, "all is well");
	event_recorder_free(steal(&site->recorder), DRAIN_MS);
}

static json_t *body_of(Site *site, const char *path)
{
	autoerror Error err = {0};
	const Asked *asked = server_asked(site->server, "POST", path, 0);
	json_t *body = json_parse(asked->body, strlen(asked->body), 1 << 20, &err);
	assert_non_null(body);
	return body;
}

static void check_object(const json_t *reference, const char *ns)
{
	assert_string_equal(json_text(reference, "apiVersion"), "example.test/v1");
	assert_string_equal(json_text(reference, "kind"), "Widget");
	assert_string_equal(json_text_or(reference, "namespace", ""), ns);
	assert_string_equal(json_text(reference, "name"), "a");
	assert_string_equal(json_text(reference, "uid"), "u");
	assert_string_equal(json_text(reference, "resourceVersion"), "7");
}

static void check_time(const char *text, int64_t before_ms)
{
	int64_t at_ms;
	assert_true(clock_parse(text, &at_ms));
	assert_in_range(at_ms, before_ms / 1000 * 1000, clock_wall_ms());
}

static void a_post_says_what_whom_and_when(void **state)
{
	Site *site = *state;
	int64_t before_ms = clock_wall_ms();
	say(site, object_of("Widget", "apps", "a"), EVENT_NORMAL, NULL);
	autojson json_t *post = body_of(site, POSTS);
	check_object(json_map(post, "involvedObject"), "apps");
	assert_string_equal(json_text(post, "severity"), "info");
	assert_string_equal(json_text(post, "reason"), "Synced");
	assert_string_equal(json_text(post, "message"), "all is well");
	assert_string_equal(json_text(post, "reportingController"), "tester");
	assert_string_equal(json_text(post, "reportingInstance"), "a-pod");
	check_time(json_text(post, "timestamp"), before_ms);
	assert_null(json_object_get(post, "metadata"));
}

static void an_event_says_what_whom_and_when(void **state)
{
	Site *site = *state;
	int64_t before_ms = clock_wall_ms();
	autojson json_t *metadata = json_pack("{s:s}", "example.test/revision", "r");
	say(site, object_of("Widget", "apps", "a"), EVENT_WARNING, metadata);
	autojson json_t *event = body_of(site, "/api/v1/namespaces/apps/events");
	check_object(json_map(event, "involvedObject"), "apps");
	assert_string_equal(json_text(event, "type"), "Warning");
	assert_string_equal(json_text(event, "reason"), "Synced");
	assert_string_equal(json_text(event, "message"), "all is well");
	assert_string_equal(json_text(event, "reportingComponent"), "tester");
	assert_string_equal(json_text(event, "reportingInstance"), "a-pod");
	assert_string_equal(json_text_at(event, "source", "component", NULL), "tester");
	assert_string_equal(
		json_text_at(event, "metadata", "annotations", "example.test/revision", NULL), "r");
	check_time(json_text(event, "lastTimestamp"), before_ms);
	assert_string_equal(json_text(event, "firstTimestamp"), json_text(event, "lastTimestamp"));
	assert_true(cstr_starts(json_text_at(event, "metadata", "name", NULL), "a."));
}

static void what_is_in_no_namespace_is_told_in_default_and_not_posted(void **state)
{
	Site *site = *state;
	say(site, object_of("Widget", NULL, "a"), EVENT_NORMAL, NULL);
	autojson json_t *event = body_of(site, "/api/v1/namespaces/default/events");
	assert_string_equal(json_text_at(event, "metadata", "namespace", NULL), "default");
	check_object(json_map(event, "involvedObject"), "");
	assert_int_equal(server_count(site->server, "POST", POSTS), 0);
}

static void what_has_no_kind_or_name_is_not_told(void **state)
{
	Site *site = *state;
	autojson json_t *kindless = object_of("", "apps", "a");
	event_record(site->recorder, kindless, EVENT_NORMAL, "Synced", NULL, "m");
	say(site, object_of("Widget", "apps", ""), EVENT_NORMAL, NULL);
	assert_int_equal(server_count(site->server, NULL, "/"), 0);
}

static void an_events_name_is_no_longer_than_a_name_may_be(void **state)
{
	Site *site = *state;
	autofree char *name = mem_printf("%0*d", FULL, 1);
	say(site, object_of("Widget", "apps", name), EVENT_NORMAL, NULL);
	autojson json_t *event = body_of(site, "/events");
	const char *made = json_text_at(event, "metadata", "name", NULL);
	assert_in_range(strlen(made), 230, FULL);
	assert_string_equal(json_text_at(event, "involvedObject", "name", NULL), name);
}

/* A port that nobody else gets and nobody listens on. */
static int refuse_connections(char **out_url)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t len = sizeof(address);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	getsockname(fd, (struct sockaddr *)&address, &len);
	*out_url = mem_printf("http://127.0.0.1:%d", ntohs(address.sin_port));
	return fd;
}

static void K99_what_nobody_takes_is_given_up(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autofree char *url = NULL;
	int port = refuse_connections(&url);
	Loop *loop = loop_new(&err);
	KubeClient *client = kube_client_new(loop, &(KubeConfig){.server = url}, "tester", &err);
	assert_non_null(client);
	EventRecorder *recorder = event_recorder_new(
		client, &(EventRecorderConfig){.controller = "tester", .address = url}, &err);
	*waits() = (AllWaits){0};
	autojson json_t *object = object_of("Widget", "apps", "a");
	event_record(recorder, object, EVENT_NORMAL, "Synced", NULL, "m");
	event_recorder_free(recorder, DRAIN_MS);
	/* Twelve tries ten seconds apart; five, a second and its doubles apart, at most thirty. */
	assert_int_equal(waits()->events.count, 11);
	assert_int_equal(waits()->events.max_ms, 10000);
	assert_int_equal(waits()->posts.count, 4);
	assert_int_equal(waits()->posts.base_ms, 1000);
	assert_int_equal(waits()->posts.max_ms, 30000);
	kube_client_free(client);
	loop_free(loop);
	close(port);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, site_open, site_close)
	const struct CMUnitTest tests[] = {
		TEST(a_post_says_what_whom_and_when),
		TEST(an_event_says_what_whom_and_when),
		TEST(what_is_in_no_namespace_is_told_in_default_and_not_posted),
		TEST(what_has_no_kind_or_name_is_not_told),
		TEST(an_events_name_is_no_longer_than_a_name_may_be),
		cmocka_unit_test(K99_what_nobody_takes_is_given_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
