/*
 * Kubernetes Events (core/v1) and the POST to notification-controller, both in the background
 * (kube-api.md 1.6, source.md 7, notification.md 3 "Sender rules"). Never blocks, never fails the
 * caller: the queues are bounded, what overflows is dropped and counted.
 */
#ifndef KUBE_EVENTS_H
#define KUBE_EVENTS_H

#include "base/log.h"
#include "kube/client.h"

typedef struct EventRecorder EventRecorder;

typedef enum {
	EVENT_NORMAL,  /* severity info */
	EVENT_WARNING, /* severity error */
	EVENT_TRACE,   /* a Normal Kubernetes Event that is never posted */
} EventType;

typedef struct {
	const char *controller; /* reportingController and the Event's source */
	const char *instance;	/* reportingInstance; NULL: the host name */
	const char *address;	/* --events-addr; NULL or "": Kubernetes Events only */
	const Log *log;
	int64_t retry_ms; /* first wait after a failed POST; 0: 1000 */
} EventRecorderConfig;

EventRecorder *event_recorder_new(KubeClient *client, const EventRecorderConfig *config,
				  Error *err);

/* Sends what is queued for at most drain_ms, then frees. */
void event_recorder_free(EventRecorder *recorder, int64_t drain_ms);

/*
 * Records an event about `object` (apiVersion, kind, metadata are read now). metadata: a string map
 * with full keys ("GROUP/revision"), or NULL; annotations of the object with the prefix
 * `event.toolkit.fluxcd.io/` are added to the POST. Any thread.
 */
void event_record(EventRecorder *recorder, const json_t *object, EventType type, const char *reason,
		  const json_t *metadata, const char *message);

/* How many messages found their queue full. */
size_t event_recorder_dropped(EventRecorder *recorder);

#endif
