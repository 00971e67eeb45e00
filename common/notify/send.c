/* Delivery in the background: a small state on the loop's thread per message; no thread waits. */
#include "notify/notify_internal.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/retry.h"

enum { TRIES = 5, REPLY_MAX = 64 << 10, SHOWN_MAX = 512 };

static const RetryPolicy policy = {.max_tries = TRIES, .base_ms = 2000, .max_ms = 30000};

/* Loop's thread only, once it was posted. */
typedef struct {
	Loop *loop;
	HttpClient *client;
	NotifyRequest request;
	int64_t deadline_ms;
	int failures;
	int status;
	int64_t retry_after_ms;
	Buf reply;
	void (*on_done)(void *arg, const Error *err);
	void *arg;
} Delivery;

static void start_try(void *arg);

static void finish(Delivery *delivery, const Error *err)
{
	delivery->on_done(delivery->arg, err);
	notify_request_dispose(&delivery->request);
	buf_dispose(&delivery->reply);
	free(delivery);
}

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

/* The outcome of one try in *err; ERR_NONE for a delivery. */
static void judge(const Delivery *delivery, const Error *transport, Error *err)
{
	int status = delivery->status;
	if (err_is_set(transport)) {
		err_copy(err, transport);
	} else if (delivery->request.judge) {
		delivery->request.judge(status, buf_str(&delivery->reply), err);
	} else if (status < 200 || status > 299) {
		Str shown = str_trim(str_slice(buf_str(&delivery->reply), 0, SHOWN_MAX));
		err_set(err, status == 501 ? ERR_UNSUPPORTED : err_code_of_http(status),
			"request failed with status code %d, %.*s", status, (int)shown.len,
			shown.ptr);
		err->http_status = status;
		err->retry_after_ms = delivery->retry_after_ms;
	}
}

static void on_end(void *arg, const Error *transport)
{
	Delivery *delivery = arg;
	autoerror Error err = {0};
	judge(delivery, transport, &err);
	if (!err_is_set(&err) || !retry_is_worth_it(&err) || ++delivery->failures >= TRIES) {
		finish(delivery, &err);
		return;
	}
	int64_t wait = retry_wait_ms(&policy, delivery->failures, &err);
	if (clock_mono_ms() + wait >= delivery->deadline_ms) {
		finish(delivery, &err);
		return;
	}
	loop_after(delivery->loop, wait, start_try, delivery);
}

static void start_try(void *arg)
{
	static const HttpHandler handler = {on_head, on_data, on_end};
	Delivery *delivery = arg;
	int64_t left = delivery->deadline_ms - clock_mono_ms();
	delivery->status = 0;
	buf_clear(&delivery->reply);
	autovec Vec headers = {0};
	for (size_t i = 0; i < delivery->request.headers.len; i++)
		vec_push(&headers, delivery->request.headers.items[i]);
	vec_push(&headers, NULL);
	httpc_start(delivery->client,
		    &(HttpRequest){.method = "POST",
				   .url = delivery->request.url,
				   .headers = (const char *const *)headers.items,
				   .body = buf_text(&delivery->request.body),
				   .body_len = delivery->request.body.len,
				   .timeout_ms = left > 0 ? left : 1},
		    &handler, delivery);
}

void notify_send(Loop *loop, HttpClient *client, NotifyRequest *take_request, int64_t timeout_ms,
		 void (*on_done)(void *arg, const Error *err), void *arg)
{
	Delivery *delivery = mem_zalloc(1, sizeof(*delivery));
	*delivery = (Delivery){.loop = loop,
			       .client = client,
			       .request = *take_request,
			       .deadline_ms = clock_mono_ms() + timeout_ms,
			       .on_done = on_done,
			       .arg = arg};
	*take_request = (NotifyRequest){0};
	loop_post(loop, start_try, delivery);
}
