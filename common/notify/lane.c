/*
 * Lanes: the deliveries of one Provider, so many at once, the rest in the order of their coming.
 * What waits is bounded per lane and in all, by bytes; what is beyond is refused at once.
 */
#include "notify/send_internal.h"

#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/cond.h"
#include "base/clock.h"
#include "base/mem.h"

enum {
	LANE_STARTED_MAX = 32,
	LANE_BYTES_MAX = 8 << 20,
	BYTES_MAX = 48 << 20,
	DELIVERY_BYTES = 1024, /* what a message costs beside its text */
};

NotifySender *notify_sender_new(Loop *loop, Error *err)
{
	HttpClient *shared = httpc_new(loop, &(HttpClientConfig){.env_proxy = true}, err);
	if (!shared)
		return NULL;
	int cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (cancel_fd < 0) {
		httpc_free(shared);
		err_errno(err, "eventfd");
		return NULL;
	}
	NotifySender *sender = mem_zalloc(1, sizeof(*sender));
	cond_init(&sender->idle);
	pthread_mutex_init(&sender->lock, NULL);
	sender->loop = loop;
	sender->shared = shared;
	sender->lanes = map_new(NULL);
	sender->cancel_fd = cancel_fd;
	return sender;
}

static Lane *lane_new(NotifySender *sender, const NotifyDelivery *how, Error *err)
{
	HttpClient *client = sender->shared;
	if (how->client) {
		client = httpc_new(sender->loop, how->client, err);
		if (!client)
			return NULL;
	}
	Lane *lane = mem_zalloc(1, sizeof(*lane));
	lane->name = mem_strdup(how->lane);
	lane->client = client;
	lane->own_client = how->client != NULL;
	return lane;
}

static void free_client(void *client)
{
	httpc_free(client);
}

static void lane_free(NotifySender *sender, Lane *lane)
{
	/* Not from within one of the client's own callbacks. */
	if (lane->own_client)
		loop_post(sender->loop, free_client, lane->client);
	free(lane->name);
	free(lane);
}

/* The lane of that name, made when there is none. Returns with the lock held. */
static Lane *lane_find(NotifySender *sender, const NotifyDelivery *how, Error *err)
{
	pthread_mutex_lock(&sender->lock);
	Lane *lane = map_get(sender->lanes, how->lane);
	if (lane)
		return lane;
	pthread_mutex_unlock(&sender->lock);
	Lane *made = lane_new(sender, how, err); /* parses certificates: not under the lock */
	pthread_mutex_lock(&sender->lock);
	if (!made)
		return NULL;
	lane = map_get(sender->lanes, how->lane);
	if (lane) {
		lane_free(sender, made);
		return lane;
	}
	map_put(sender->lanes, how->lane, made);
	return made;
}

static void append(Lane *lane, Delivery *delivery)
{
	delivery->prev = lane->last_waiting;
	if (lane->last_waiting)
		lane->last_waiting->next = delivery;
	else
		lane->waiting = delivery;
	lane->last_waiting = delivery;
	lane->waiting_bytes += delivery->bytes;
}

/* The next that may start, moved among the started; NULL when none may. Lock held. */
static Delivery *take_next(Lane *lane)
{
	Delivery *delivery = lane->waiting;
	if (!delivery || lane->started_count >= LANE_STARTED_MAX)
		return NULL;
	lane->waiting = delivery->next;
	if (lane->waiting)
		lane->waiting->prev = NULL;
	else
		lane->last_waiting = NULL;
	lane->waiting_bytes -= delivery->bytes;
	delivery->next = lane->started;
	if (lane->started)
		lane->started->prev = delivery;
	lane->started = delivery;
	lane->started_count++;
	return delivery;
}

static size_t weight(const NotifyRequest *request)
{
	size_t bytes = DELIVERY_BYTES + request->body.len;
	for (size_t i = 0; i < request->headers.len; i++)
		bytes += strlen(request->headers.items[i]);
	return bytes;
}

/* An idle lane takes any message: others may have filled the common room, and it is one. */
static bool has_room(const NotifySender *sender, const Lane *lane, size_t bytes)
{
	if (sender->closing)
		return false;
	if (!lane->waiting && !lane->started)
		return true;
	return lane->waiting_bytes + bytes <= LANE_BYTES_MAX && sender->bytes + bytes <= BYTES_MAX;
}

static void drop_idle(NotifySender *sender, Lane *lane)
{
	if (lane->waiting || lane->started)
		return;
	map_remove(sender->lanes, lane->name);
	lane_free(sender, lane);
}

bool notify_send(NotifySender *sender, NotifyRequest *take_request, const NotifyDelivery *how,
		 Error *err)
{
	autonotifyrequest NotifyRequest request = *take_request;
	*take_request = (NotifyRequest){0};
	size_t bytes = weight(&request);
	Lane *lane = lane_find(sender, how, err); /* with the lock */
	if (!lane || !has_room(sender, lane, bytes)) {
		if (lane)
			drop_idle(sender, lane);
		pthread_mutex_unlock(&sender->lock);
		return lane ? err_set(err, ERR_LIMIT,
				      "too many notifications are waiting for this provider")
			    : false;
	}
	Delivery *delivery = mem_zalloc(1, sizeof(*delivery));
	*delivery = (Delivery){.sender = sender,
			       .lane = lane,
			       .bytes = bytes,
			       .request = request,
			       .timeout_ms = how->timeout_ms,
			       .on_done = how->on_done,
			       .arg = how->arg};
	request = (NotifyRequest){0};
	sender->deliveries++;
	sender->bytes += bytes;
	append(lane, delivery);
	Delivery *next = take_next(lane);
	if (next)
		delivery_start(next);
	pthread_mutex_unlock(&sender->lock);
	return true;
}

/* Takes the delivery out of its lane's started ones. Lock held. */
static void unlink_started(Lane *lane, Delivery *delivery)
{
	if (delivery->prev)
		delivery->prev->next = delivery->next;
	else
		lane->started = delivery->next;
	if (delivery->next)
		delivery->next->prev = delivery->prev;
	lane->started_count--;
}

void lane_delivery_done(Delivery *take_delivery, const Error *err)
{
	Delivery *delivery = take_delivery;
	NotifySender *sender = delivery->sender;
	Lane *lane = delivery->lane;
	delivery->on_done(delivery->arg, err);
	pthread_mutex_lock(&sender->lock);
	unlink_started(lane, delivery);
	Delivery *next = sender->closing ? NULL : take_next(lane);
	if (next)
		delivery_start(next);
	drop_idle(sender, lane);
	sender->bytes -= delivery->bytes;
	notify_request_dispose(&delivery->request);
	buf_dispose(&delivery->reply);
	free(delivery);
	if (--sender->deliveries == 0 || sender->closing)
		pthread_cond_broadcast(&sender->idle);
	pthread_mutex_unlock(&sender->lock);
}

/* --- the end --- */

static void wait_idle(NotifySender *sender, int64_t drain_ms)
{
	int64_t until_ms = clock_mono_ms() + drain_ms;
	pthread_mutex_lock(&sender->lock);
	while (sender->deliveries && cond_wait_until(&sender->idle, &sender->lock, until_ms))
		;
	sender->closing = true;
	pthread_mutex_unlock(&sender->lock);
}

/* Any delivery that can be ended now, among the started of its lane; NULL when there is none. */
static Delivery *any_left(NotifySender *sender)
{
	size_t at = 0;
	const char *name;
	void *value;
	Delivery *found = NULL;
	pthread_mutex_lock(&sender->lock);
	while (!found && map_next(sender->lanes, &at, &name, &value)) {
		Lane *lane = value;
		for (found = lane->started; found && found->performing; found = found->next)
			;
		if (!found)
			found = take_next(lane);
	}
	pthread_mutex_unlock(&sender->lock);
	return found;
}

static void cancel_all(void *arg)
{
	NotifySender *sender = arg;
	for (Delivery *delivery; (delivery = any_left(sender));)
		delivery_cancel(delivery);
}

/* Threads at work see cancel_fd and end; with them, what waited in their full lanes. */
static void cancel_rest(NotifySender *sender)
{
	uint64_t one = 1;
	if (write(sender->cancel_fd, &one, sizeof(one)) != sizeof(one))
		abort(); /* an eventfd takes a one */
	loop_call(sender->loop, cancel_all, sender);
	pthread_mutex_lock(&sender->lock);
	while (sender->deliveries) {
		pthread_cond_wait(&sender->idle, &sender->lock);
		pthread_mutex_unlock(&sender->lock);
		loop_call(sender->loop, cancel_all, sender);
		pthread_mutex_lock(&sender->lock);
	}
	pthread_mutex_unlock(&sender->lock);
}

void notify_sender_free(NotifySender *sender, int64_t drain_ms)
{
	if (!sender)
		return;
	wait_idle(sender, drain_ms);
	cancel_rest(sender);
	httpc_free(sender->shared);
	map_free(sender->lanes);
	close(sender->cancel_fd);
	pthread_cond_destroy(&sender->idle);
	pthread_mutex_destroy(&sender->lock);
	free(sender);
}
