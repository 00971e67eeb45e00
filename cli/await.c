#include "await.h"

#include <pthread.h>

#include "base/cond.h"
#include "base/clock.h"
#include "base/mem.h"

struct Await {
	AwaitFn *fn;
	void *arg;
	Informer *informer;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool done; /* guarded by lock */
};

static void on_event(void *arg, InformerEvent event, const json_t *object)
{
	Await *await = arg;
	if (await->done || !await->fn(await->arg, event, object))
		return;
	pthread_mutex_lock(&await->lock);
	await->done = true;
	pthread_cond_broadcast(&await->changed);
	pthread_mutex_unlock(&await->lock);
}

Await *await_start(KubeClient *client, const AwaitConfig *config)
{
	Await *await = mem_zalloc(1, sizeof(*await));
	await->fn = config->fn;
	await->arg = config->arg;
	pthread_mutex_init(&await->lock, NULL);
	cond_init(&await->changed);
	autofree char *name = config->name ? mem_printf("metadata.name=%s", config->name) : NULL;
	await->informer =
		informer_start(client, &(InformerConfig){
					       .api_version = config->api_version,
					       .kind = config->kind,
					       .ns = config->ns,
					       .label_selector = config->labels,
					       .field_selector = name ? name : config->fields,
					       .keep_objects = true,
					       .on_event = on_event,
					       .arg = await,
				       });
	return await;
}

bool await_done(Await *await, int64_t timeout_ms)
{
	int64_t until_ms = clock_mono_ms() + timeout_ms;
	pthread_mutex_lock(&await->lock);
	while (!await->done && cond_wait_until(&await->changed, &await->lock, until_ms))
		;
	bool done = await->done;
	pthread_mutex_unlock(&await->lock);
	return done;
}

void await_stop(Await *await)
{
	informer_stop(await->informer);
	pthread_cond_destroy(&await->changed);
	pthread_mutex_destroy(&await->lock);
	free(await);
}
