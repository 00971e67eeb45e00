/*
 * Queues of messages and their delivery, on the loop's thread. A lane has a few requests under way,
 * one for an object, so that what is said of it arrives in order.
 */
#include <string.h>

#include "base/mem.h"
#include "kube/events_internal.h"
#include "net/retry.h"

enum {
	QUEUE_MAX = 4000, /* a thousand objects have about three events each when all is new */
	TIMEOUT_MS = 5000,
	POST_TRIES = 5,	   /* one and four retries */
	EVENT_TRIES = 12,  /* of what never reached the server */
	EVENTS_EACH = 128, /* so many that wait bring one more request under way */
	EVENTS_ACTIVE = 4,
	POSTS_ACTIVE = 2,
};

static void send_job(void *arg);
static void start_next(EventRecorder *recorder, Lane *lane);

/* --- slots --- */

bool events_take_slot(EventRecorder *recorder, LaneId lane)
{
	pthread_mutex_lock(&recorder->lock);
	bool fits = recorder->pending[lane] < QUEUE_MAX;
	recorder->pending[lane] += fits;
	recorder->dropped += !fits;
	pthread_mutex_unlock(&recorder->lock);
	return fits;
}

void events_job_free(EventJob *job)
{
	EventRecorder *recorder = job->recorder;
	LaneId lane = job->lane;
	free(job->object_key);
	free(job->body);
	json_decref(job->event);
	free(job->collection);
	free(job->recent_key);
	free(job->patch_path);
	free(job->patch);
	free(job);
	pthread_mutex_lock(&recorder->lock);
	if (--recorder->pending[lane] == 0)
		pthread_cond_broadcast(&recorder->idle);
	pthread_mutex_unlock(&recorder->lock);
}

/* --- the end of a request --- */

static void finish(EventJob *job)
{
	EventRecorder *recorder = job->recorder;
	Lane *lane = &recorder->lanes[job->lane];
	for (EventJob **at = &lane->active; *at; at = &(*at)->next) {
		if (*at != job)
			continue;
		*at = job->next;
		break;
	}
	lane->active_count--;
	events_job_free(job);
	start_next(recorder, lane);
}

/* A post's 429 is final (a duplicate), and so is any Status of the API server. */
static bool may_retry(const EventJob *job, bool no_reply)
{
	if (job->lane == LANE_EVENT)
		return no_reply && job->failures < EVENT_TRIES;
	return (no_reply || job->status >= 500) && job->failures < POST_TRIES;
}

static void plan_retry(EventJob *job)
{
	const EventRecorder *recorder = job->recorder;
	const RetryPolicy post = {.base_ms = recorder->post_base_ms, .max_ms = 30000};
	const RetryPolicy event = {.base_ms = 10000, .max_ms = 10000};
	const RetryPolicy *policy = job->lane == LANE_EVENT ? &event : &post;
	job->timer = loop_after(kube_loop(recorder->client),
				retry_wait_ms(policy, job->failures, NULL), send_job, job);
}

static void log_failure(const EventJob *job, const Error *err)
{
	autofree char *status = mem_printf("%d", job->status);
	/* Events of a namespace that is being deleted are refused: nobody's trouble. */
	bool is_harmless = job->status == 429 ||
			   (job->lane == LANE_EVENT && (job->status == 403 || job->status == 404));
	if (!is_harmless)
		log_error(job->recorder->log, err_is_set(err) ? err : NULL,
			  "event could not be delivered", "to",
			  job->lane == LANE_EVENT ? "Kubernetes" : job->recorder->address, "object",
			  job->object_key, "status", job->status ? status : NULL, NULL);
}

/* The Event to count up has gone: this one is new. */
static void make_new(EventJob *job)
{
	free(steal(&job->patch_path));
	free(steal(&job->patch));
	job->failures = 0;
}

static void on_end(void *arg, const Error *err)
{
	EventJob *job = arg;
	job->call = NULL;
	if (job->recorder->closing)
		return;
	if (job->lane == LANE_EVENT)
		kube_count(job->recorder->client, job->patch ? "PATCH" : "POST", job->status, err);
	job->failures++;
	if (job->patch && job->status == 404) {
		make_new(job);
		send_job(job);
		return;
	}
	bool no_reply = err_is_set(err);
	if (may_retry(job, no_reply)) {
		plan_retry(job);
		return;
	}
	if (no_reply || job->status >= 400) {
		if (job->lane == LANE_EVENT)
			events_forget(job);
		log_failure(job, err);
	}
	finish(job);
}

static bool on_head(void *arg, int status, const HttpResponse *head)
{
	(void)head;
	((EventJob *)arg)->status = status;
	return true;
}

/* What the reply says is of no use. */
static bool on_data(void *arg, const char *bytes, size_t len)
{
	(void)arg;
	(void)bytes;
	(void)len;
	return true;
}

/* --- sending --- */

static const HttpHandler handler = {on_head, on_data, on_end};

static void send_event(EventJob *job)
{
	/* The reply is of no use here, nor a warning for which the server would parse the body once
	 * more: a server that has protobuf spends least on it. */
	static const char accept[] = "application/vnd.kubernetes.protobuf,application/json";
	EventRecorder *recorder = job->recorder;
	const char *type = job->patch ? "application/merge-patch+json" : "application/json";
	char **headers = kube_headers(recorder->client, accept, type);
	const char *body = job->patch ? job->patch : job->body;
	autofree char *url =
		mem_printf("%s%s?fieldValidation=Ignore", kube_server(recorder->client),
			   job->patch ? job->patch_path : job->collection);
	job->call = httpc_start(kube_http(recorder->client),
				&(HttpRequest){.method = job->patch ? "PATCH" : "POST",
					       .url = url,
					       .headers = (const char *const *)headers,
					       .body = body,
					       .body_len = strlen(body),
					       .timeout_ms = TIMEOUT_MS},
				&handler, job);
	kube_headers_free(headers);
}

/* Without our credentials for the API server. */
static void send_post(EventJob *job)
{
	static const char *const headers[] = {"Content-Type: application/json", NULL};
	job->call = httpc_start(job->recorder->http,
				&(HttpRequest){.method = "POST",
					       .url = job->recorder->address,
					       .headers = headers,
					       .body = job->body,
					       .body_len = strlen(job->body),
					       .timeout_ms = TIMEOUT_MS},
				&handler, job);
}

static void send_job(void *arg)
{
	EventJob *job = arg;
	job->timer = 0;
	job->status = 0;
	if (job->lane == LANE_EVENT)
		send_event(job);
	else
		send_post(job);
}

/* --- queue --- */

static bool is_busy(const Lane *lane, const char *object_key)
{
	for (const EventJob *job = lane->active; job; job = job->next)
		if (strcmp(job->object_key, object_key) == 0)
			return true;
	return false;
}

/* The oldest waiting job of an object that none under way is about, taken out. */
static EventJob *take_next(Lane *lane)
{
	EventJob *before = NULL;
	for (EventJob *job = lane->head; job; before = job, job = job->next) {
		if (is_busy(lane, job->object_key))
			continue;
		if (before)
			before->next = job->next;
		else
			lane->head = job->next;
		if (lane->tail == job)
			lane->tail = before;
		return job;
	}
	return NULL;
}

/* How many may be under way at once. What the API server gives to Events it takes from the work
 * itself, so they go one by one, and faster only where they pile up. Each post has a connection of
 * its own, for which its receiver holds as much memory as a header may need. */
static size_t active_max(EventRecorder *recorder, const Lane *lane)
{
	if (lane != &recorder->lanes[LANE_EVENT])
		return POSTS_ACTIVE;
	pthread_mutex_lock(&recorder->lock);
	size_t waiting = recorder->pending[LANE_EVENT];
	pthread_mutex_unlock(&recorder->lock);
	size_t wanted = recorder->hurried ? EVENTS_ACTIVE : 1 + waiting / EVENTS_EACH;
	return wanted < EVENTS_ACTIVE ? wanted : EVENTS_ACTIVE;
}

static void start_next(EventRecorder *recorder, Lane *lane)
{
	while (lane->active_count < active_max(recorder, lane) && !recorder->closing) {
		EventJob *job = take_next(lane);
		if (!job)
			return;
		job->next = lane->active;
		lane->active = job;
		lane->active_count++;
		send_job(job);
	}
}

void events_enqueue(EventJob *job)
{
	Lane *lane = &job->recorder->lanes[job->lane];
	job->next = NULL;
	if (lane->tail)
		lane->tail->next = job;
	else
		lane->head = job;
	lane->tail = job;
	start_next(job->recorder, lane);
}

void events_hurry(EventRecorder *recorder)
{
	recorder->hurried = true;
	start_next(recorder, &recorder->lanes[LANE_EVENT]);
}
