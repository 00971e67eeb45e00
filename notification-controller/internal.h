/*
 * What the parts share. The road of an event: intake.c (HTTP, checks, limiter) -> dispatch.c (a
 * queue and its workers) -> match.c (which Alerts) -> provider.c (Provider and Secret to a request)
 * -> common/notify (delivery in the background).
 */
#ifndef NOTIFICATION_CONTROLLER_INTERNAL_H
#define NOTIFICATION_CONTROLLER_INTERNAL_H

#include <pthread.h>

#include "ctrl/manager.h"
#include "net/httpd.h"
#include "notify/notify.h"

#define NOTIFICATION_VERSION "notification.toolkit.fluxcd.io/v1beta3"
#define EVENT_PREFIX "event.toolkit.fluxcd.io/"

typedef struct {
	char *events_addr, *receiver_addr;
	int64_t rate_limit_interval_ms;
	bool export_http_path_metrics, no_cross_namespace_refs;
} NotificationFlags;

typedef struct Limiter Limiter;
typedef struct Dispatcher Dispatcher;

typedef struct {
	Manager *manager;
	const NotificationFlags *flags;
	Limiter *limiter;
	Dispatcher *dispatcher;
	HttpClient *http; /* for targets without TLS or proxy settings of their own */
	Httpd *events;

	pthread_mutex_t lock; /* guards the two below */
	pthread_cond_t idle;
	size_t sending; /* deliveries under way */
	bool closing;   /* what a delivery comes to is nobody's business any more */
} NotificationContext;

/* limiter.c: one pass per key and interval, in fixed windows (notification.md 3.2). Thread-safe. */
Limiter *limiter_new(int64_t interval_ms);
void limiter_free(Limiter *limiter);
/* False when the key has passed in this window; *out_reset_ms is when the window ends (wall clock).
 */
bool limiter_pass(Limiter *limiter, const char *key, int64_t *out_reset_ms);

/* event.c: what an event's JSON means. */
bool event_check(const json_t *event, Error *err);
char *event_group(const json_t *event);	    /* API group of the involved object; owned */
void event_clean_metadata(json_t *event);   /* notification.md 3.1 */
char *event_limit_key(const json_t *event); /* 3.2: hex SHA-256, owned */
void event_drop_token(json_t *event);	    /* 3.3: N9 */
/* The value of GROUP/KEY in metadata, or NULL. */
const char *event_own_metadata(const json_t *event, const char *key);
/* A copy with metadata as providers see it (4 "Merged metadata"); *out_conflicts (owned, or NULL)
 * names the keys with two sources. */
json_t *event_for_alert(const json_t *event, const json_t *alert, json_t **out_conflicts);

/* match.c: whether an Alert wants an event. `problem` is told about what is wrong with the Alert.
 */
typedef void ProblemFn(void *arg, const json_t *alert, const char *reason, const char *message);
bool alert_matches(Manager *manager, const json_t *alert, const json_t *event, ProblemFn *problem,
		   void *arg);

/* provider.c: delivers to an Alert's Provider; errors before the request is on its way are in err.
 */
bool provider_deliver(NotificationContext *context, const json_t *alert, const json_t *event,
		      Error *err);

/* Waits for deliveries under way; false when some are left at the time-out. */
bool provider_drain(NotificationContext *context, int64_t timeout_ms);

/* dispatch.c: bounded queue, fixed workers; takes the event. False when the queue is full. */
Dispatcher *dispatcher_start(NotificationContext *context, int workers);
void dispatcher_stop(Dispatcher *dispatcher);
bool dispatcher_put(Dispatcher *dispatcher, json_t *take_event);
/* A Warning event about an Alert. */
void alert_warn(NotificationContext *context, const json_t *alert, const char *reason,
		const json_t *metadata, const char *message);

/* intake.c */
Httpd *intake_serve(NotificationContext *context, Error *err);

#endif
