/*
 * What keeps Events few, as client-go does it (kube-api.md 1.6): the same again only counts up;
 * many messages of one object, type and reason become one; an object has a budget. All on the
 * loop's thread; the memory is bounded by starting anew when it is full.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "kube/events_internal.h"
#include "net/url.h"

enum {
	MEMORY_MAX = 4096,
	SIMILAR_MAX = 10, /* messages in SIMILAR_MS before they are combined */
	SIMILAR_MS = 600000,
	BURST = 25,
	REFILL_MS = 300000, /* one more Event for an object after the burst */
};

static const char combined_prefix[] = "(combined from similar events): ";

/* An Event that is there: another one of the same key only counts up. */
typedef struct {
	int64_t count, last_ms;
	char name[];
} Recent;

/* Hashes of the messages seen since start_ms. */
typedef struct {
	int64_t last_ms;
	size_t count;
	uint64_t messages[SIMILAR_MAX];
} Similar;

typedef struct {
	double tokens;
	int64_t at_ms;
} Bucket;

void events_correlation_init(EventRecorder *recorder)
{
	recorder->recent = map_new(free);
	recorder->similar = map_new(free);
	recorder->buckets = map_new(free);
}

void events_correlation_dispose(EventRecorder *recorder)
{
	map_free(recorder->recent);
	map_free(recorder->similar);
	map_free(recorder->buckets);
}

static void make_room(Map *map)
{
	if (map_len(map) >= MEMORY_MAX)
		map_clear(map);
}

/* --- the object's budget --- */

static bool within_budget(EventRecorder *recorder, const char *object_key)
{
	int64_t now = clock_mono_ms();
	Bucket *bucket = map_get(recorder->buckets, object_key);
	if (!bucket) {
		make_room(recorder->buckets);
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

/* --- many similar ones --- */

/* Notes a message; true when there are more than SIMILAR_MAX different ones now. */
static bool is_one_of_many(Similar *similar, uint64_t message)
{
	int64_t now = clock_mono_ms();
	if (now - similar->last_ms > SIMILAR_MS)
		similar->count = 0;
	similar->last_ms = now;
	for (size_t i = 0; i < similar->count; i++)
		if (similar->messages[i] == message)
			return false;
	if (similar->count == SIMILAR_MAX)
		return true;
	similar->messages[similar->count++] = message;
	return false;
}

static Similar *similar_of(EventRecorder *recorder, const char *key)
{
	Similar *similar = map_get(recorder->similar, key);
	if (!similar) {
		make_room(recorder->similar);
		similar = mem_zalloc(1, sizeof(*similar));
		map_put(recorder->similar, key, similar);
	}
	return similar;
}

/* Thousands are kept, and whole they would be the largest part of what is. Owned. */
static char *short_key(const char *words)
{
	return mem_printf("%016llx", (unsigned long long)map_hash(words, strlen(words)));
}

/* Sets the key under which the Event counts, and the message of one that stands for many. */
static void combine(EventJob *job)
{
	const json_t *about = json_map(job->event, "involvedObject");
	const char *message = json_text_or(job->event, "message", "");
	autofree char *words = mem_printf(
		"%s/%s/%s/%s/%s", job->object_key, json_text_or(about, "uid", ""),
		json_text_or(about, "apiVersion", ""), json_text_or(job->event, "type", ""),
		json_text_or(job->event, "reason", ""));
	autofree char *kind_of_event = short_key(words);
	uint64_t hash = map_hash(message, strlen(message));
	if (!is_one_of_many(similar_of(job->recorder, kind_of_event), hash)) {
		autofree char *with_message =
			mem_printf("%s/%llx", kind_of_event, (unsigned long long)hash);
		job->recent_key = short_key(with_message);
		return;
	}
	autofree char *combined = mem_printf("%s%s", combined_prefix, message);
	json_put_text(job->event, "message", combined);
	autofree char *with_message = mem_printf("%s/combined", kind_of_event);
	job->recent_key = short_key(with_message);
}

/* --- the same again --- */

static void remember(EventJob *job)
{
	EventRecorder *recorder = job->recorder;
	make_room(recorder->recent);
	const char *name = object_name(job->event);
	size_t size = strlen(name) + 1;
	Recent *recent = mem_alloc(sizeof(*recent) + size);
	*recent = (Recent){1, clock_mono_ms()};
	memcpy(recent->name, name, size);
	map_put(recorder->recent, job->recent_key, recent);
}

static void count_up(EventJob *job, Recent *recent)
{
	autofree char *escaped = url_escape(recent->name, false);
	recent->last_ms = clock_mono_ms();
	recent->count++;
	job->patch_path = mem_printf("%s/%s", job->collection, escaped);
	autojson json_t *patch = json_object();
	json_object_set_new(patch, "count", json_integer(recent->count));
	json_object_set(patch, "message", json_object_get(job->event, "message"));
	json_object_set(patch, "lastTimestamp", json_object_get(job->event, "lastTimestamp"));
	job->patch = json_dump(patch);
}

bool events_correlate(EventJob *job)
{
	EventRecorder *recorder = job->recorder;
	if (!within_budget(recorder, job->object_key))
		return false;
	combine(job);
	Recent *recent = map_get(recorder->recent, job->recent_key);
	/* The server keeps Events for an hour. */
	if (recent && clock_mono_ms() - recent->last_ms <= SIMILAR_MS)
		count_up(job, recent);
	else
		remember(job);
	job->body = json_dump(job->event);
	json_decref(steal(&job->event));
	return true;
}

void events_forget(EventJob *job)
{
	map_remove(job->recorder->recent, job->recent_key);
}
