/*
 * Whether anybody is there. A server that went away costs each watch and each run a back-off of
 * its own; the first reply after it is news for all of them, so that nobody sits out the rest. A
 * server that answers some and drops others is none that is away: what counts is that nothing was
 * answered for a while, and it is told seldom.
 */
#include <pthread.h>

#include "base/clock.h"
#include "base/cond.h"
#include "base/mem.h"
#include "kube/client_internal.h"

enum {
	AWAY_MS = 1000,	      /* less is a hiccup that back-offs begin below */
	TELL_EVERY_MS = 10000 /* no storm, whatever comes and goes */
};

typedef struct {
	LoopFn *fn;
	void *arg;
} Listener;

struct Reach {
	Loop *loop;
	Vec listeners; /* Listener, owned; the loop's thread only */

	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t back;
	int64_t away_since_ms; /* 0: it answered last */
	int64_t told_ms;
	unsigned returns; /* how often it was told */
	LoopTimer telling;
};

Reach *reach_new(Loop *loop)
{
	Reach *reach = mem_zalloc(1, sizeof(*reach));
	reach->loop = loop;
	pthread_mutex_init(&reach->lock, NULL);
	cond_init(&reach->back);
	return reach;
}

static void stop_telling(void *arg)
{
	Reach *reach = arg;
	loop_cancel(reach->loop, reach->telling);
}

void reach_free(Reach *reach)
{
	if (!reach)
		return;
	loop_call(reach->loop, stop_telling, reach);
	vec_dispose_with(&reach->listeners, free);
	pthread_cond_destroy(&reach->back);
	pthread_mutex_destroy(&reach->lock);
	free(reach);
}

/* --- what came of requests --- */

static void tell(void *arg)
{
	Reach *reach = arg;
	pthread_mutex_lock(&reach->lock);
	reach->telling = 0;
	pthread_mutex_unlock(&reach->lock);
	for (size_t i = 0; i < reach->listeners.len; i++) {
		const Listener *listener = reach->listeners.items[i];
		listener->fn(listener->arg);
	}
}

void reach_lost(KubeClient *client)
{
	Reach *reach = client->root->reach;
	pthread_mutex_lock(&reach->lock);
	if (!reach->away_since_ms)
		reach->away_since_ms = clock_mono_ms();
	pthread_mutex_unlock(&reach->lock);
}

static void found(Reach *reach)
{
	pthread_mutex_lock(&reach->lock);
	int64_t now_ms = clock_mono_ms(), since_ms = reach->away_since_ms;
	reach->away_since_ms = 0;
	bool news = since_ms && now_ms - since_ms >= AWAY_MS &&
		    (!reach->told_ms || now_ms - reach->told_ms >= TELL_EVERY_MS);
	if (news) {
		reach->told_ms = now_ms;
		reach->returns++;
		pthread_cond_broadcast(&reach->back);
		if (!reach->telling)
			reach->telling = loop_after(reach->loop, 0, tell, reach);
	}
	pthread_mutex_unlock(&reach->lock);
}

void reach_note(KubeClient *client, int status, const Error *failure)
{
	enum { SERVER_ERRORS = 500 };
	if (status && status < SERVER_ERRORS)
		found(client->root->reach);
	else if (!status && (failure->code == ERR_UNAVAILABLE || failure->code == ERR_TIMEOUT))
		reach_lost(client);
}

bool kube_client_is_away(KubeClient *client)
{
	Reach *reach = client->root->reach;
	pthread_mutex_lock(&reach->lock);
	bool away = reach->away_since_ms != 0;
	pthread_mutex_unlock(&reach->lock);
	return away;
}

void reach_wait(KubeClient *client, int64_t wait_ms)
{
	Reach *reach = client->root->reach;
	int64_t until_ms = clock_mono_ms() + wait_ms;
	pthread_mutex_lock(&reach->lock);
	unsigned before = reach->returns;
	while (reach->returns == before && cond_wait_until(&reach->back, &reach->lock, until_ms))
		;
	pthread_mutex_unlock(&reach->lock);
}

/* --- who is told --- */

typedef struct {
	Reach *reach;
	Listener listener;
} Change;

static void add_listener(void *arg)
{
	const Change *change = arg;
	vec_push(&change->reach->listeners, mem_dup(&change->listener, sizeof(Listener)));
}

static void remove_listener(void *arg)
{
	const Change *change = arg;
	Vec *listeners = &change->reach->listeners;
	for (size_t i = 0; i < listeners->len; i++) {
		const Listener *listener = listeners->items[i];
		if (listener->fn == change->listener.fn && listener->arg == change->listener.arg) {
			free(vec_remove(listeners, i));
			return;
		}
	}
}

void kube_client_on_return(KubeClient *client, LoopFn *fn, void *arg)
{
	Change change = {client->root->reach, {fn, arg}};
	loop_call(client->loop, add_listener, &change);
}

void kube_client_off_return(KubeClient *client, LoopFn *fn, void *arg)
{
	Change change = {client->root->reach, {fn, arg}};
	loop_call(client->loop, remove_listener, &change);
}
