/*
 * Client-side apply: each object is looked at, and what its manifest changes is merged with what is
 * live (helm-engine.md 14). The change is sent with the version that was looked at, so that nobody
 * else's is lost in between; somebody else's is looked at again.
 */
#include "action_internal.h"

#include "base/mem.h"
#include "helm/threeway.h"

enum { TRIES = 5 };

/* What the object was by the old manifest, where it is known. An object that is taken over counts
 * as if its manifest had always been this one; one that the cluster has and the old manifest has
 * not counts as it is. */
static const json_t *original_of(const Action *action, const Resource *resource)
{
	const Resource *old = resources_find(&action->present, resource->object);
	if (old)
		return old->object;
	return action->input.kind == ACTION_INSTALL ? resource->object : resource->live;
}

/* What live becomes; owned. */
static json_t *merged_of(const Action *action, const Resource *resource, Error *err)
{
	const json_t *original = original_of(action, resource), *object = resource->object;
	if (helm_is_strategic(object_api_version(object), object_kind(object)))
		return helm_merge_strategic(original, object, resource->live, err);
	/* Custom resources get the change of manifests, drift stays (E84), but when they are taken
	 * over. */
	if (action->input.kind == ACTION_INSTALL)
		return helm_merge_plain(original, object, resource->live);
	json_t *merged = json_deep_copy(resource->live);
	autojson json_t *patch = json_merge_diff(original, object);
	json_merge_patch(&merged, patch);
	return merged;
}

/* The patch of what changes, with the version as a lock; NULL with err unset: nothing does. */
static json_t *patch_of(const Action *action, const Resource *resource, Error *err)
{
	autojson json_t *merged = merged_of(action, resource, err);
	if (!merged)
		return NULL;
	json_t *patch = json_merge_diff(resource->live, merged);
	if (json_object_size(patch) == 0) {
		json_decref(patch);
		return NULL;
	}
	json_put_text(json_make_at(patch, "metadata", NULL), "resourceVersion",
		      object_resource_version(resource->live));
	return patch;
}

static json_t *replacement_of(const Resource *resource)
{
	json_t *body = json_copy(resource->object);
	json_t *metadata = json_copy(json_map(resource->object, "metadata"));
	json_put_text(metadata, "resourceVersion", object_resource_version(resource->live));
	json_object_set_new(body, "metadata", metadata);
	return body;
}

/* --- one object's request --- */

typedef struct {
	KubeRequest request;
	json_t *body; /* owned; NULL: nothing changes */
	bool done;
} Change;

/* Fields that the server does not know are refused, as a check of the manifests before would. */
static void name_object(const Action *action, const json_t *object, KubeVerb verb, KubeRequest *out)
{
	bool strict = !action->input.options.disable_openapi;
	*out = (KubeRequest){.verb = verb,
			     .api_version = object_api_version(object),
			     .kind = object_kind(object),
			     .ns = object_namespace(object),
			     .name = object_name(object),
			     .field_manager = HR_FIELD_MANAGER,
			     .field_validation = strict ? "Strict" : "Ignore"};
}

static void plan(const Action *action, const Resource *resource, const ApplyWay *way, Change *out,
		 Error *err)
{
	KubeVerb verb = KUBE_MERGE_PATCH;
	if (!resource->live) {
		verb = KUBE_CREATE;
		out->body = json_incref(resource->object);
	} else if (way->only_new) {
		return;
	} else if (action->force_replace) {
		verb = KUBE_REPLACE;
		out->body = replacement_of(resource);
	} else {
		out->body = patch_of(action, resource, err);
	}
	name_object(action, resource->object, verb, &out->request);
	out->request.body = out->body;
}

/* --- a batch of them --- */

static void word_error(const Resource *resource, KubeVerb verb, Error *err)
{
	if (verb == KUBE_CREATE)
		err_wrap(err, "failed to create resource");
	else if (verb == KUBE_REPLACE)
		err_wrap(err, "failed to replace object");
	else
		err_wrap(err, "cannot patch \"%s\" with kind %s", object_name(resource->object),
			 object_kind(resource->object));
}

/* True unless the object moved meanwhile and is to be looked at again. */
static bool take_reply(Action *action, const Resources *resources, Resource *resource,
		       const Change *change, KubeReply *reply, const ApplyWay *way, bool last)
{
	if (reply->object) {
		resource->created = change->request.verb == KUBE_CREATE;
		json_decref(resource->live);
		resource->live = steal(&reply->object);
		wait_note(action, resources->mode, resource, resource->live);
		return true;
	}
	bool moved =
		reply->err.code == ERR_CONFLICT || (reply->err.code == ERR_EXISTS && !way->create);
	if (moved && !last)
		return false;
	word_error(resource, change->request.verb, &reply->err);
	resource_failed(action, resource, way->separator, &reply->err);
	return true;
}

/* An object that needs no request is done, one that cannot be merged has failed. */
static void plan_one(Action *action, const Resources *resources, Resource *resource, Change *change,
		     const ApplyWay *way)
{
	autoerror Error cause = {0};
	plan(action, resource, way, change, &cause);
	change->done = change->body == NULL;
	if (!change->done)
		return;
	if (!err_is_set(&cause)) {
		wait_note(action, resources->mode, resource, resource->live);
		return;
	}
	err_wrap(&cause, "failed to create patch");
	resource_failed(action, resource, way->separator, &cause);
}

/* False when the server put something off. */
static bool send_round(Action *action, Resources *resources, Change *changes, size_t count,
		       const ApplyWay *way, bool last, Error *err)
{
	autofree KubeReply *replies = mem_zalloc(count, sizeof(*replies));
	autofree KubeRequest *requests = mem_zalloc(count, sizeof(*requests));
	Resource *items = resources->items + resources->applied;
	size_t sent = 0;
	for (size_t i = 0; i < count; i++) {
		if (!changes[i].done)
			plan_one(action, resources, &items[i], &changes[i], way);
		if (!changes[i].done)
			requests[sent++] = changes[i].request;
	}
	kube_do_all(action->target->client, requests, replies, sent);
	bool again = replies_put_off(replies, sent, err);
	sent = 0;
	for (size_t i = 0; i < count; i++) {
		if (changes[i].done)
			continue;
		KubeReply *reply = &replies[sent++];
		changes[i].done = !again && take_reply(action, resources, &items[i], &changes[i],
						       reply, way, last);
		kube_reply_dispose(reply);
		json_decref(changes[i].body);
		changes[i].body = NULL;
	}
	return !again;
}

static bool look_at(Action *action, Resources *resources, const Change *changes, size_t count,
		    bool first, Error *err)
{
	size_t from = resources->applied;
	if (first)
		return resources_look(action, resources, from, from + count, err);
	for (size_t i = 0; i < count; i++)
		if (!changes[i].done &&
		    !resources_look(action, resources, from + i, from + i + 1, err))
			return false;
	return true;
}

static bool all_done(const Change *changes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!changes[i].done)
			return false;
	return true;
}

bool apply_client_side(Action *action, Resources *resources, size_t count, const ApplyWay *way,
		       Error *err)
{
	autofree Change *changes = mem_zalloc(count, sizeof(*changes));
	bool ok = true;
	for (int round = 1; ok && round <= TRIES && !all_done(changes, count); round++) {
		if (!way->create && !look_at(action, resources, changes, count, round == 1, err))
			return err->not_yet ? false
					    : err_wrap(err, "could not get information about the "
							    "resource");
		ok = send_round(action, resources, changes, count, way, round == TRIES, err);
	}
	for (size_t i = 0; i < count; i++) {
		Resource *resource = &resources->items[resources->applied + i];
		json_decref(resource->live);
		resource->live = NULL;
	}
	return ok;
}
