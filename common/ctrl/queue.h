/*
 * The work queue: keys wait, run once at a time, and come back later. A key added while it runs
 * runs again afterwards; added twice while it waits, it runs once. Thread-safe.
 */
#ifndef CTRL_QUEUE_H
#define CTRL_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"

typedef struct Queue Queue;

typedef struct {
	int64_t min_retry_ms; /* --min-retry-delay: 750 */
	int64_t max_retry_ms; /* --max-retry-delay: 900000 */
} QueueConfig;

Queue *queue_new(const QueueConfig *config);
void queue_free(Queue *queue);
AUTO_POINTER(Queue, queue_free, auto_queue);

/* Now; takes the place of a later time set before. */
void queue_add(Queue *queue, const char *key);

/* Not before after_ms from now. An earlier time that stands already stays, unless `replace`, which
 * is for what came of a run, and ends a row of queue_postpone; one that was set while the key runs
 * stays in any case. */
void queue_add_after(Queue *queue, const char *key, int64_t after_ms, bool replace);

/* After the key's next back-off: min * 2^failures up to max, and not before least_ms. Counts one
 * more failure. Returns the wait. */
int64_t queue_add_backoff(Queue *queue, const char *key, int64_t least_ms);

/* The key is put off, not failed: not before after_ms, and later each time in a row, up to 30 s.
 * False, with nothing done, when that happened too often in a row: it is time to tell somebody. */
bool queue_postpone(Queue *queue, const char *key, int64_t after_ms);

/* What the key waits for is the API server, which is away. Until it runs again. */
void queue_hold(Queue *queue, const char *key);

/* The server is back: keys that are held are due now, and their back-offs begin anew. */
void queue_resume(Queue *queue);

/* How often in a row the key was put off. */
int queue_postponed(Queue *queue, const char *key);

/* The key succeeded: its back-off starts anew. */
void queue_forget(Queue *queue, const char *key);

/* The key's object is gone: nothing of it stays (unless it is running or waiting to run). */
void queue_remove(Queue *queue, const char *key);

/* The next key that is due, waiting for one; an owned copy; NULL when the queue is shut. The caller
 * must call queue_done with it. */
char *queue_take(Queue *queue);
void queue_done(Queue *queue, const char *key);

/* Wakes all takers with NULL. Keys under way may still be done. */
void queue_shut(Queue *queue);

/* Keys that are due or running; and failures so far of one key: metrics. */
size_t queue_depth(Queue *queue);
int queue_failures(Queue *queue, const char *key);

#endif
