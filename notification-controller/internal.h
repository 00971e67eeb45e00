/*
 * What the parts share. The road of an event: intake.c (HTTP, checks, limiter) -> dispatch.c (a
 * queue and its workers) -> match.c (which Alerts) -> provider.c (Provider and Secret to a request)
 * -> common/notify (delivery in the background).
 */
#ifndef NOTIFICATION_CONTROLLER_INTERNAL_H
#define NOTIFICATION_CONTROLLER_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/map.h"
#include "cloud/azure.h"
#include "ctrl/manager.h"
#include "data/digest.h"
#include "identity/workload.h"
#include "net/httpd.h"
#include "notify/notify.h"

#define NOTIFICATION_VERSION "notification.toolkit.fluxcd.io/v1beta3"
#define EVENT_PREFIX "event.toolkit.fluxcd.io/"

/* Of both servers: the product is what hostile senders may make us hold (notification.md 1). */
enum {
	SERVER_HEADER_MAX = 256 << 10,
	SERVER_CONNECTIONS_MAX = 256,
	SERVER_KEPT_MAX = 8, /* the controllers' own: each sends its events over one or two */
	SERVER_IDLE_S = 10,
};

/* What an event may cost at the API server, each time it is asked (notification.md 3.3): a server
 * that hangs must not hold the workers for long, nor the daemon's end. */
enum { EVENT_READ_MS = 15000 };

typedef struct {
	char *events_addr, *receiver_addr, *gcr_keys_url;
	int64_t rate_limit_interval_ms;
	bool export_http_path_metrics, no_cross_namespace_refs;
} NotificationFlags;

typedef struct Limiter Limiter;
typedef struct Dispatcher Dispatcher;
typedef struct ReceiverPaths ReceiverPaths;
typedef struct KeyCache KeyCache;

/* http_metrics.c: one server's metrics (N97). */
typedef struct {
	Metrics *metrics;
	const MetricFamily *duration, *size;
	const char *server, *handler;
	bool by_path;
	pthread_mutex_t lock; /* guards paths */
	Map *paths;	      /* those that have a series of their own */
	atomic_int active;    /* handlers at work */
} HttpMetrics;

/* Into zeroed memory. `server` is "event" or "receiver", `handler` the fixed label; both static. */
void http_metrics_init(HttpMetrics *metrics, Manager *manager, const char *server,
		       const char *handler, bool by_path);
void http_metrics_dispose(HttpMetrics *metrics);
void http_metrics_observe(HttpMetrics *metrics, const HttpdRequest *request, int status,
			  size_t body_bytes, double took_s);
void http_metrics_write_active(HttpMetrics *metrics, Buf *out);

typedef struct {
	Manager *manager;
	const NotificationFlags *flags;
	Limiter *limiter;
	Dispatcher *dispatcher;
	NotifySender *sender;
	Cloud *cloud;
	ReceiverPaths *paths;
	KeyCache *keys;
	Httpd *events, *webhooks;
	HttpMetrics event_metrics, receiver_metrics;
} NotificationContext;

/* limiter.c: one pass per key and interval, in fixed windows (notification.md 3.2). Thread-safe. */
Limiter *limiter_new(int64_t interval_ms);
void limiter_free(Limiter *limiter);
/* False when the key (16 bytes or more of a digest) has passed in this window; *out_reset_ms is
 * when the window ends (wall clock). */
bool limiter_pass(Limiter *limiter, const unsigned char *key, int64_t *out_reset_ms);

/* event.c: what an event's JSON means. */
bool event_check(const json_t *event, Error *err);
char *event_group(const json_t *event);	  /* API group of the involved object; owned */
void event_clean_metadata(json_t *event); /* notification.md 3.1 */
void event_limit_key(const json_t *event, unsigned char out[DIGEST_MAX_BYTES]); /* 3.2 */
void event_drop_token(json_t *event);						/* 3.3: N9 */
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

/* dispatch.c: bounded queue, fixed workers. False when the queue is full. */
Dispatcher *dispatcher_start(NotificationContext *context, int workers);
void dispatcher_stop(Dispatcher *dispatcher);
bool dispatcher_put(Dispatcher *dispatcher, const json_t *event);
/* A Warning event about an Alert. */
void alert_warn(NotificationContext *context, const json_t *alert, const char *reason,
		const json_t *metadata, const char *message);

/* intake.c */
Httpd *intake_serve(NotificationContext *context, Error *err);

#endif
