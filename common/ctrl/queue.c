/*
 * Items stand in a heap by the time they are due. A running item is in no heap: what is asked of it
 * meanwhile is noted (dirty, or a timer) and takes effect in queue_done.
 */
#include "ctrl/queue.h"

#include <pthread.h>

#include "base/cond.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"

enum { NOT_QUEUED = -1, POSTPONE_MAX = 10, POSTPONE_MAX_MS = 30000 };

typedef struct {
	char *key;
	int64_t due_ms;
	uint64_t order; /* first asked, first served among those due at the same time */
	ptrdiff_t at;	/* index in the heap, or NOT_QUEUED */
	int failures, postponed;
	bool running;
	bool held;	/* waits for the server (queue_hold) */
	bool triggered; /* asked for now: no timer postpones it */
	bool timer_set; /* while running: due_ms is when to run again */
} Item;

struct Queue {
	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t wake;
	QueueConfig config;
	Map *items;
	Item **heap;
	size_t len, cap;
	size_t running;
	uint64_t order;
	bool shut;
};

static void free_item(void *value)
{
	Item *item = value;
	free(item->key);
	free(item);
}

Queue *queue_new(const QueueConfig *config)
{
	Queue *queue = mem_zalloc(1, sizeof(*queue));
	queue->config = *config;
	queue->items = map_new(free_item);
	pthread_mutex_init(&queue->lock, NULL);
	cond_init(&queue->wake);
	return queue;
}

void queue_free(Queue *queue)
{
	if (!queue)
		return;
	map_free(queue->items);
	free(queue->heap);
	pthread_cond_destroy(&queue->wake);
	pthread_mutex_destroy(&queue->lock);
	free(queue);
}

static bool is_earlier(const Item *a, const Item *b)
{
	return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->order < b->order;
}

static void put_at(Queue *queue, size_t at, Item *item)
{
	queue->heap[at] = item;
	item->at = (ptrdiff_t)at;
}

static void sift_up(Queue *queue, size_t at)
{
	Item *item = queue->heap[at];
	for (; at && is_earlier(item, queue->heap[(at - 1) / 2]); at = (at - 1) / 2)
		put_at(queue, at, queue->heap[(at - 1) / 2]);
	put_at(queue, at, item);
}

static void sift_down(Queue *queue, size_t at)
{
	Item *item = queue->heap[at];
	for (;;) {
		size_t child = 2 * at + 1;
		if (child >= queue->len)
			break;
		if (child + 1 < queue->len &&
		    is_earlier(queue->heap[child + 1], queue->heap[child]))
			child++;
		if (!is_earlier(queue->heap[child], item))
			break;
		put_at(queue, at, queue->heap[child]);
		at = child;
	}
	put_at(queue, at, item);
}

static void heap_remove(Queue *queue, Item *item)
{
	size_t at = (size_t)item->at;
	item->at = NOT_QUEUED;
	Item *last = queue->heap[--queue->len];
	if (last == item)
		return;
	put_at(queue, at, last);
	sift_up(queue, at);
	sift_down(queue, (size_t)last->at);
}

static void heap_insert(Queue *queue, Item *item, int64_t due_ms)
{
	if (queue->len == queue->cap) {
		queue->cap = queue->cap ? queue->cap * 2 : 64;
		queue->heap = mem_realloc(queue->heap, queue->cap * sizeof(queue->heap[0]));
	}
	item->due_ms = due_ms;
	item->order = queue->order++;
	put_at(queue, queue->len++, item);
	sift_up(queue, (size_t)item->at);
	if (queue->heap[0] == item || due_ms <= clock_mono_ms())
		pthread_cond_signal(&queue->wake);
}

static Item *item_of(Queue *queue, const char *key)
{
	Item *item = map_get(queue->items, key);
	if (item)
		return item;
	item = mem_zalloc(1, sizeof(*item));
	item->key = mem_strdup(key);
	item->at = NOT_QUEUED;
	map_put(queue->items, key, item);
	return item;
}

void queue_add(Queue *queue, const char *key)
{
	pthread_mutex_lock(&queue->lock);
	Item *item = item_of(queue, key);
	bool waits = item->at != NOT_QUEUED;
	if (!item->triggered) {
		item->triggered = true;
		if (waits)
			heap_remove(queue, item);
		if (!item->running)
			heap_insert(queue, item, clock_mono_ms());
	}
	pthread_mutex_unlock(&queue->lock);
}

static void set_timer(Queue *queue, Item *item, int64_t due_ms, bool replace)
{
	if (item->triggered)
		return;
	if (item->running) {
		/* What was set while it runs is news that the run may not have seen: its own
		 * requeue does not put that off. */
		if (!item->timer_set || due_ms < item->due_ms)
			item->due_ms = due_ms;
		item->timer_set = true;
		return;
	}
	if (item->at != NOT_QUEUED) {
		if (!replace && item->due_ms <= due_ms)
			return;
		heap_remove(queue, item);
	}
	heap_insert(queue, item, due_ms);
}

void queue_add_after(Queue *queue, const char *key, int64_t after_ms, bool replace)
{
	pthread_mutex_lock(&queue->lock);
	Item *item = item_of(queue, key);
	if (replace)
		item->postponed = 0;
	set_timer(queue, item, clock_mono_ms() + after_ms, replace);
	pthread_mutex_unlock(&queue->lock);
}

static int64_t backoff(const Queue *queue, int failures, int64_t max_ms)
{
	int64_t wait = queue->config.min_retry_ms;
	for (int i = 0; i < failures && wait < max_ms; i++)
		wait *= 2;
	return wait < max_ms ? wait : max_ms;
}

int64_t queue_add_backoff(Queue *queue, const char *key, int64_t least_ms)
{
	pthread_mutex_lock(&queue->lock);
	Item *item = item_of(queue, key);
	int64_t wait = backoff(queue, item->failures, queue->config.max_retry_ms);
	if (wait < least_ms)
		wait = least_ms;
	item->failures++;
	item->postponed = 0;
	set_timer(queue, item, clock_mono_ms() + wait, true);
	pthread_mutex_unlock(&queue->lock);
	return wait;
}

bool queue_postpone(Queue *queue, const char *key, int64_t after_ms)
{
	pthread_mutex_lock(&queue->lock);
	Item *item = item_of(queue, key);
	bool ok = item->postponed < POSTPONE_MAX;
	if (ok) {
		int64_t wait = backoff(queue, item->postponed, POSTPONE_MAX_MS);
		if (after_ms > queue->config.max_retry_ms)
			after_ms = queue->config.max_retry_ms;
		item->postponed++;
		set_timer(queue, item, clock_mono_ms() + (after_ms > wait ? after_ms : wait), true);
	}
	pthread_mutex_unlock(&queue->lock);
	return ok;
}

void queue_hold(Queue *queue, const char *key)
{
	pthread_mutex_lock(&queue->lock);
	Item *item = map_get(queue->items, key);
	if (item)
		item->held = true;
	pthread_mutex_unlock(&queue->lock);
}

void queue_resume(Queue *queue)
{
	size_t at = 0;
	const char *key;
	void *value;
	pthread_mutex_lock(&queue->lock);
	while (map_next(queue->items, &at, &key, &value)) {
		Item *item = value;
		if (!item->held)
			continue;
		item->held = false;
		item->failures = item->postponed = 0;
		if (item->running)
			item->triggered = true; /* it is about to wait */
		if (item->at == NOT_QUEUED)
			continue;
		heap_remove(queue, item);
		heap_insert(queue, item, clock_mono_ms());
	}
	pthread_mutex_unlock(&queue->lock);
}

int queue_postponed(Queue *queue, const char *key)
{
	pthread_mutex_lock(&queue->lock);
	const Item *item = map_get(queue->items, key);
	int postponed = item ? item->postponed : 0;
	pthread_mutex_unlock(&queue->lock);
	return postponed;
}

void queue_forget(Queue *queue, const char *key)
{
	pthread_mutex_lock(&queue->lock);
	Item *item = map_get(queue->items, key);
	if (item)
		item->failures = item->postponed = 0;
	pthread_mutex_unlock(&queue->lock);
}

void queue_remove(Queue *queue, const char *key)
{
	pthread_mutex_lock(&queue->lock);
	Item *item = map_get(queue->items, key);
	if (item && !item->running && !item->triggered) {
		if (item->at != NOT_QUEUED)
			heap_remove(queue, item);
		map_remove(queue->items, key);
	} else if (item) {
		item->failures = item->postponed = 0;
		item->timer_set = false;
	}
	pthread_mutex_unlock(&queue->lock);
}

/* Waits for a due item and marks it running; NULL when shut. Lock held. */
static Item *take_due(Queue *queue)
{
	for (;;) {
		if (queue->shut)
			return NULL;
		if (!queue->len) {
			pthread_cond_wait(&queue->wake, &queue->lock);
			continue;
		}
		Item *item = queue->heap[0];
		if (item->due_ms > clock_mono_ms()) {
			cond_wait_until(&queue->wake, &queue->lock, item->due_ms);
			continue;
		}
		heap_remove(queue, item);
		item->running = true;
		item->triggered = item->timer_set = item->held = false;
		queue->running++;
		return item;
	}
}

char *queue_take(Queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	const Item *item = take_due(queue);
	char *key = item ? mem_strdup(item->key) : NULL;
	/* Another due item may wait while only one taker was woken. */
	if (queue->len && queue->heap[0]->due_ms <= clock_mono_ms())
		pthread_cond_signal(&queue->wake);
	pthread_mutex_unlock(&queue->lock);
	return key;
}

void queue_done(Queue *queue, const char *key)
{
	pthread_mutex_lock(&queue->lock);
	Item *item = map_get(queue->items, key);
	if (item && item->running) {
		item->running = false;
		queue->running--;
		if (item->triggered)
			heap_insert(queue, item, clock_mono_ms());
		else if (item->timer_set)
			heap_insert(queue, item, item->due_ms);
		else if (!item->failures && !item->postponed)
			map_remove(queue->items, key);
	}
	pthread_mutex_unlock(&queue->lock);
}

void queue_shut(Queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->shut = true;
	pthread_cond_broadcast(&queue->wake);
	pthread_mutex_unlock(&queue->lock);
}

size_t queue_depth(Queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	size_t depth = queue->running;
	int64_t now = clock_mono_ms();
	for (size_t i = 0; i < queue->len; i++)
		depth += queue->heap[i]->due_ms <= now;
	pthread_mutex_unlock(&queue->lock);
	return depth;
}

int queue_failures(Queue *queue, const char *key)
{
	pthread_mutex_lock(&queue->lock);
	const Item *item = map_get(queue->items, key);
	int failures = item ? item->failures : 0;
	pthread_mutex_unlock(&queue->lock);
	return failures;
}
