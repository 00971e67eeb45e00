/*
 * Events in the background. The calling thread builds both messages and posts them to the loop's thread,
 * which alone owns the queue, what is under way, and the memory of recent Events.
 */
#include "kube/events.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "net/retry.h"

enum {
	QUEUE_MAX = 4000,
	IN_FLIGHT_MAX = 4, /* in the background: the work itself goes first */
	TIMEOUT_MS = 5000,
	POST_TRIES = 5,   /* one and four retries */
	EVENT_TRIES = 12, /* of what never reached the server */
	RECENT_MAX = 4096,
	AGGREGATE_MS = 600000,
	BURST = 25,
	REFILL_MS = 300000, /* one more Event per object after the burst */
	MESSAGE_MAX = 39000,
	EVENT_MESSAGE_MAX = 1024,
};

static const RetryPolicy post_policy = {.base_ms = 1000, .max_ms = 30000};
static const RetryPolicy event_policy = {.base_ms = 10000, .max_ms = 10000, .factor = 1.0};

typedef struct Job Job;
struct Job {
	EventRecorder *recorder;
	Job *next;
	bool is_event; /* to the API server; else to notification-controller */
	const char *method, *content_type;
	char *url;
	char *body;
	char *recent_key; /* of the Event that was created; NULL otherwise */
	int failures, status;
	HttpCall *call;
	LoopTimer timer;
};

/* A recent Event: another one of the same key only counts up. */
typedef struct {
	char *name;
	int64_t count, last_ms;
} Recent;

typedef struct {
	double tokens;
	int64_t at_ms;
} Bucket;

struct EventRecorder {
	KubeClient *client;
	HttpClient *http; /* to notification-controller */
	char *controller, *instance, *address;
	const Log *log;

	/* loop's thread only */
	Job *head, *tail;   /* waiting */
	Job *active;        /* under way or waiting for a retry */
	size_t active_count;
	Map *recent;  /* key -> Recent */
	Map *buckets; /* object -> Bucket */
	bool closing;

	pthread_mutex_t lock; /* guards `pending` */
	pthread_cond_t idle;
	size_t pending;
};

static void free_recent(void *value)
{
	Recent *recent = value;
	free(recent->name);
	free(recent);
}

static char *own_host_name(void)
{
	const char *env = getenv("HOSTNAME");
	char name[256] = "";
	if (!cstr_empty(env))
		return mem_strdup(env);
	gethostname(name, sizeof(name) - 1);
	return mem_strdup(name);
}

EventRecorder *event_recorder_new(KubeClient *client, const EventRecorderConfig *config, Error *err)
{
	EventRecorder *recorder = mem_zalloc(1, sizeof(*recorder));
	recorder->client = client;
	recorder->log = config->log;
	recorder->controller = mem_strdup(config->controller);
	recorder->instance = config->instance ? mem_strdup(config->instance) : own_host_name();
	recorder->address = mem_strdup(cstr_empty(config->address) ? NULL : config->address);
	recorder->recent = map_new(free_recent);
	recorder->buckets = map_new(free);
	pthread_mutex_init(&recorder->lock, NULL);
	pthread_cond_init(&recorder->idle, NULL);
	recorder->http = httpc_new(kube_loop(client), &(HttpClientConfig){.env_proxy = false}, err);
	if (recorder->http)
		return recorder;
	event_recorder_free(recorder, 0);
	return NULL;
}

static bool take_slot(EventRecorder *recorder)
{
	pthread_mutex_lock(&recorder->lock);
	bool fits = recorder->pending < QUEUE_MAX;
	recorder->pending += fits;
	pthread_mutex_unlock(&recorder->lock);
	return fits;
}

static void free_job(Job *job)
{
	EventRecorder *recorder = job->recorder;
	free(job->url);
	free(job->body);
	free(job->recent_key);
	free(job);
	pthread_mutex_lock(&recorder->lock);
	if (--recorder->pending == 0)
		pthread_cond_broadcast(&recorder->idle);
	pthread_mutex_unlock(&recorder->lock);
}

static void start_next(EventRecorder *recorder);

static void finish(Job *job)
{
	EventRecorder *recorder = job->recorder;
	for (Job **at = &recorder->active; *at; at = &(*at)->next) {
		if (*at != job)
			continue;
		*at = job->next;
		break;
	}
	recorder->active_count--;
	free_job(job);
	start_next(recorder);
}

static void send_job(void *arg);

static bool on_head(void *arg, int status, const HttpResponse *head)
{
	(void)head;
	((Job *)arg)->status = status;
	return true;
}

static bool on_data(void *arg, const char *bytes, size_t len)
{
	(void)arg;
	(void)bytes;
	(void)len;
	return true;
}

/* Whether another try may follow: 429 is final, and Status errors of the API server are. */
static bool may_retry(const Job *job, const Error *err)
{
	if (job->is_event)
		return err_is_set(err) && job->failures < EVENT_TRIES;
	return (err_is_set(err) || job->status >= 500) && job->failures < POST_TRIES;
}

static void on_end(void *arg, const Error *err)
{
	Job *job = arg;
	EventRecorder *recorder = job->recorder;
	job->call = NULL;
	if (recorder->closing)
		return;
	job->failures++;
	if (may_retry(job, err)) {
		const RetryPolicy *policy = job->is_event ? &event_policy : &post_policy;
		job->timer = loop_after(kube_loop(recorder->client),
					retry_wait_ms(policy, job->failures, NULL), send_job, job);
		return;
	}
	bool failed = err_is_set(err) || job->status >= 400;
	/* Events of a namespace that is being deleted are refused, which is nobody's trouble. */
	if (failed && !(job->is_event && (job->status == 403 || job->status == 404)) &&
	    job->status != 429)
		log_error(recorder->log, err, "event could not be delivered", "url", job->url, NULL);
	finish(job);
}

static void send_job(void *arg)
{
	static const HttpHandler handler = {on_head, on_data, on_end};
	Job *job = arg;
	EventRecorder *recorder = job->recorder;
	job->timer = 0;
	job->status = 0;
	char **headers = kube_headers(recorder->client, "application/json", job->content_type);
	const char *const plain[] = {"Content-Type: application/json", NULL};
	job->call = httpc_start(job->is_event ? kube_http(recorder->client) : recorder->http,
				&(HttpRequest){.method = job->method,
					       .url = job->url,
					       .headers = job->is_event
								  ? (const char *const *)headers
								  : plain,
					       .body = job->body,
					       .body_len = strlen(job->body),
					       .timeout_ms = TIMEOUT_MS},
				&handler, job);
	kube_headers_free(headers);
}

static void start_next(EventRecorder *recorder)
{
	while (recorder->head && recorder->active_count < IN_FLIGHT_MAX && !recorder->closing) {
		Job *job = recorder->head;
		recorder->head = job->next;
		if (!recorder->head)
			recorder->tail = NULL;
		job->next = recorder->active;
		recorder->active = job;
		recorder->active_count++;
		send_job(job);
	}
}

static void enqueue(Job *job)
{
	EventRecorder *recorder = job->recorder;
	if (recorder->tail)
		recorder->tail->next = job;
	else
		recorder->head = job;
	recorder->tail = job;
	start_next(recorder);
}

/* Loop's thread: a message to notification-controller goes as it is. */
static void take_post(void *arg)
{
	enqueue(arg);
}

/* At most BURST Events of one object at once, then one per REFILL_MS (kube-api.md 1.6). */
static bool within_rate(EventRecorder *recorder, const char *object_key)
{
	int64_t now = clock_mono_ms();
	if (map_len(recorder->buckets) > RECENT_MAX)
		map_clear(recorder->buckets);
	Bucket *bucket = map_get(recorder->buckets, object_key);
	if (!bucket) {
		bucket = mem_zalloc(1, sizeof(*bucket));
		*bucket = (Bucket){BURST, now};
		map_put(recorder->buckets, object_key, bucket);
	}
	bucket->tokens += (double)(now - bucket->at_ms) / REFILL_MS;
	bucket->at_ms = now;
	if (bucket->tokens > BURST)
		bucket->tokens = BURST;
	if (bucket->tokens < 1)
		return false;
	bucket->tokens -= 1;
	return true;
}

/* An Event like a recent one only raises its count: url and body become those of a patch. */
static bool count_up(EventRecorder *recorder, Job *job)
{
	Recent *recent = map_get(recorder->recent, job->recent_key);
	int64_t now = clock_mono_ms();
	if (!recent || now - recent->last_ms > AGGREGATE_MS)
		return false;
	char text[CLOCK_TEXT_SIZE];
	clock_format(clock_wall_ms(), text);
	recent->last_ms = now;
	recent->count++;
	char *url = mem_printf("%s/%s", job->url, recent->name);
	free(job->url);
	free(job->body);
	job->url = url;
	job->method = "PATCH";
	job->content_type = "application/merge-patch+json";
	job->body = mem_printf("{\"count\":%lld,\"lastTimestamp\":\"%s\"}",
			       (long long)recent->count, text);
	return true;
}

static const char *name_in(const json_t *event)
{
	return json_text_at(event, "metadata", "name", NULL);
}

static void remember(EventRecorder *recorder, const Job *job, const json_t *event)
{
	if (map_len(recorder->recent) > RECENT_MAX)
		map_clear(recorder->recent);
	Recent *recent = mem_zalloc(1, sizeof(*recent));
	*recent = (Recent){mem_strdup(name_in(event)), 1, clock_mono_ms()};
	map_put(recorder->recent, job->recent_key, recent);
}

typedef struct {
	Job *job;
	json_t *event;
	char *object_key;
} NewEvent;

/* Loop's thread. */
static void take_event(void *arg)
{
	NewEvent *new_event = arg;
	Job *job = new_event->job;
	EventRecorder *recorder = job->recorder;
	if (!within_rate(recorder, new_event->object_key)) {
		free_job(job);
	} else {
		if (!count_up(recorder, job)) {
			remember(recorder, job, new_event->event);
			job->body = json_dump(new_event->event);
		}
		enqueue(job);
	}
	json_decref(new_event->event);
	free(new_event->object_key);
	free(new_event);
}

static json_t *reference_of(const json_t *object)
{
	json_t *reference = json_object();
	json_put_text(reference, "kind", object_kind(object));
	json_put_text(reference, "namespace", object_namespace(object));
	json_put_text(reference, "name", object_name(object));
	json_put_text(reference, "uid", object_uid(object));
	json_put_text(reference, "apiVersion", object_api_version(object));
	json_put_text(reference, "resourceVersion", object_resource_version(object));
	return reference;
}

/* Cut at a character's start. Owned. */
static char *cut(const char *message, size_t max)
{
	size_t len = strlen(message);
	if (len > max) {
		len = max;
		while (len && ((unsigned char)message[len] & 0xc0) == 0x80)
			len--;
	}
	return mem_strndup(message, len);
}

static json_t *core_event(const EventRecorder *recorder, const json_t *object, EventType type,
			  const char *reason, const json_t *metadata, const char *message)
{
	char now[CLOCK_TEXT_SIZE];
	clock_format(clock_wall_ms(), now);
	autofree char *name = mem_printf("%s.%llx", object_name(object),
					 (unsigned long long)clock_wall_ns());
	autofree char *text = cut(message, EVENT_MESSAGE_MAX);
	const char *ns = object_namespace(object);
	json_t *event = json_object();
	json_put_text(event, "apiVersion", "v1");
	json_put_text(event, "kind", "Event");
	json_t *meta = json_make_at(event, "metadata", NULL);
	json_put_text(meta, "name", name);
	json_put_text(meta, "namespace", *ns ? ns : "default");
	if (json_object_size(metadata))
		json_object_set(meta, "annotations", json_borrow(metadata));
	json_object_set_new(event, "involvedObject", reference_of(object));
	json_put_text(event, "type", type == EVENT_WARNING ? "Warning" : "Normal");
	json_put_text(event, "reason", reason);
	json_put_text(event, "message", text);
	json_put_text(event, "firstTimestamp", now);
	json_put_text(event, "lastTimestamp", now);
	json_object_set_new(event, "count", json_integer(1));
	json_put_text(json_make_at(event, "source", NULL), "component", recorder->controller);
	json_put_text(event, "reportingComponent", recorder->controller);
	json_put_text(event, "reportingInstance", recorder->instance);
	return event;
}

static void record_core(EventRecorder *recorder, const json_t *object, EventType type,
			const char *reason, const json_t *metadata, const char *message)
{
	if (!take_slot(recorder))
		return;
	const char *ns = object_namespace(object);
	NewEvent *new_event = mem_zalloc(1, sizeof(*new_event));
	Job *job = mem_zalloc(1, sizeof(*job));
	job->recorder = recorder;
	job->is_event = true;
	job->method = "POST";
	job->content_type = "application/json";
	job->url = mem_printf("%s/api/v1/namespaces/%s/events", kube_server(recorder->client),
			      *ns ? ns : "default");
	job->recent_key = mem_printf("%s/%d/%s/%s", object_uid(object), (int)type, reason, message);
	new_event->job = job;
	new_event->event = core_event(recorder, object, type, reason, metadata, message);
	new_event->object_key = object_id(object);
	loop_post(kube_loop(recorder->client), take_event, new_event);
}

static json_t *post_body(const EventRecorder *recorder, const json_t *object, EventType type,
			 const char *reason, const json_t *metadata, const char *message)
{
	char now[CLOCK_TEXT_SIZE];
	clock_format(clock_wall_ms(), now);
	autofree char *text = cut(message, MESSAGE_MAX);
	json_t *body = json_object();
	json_object_set_new(body, "involvedObject", reference_of(object));
	json_put_text(body, "severity", type == EVENT_WARNING ? "error" : "info");
	json_put_text(body, "timestamp", now);
	json_put_text(body, "message", text);
	json_put_text(body, "reason", reason);
	json_put_text(body, "reportingController", recorder->controller);
	json_put_text(body, "reportingInstance", recorder->instance);
	json_t *merged = json_object();
	const char *key;
	json_t *value;
	json_object_foreach(json_at(object, "metadata", "annotations", NULL), key, value)
	{
		if (cstr_starts(key, "event.toolkit.fluxcd.io/"))
			json_object_set(merged, key, value);
	}
	json_object_foreach(json_borrow(metadata), key, value)
	{
		json_object_set(merged, key, value);
	}
	if (json_object_size(merged))
		json_object_set(body, "metadata", merged);
	json_decref(merged);
	return body;
}

static void record_post(EventRecorder *recorder, const json_t *object, EventType type,
			const char *reason, const json_t *metadata, const char *message)
{
	if (!recorder->address || !*object_namespace(object) || !take_slot(recorder))
		return;
	autojson json_t *body = post_body(recorder, object, type, reason, metadata, message);
	Job *job = mem_zalloc(1, sizeof(*job));
	job->recorder = recorder;
	job->method = "POST";
	job->url = mem_strdup(recorder->address);
	job->body = json_dump(body);
	loop_post(kube_loop(recorder->client), take_post, job);
}

void event_record(EventRecorder *recorder, const json_t *object, EventType type, const char *reason,
		  const json_t *metadata, const char *message)
{
	if (!*object_kind(object) || !*object_name(object))
		return;
	record_core(recorder, object, type, reason, metadata, message);
	if (type != EVENT_TRACE)
		record_post(recorder, object, type, reason, metadata, message);
}

static void close_on_loop(void *arg)
{
	EventRecorder *recorder = arg;
	recorder->closing = true;
	for (Job *job = recorder->active; job; job = job->next) {
		if (job->call)
			httpc_cancel(job->call);
		if (job->timer)
			loop_cancel(kube_loop(recorder->client), job->timer);
	}
}

static void free_jobs(Job *job)
{
	while (job) {
		Job *next = job->next;
		free_job(job);
		job = next;
	}
}

static void wait_idle(EventRecorder *recorder, int64_t drain_ms)
{
	int64_t deadline = clock_wall_ms() + drain_ms;
	struct timespec at = {.tv_sec = deadline / 1000, .tv_nsec = (deadline % 1000) * 1000000};
	pthread_mutex_lock(&recorder->lock);
	while (recorder->pending &&
	       pthread_cond_timedwait(&recorder->idle, &recorder->lock, &at) == 0)
		;
	pthread_mutex_unlock(&recorder->lock);
}

void event_recorder_free(EventRecorder *recorder, int64_t drain_ms)
{
	if (!recorder)
		return;
	wait_idle(recorder, drain_ms);
	loop_call(kube_loop(recorder->client), close_on_loop, recorder);
	free_jobs(recorder->active);
	free_jobs(recorder->head);
	httpc_free(recorder->http);
	map_free(recorder->recent);
	map_free(recorder->buckets);
	pthread_cond_destroy(&recorder->idle);
	pthread_mutex_destroy(&recorder->lock);
	free(recorder->controller);
	free(recorder->instance);
	free(recorder->address);
	free(recorder);
}
