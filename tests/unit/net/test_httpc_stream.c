#include "../cmocka_all.h"

#include <sched.h>

#include "httpc_fixture.h"

/* --- batches --- */

static void batch_of_500(void **state)
{
	Fixture *f = *state;
	enum { N = 500 };
	autofree HttpRequest *requests = mem_zalloc(N, sizeof(HttpRequest));
	autofree HttpResponse *replies = mem_zalloc(N, sizeof(HttpResponse));
	autofree Error *errors = mem_zalloc(N, sizeof(Error));
	for (int i = 0; i < N; i++) {
		autofree char *path = mem_printf("/%d", i);
		requests[i] = (HttpRequest){.url = url_of(f, path), .timeout_ms = 30000};
	}
	assert_int_equal(httpc_do_all(f->client, requests, replies, errors, N), N);
	for (int i = 0; i < N; i++) {
		autofree char *expected = mem_printf("GET /%d?\n", i);
		assert_true(cstr_starts(replies[i].body.ptr, expected));
		http_response_dispose(&replies[i]);
		error_dispose(&errors[i]);
		union {
			const char *in;
			char *out;
		} url = {.in = requests[i].url};
		free(url.out);
	}
	assert_int_equal(httpc_do_all(f->client, NULL, NULL, NULL, 0), 0);
}

static void batch_answers_each_by_itself(void **state)
{
	Fixture *f = *state;
	autofree char *good = url_of(f, "/good");
	HttpRequest requests[3] = {{.url = good}, {.url = "nonsense://x"}, {.url = good}};
	HttpResponse replies[3] = {0};
	Error errors[3] = {0};
	assert_int_equal(httpc_do_all(f->client, requests, replies, errors, 3), 2);
	assert_int_equal(errors[1].code, ERR_INVALID);
	assert_int_equal(replies[2].status, 200);
	for (int i = 0; i < 3; i++) {
		http_response_dispose(&replies[i]);
		error_dispose(&errors[i]);
	}
}

static void *do_some(void *arg)
{
	Fixture *f = arg;
	autofree char *url = url_of(f, "/many");
	for (int i = 0; i < 50; i++) {
		autohttpresponse HttpResponse reply = {0};
		autoerror Error err = {0};
		if (!httpc_do(f->client, &(HttpRequest){.url = url}, &reply, &err))
			return f;
	}
	return NULL;
}

static void many_workers(void **state)
{
	Fixture *f = *state;
	pthread_t threads[8];
	for (int i = 0; i < 8; i++)
		pthread_create(&threads[i], NULL, do_some, f);
	for (int i = 0; i < 8; i++) {
		void *failed;
		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
}

/* --- streams and cancelling --- */

typedef struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	Loop *loop;
	HttpCall *call, *other;
	Buf data;
	int heads, ends, status;
	ErrorCode code;
	char *text;
	bool cancel_on_head, cancel_on_data, refuse_head, refuse_data, free_on_data;
	HttpClient *client;
} Sink;

static bool sink_head(void *arg, int status, const HttpResponse *head)
{
	Sink *sink = arg;
	(void)head;
	pthread_mutex_lock(&sink->lock);
	sink->heads++;
	sink->status = status;
	pthread_cond_broadcast(&sink->changed);
	pthread_mutex_unlock(&sink->lock);
	if (sink->cancel_on_head) {
		httpc_cancel(sink->call);
		assert_int_equal(sink->ends, 1);
	}
	return !sink->refuse_head;
}

static bool sink_data(void *arg, const char *bytes, size_t len)
{
	Sink *sink = arg;
	pthread_mutex_lock(&sink->lock);
	buf_append(&sink->data, bytes, len);
	pthread_cond_broadcast(&sink->changed);
	pthread_mutex_unlock(&sink->lock);
	if (sink->other)
		httpc_cancel(steal(&sink->other));
	if (sink->free_on_data) {
		httpc_free(steal(&sink->client));
		assert_int_equal(sink->ends, 1);
	} else if (sink->cancel_on_data) {
		httpc_cancel(sink->call);
		assert_int_equal(sink->ends, 1);
	}
	return !sink->refuse_data;
}

static void sink_end(void *arg, const Error *err)
{
	Sink *sink = arg;
	pthread_mutex_lock(&sink->lock);
	sink->ends++;
	sink->code = err->code;
	free(sink->text);
	sink->text = mem_strdup(err_text(err));
	pthread_cond_broadcast(&sink->changed);
	pthread_mutex_unlock(&sink->lock);
}

static const HttpHandler sink_handler = {sink_head, sink_data, sink_end};

static void sink_init(Sink *sink, Fixture *f)
{
	*sink = (Sink){.loop = f->loop, .client = f->client};
	pthread_mutex_init(&sink->lock, NULL);
	pthread_cond_init(&sink->changed, NULL);
}

static void sink_start(Sink *sink, Fixture *f, const char *path)
{
	autofree char *url = url_of(f, path);
	pthread_mutex_lock(&sink->lock);
	sink->call = httpc_start(f->client, &(HttpRequest){.url = url}, &sink_handler, sink);
	pthread_mutex_unlock(&sink->lock);
}

static void sink_wait_heads(Sink *sink)
{
	pthread_mutex_lock(&sink->lock);
	while (!sink->heads && !sink->ends)
		pthread_cond_wait(&sink->changed, &sink->lock);
	pthread_mutex_unlock(&sink->lock);
}

static void sink_wait_data(Sink *sink, size_t len)
{
	pthread_mutex_lock(&sink->lock);
	while (sink->data.len < len && !sink->ends)
		pthread_cond_wait(&sink->changed, &sink->lock);
	pthread_mutex_unlock(&sink->lock);
}

static void nothing(void *arg)
{
	(void)arg;
}

static void sink_finish(Sink *sink, ErrorCode expected)
{
	pthread_mutex_lock(&sink->lock);
	while (!sink->ends)
		pthread_cond_wait(&sink->changed, &sink->lock);
	assert_int_equal(sink->ends, 1);
	assert_int_equal(sink->code, expected);
	pthread_mutex_unlock(&sink->lock);
	/* on_end may have run inside another callback, which still looks at the sink. */
	loop_call(sink->loop, nothing, NULL);
	buf_dispose(&sink->data);
	free(sink->text);
}

static void stream_gets_head_then_data_then_end(void **state)
{
	Fixture *f = *state;
	Sink sink;
	sink_init(&sink, f);
	sink_start(&sink, f, "/stream");
	wait_stream(f, false);
	sink_wait_heads(&sink); /* before a byte of body was written */
	assert_int_equal(sink.status, 200);
	feed(f, "one");
	sink_wait_data(&sink, 3);
	feed(f, "two");
	sink_wait_data(&sink, 6);
	assert_string_equal(sink.data.ptr, "onetwo");
	pthread_mutex_lock(&f->lock);
	httpd_stream_end(f->stream);
	pthread_mutex_unlock(&f->lock);
	sink_finish(&sink, ERR_NONE);
	assert_int_equal(sink.heads, 1);
	wait_stream(f, true);
}

static void cancel_from_another_thread(void **state)
{
	Fixture *f = *state;
	Sink sink;
	sink_init(&sink, f);
	sink_start(&sink, f, "/stream");
	sink_wait_heads(&sink);
	httpc_cancel(sink.call);
	sink_finish(&sink, ERR_CANCELLED);
	wait_stream(f, true); /* the server notices although the stream is silent */
}

static void cancel_before_the_start(void **state)
{
	Fixture *f = *state;
	for (int i = 0; i < 50; i++) {
		Sink sink;
		sink_init(&sink, f);
		/* A server that never answers, so that the handle is valid. */
		sink.call = httpc_start(f->client, &(HttpRequest){.url = "http://127.0.0.1:1/"},
					&(HttpHandler){sink_head, sink_data, sink_end}, &sink);
		pthread_mutex_lock(&sink.lock);
		while (!sink.ends)
			pthread_cond_wait(&sink.changed, &sink.lock);
		pthread_mutex_unlock(&sink.lock);
		sink_finish(&sink, ERR_UNAVAILABLE);
	}
}

typedef struct {
	Sink *sink;
	Fixture *fixture;
} StartAndCancel;

/* On the loop's thread the start is still queued when the cancel comes. */
static void start_and_cancel(void *arg)
{
	const StartAndCancel *both = arg;
	sink_start(both->sink, both->fixture, "/x");
	httpc_cancel(both->sink->call);
	assert_int_equal(both->sink->ends, 1);
}

static void cancel_while_queued(void **state)
{
	Fixture *f = *state;
	Sink sink;
	sink_init(&sink, f);
	loop_call(f->loop, start_and_cancel, &(StartAndCancel){&sink, f});
	sink_finish(&sink, ERR_CANCELLED);
	assert_int_equal(sink.heads, 0);
}

static void cancel_inside_callbacks(void **state)
{
	Fixture *f = *state;
	for (int i = 0; i < 4; i++) {
		Sink sink;
		sink_init(&sink, f);
		sink.cancel_on_head = i == 0;
		sink.cancel_on_data = i == 1;
		sink.refuse_head = i == 2;
		sink.refuse_data = i == 3;
		sink_start(&sink, f, "/big");
		sink_finish(&sink, ERR_CANCELLED);
		assert_int_equal(sink.heads, 1);
	}
}

static void cancel_of_another_call_inside_a_callback(void **state)
{
	Fixture *f = *state;
	Sink waiting, active;
	sink_init(&waiting, f);
	sink_init(&active, f);
	sink_start(&waiting, f, "/stream");
	sink_wait_heads(&waiting);
	active.other = waiting.call;
	sink_start(&active, f, "/big");
	sink_finish(&waiting, ERR_CANCELLED);
	sink_finish(&active, ERR_NONE);
	wait_stream(f, true);
}

static void client_freed_in_a_callback(void **state)
{
	Fixture *f = *state;
	Sink sink, waiting;
	sink_init(&waiting, f);
	sink_init(&sink, f);
	sink_start(&waiting, f, "/stream");
	sink_wait_heads(&waiting);
	sink.free_on_data = true;
	sink_start(&sink, f, "/big");
	sink_finish(&sink, ERR_CANCELLED);
	sink_finish(&waiting, ERR_CANCELLED);
	f->client = NULL;
}

static bool count_bytes(void *arg, const char *bytes, size_t len)
{
	(void)bytes;
	*(size_t *)arg += len;
	return *(size_t *)arg < 1000000;
}

static void blocking_stream(void **state)
{
	Fixture *f = *state;
	autofree char *url = url_of(f, "/big");
	autohttpresponse HttpResponse head = {0};
	autoerror Error err = {0};
	size_t total = 0;
	HttpRequest request = {.url = url, .max_body = 1};
	assert_true(httpc_stream(f->client, &request, count_bytes, &total, &head, &err));
	assert_int_equal(head.status, 200);
	assert_int_equal(total, 100000);
	autofree char *length = http_response_header(&head, "content-length");
	assert_string_equal(length, "100000");
	total = 999999;
	assert_false(httpc_stream(f->client, &request, count_bytes, &total, &head, &err));
	assert_int_equal(err.code, ERR_CANCELLED);
}

typedef struct {
	HttpClient *client;
	char *url;
	ErrorCode code;
	size_t answered;
} Worker;

static void *hang_in_a_batch(void *arg)
{
	Worker *worker = arg;
	enum { N = 60 };
	HttpRequest requests[N] = {0};
	HttpResponse replies[N] = {0};
	Error errors[N] = {0};
	for (int i = 0; i < N; i++)
		requests[i].url = worker->url;
	worker->answered = httpc_do_all(worker->client, requests, replies, errors, N);
	worker->code = errors[N - 1].code;
	for (int i = 0; i < N; i++) {
		if (errors[i].code != ERR_CANCELLED)
			worker->code = errors[i].code;
		error_dispose(&errors[i]);
		http_response_dispose(&replies[i]);
	}
	return NULL;
}

static void free_while_calls_run(void **state)
{
	Fixture *f = *state;
	RawServer raw;
	raw_start(&raw, NULL, true);
	Worker worker = {.client = f->client, .url = raw_url(&raw)};
	pthread_t thread;
	pthread_create(&thread, NULL, hang_in_a_batch, &worker);
	while (!atomic_load(&raw.accepted))
		sched_yield();
	httpc_free(steal(&f->client));
	pthread_join(thread, NULL);
	assert_int_equal(worker.code, ERR_CANCELLED);
	assert_int_equal(worker.answered, 0);
	free(worker.url);
	raw_stop(&raw);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SERVER(batch_of_500),
		WITH_SERVER(batch_answers_each_by_itself),
		WITH_SERVER(many_workers),
		WITH_SERVER(stream_gets_head_then_data_then_end),
		WITH_SERVER(cancel_from_another_thread),
		WITH_SERVER(cancel_before_the_start),
		WITH_SERVER(cancel_while_queued),
		WITH_SERVER(cancel_inside_callbacks),
		WITH_SERVER(cancel_of_another_call_inside_a_callback),
		WITH_SERVER(client_freed_in_a_callback),
		WITH_SERVER(blocking_stream),
		WITH_SERVER(free_while_calls_run),
	};
	return cmocka_run_group_tests_name("net/httpc_stream", tests, NULL, NULL);
}
