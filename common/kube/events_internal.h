/*
 * What the files of the event recorder share: events.c (life, bodies), events_correlate.c (which
 * Event becomes a count, which none), events_send.c (queues, requests, retries).
 */
#ifndef KUBE_EVENTS_INTERNAL_H
#define KUBE_EVENTS_INTERNAL_H

#include <pthread.h>

#include "base/map.h"
#include "kube/client_internal.h"
#include "kube/events.h"

typedef struct EventJob EventJob;

/* Where jobs go: a slow or dead receiver of posts must not hold Kubernetes Events up. */
typedef enum { LANE_EVENT, LANE_POST, LANE_COUNT } LaneId;

typedef struct {
	EventJob *head, *tail; /* waiting, oldest first */
	EventJob *active;      /* under way or waiting for a retry */
	size_t active_count;
} Lane;

/* One message to be delivered. */
struct EventJob {
	EventRecorder *recorder;
	EventJob *next;
	LaneId lane;
	char *object_key; /* messages about one object go one after the other */
	char *body;	  /* JSON */

	/* LANE_EVENT */
	json_t *event;	  /* until it is correlated: a text waits in less memory than a tree */
	char *collection; /* path */
	char *recent_key; /* of the Event in recorder->recent */
	char *patch_path; /* of an Event that only counts up; NULL: a new one */
	char *patch;	  /* JSON */

	int failures, status;
	HttpCall *call;
	LoopTimer timer;
};

struct EventRecorder {
	KubeClient *client;
	HttpClient *http; /* to notification-controller */
	char *controller, *instance, *address;
	const Log *log;
	int64_t post_base_ms; /* first wait after a failed post */

	/* the loop's thread only */
	Lane lanes[LANE_COUNT];
	Map *recent;  /* key -> Recent */
	Map *similar; /* object, type, reason -> Similar */
	Map *buckets; /* object -> Bucket */
	bool hurried; /* nothing else is to be done any more */
	bool closing;

	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t idle;
	size_t pending[LANE_COUNT];
	size_t dropped;
};

/* --- events_correlate.c (the loop's thread) --- */

void events_correlation_init(EventRecorder *recorder);
void events_correlation_dispose(EventRecorder *recorder);

/* Decides on a new Event: false when the object has had too many; otherwise the job is a new Event,
 * one that stands for many similar, or a patch that counts up. */
bool events_correlate(EventJob *job);

/* The Event is not there: the next one of its key is a new one. */
void events_forget(EventJob *job);

/* --- events_send.c --- */

/* Any thread: false when the lane's queue is full, which is counted. */
bool events_take_slot(EventRecorder *recorder, LaneId lane);

/* The loop's thread: takes a job that has a slot. */
void events_enqueue(EventJob *take_job);

/* The loop's thread: what waits no longer gives way to work. */
void events_hurry(EventRecorder *recorder);
void events_job_free(EventJob *job);

#endif
