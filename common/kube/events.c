/*
 * Events in the background: the calling thread builds the messages and posts them to the loop's
 * thread, which alone owns the queues, what is under way, and the memory of recent Events.
 */
#include "kube/events.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cond.h"
#include "base/clock.h"
#include "base/mem.h"
#include "kube/events_internal.h"

enum {
	POST_BASE_MS = 1000,
	MESSAGE_MAX = 39000,  /* what notification.md 3 documents */
	EVENT_NAME_MAX = 230, /* of the object's name: 253 less the suffix */
};

static const char annotation_prefix[] = "event.toolkit.fluxcd.io/";

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
	HttpClient *http =
		httpc_new(kube_loop(client), &(HttpClientConfig){.env_proxy = false}, err);
	if (!http)
		return err_wrap_null(err, "event recorder");
	EventRecorder *recorder = mem_zalloc(1, sizeof(*recorder));
	recorder->client = client;
	recorder->http = http;
	recorder->log = config->log;
	recorder->controller = mem_strdup(config->controller);
	recorder->instance = config->instance ? mem_strdup(config->instance) : own_host_name();
	recorder->address = mem_strdup(cstr_empty(config->address) ? NULL : config->address);
	recorder->post_base_ms = config->retry_ms > 0 ? config->retry_ms : POST_BASE_MS;
	events_correlation_init(recorder);
	pthread_mutex_init(&recorder->lock, NULL);
	cond_init(&recorder->idle);
	return recorder;
}

/* --- bodies --- */

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

/* The caller's, and the object's annotations with our prefix, which win. NULL when empty. Owned. */
static json_t *merged_metadata(const json_t *object, const json_t *metadata)
{
	autojson json_t *merged = json_object();
	const char *key;
	json_t *value;
	if (metadata)
		json_object_update(merged, json_borrow(metadata));
	json_object_foreach(json_at(object, "metadata", "annotations", NULL), key, value)
	{
		if (cstr_starts(key, annotation_prefix))
			json_object_set(merged, key, value);
	}
	return json_object_size(merged) ? steal(&merged) : NULL;
}

/* At most `max` bytes, whole characters. */
static Str cut(const char *message, size_t max)
{
	Str text = str_of(message);
	if (text.len <= max)
		return text;
	text.len = max;
	while (text.len && ((unsigned char)text.ptr[text.len] & 0xc0) == 0x80)
		text.len--;
	return text;
}

static void put_message(json_t *body, const char *message)
{
	Str text = cut(message, MESSAGE_MAX);
	json_object_set_new(body, "message", json_text_new(text.ptr, text.len));
}

static const char *event_namespace(const json_t *object)
{
	const char *ns = object_namespace(object);
	return *ns ? ns : "default";
}

/* "OBJ.HEXNANOS", as client-go names them. */
static char *event_name(const json_t *object)
{
	Str name = cut(object_name(object), EVENT_NAME_MAX);
	return mem_printf("%.*s.%llx", (int)name.len, name.ptr,
			  (unsigned long long)clock_wall_ns());
}

/* Shares nothing with `metadata`: the loop's thread frees it, and jansson's counts of references
 * are not for two threads. */
static json_t *core_event(const EventRecorder *recorder, const json_t *object, EventType type,
			  const char *reason, const json_t *metadata, const char *message)
{
	char now[CLOCK_TEXT_SIZE];
	clock_format(clock_wall_ms(), now);
	autofree char *name = event_name(object);
	json_t *event = json_object();
	json_put_text(event, "apiVersion", "v1");
	json_put_text(event, "kind", "Event");
	json_t *meta = json_make_at(event, "metadata", NULL);
	json_put_text(meta, "name", name);
	json_put_text(meta, "namespace", event_namespace(object));
	if (metadata)
		json_object_set_new(meta, "annotations", json_deep_copy(metadata));
	json_object_set_new(event, "involvedObject", reference_of(object));
	json_put_text(event, "type", type == EVENT_WARNING ? "Warning" : "Normal");
	json_put_text(event, "reason", reason);
	put_message(event, message);
	json_put_text(event, "firstTimestamp", now);
	json_put_text(event, "lastTimestamp", now);
	json_object_set_new(event, "count", json_integer(1));
	json_put_text(json_make_at(event, "source", NULL), "component", recorder->controller);
	json_put_text(event, "reportingComponent", recorder->controller);
	json_put_text(event, "reportingInstance", recorder->instance);
	return event;
}

static json_t *post_body(const EventRecorder *recorder, const json_t *object, EventType type,
			 const char *reason, const json_t *metadata, const char *message)
{
	char now[CLOCK_TEXT_SIZE];
	clock_format(clock_wall_ms(), now);
	json_t *body = json_object();
	json_object_set_new(body, "involvedObject", reference_of(object));
	json_put_text(body, "severity", type == EVENT_WARNING ? "error" : "info");
	json_put_text(body, "timestamp", now);
	put_message(body, message);
	json_put_text(body, "reason", reason);
	if (metadata)
		json_object_set(body, "metadata", json_borrow(metadata));
	json_put_text(body, "reportingController", recorder->controller);
	json_put_text(body, "reportingInstance", recorder->instance);
	return body;
}

/* --- recording --- */

static void take_job(void *arg)
{
	EventJob *job = arg;
	if (job->lane == LANE_EVENT && !events_correlate(job))
		events_job_free(job);
	else
		events_enqueue(job);
}

/* NULL when the queue is full. */
static EventJob *job_new(EventRecorder *recorder, LaneId lane, const json_t *object)
{
	if (!events_take_slot(recorder, lane))
		return NULL;
	EventJob *job = mem_zalloc(1, sizeof(*job));
	job->recorder = recorder;
	job->lane = lane;
	job->object_key = object_id(object);
	return job;
}

static void record_core(EventRecorder *recorder, const json_t *object, EventType type,
			const char *reason, const json_t *metadata, const char *message)
{
	static const KubeResource events = {"events", true};
	EventJob *job = job_new(recorder, LANE_EVENT, object);
	if (!job)
		return;
	job->collection = resource_path("v1", &events, event_namespace(object), NULL, NULL);
	job->event = core_event(recorder, object, type, reason, metadata, message);
	loop_post(kube_loop(recorder->client), take_job, job);
}

static void record_post(EventRecorder *recorder, const json_t *object, EventType type,
			const char *reason, const json_t *metadata, const char *message)
{
	EventJob *job = job_new(recorder, LANE_POST, object);
	if (!job)
		return;
	autojson json_t *body = post_body(recorder, object, type, reason, metadata, message);
	job->body = json_dump(body);
	loop_post(kube_loop(recorder->client), take_job, job);
}

void event_record(EventRecorder *recorder, const json_t *object, EventType type, const char *reason,
		  const json_t *metadata, const char *message)
{
	if (!*object_kind(object) || !*object_name(object))
		return;
	autojson json_t *merged = merged_metadata(object, metadata);
	record_core(recorder, object, type, reason, merged, message);
	if (type != EVENT_TRACE && recorder->address && *object_namespace(object))
		record_post(recorder, object, type, reason, merged, message);
}

size_t event_recorder_dropped(EventRecorder *recorder)
{
	pthread_mutex_lock(&recorder->lock);
	size_t dropped = recorder->dropped;
	pthread_mutex_unlock(&recorder->lock);
	return dropped;
}

/* --- the end --- */

static void close_lane(EventRecorder *recorder, Lane *lane)
{
	for (EventJob *job = lane->active; job; job = job->next) {
		if (job->call)
			httpc_cancel(job->call);
		loop_cancel(kube_loop(recorder->client), job->timer);
	}
}

static void hurry_on_loop(void *arg)
{
	events_hurry(arg);
}

static void close_on_loop(void *arg)
{
	EventRecorder *recorder = arg;
	recorder->closing = true;
	for (size_t i = 0; i < LANE_COUNT; i++)
		close_lane(recorder, &recorder->lanes[i]);
}

static void free_jobs(EventJob *job)
{
	while (job) {
		EventJob *next = job->next;
		events_job_free(job);
		job = next;
	}
}

static bool has_pending(const EventRecorder *recorder)
{
	for (size_t i = 0; i < LANE_COUNT; i++)
		if (recorder->pending[i])
			return true;
	return false;
}

static void wait_idle(EventRecorder *recorder, int64_t drain_ms)
{
	int64_t until_ms = clock_mono_ms() + drain_ms;
	pthread_mutex_lock(&recorder->lock);
	while (has_pending(recorder) && cond_wait_until(&recorder->idle, &recorder->lock, until_ms))
		;
	pthread_mutex_unlock(&recorder->lock);
}

void event_recorder_free(EventRecorder *recorder, int64_t drain_ms)
{
	if (!recorder)
		return;
	loop_call(kube_loop(recorder->client), hurry_on_loop, recorder);
	wait_idle(recorder, drain_ms);
	loop_call(kube_loop(recorder->client), close_on_loop, recorder);
	for (size_t i = 0; i < LANE_COUNT; i++) {
		free_jobs(recorder->lanes[i].active);
		free_jobs(recorder->lanes[i].head);
	}
	httpc_free(recorder->http);
	events_correlation_dispose(recorder);
	pthread_cond_destroy(&recorder->idle);
	pthread_mutex_destroy(&recorder->lock);
	free(recorder->controller);
	free(recorder->instance);
	free(recorder->address);
	free(recorder);
}
