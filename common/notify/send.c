/* One message's way: a small state on the loop's thread; no thread waits. */
#include "notify/send_internal.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/retry.h"

enum { TRIES = 5, REPLY_MAX = 1 << 20, SHOWN_MAX = 512, THREAD_STACK = 512 << 10 };

static const RetryPolicy policy = {.max_tries = TRIES, .base_ms = 2000, .max_ms = 30000};

static void start_try(void *arg);

static bool on_head(void *arg, int status, const HttpResponse *head)
{
	Delivery *delivery = arg;
	delivery->status = status;
	delivery->retry_after_ms = http_response_retry_after_ms(head);
	return true;
}

static bool on_data(void *arg, const char *bytes, size_t len)
{
	Delivery *delivery = arg;
	/* What is beyond the limit is nobody's business: the status has come already. */
	if (delivery->reply.len + len <= REPLY_MAX)
		buf_append(&delivery->reply, bytes, len);
	return true;
}

/* The outcome of one try in *err; ERR_NONE for a success. */
static void judge(const Delivery *delivery, const Error *transport, Error *err)
{
	int status = delivery->status;
	if (err_is_set(transport)) {
		err_copy(err, transport);
	} else if (delivery->request.judge &&
		   delivery->request.judge(status, buf_str(&delivery->reply), err)) {
		return;
	} else if (!err_is_set(err) && (status < 200 || status > 299)) {
		Str shown = str_trim(str_slice(buf_str(&delivery->reply), 0, SHOWN_MAX));
		err_set(err, status == 501 ? ERR_UNSUPPORTED : err_code_of_http(status),
			"request failed with status code %d, %.*s", status, (int)shown.len,
			shown.ptr);
		err->http_status = status;
		err->retry_after_ms = delivery->retry_after_ms;
	}
}

/* True when another try is on its way. */
static bool try_again(Delivery *delivery, const Error *err)
{
	if (!retry_is_worth_it(err) || ++delivery->failures >= TRIES)
		return false;
	int64_t wait = retry_wait_ms(&policy, delivery->failures, err);
	if (clock_mono_ms() + wait >= delivery->deadline_ms)
		return false;
	delivery->timer = loop_after(delivery->sender->loop, wait, start_try, delivery);
	return true;
}

/* True when the request that follows is on its way. */
static bool go_on(Delivery *delivery, Error *err)
{
	autonotifyrequest NotifyRequest next = {0};
	NotifyRequest *request = &delivery->request;
	if (!request->then ||
	    !request->then(request, delivery->status, buf_str(&delivery->reply), &next, err))
		return false;
	if (!next.url)
		return false;
	notify_request_dispose(request);
	*request = next;
	next = (NotifyRequest){0};
	delivery->failures = 0;
	/* Not from within the client's callback. */
	delivery->timer = loop_after(delivery->sender->loop, 0, start_try, delivery);
	return true;
}

static void on_end(void *arg, const Error *transport)
{
	Delivery *delivery = arg;
	delivery->call = NULL;
	autoerror Error err = {0};
	judge(delivery, transport, &err);
	if (err_is_set(&err) ? try_again(delivery, &err) : go_on(delivery, &err))
		return;
	lane_delivery_done(delivery, &err);
}

/* The loop's thread again: what the thread has done. */
static void on_performed(void *arg)
{
	Delivery *delivery = arg;
	autoerror Error err = delivery->outcome;
	delivery->outcome = (Error){0};
	delivery->performing = false;
	if (!err_is_set(&err) || !try_again(delivery, &err))
		lane_delivery_done(delivery, &err);
}

static void *perform(void *arg)
{
	Delivery *delivery = arg;
	int64_t left = delivery->deadline_ms - clock_mono_ms();
	delivery->request.perform(&delivery->request, left, delivery->sender->cancel_fd,
				  &delivery->outcome);
	loop_post(delivery->sender->loop, on_performed, delivery);
	return NULL;
}

static void start_thread(Delivery *delivery)
{
	pthread_t thread;
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, THREAD_STACK);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	delivery->performing = true;
	if (pthread_create(&thread, &attr, perform, delivery) != 0) {
		err_set(&delivery->outcome, ERR_UNAVAILABLE, "no thread can be started");
		loop_post(delivery->sender->loop, on_performed, delivery);
	}
	pthread_attr_destroy(&attr);
}

static void start_try(void *arg)
{
	static const HttpHandler handler = {on_head, on_data, on_end};
	Delivery *delivery = arg;
	const NotifyRequest *request = &delivery->request;
	if (!delivery->deadline_ms)
		delivery->deadline_ms = clock_mono_ms() + delivery->timeout_ms;
	int64_t left = delivery->deadline_ms - clock_mono_ms();
	delivery->timer = 0;
	delivery->status = 0;
	if (request->perform) {
		start_thread(delivery);
		return;
	}
	buf_clear(&delivery->reply);
	autovec Vec headers = {0};
	for (size_t i = 0; i < request->headers.len; i++)
		vec_push(&headers, request->headers.items[i]);
	vec_push(&headers, NULL);
	delivery->call = httpc_start(
		delivery->lane->client,
		&(HttpRequest){.method = request->method ? request->method : "POST",
			       .url = request->url,
			       .headers = (const char *const *)headers.items,
			       .body = request->body.len ? buf_text(&request->body) : NULL,
			       .body_len = request->body.len,
			       .timeout_ms = left > 0 ? left : 1},
		&handler, delivery);
}

void delivery_start(Delivery *delivery)
{
	loop_post(delivery->sender->loop, start_try, delivery);
}

void delivery_cancel(Delivery *delivery)
{
	if (delivery->performing)
		return;
	if (delivery->call) {
		httpc_cancel(delivery->call);
		return;
	}
	loop_cancel(delivery->sender->loop, delivery->timer);
	autoerror Error err = {0};
	err_set(&err, ERR_CANCELLED, "the daemon stops");
	lane_delivery_done(delivery, &err);
}
