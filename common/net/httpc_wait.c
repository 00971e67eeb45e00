/*
 * The blocking forms: a worker hands over requests, which stay its own, and sleeps until the last
 * one has ended. A batch runs through a window, so that a thousand requests neither open hundreds
 * of connections to an HTTP/1.1 peer nor hold hundreds of buffers.
 */
#include <assert.h>
#include <string.h>

#include "net/httpc_internal.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"

enum { WINDOW_HTTP1 = 12, WINDOW_HTTP2 = 48, MAX_RETRY_AFTER_S = 24 * 3600 };

typedef struct Batch Batch;

/* A request's place in the batch; loop's thread. */
typedef struct {
	Batch *batch;
	HttpCall *call;
	HttpResponse *reply;
	Error *err;
} Slot;

struct Batch {
	HttpClient *client;
	const HttpRequest *requests;
	Slot *slots;
	HttpHandler handler;
	size_t count, next, running, answered; /* loop's thread while it runs */
	bool (*on_data)(void *arg, const char *bytes, size_t len);
	void *arg;
	pthread_mutex_t lock; /* guards done */
	pthread_cond_t done_changed;
	bool done;
};

/* Starts requests until the window is full. */
static void fill_window(Batch *batch)
{
	size_t window = batch->client->speaks_http2 ? WINDOW_HTTP2 : WINDOW_HTTP1;
	HttpCall *calls[WINDOW_HTTP2];
	size_t count = 0;
	while (batch->next < batch->count && batch->running < window) {
		Slot *slot = &batch->slots[batch->next];
		slot->call = httpc_call_new(batch->client, &batch->requests[batch->next], true,
					    &batch->handler, slot);
		calls[count++] = slot->call;
		batch->next++;
		batch->running++;
	}
	httpc_enqueue(batch->client, calls, count);
}

static bool on_slot_data(void *arg, const char *bytes, size_t len)
{
	const Slot *slot = arg;
	return slot->batch->on_data(slot->batch->arg, bytes, len);
}

static bool on_slot_head(void *arg, int status, const HttpResponse *head)
{
	const Slot *slot = arg;
	slot->reply->status = status;
	buf_clear(&slot->reply->headers);
	buf_add(&slot->reply->headers, buf_str(&head->headers));
	return true;
}

static void finish_batch(Batch *batch)
{
	pthread_mutex_lock(&batch->lock);
	batch->done = true;
	pthread_cond_signal(&batch->done_changed);
	pthread_mutex_unlock(&batch->lock);
}

/* A request that failed for the client's closing ends the batch: the rest would only follow it. */
static void on_slot_end(void *arg, const Error *err)
{
	Slot *slot = arg;
	Batch *batch = slot->batch;
	HttpResponse *got = &slot->call->response;
	if (err->code == ERR_NONE) {
		batch->answered++;
		if (!batch->on_data) {
			*slot->reply = *got;
			*got = (HttpResponse){0};
		}
	} else {
		err_copy(slot->err, err);
	}
	batch->running--;
	if (err->code == ERR_CANCELLED && !batch->on_data) {
		for (; batch->next < batch->count; batch->next++)
			err_copy(batch->slots[batch->next].err, err);
	}
	if (batch->next < batch->count)
		fill_window(batch);
	else if (batch->running == 0)
		finish_batch(batch);
}

static void start_batch(void *arg)
{
	fill_window(arg);
}

/* Posted under the client's lock, as in httpc_enqueue: never behind the message that frees it. */
static bool post_batch(Batch *batch)
{
	HttpClient *client = batch->client;
	pthread_mutex_lock(&client->lock);
	bool open = !client->closing;
	if (open)
		loop_post(client->loop, start_batch, batch);
	pthread_mutex_unlock(&client->lock);
	if (open)
		return true;
	for (size_t i = 0; i < batch->count; i++)
		err_set(batch->slots[i].err, ERR_CANCELLED, "the client is closed");
	return false;
}

static size_t run_batch(Batch *batch)
{
	assert(!loop_is_current(batch->client->loop));
	batch->handler.on_end = on_slot_end;
	pthread_mutex_init(&batch->lock, NULL);
	pthread_cond_init(&batch->done_changed, NULL);
	bool posted = post_batch(batch);
	pthread_mutex_lock(&batch->lock);
	while (posted && !batch->done)
		pthread_cond_wait(&batch->done_changed, &batch->lock);
	pthread_mutex_unlock(&batch->lock);
	pthread_cond_destroy(&batch->done_changed);
	pthread_mutex_destroy(&batch->lock);
	return batch->answered;
}

size_t httpc_do_all(HttpClient *client, const HttpRequest *requests, HttpResponse *replies,
		    Error *errors, size_t count)
{
	if (count == 0)
		return 0;
	autofree Slot *slots = mem_zalloc(count, sizeof(Slot));
	Batch batch = {.client = client, .requests = requests, .slots = slots, .count = count};
	for (size_t i = 0; i < count; i++)
		slots[i] = (Slot){&batch, NULL, &replies[i], &errors[i]};
	return run_batch(&batch);
}

bool httpc_do(HttpClient *client, const HttpRequest *request, HttpResponse *out, Error *err)
{
	return httpc_do_all(client, request, out, err, 1) == 1;
}

bool httpc_stream(HttpClient *client, const HttpRequest *request,
		  bool (*on_data)(void *arg, const char *bytes, size_t len), void *arg,
		  HttpResponse *out_head, Error *err)
{
	Slot slot;
	Batch batch = {.client = client,
		       .requests = request,
		       .slots = &slot,
		       .count = 1,
		       .on_data = on_data,
		       .arg = arg};
	slot = (Slot){&batch, NULL, out_head, err};
	batch.handler = (HttpHandler){.on_head = on_slot_head, .on_data = on_slot_data};
	return run_batch(&batch) == 1;
}

/* --- replies --- */

void http_response_dispose(HttpResponse *response)
{
	buf_dispose(&response->body);
	buf_dispose(&response->headers);
	*response = (HttpResponse){0};
}

char *http_response_header(const HttpResponse *response, const char *name)
{
	Str rest = buf_str(&response->headers), line, found, value;
	while (str_next(&rest, '\n', &line)) {
		str_cut(line, ':', &found, &value);
		if (str_eq(found, str_of(name)))
			return str_dup(str_trim(value));
	}
	return NULL;
}

/* At most a day: a peer must not put us to sleep for ever. */
int64_t http_response_retry_after_ms(const HttpResponse *response)
{
	autofree char *text = http_response_header(response, "retry-after");
	if (cstr_empty(text))
		return 0;
	unsigned long long seconds;
	if (str_to_u64(str_of(text), &seconds))
		return (int64_t)(seconds < MAX_RETRY_AFTER_S ? seconds : MAX_RETRY_AFTER_S) * 1000;
	time_t date = curl_getdate(text, NULL);
	int64_t wait_ms = date < 0 ? 0 : (int64_t)date * 1000 - clock_wall_ms();
	if (wait_ms > (int64_t)MAX_RETRY_AFTER_S * 1000)
		return (int64_t)MAX_RETRY_AFTER_S * 1000;
	return wait_ms > 0 ? wait_ms : 0;
}
