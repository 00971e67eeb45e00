/* Deletes objects: kinds one after the other, all in batches. */
#include "action_internal.h"

#include "base/mem.h"

enum { BATCH_MAX = 100 };

static size_t batch_end(const Resources *resources, size_t from)
{
	const char *kind = object_kind(resources->items[from].object);
	size_t at = from + 1;
	while (at < resources->len && at - from < BATCH_MAX &&
	       cstr_eq(object_kind(resources->items[at].object), kind))
		at++;
	return at;
}

static void take_reply(Action *action, Resource *resource, const KubeReply *reply)
{
	bool gone = reply->err.code == ERR_NOT_FOUND;
	/* A Status in reply: the object is gone; the object itself: it is on its way. */
	if (gone || cstr_eq(object_kind(reply->object), "Status")) {
		resource->looked = true;
		resource->code = KSTATUS_CURRENT;
	} else if (err_is_set(&reply->err)) {
		resource_failed(action, resource, "; ", &reply->err);
	}
}

/* That it goes is no drift. */
static void forget(const Action *action, const Resource *resource)
{
	if (!action->target->drift)
		return;
	autofree char *key = drift_key(resource->object);
	drift_forget(action->target->drift, key);
}

/* False when the server put something off. */
static bool delete_batch(Action *action, Resource *items, size_t count, const char *propagation,
			 Error *err)
{
	autofree KubeRequest *requests = mem_zalloc(count, sizeof(*requests));
	autofree KubeReply *replies = mem_zalloc(count, sizeof(*replies));
	for (size_t i = 0; i < count; i++) {
		forget(action, &items[i]);
		requests[i] =
			(KubeRequest){.verb = KUBE_DELETE,
				      .api_version = object_api_version(items[i].object),
				      .kind = object_kind(items[i].object),
				      .ns = object_namespace(items[i].object),
				      .name = object_name(items[i].object),
				      .propagation = propagation ? propagation : "Background"};
	}
	kube_do_all(action->target->client, requests, replies, count);
	bool again = replies_put_off(replies, count, err);
	for (size_t i = 0; i < count; i++) {
		if (!again)
			take_reply(action, &items[i], &replies[i]);
		kube_reply_dispose(&replies[i]);
	}
	return !again;
}

bool delete_objects(Action *action, Resources *resources, const char *propagation, Error *err)
{
	resources_forget(resources, WAIT_GONE);
	for (size_t from = 0, to; from < resources->len; from = to) {
		to = batch_end(resources, from);
		if (!delete_batch(action, resources->items + from, to - from, propagation, err)) {
			buf_clear(&action->errors); /* all are deleted once more */
			return false;
		}
	}
	return resources_went_well(action, err);
}
