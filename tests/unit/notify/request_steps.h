/* Deliveries of several requests, step by step. */
#ifndef TEST_REQUEST_STEPS_H
#define TEST_REQUEST_STEPS_H

#include "request_check.h"

#define SHA "0123456789abcdef0123456789abcdef01234567"
#define AT_SHA "{'metadata':{'summary':null,'revision':'main@sha1:" SHA "'}"
#define GOOD AT_SHA "}"
#define BAD AT_SHA ",'severity':'error','reason':'HealthCheckFailed'}"

static inline void build(const NotifyTarget *target, const char *changes, NotifyRequest *out)
{
	autojson json_t *event = test_event(changes);
	autoerror Error err = {0};
	if (!notify_build(target, event, out, &err))
		fail_msg("%s", err_text(&err));
}

/* Goes on as after a reply; false when nothing follows. */
static inline bool follow(NotifyRequest *request, int status, const char *quoted_reply)
{
	autonotifyrequest NotifyRequest next = {0};
	autoerror Error err = {0};
	autojson json_t *reply = json_quoted(quoted_reply);
	autofree char *text = json_dump(reply);
	bool judged = !request->judge || request->judge(status, str_of(text), &err);
	assert_true(judged);
	if (!request->then || !request->then(request, status, str_of(text), &next, &err))
		fail_msg("%s", err_text(&err));
	if (!next.url)
		return false;
	notify_request_dispose(request);
	*request = next;
	next = (NotifyRequest){0};
	return true;
}

static inline void assert_body(const NotifyRequest *request, const char *quoted)
{
	autoerror Error err = {0};
	autojson json_t *want = json_quoted(quoted);
	autojson json_t *got =
		json_parse(buf_text(&request->body), request->body.len, 1 << 20, &err);
	if (!json_same(want, got))
		fail_msg("want %s\ngot %s", quoted, buf_text(&request->body));
}

static inline void assert_line(const NotifyRequest *request, const char *want)
{
	autofree char *line =
		mem_printf("%s %s", request->method ? request->method : "POST", request->url);
	assert_string_equal(line, want);
	assert_true(request->headers.len > 0);
}

#endif
