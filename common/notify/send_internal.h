/* What sending shares: lane.c (who waits for whom, bounds), send.c (one message's way). */
#ifndef NOTIFY_SEND_INTERNAL_H
#define NOTIFY_SEND_INTERNAL_H

#include <pthread.h>

#include "base/map.h"
#include "notify/notify.h"

typedef struct Lane Lane;

/* One message. Waiting: the sender's lock guards it. Started: it is the loop's thread's. */
typedef struct Delivery Delivery;
struct Delivery {
	Delivery *prev, *next; /* in the lane's `waiting` or `started` */
	NotifySender *sender;
	Lane *lane;
	size_t bytes;
	NotifyRequest request;
	int64_t timeout_ms;
	void (*on_done)(void *arg, const Error *err);
	void *arg;

	int64_t deadline_ms;
	int failures;
	int status;
	int64_t retry_after_ms;
	Buf reply;
	HttpCall *call;	 /* a try is under way */
	LoopTimer timer; /* or the next one is waited for */
	bool performing; /* or a thread is at work */
	Error outcome;	 /* of that thread */
};

struct Lane {
	char *name;
	HttpClient *client;
	bool own_client;
	Delivery *waiting, *last_waiting, *started;
	size_t started_count, waiting_bytes;
};

struct NotifySender {
	Loop *loop;
	HttpClient *shared;
	pthread_mutex_t lock; /* guards what follows, and the lanes */
	pthread_cond_t idle;
	Map *lanes;
	size_t deliveries, bytes;
	bool closing;
	int cancel_fd; /* readable when closing; never changes before */
};

/* Posts the first try. Any thread. */
void delivery_start(Delivery *delivery);

/* Ends it with ERR_CANCELLED, unless a thread is at work, which ends it soon. Loop's thread. */
void delivery_cancel(Delivery *delivery);

/* The delivery is over: tells its owner, frees it, starts the lane's next. Loop's thread. */
void lane_delivery_done(Delivery *take_delivery, const Error *err);

#endif
