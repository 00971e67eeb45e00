/*
 * Events between the HTTP threads and the Alerts: a bounded queue and fixed workers, so that an
 * event is answered 202 at once whatever its providers do (N27). Events wait as text, which is
 * several times smaller than their trees.
 */
#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "internal.h"

enum {
	QUEUE_MAX = 10000,
	QUEUE_BYTES_MAX = 16 << 20,
	EVENT_MAX = 4 << 20,
	WORKER_STACK = 1 << 20,
	STOP_MS = 5000,
};

struct Dispatcher {
	NotificationContext *context;
	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t wake;
	char **ring;
	size_t head, len, bytes;
	bool stopped;
	int64_t stop_ms; /* when stopped: until then what waits is still handled */
	pthread_t *workers;
	int worker_count;
};

void alert_warn(NotificationContext *context, const json_t *alert, const char *reason,
		const json_t *metadata, const char *message)
{
	autojson json_t *object = json_deep_copy(alert);
	event_record(manager_events(context->manager), object, EVENT_WARNING, reason, metadata,
		     message);
	log_error(manager_log(context->manager), NULL, "alert could not be served", "alert",
		  object_name(alert), "namespace", object_namespace(alert), "reason", reason,
		  "cause", message, NULL);
}

static void on_problem(void *arg, const json_t *alert, const char *reason, const char *message)
{
	alert_warn(arg, alert, reason, NULL, message);
}

typedef struct {
	NotificationContext *context;
	const json_t *event;
	bool matched;
} Round;

/* One Alert's failure is its own: the others get theirs (N26). */
static bool offer(void *arg, const json_t *alert)
{
	Round *round = arg;
	if (!alert_matches(round->context->manager, alert, round->event, on_problem,
			   round->context))
		return true;
	round->matched = true;
	autoerror Error err = {0};
	if (!provider_deliver(round->context, alert, round->event, &err)) {
		const json_t *object = json_map(round->event, "involvedObject");
		autofree char *message = mem_printf(
			"failed to dispatch notification for %s/%s/%s: %s",
			json_text_or(object, "kind", ""), json_text_or(object, "namespace", ""),
			json_text_or(object, "name", ""), err_text(&err));
		alert_warn(round->context, alert, "NotificationDispatchFailed", NULL, message);
	}
	return true;
}

static void handle(NotificationContext *context, const json_t *event)
{
	Round round = {.context = context, .event = event};
	manager_peer_each(context->manager, NOTIFICATION_VERSION, "Alert", offer, &round);
	if (!round.matched)
		log_debug(manager_log(context->manager), "discarding event, no alerts found",
			  "kind", json_text_at(event, "involvedObject", "kind", NULL), "name",
			  json_text_at(event, "involvedObject", "name", NULL), NULL);
}

/* The next event's text, owned; NULL when the daemon stops and nothing is left, or no time. */
static char *take(Dispatcher *dispatcher)
{
	pthread_mutex_lock(&dispatcher->lock);
	while (!dispatcher->len && !dispatcher->stopped)
		pthread_cond_wait(&dispatcher->wake, &dispatcher->lock);
	char *event = NULL;
	bool late = dispatcher->stopped && clock_mono_ms() >= dispatcher->stop_ms;
	if (dispatcher->len && !late) {
		event = dispatcher->ring[dispatcher->head];
		dispatcher->head = (dispatcher->head + 1) % QUEUE_MAX;
		dispatcher->len--;
		dispatcher->bytes -= strlen(event);
	}
	pthread_mutex_unlock(&dispatcher->lock);
	return event;
}

static void *work(void *arg)
{
	enum { SYNC_MS = 30000 };
	Dispatcher *dispatcher = arg;
	/* An event must not be lost because it came before the Alerts were known. */
	manager_wait_synced(dispatcher->context->manager, SYNC_MS);
	for (char *text; (text = take(dispatcher));) {
		autoerror Error err = {0};
		autojson json_t *event = json_parse(text, strlen(text), EVENT_MAX, &err);
		free(text);
		if (event)
			handle(dispatcher->context, event);
		manager_note_work(dispatcher->context->manager);
	}
	return NULL;
}

/* An empty queue takes any event: it is no larger than the intake's limit. */
bool dispatcher_put(Dispatcher *dispatcher, const json_t *event)
{
	char *text = json_dump(event);
	size_t len = strlen(text);
	pthread_mutex_lock(&dispatcher->lock);
	bool fits = !dispatcher->stopped && dispatcher->len < QUEUE_MAX &&
		    (!dispatcher->len || dispatcher->bytes + len <= QUEUE_BYTES_MAX);
	if (fits) {
		dispatcher->ring[(dispatcher->head + dispatcher->len++) % QUEUE_MAX] = text;
		dispatcher->bytes += len;
		pthread_cond_signal(&dispatcher->wake);
	}
	pthread_mutex_unlock(&dispatcher->lock);
	if (!fits)
		free(text);
	return fits;
}

Dispatcher *dispatcher_start(NotificationContext *context, int workers)
{
	Dispatcher *dispatcher = mem_zalloc(1, sizeof(*dispatcher));
	dispatcher->context = context;
	pthread_mutex_init(&dispatcher->lock, NULL);
	pthread_cond_init(&dispatcher->wake, NULL);
	dispatcher->ring = mem_zalloc(QUEUE_MAX, sizeof(dispatcher->ring[0]));
	dispatcher->workers = mem_zalloc((size_t)workers, sizeof(dispatcher->workers[0]));
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, WORKER_STACK);
	for (int i = 0; i < workers; i++) {
		if (pthread_create(&dispatcher->workers[i], &attr, work, dispatcher) != 0)
			break;
		dispatcher->worker_count++;
	}
	pthread_attr_destroy(&attr);
	return dispatcher;
}

void dispatcher_stop(Dispatcher *dispatcher)
{
	if (!dispatcher)
		return;
	pthread_mutex_lock(&dispatcher->lock);
	dispatcher->stopped = true;
	dispatcher->stop_ms = clock_mono_ms() + STOP_MS;
	pthread_cond_broadcast(&dispatcher->wake);
	pthread_mutex_unlock(&dispatcher->lock);
	for (int i = 0; i < dispatcher->worker_count; i++)
		pthread_join(dispatcher->workers[i], NULL);
	pthread_cond_destroy(&dispatcher->wake);
	pthread_mutex_destroy(&dispatcher->lock);
	free(dispatcher->workers);
	for (size_t i = 0; i < dispatcher->len; i++)
		free(dispatcher->ring[(dispatcher->head + i) % QUEUE_MAX]);
	free(dispatcher->ring);
	free(dispatcher);
}
