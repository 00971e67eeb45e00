/*
 * Many objects at once. The worker makes requests, opens files and decides; the loop's thread
 * writes what comes. A transfer's life:
 *
 *	idle -> running -> ended -> idle          (done, gone: the next object)
 *	                         -> waiting -> running   (again: cut, throttled, changed)
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "base/cond.h"
#include "base/fd.h"
#include "base/mem.h"
#include "cloud/bucket_internal.h"

enum { REFUSAL_MAX = 64 << 10, IDLE_TIMEOUT_MS = 30000, NO_LENGTH_FACTOR = 16, LOOK_MS = 250 };
#define NO_LENGTH_MAX (INT64_C(64) << 20)

typedef enum { IDLE, RUNNING, ENDED, WAITING } State;

typedef struct Fetch Fetch;

/* The worker's, but while it is RUNNING: then the loop's, save `state`, which the lock guards. */
typedef struct {
	Fetch *fetch;
	State state;
	BucketObject *object;
	BucketRequest request;
	HttpCall *call;
	int fd;
	HttpResponse head; /* and the body of a refusal */
	int64_t got, limit;
	int failures; /* without a byte in between */
	int64_t not_before_ms;
	Error err; /* why the call ended, or was ended */
} Transfer;

struct Fetch {
	CloudBucket *bucket;
	const Vec *objects;
	size_t next;
	int64_t deadline_ms;
	BucketOpen *open;
	void *arg;
	atomic_uint_fast64_t total;
	pthread_mutex_t lock; /* guards states */
	pthread_cond_t changed;
	Transfer transfers[BUCKET_MAX_TRANSFERS];
};

/* --- on the loop's thread --- */

static bool is_success(int status)
{
	return status == 200 || status == 206;
}

static int64_t number_of(const HttpResponse *head, const char *name)
{
	autofree char *text = http_response_header(head, name);
	unsigned long long number = 0;
	return text && str_to_u64(str_of(text), &number) && number < INT64_MAX ? (int64_t)number
									       : -1;
}

static bool begin_again(Transfer *transfer, Error *err)
{
	transfer->got = 0;
	if (ftruncate(transfer->fd, 0) != 0 || lseek(transfer->fd, 0, SEEK_SET) != 0)
		return err_errno(err, "begin the file again");
	return true;
}

/* "bytes FIRST-LAST/SIZE" must go on where the file ends. */
static bool goes_on(const Transfer *transfer)
{
	autofree char *range = http_response_header(&transfer->head, "content-range");
	autofree char *wanted = mem_printf("bytes %lld-", (long long)transfer->got);
	return range && cstr_starts(range, wanted);
}

static bool on_head(void *arg, int status, const HttpResponse *head)
{
	Transfer *transfer = arg;
	transfer->head.status = status;
	buf_clear(&transfer->head.headers);
	buf_add(&transfer->head.headers, buf_str(&head->headers));
	if (!is_success(status))
		return true;
	if (status == 206 && !goes_on(transfer))
		return err_set(&transfer->err, ERR_INVALID, "a part that was not asked for came");
	if (status == 200 && transfer->got && !begin_again(transfer, &transfer->err))
		return false;
	int64_t length = number_of(head, "content-length");
	int64_t listed = transfer->object->size;
	if (length >= 0)
		transfer->limit = transfer->got + length;
	else if (listed > NO_LENGTH_MAX / NO_LENGTH_FACTOR)
		transfer->limit = listed * NO_LENGTH_FACTOR;
	else
		transfer->limit = NO_LENGTH_MAX;
	return true;
}

static bool on_data(void *arg, const char *bytes, size_t len)
{
	Transfer *transfer = arg;
	Error *err = &transfer->err;
	if (!is_success(transfer->head.status))
		return buf_append_limited(&transfer->head.body, bytes, len, REFUSAL_MAX, err);
	if ((int64_t)len > transfer->limit - transfer->got)
		return err_set(err, ERR_LIMIT, "more than %lld bytes came",
			       (long long)transfer->limit);
	if (atomic_fetch_add(&transfer->fetch->total, len) + len > BUCKET_MAX_BYTES)
		return err_set(err, ERR_LIMIT, "the objects are larger than %llu bytes in sum",
			       (unsigned long long)BUCKET_MAX_BYTES);
	if (!fd_write_all(transfer->fd, bytes, len, err))
		return false;
	transfer->got += (int64_t)len;
	transfer->failures = 0;
	return true;
}

static void on_end(void *arg, const Error *err)
{
	Transfer *transfer = arg;
	Fetch *fetch = transfer->fetch;
	if (err->code && !err_is_set(&transfer->err))
		err_copy(&transfer->err, err);
	pthread_mutex_lock(&fetch->lock);
	transfer->state = ENDED;
	pthread_cond_signal(&fetch->changed);
	pthread_mutex_unlock(&fetch->lock);
}

/* --- on the worker --- */

static void transfer_clear(Transfer *transfer)
{
	auto_close(&transfer->fd);
	bucket_request_dispose(&transfer->request);
	http_response_dispose(&transfer->head);
	error_dispose(&transfer->err);
	*transfer = (Transfer){.fetch = transfer->fetch, .fd = -1};
}

/* Sends the request for what is missing; `state` becomes RUNNING. */
static bool start(Transfer *transfer, Error *err)
{
	static const HttpHandler handler = {
		.on_head = on_head, .on_data = on_data, .on_end = on_end};
	Fetch *fetch = transfer->fetch;
	BucketObject *object = transfer->object;
	int64_t left_ms = fetch->deadline_ms - clock_mono_ms();
	if (left_ms <= 0)
		return err_set(err, ERR_TIMEOUT, "out of time");
	bucket_request_dispose(&transfer->request);
	http_response_dispose(&transfer->head);
	error_dispose(&transfer->err);
	/* What may have changed must be read from its start. */
	if (transfer->got && !object->etag && !object->version && !begin_again(transfer, err))
		return false;
	autofree char *range =
		transfer->got ? mem_printf("Range: bytes=%lld-", (long long)transfer->got) : NULL;
	if (!bucket_object_request(fetch->bucket, object, range, &transfer->request, err))
		return false;
	const HttpRequest http = {.url = transfer->request.url,
				  .headers = bucket_headers(&transfer->request),
				  .timeout_ms = left_ms,
				  .idle_timeout_ms = IDLE_TIMEOUT_MS,
				  .path_as_is = true};
	pthread_mutex_lock(&fetch->lock);
	transfer->state = RUNNING;
	pthread_mutex_unlock(&fetch->lock);
	transfer->call = httpc_start(fetch->bucket->http, &http, &handler, transfer);
	return true;
}

static bool start_next(Transfer *transfer, Error *err)
{
	Fetch *fetch = transfer->fetch;
	transfer->object = fetch->objects->items[fetch->next++];
	transfer->fd = fetch->open(fetch->arg, transfer->object, err);
	return transfer->fd >= 0 && start(transfer, err);
}

static void wait_then_again(Transfer *transfer, int64_t wait_ms)
{
	transfer->state = WAITING;
	transfer->not_before_ms = clock_mono_ms() + wait_ms;
}

/* What has failed may be tried again, at once or later; else `err` is the end of all. */
static bool again(Transfer *transfer, Error *err)
{
	int64_t wait_ms = 0;
	if (!bucket_may_retry(err, ++transfer->failures, transfer->fetch->deadline_ms, &wait_ms))
		return err_wrap(err, "failed to get '%s' object", transfer->object->key);
	error_dispose(err);
	wait_then_again(transfer, wait_ms);
	return true;
}

/* The object is another one by now: from the start, as it is. */
static bool changed(Transfer *transfer, Error *err)
{
	enum { CHANGES_MAX = 5 };
	BucketObject *object = transfer->object;
	if (++transfer->failures > CHANGES_MAX)
		return err_set(err, ERR_CONFLICT, "object '%s' keeps changing", object->key);
	free(object->etag);
	object->etag = NULL;
	wait_then_again(transfer, 0);
	return begin_again(transfer, err);
}

static bool missing(Transfer *transfer, Error *err)
{
	Fetch *fetch = transfer->fetch;
	const BucketService *service = fetch->bucket->service;
	BucketObject *object = transfer->object;
	if (service->refresh && object->version &&
	    !service->refresh(fetch->bucket, object, fetch->deadline_ms, err))
		return err_wrap(err, "failed to get '%s' object", object->key);
	if (service->refresh && object->version && !object->gone) {
		wait_then_again(transfer, 0);
		return begin_again(transfer, err);
	}
	object->gone = true;
	transfer_clear(transfer);
	return true;
}

static void done(Transfer *transfer)
{
	BucketObject *object = transfer->object;
	char *etag = transfer->fetch->bucket->service->etag(&transfer->head);
	if (etag) {
		free(object->etag);
		object->etag = etag;
	}
	object->size = transfer->got;
	transfer_clear(transfer);
}

static bool refused(Transfer *transfer, Error *err)
{
	enum { NOT_FOUND = 404, PRECONDITION = 412, RANGE = 416 };
	const CloudBucket *bucket = transfer->fetch->bucket;
	const HttpRequest http = {.url = transfer->request.url,
				  .headers = bucket_headers(&transfer->request)};
	int status = transfer->head.status;
	cloud_refused(&http, &transfer->head, err);
	bool no_bucket =
		bucket->service->no_bucket && cstr_eq(err->reason, bucket->service->no_bucket);
	if ((status == NOT_FOUND && no_bucket) ||
	    (status != NOT_FOUND && status != PRECONDITION && status != RANGE))
		return again(transfer, err);
	error_dispose(err);
	return status == NOT_FOUND ? missing(transfer, err) : changed(transfer, err);
}

/* An ended transfer: what now? */
static bool settle(Transfer *transfer, Error *err)
{
	int status = transfer->head.status;
	/* A refusal counts even when its page was cut. */
	if (status && !is_success(status))
		return refused(transfer, err);
	if (!err_is_set(&transfer->err)) {
		done(transfer);
		return true;
	}
	err_move(err, &transfer->err);
	return again(transfer, err);
}

/* The next thing for a transfer that is not running; false and err end all. */
static bool step(Transfer *transfer, State state, Error *err)
{
	const Fetch *fetch = transfer->fetch;
	if (state == ENDED && !settle(transfer, err))
		return false;
	if (transfer->state == WAITING && transfer->not_before_ms <= clock_mono_ms())
		return start(transfer, err);
	if (transfer->state == IDLE && fetch->next < fetch->objects->len)
		return start_next(transfer, err);
	return true;
}

static State state_of(Transfer *transfer)
{
	pthread_mutex_lock(&transfer->fetch->lock);
	State state = transfer->state;
	pthread_mutex_unlock(&transfer->fetch->lock);
	return state;
}

/* Until something ended, a wait is over or it is time to look whether all is off; false when there
 * is nothing to wait for. */
static bool wait_for_change(Fetch *fetch)
{
	bool busy = false, woken = false;
	pthread_mutex_lock(&fetch->lock);
	int64_t look_ms = clock_mono_ms() + LOOK_MS, until_ms;
	do {
		busy = false;
		until_ms = look_ms;
		for (size_t i = 0; i < COUNT(fetch->transfers); i++) {
			const Transfer *transfer = &fetch->transfers[i];
			busy = busy || transfer->state != IDLE;
			woken = woken || transfer->state == ENDED ||
				(transfer->state == WAITING &&
				 transfer->not_before_ms <= clock_mono_ms());
			if (transfer->state == WAITING && transfer->not_before_ms < until_ms)
				until_ms = transfer->not_before_ms;
		}
		if (busy && !woken)
			cond_wait_until(&fetch->changed, &fetch->lock, until_ms);
	} while (busy && !woken && clock_mono_ms() < look_ms);
	pthread_mutex_unlock(&fetch->lock);
	return busy;
}

static bool run(Fetch *fetch, Error *err)
{
	do {
		if (!bucket_goes_on(fetch->bucket, err))
			return false;
		for (size_t i = 0; i < COUNT(fetch->transfers); i++) {
			Transfer *transfer = &fetch->transfers[i];
			State state = state_of(transfer);
			if (state != RUNNING && !step(transfer, state, err))
				return false;
		}
	} while (wait_for_change(fetch));
	return true;
}

/* Nothing of ours may be written to once we are gone. */
static void stop(Fetch *fetch)
{
	pthread_mutex_lock(&fetch->lock);
	for (size_t i = 0; i < COUNT(fetch->transfers); i++)
		if (fetch->transfers[i].state == RUNNING)
			httpc_cancel(fetch->transfers[i].call);
	for (size_t i = 0; i < COUNT(fetch->transfers); i++)
		while (fetch->transfers[i].state == RUNNING)
			pthread_cond_wait(&fetch->changed, &fetch->lock);
	pthread_mutex_unlock(&fetch->lock);
	for (size_t i = 0; i < COUNT(fetch->transfers); i++)
		transfer_clear(&fetch->transfers[i]);
}

bool bucket_fetch(CloudBucket *bucket, const Vec *objects, int64_t deadline_ms, BucketOpen *open,
		  void *arg, Error *err)
{
	Fetch *fetch = mem_zalloc(1, sizeof(*fetch));
	*fetch = (Fetch){.bucket = bucket,
			 .objects = objects,
			 .deadline_ms = deadline_ms,
			 .open = open,
			 .arg = arg};
	pthread_mutex_init(&fetch->lock, NULL);
	cond_init(&fetch->changed);
	for (size_t i = 0; i < COUNT(fetch->transfers); i++)
		fetch->transfers[i] = (Transfer){.fetch = fetch, .fd = -1};
	bool ok = run(fetch, err);
	stop(fetch);
	pthread_cond_destroy(&fetch->changed);
	pthread_mutex_destroy(&fetch->lock);
	free(fetch);
	return ok;
}
