/* An informer's life and its public side; what happens on the loop's thread is informer_watch.c. */
#include <errno.h>

#include "base/cond.h"
#include "base/clock.h"
#include "base/mem.h"
#include "kube/informer_internal.h"

static void copy_config(InformerConfig *to, const InformerConfig *from)
{
	*to = *from;
	to->api_version = mem_strdup(from->api_version);
	to->kind = mem_strdup(from->kind);
	to->ns = mem_strdup(from->ns);
	to->label_selector = mem_strdup(from->label_selector);
	to->field_selector = mem_strdup(from->field_selector);
}

static void free_text(const char *owned)
{
	free((char *)(uintptr_t)owned);
}

Informer *informer_start(KubeClient *client, const InformerConfig *config)
{
	Informer *informer = mem_zalloc(1, sizeof(*informer));
	informer->client = client;
	copy_config(&informer->config, config);
	informer_store_init(&informer->store, config->keep_objects);
	pthread_mutex_init(&informer->lock, NULL);
	cond_init(&informer->changed);
	informer->start = loop_after(kube_loop(client), 0, informer_begin, informer);
	return informer;
}

static void stop(void *arg)
{
	informer_halt(arg);
}

void informer_stop(Informer *informer)
{
	if (!informer)
		return;
	loop_call(kube_loop(informer->client), stop, informer);
	informer_store_dispose(&informer->store);
	watch_stream_dispose(&informer->stream);
	buf_dispose(&informer->error_body);
	error_dispose(&informer->stream_error);
	pthread_mutex_destroy(&informer->lock);
	pthread_cond_destroy(&informer->changed);
	free_text(informer->config.api_version);
	free_text(informer->config.kind);
	free_text(informer->config.ns);
	free_text(informer->config.label_selector);
	free_text(informer->config.field_selector);
	free(informer->path);
	free(informer->resource_version);
	free(informer->continue_token);
	free(informer);
}

bool informer_is_synced(const Informer *informer)
{
	Informer *self = (Informer *)(uintptr_t)informer; /* only to lock */
	pthread_mutex_lock(&self->lock);
	bool synced = self->synced;
	pthread_mutex_unlock(&self->lock);
	return synced;
}

bool informer_wait(Informer *informer, int64_t timeout_ms)
{
	int64_t until_ms = clock_mono_ms() + timeout_ms;
	pthread_mutex_lock(&informer->lock);
	while (!informer->synced && cond_wait_until(&informer->changed, &informer->lock, until_ms))
		;
	bool synced = informer->synced;
	pthread_mutex_unlock(&informer->lock);
	return synced;
}

bool informer_wait_settled(Informer *informer, int64_t timeout_ms)
{
	int64_t until_ms = clock_mono_ms() + timeout_ms;
	pthread_mutex_lock(&informer->lock);
	while (!informer->synced && !informer->refused &&
	       cond_wait_until(&informer->changed, &informer->lock, until_ms))
		;
	bool settled = informer->synced || informer->refused;
	pthread_mutex_unlock(&informer->lock);
	return settled;
}

json_t *informer_get(Informer *informer, const char *ns, const char *name)
{
	return informer_store_get(&informer->store, ns, name);
}

void informer_put(Informer *informer, const json_t *object)
{
	informer_store_put(&informer->store, object);
}

void informer_each(Informer *informer, bool (*fn)(void *arg, const json_t *object), void *arg)
{
	informer_store_each(&informer->store, fn, arg);
}
