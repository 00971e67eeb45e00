/* Events: what becomes a count, what is combined, what is held back, what is tried again. */
#include "../cmocka_all.h"

#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "kube/events.h"
#include "server.h"

#define EVENTS "/api/v1/namespaces/apps/events"
#define POSTS "/notify"

typedef struct {
	Loop *loop;
	Server *server;
	KubeClient *client;
	EventRecorder *recorder;
	json_t *object;
	/* the script, read by the server's threads */
	int event_status, patch_status, post_status;
	size_t event_failures, post_failures; /* so many fail, then all is well */
} Site;

static Answered answer(void *arg, const Asked *asked)
{
	Site *site = arg;
	if (strstr(asked->path, POSTS) && site->post_failures) {
		site->post_failures--;
		return (Answered){.status = site->post_status};
	}
	if (strcmp(asked->method, "PATCH") == 0)
		return (Answered){.status = site->patch_status};
	if (strstr(asked->path, POSTS) || !site->event_failures)
		return (Answered){.status = 201};
	site->event_failures--;
	return (Answered){.status = site->event_status};
}

static json_t *object_named(const char *name)
{
	return json_pack("{s:s,s:s,s:{s:s,s:s,s:s,s:{s:s,s:s}}}", "apiVersion", "example.test/v1",
			 "kind", "Widget", "metadata", "namespace", "apps", "name", name, "uid",
			 name, "annotations", "event.toolkit.fluxcd.io/team", "blue", "other",
			 "no");
}

static int site_open(void **state)
{
	autoerror Error err = {0};
	Site *site = mem_zalloc(1, sizeof(*site));
	site->loop = loop_new(&err);
	site->server = server_start(answer, site);
	site->client = server_client(site->server, site->loop);
	autofree char *address = mem_printf("%s%s", server_url(site->server), POSTS);
	site->recorder = event_recorder_new(site->client,
					    &(EventRecorderConfig){.controller = "tester",
								   .instance = "tester-0",
								   .address = address,
								   .retry_ms = 5},
					    &err);
	assert_non_null(site->recorder);
	site->object = object_named("a");
	*state = site;
	return 0;
}

static int site_close(void **state)
{
	Site *site = *state;
	server_gate(site->server, true);
	event_recorder_free(site->recorder, 0);
	kube_client_free(site->client);
	server_stop(site->server);
	loop_free(site->loop);
	json_decref(site->object);
	free(site);
	return 0;
}

static void say(Site *site, const char *reason, const char *message)
{
	event_record(site->recorder, site->object, EVENT_NORMAL, reason, NULL, message);
}

static json_t *body_of(const Asked *asked)
{
	autoerror Error err = {0};
	json_t *body = json_parse(asked->body, strlen(asked->body), 1 << 20, &err);
	assert_non_null(body);
	return body;
}

static void the_same_again_counts_up(void **state)
{
	Site *site = *state;
	for (size_t i = 1; i <= 3; i++) {
		say(site, "Synced", "all is well");
		server_wait(site->server, i == 1 ? "POST" : "PATCH", EVENTS, i == 1 ? 1 : i - 1);
	}
	autojson json_t *event = body_of(server_asked(site->server, "POST", EVENTS, 0));
	autojson json_t *second = body_of(server_asked(site->server, "PATCH", EVENTS, 0));
	autojson json_t *third = body_of(server_asked(site->server, "PATCH", EVENTS, 1));
	assert_int_equal(json_int(event, "count", 0), 1);
	assert_int_equal(json_int(second, "count", 0), 2);
	assert_int_equal(json_int(third, "count", 0), 3);
	assert_string_equal(json_text(third, "message"), "all is well");
	assert_true(strcmp(json_text(third, "lastTimestamp"), json_text(event, "lastTimestamp")) >=
		    0);
	autofree char *path =
		mem_printf("%s/%s?fieldValidation=Ignore", EVENTS, object_name(event));
	assert_string_equal(server_asked(site->server, "PATCH", EVENTS, 1)->path, path);
	assert_int_equal(server_count(site->server, "POST", EVENTS), 1);
}

static void what_is_said_in_between_does_not_make_it_new(void **state)
{
	Site *site = *state;
	autojson json_t *other = object_named("b");
	for (int i = 0; i < 2; i++) {
		say(site, "Synced", "all is well");
		event_record(site->recorder, other, EVENT_NORMAL, "Synced", NULL, "here, too");
		say(site, "Other", "something else");
	}
	server_wait(site->server, "PATCH", EVENTS, 3);
	assert_int_equal(server_count(site->server, "POST", EVENTS), 3);
}

static void another_message_type_or_reason_is_another_event(void **state)
{
	Site *site = *state;
	say(site, "Synced", "one");
	say(site, "Synced", "two");
	say(site, "Other", "one");
	event_record(site->recorder, site->object, EVENT_WARNING, "Synced", NULL, "one");
	server_wait(site->server, "POST", EVENTS, 4);
	assert_int_equal(server_count(site->server, "PATCH", EVENTS), 0);
}

static void a_counted_event_that_is_gone_becomes_a_new_one(void **state)
{
	Site *site = *state;
	say(site, "Synced", "all is well");
	server_wait(site->server, "POST", EVENTS, 1);
	site->patch_status = 404;
	say(site, "Synced", "all is well");
	server_wait(site->server, "POST", EVENTS, 2);
	assert_int_equal(server_count(site->server, "PATCH", EVENTS), 1);
}

static void a_refused_event_is_not_tried_again_and_forgotten(void **state)
{
	Site *site = *state;
	site->event_status = 403;
	site->event_failures = 1;
	say(site, "Synced", "all is well");
	server_wait(site->server, "POST", EVENTS, 1);
	say(site, "Other", "behind it");
	server_wait(site->server, "POST", EVENTS, 2);
	/* Nothing is there to count up. */
	say(site, "Synced", "all is well");
	server_wait(site->server, "POST", EVENTS, 3);
	assert_int_equal(server_count(site->server, "PATCH", EVENTS), 0);
}

static void more_than_ten_similar_messages_become_one(void **state)
{
	Site *site = *state;
	static const char prefix[] = "(combined from similar events): ";
	for (int i = 1; i <= 12; i++) {
		autofree char *message = mem_printf("number %d", i);
		say(site, "Synced", message);
	}
	server_wait(site->server, "PATCH", EVENTS, 1);
	assert_int_equal(server_count(site->server, "POST", EVENTS), 11);
	autojson json_t *tenth = body_of(server_asked(site->server, "POST", EVENTS, 9));
	autojson json_t *combined = body_of(server_asked(site->server, "POST", EVENTS, 10));
	autojson json_t *counted = body_of(server_asked(site->server, "PATCH", EVENTS, 0));
	assert_string_equal(json_text(tenth, "message"), "number 10");
	assert_true(cstr_starts(json_text(combined, "message"), prefix));
	assert_true(cstr_starts(json_text(counted, "message"), prefix));
	assert_non_null(strstr(json_text(counted, "message"), "number 12"));
	assert_int_equal(json_int(counted, "count", 0), 2);
}

static void an_object_has_a_budget_of_25_and_others_their_own(void **state)
{
	Site *site = *state;
	for (int i = 0; i < 40; i++) {
		autofree char *reason = mem_printf("Reason%d", i);
		event_record(site->recorder, site->object, EVENT_TRACE, reason, NULL, "m");
	}
	autojson json_t *other = object_named("b");
	event_record(site->recorder, other, EVENT_TRACE, "Last", NULL, "m");
	server_wait(site->server, "POST", EVENTS, 26);
	event_recorder_free(steal(&site->recorder), 5000);
	assert_int_equal(server_count(site->server, "POST", EVENTS), 26);
}

static void a_trace_is_never_posted_and_annotations_are(void **state)
{
	Site *site = *state;
	autojson json_t *metadata = json_pack("{s:s}", "example.test/revision", "main@sha1:1");
	event_record(site->recorder, site->object, EVENT_TRACE, "Quiet", NULL, "m");
	event_record(site->recorder, site->object, EVENT_WARNING, "Loud", metadata, "m");
	server_wait(site->server, "POST", EVENTS, 2);
	server_wait(site->server, "POST", POSTS, 1);
	event_recorder_free(steal(&site->recorder), 5000);
	assert_int_equal(server_count(site->server, "POST", POSTS), 1);
	const Asked *asked = server_asked(site->server, "POST", POSTS, 0);
	autojson json_t *post = body_of(asked);
	assert_string_equal(json_text(post, "severity"), "error");
	assert_string_equal(json_text_at(post, "metadata", "example.test/revision", NULL),
			    "main@sha1:1");
	assert_string_equal(json_text_at(post, "metadata", "event.toolkit.fluxcd.io/team", NULL),
			    "blue");
	assert_null(json_text_at(post, "metadata", "other", NULL));
	assert_null(asked->authorization); /* our token is for the API server alone */
	assert_string_equal(server_asked(site->server, "POST", EVENTS, 0)->authorization,
			    "Bearer secret-token");
}

static void a_post_that_fails_is_tried_again(void **state)
{
	Site *site = *state;
	site->post_status = 503;
	site->post_failures = 2;
	say(site, "Synced", "heals");
	server_wait(site->server, "POST", POSTS, 3);
	event_recorder_free(steal(&site->recorder), 5000);
	assert_int_equal(server_count(site->server, "POST", POSTS), 3);
}

static void a_post_that_always_fails_is_given_up_after_five_tries(void **state)
{
	Site *site = *state;
	site->post_status = 500;
	site->post_failures = 100;
	say(site, "Synced", "does not heal");
	server_wait(site->server, "POST", POSTS, 5);
	event_recorder_free(steal(&site->recorder), 5000);
	assert_int_equal(server_count(site->server, "POST", POSTS), 5);
}

static void K99_a_post_answered_429_is_not_tried_again(void **state)
{
	Site *site = *state;
	site->post_status = 429;
	site->post_failures = 1;
	say(site, "Synced", "a duplicate");
	server_wait(site->server, "POST", POSTS, 1);
	say(site, "Synced", "the next");
	server_wait(site->server, "POST", POSTS, 2);
	autojson json_t *second = body_of(server_asked(site->server, "POST", POSTS, 1));
	assert_string_equal(json_text(second, "message"), "the next");
}

static void messages_about_one_object_keep_their_order(void **state)
{
	Site *site = *state;
	autojson json_t *other = object_named("b");
	server_gate(site->server, false);
	for (int i = 0; i < 5; i++) {
		autofree char *message = mem_printf("number %d", i);
		say(site, "Synced", message);
	}
	event_record(site->recorder, other, EVENT_NORMAL, "Synced", NULL, "of another");
	/* The other object's passes the four that wait behind the first. */
	server_wait(site->server, "POST", POSTS, 2);
	assert_int_equal(server_count(site->server, "POST", POSTS), 2);
	server_gate(site->server, true);
	server_wait(site->server, "POST", POSTS, 6);
	int next = 0;
	for (size_t i = 0; i < 6; i++) {
		autojson json_t *post = body_of(server_asked(site->server, "POST", POSTS, i));
		autofree char *expected = mem_printf("number %d", next);
		if (cstr_eq(json_text(post, "message"), "of another"))
			continue;
		assert_string_equal(json_text(post, "message"), expected);
		next++;
	}
	assert_int_equal(next, 5);
}

static void say_of_each(Site *site, int from, int to)
{
	for (int i = from; i < to; i++) {
		autofree char *name = mem_printf("object-%d", i);
		autojson json_t *object = object_named(name);
		event_record(site->recorder, object, EVENT_NORMAL, "Synced", NULL, "m");
	}
}

static void events_go_one_by_one_until_they_pile_up(void **state)
{
	enum { FEW = 40, MANY = 600 };
	Site *site = *state;
	server_gate(site->server, false);
	say_of_each(site, 0, FEW);
	server_wait(site->server, "POST", POSTS, 2);
	server_wait(site->server, "POST", EVENTS, 1);
	assert_int_equal(server_count(site->server, "POST", EVENTS), 1);
	say_of_each(site, FEW, MANY);
	server_wait(site->server, "POST", EVENTS, 4);
	assert_int_equal(server_count(site->server, "POST", EVENTS), 4);
	server_gate(site->server, true);
	server_wait(site->server, "POST", EVENTS, MANY);
}

static void *end_recorder(void *arg)
{
	enum { DRAIN_MS = 10000 };
	Site *site = arg;
	event_recorder_free(steal(&site->recorder), DRAIN_MS);
	return NULL;
}

static void at_the_end_events_go_as_many_at_once_as_may(void **state)
{
	enum { FEW = 40 };
	Site *site = *state;
	pthread_t ender;
	server_gate(site->server, false);
	say_of_each(site, 0, FEW);
	assert_int_equal(pthread_create(&ender, NULL, end_recorder, site), 0);
	server_wait(site->server, "POST", EVENTS, 4);
	server_gate(site->server, true);
	assert_int_equal(pthread_join(ender, NULL), 0);
	assert_int_equal(server_count(site->server, "POST", EVENTS), FEW);
}

static void S96_what_finds_the_queue_full_is_counted(void **state)
{
	enum { MANY = 4500, ROOM = 4000 };
	Site *site = *state;
	server_gate(site->server, false);
	for (int i = 0; i < MANY; i++) {
		autofree char *name = mem_printf("object-%d", i);
		autojson json_t *object = object_named(name);
		event_record(site->recorder, object, EVENT_TRACE, "Synced", NULL, "m");
	}
	assert_int_equal(event_recorder_dropped(site->recorder), MANY - ROOM);
	/* Freed with all that is queued: leaks and late callbacks would show here. */
	event_recorder_free(steal(&site->recorder), 0);
}

static void a_message_is_cut_at_a_whole_character(void **state)
{
	enum { MESSAGE_MAX = 39000 };
	Site *site = *state;
	autobuf Buf message = {0};
	buf_putc(&message, 'x');
	while (message.len < MESSAGE_MAX + 100)
		buf_puts(&message, "\xc3\xa4");
	say(site, "Synced", buf_text(&message));
	server_wait(site->server, "POST", EVENTS, 1);
	autojson json_t *event = body_of(server_asked(site->server, "POST", EVENTS, 0));
	size_t len = strlen(json_text(event, "message"));
	assert_true(len <= MESSAGE_MAX && len >= MESSAGE_MAX - 1);
	assert_int_equal(len % 2, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, site_open, site_close)
	const struct CMUnitTest tests[] = {
		TEST(the_same_again_counts_up),
		TEST(what_is_said_in_between_does_not_make_it_new),
		TEST(another_message_type_or_reason_is_another_event),
		TEST(a_counted_event_that_is_gone_becomes_a_new_one),
		TEST(a_refused_event_is_not_tried_again_and_forgotten),
		TEST(more_than_ten_similar_messages_become_one),
		TEST(an_object_has_a_budget_of_25_and_others_their_own),
		TEST(a_trace_is_never_posted_and_annotations_are),
		TEST(a_post_that_fails_is_tried_again),
		TEST(a_post_that_always_fails_is_given_up_after_five_tries),
		TEST(K99_a_post_answered_429_is_not_tried_again),
		TEST(messages_about_one_object_keep_their_order),
		TEST(events_go_one_by_one_until_they_pile_up),
		TEST(at_the_end_events_go_as_many_at_once_as_may),
		TEST(S96_what_finds_the_queue_full_is_counted),
		TEST(a_message_is_cut_at_a_whole_character),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
