/*
 * Sends objects: kinds one after the other, neighbours of one kind in a batch (helm-engine.md 14).
 * All are tried; what failed is told together, each with its template's file.
 */
#include "action_internal.h"

#include "base/mem.h"

enum { BATCH_MAX = 100, CREATED = 201 };

/* Where the batch that starts at `from` ends: at another kind, or where an object comes again. */
static size_t batch_end(const Resources *resources, size_t from)
{
	size_t at = from + 1;
	const json_t *first = resources->items[from].object;
	for (; at < resources->len && at - from < BATCH_MAX; at++) {
		const json_t *object = resources->items[at].object;
		Resources before = {.items = resources->items + from, .len = at - from};
		if (!cstr_eq(object_kind(object), object_kind(first)) ||
		    resources_find(&before, object))
			break;
	}
	return at;
}

/* As Go prints it: "apps/v1, Kind=Deployment", "/v1, Kind=Service". */
static char *gvk_text(const json_t *object)
{
	const char *api_version = object_api_version(object);
	return mem_printf("%s%s, Kind=%s", strchr(api_version, '/') ? "" : "/", api_version,
			  object_kind(object));
}

static void word_error(const Resource *resource, Error *err)
{
	autofree char *gvk = gvk_text(resource->object);
	err_wrap(err, "%s object %s/%s %s",
		 err->code == ERR_CONFLICT ? "conflict occurred while applying"
					   : "server-side apply failed for",
		 object_namespace(resource->object), object_name(resource->object), gvk);
}

static bool is_tracked(const Action *action)
{
	return action->target->drift && action->input.options.track_drift;
}

static void note_applied(const Action *action, WaitMode mode, Resource *resource,
			 const KubeReply *reply)
{
	resource->created = reply->status == CREATED;
	wait_note(action, mode, resource, reply->object);
	if (!is_tracked(action))
		return;
	autofree char *key = drift_key(resource->object);
	drift_applied(action->target->drift, key, action->input.owner, reply->object);
}

/* The manifest has it as before, and the watch says that what was applied still holds: an apply
 * would change nothing. */
static bool is_settled(const Action *action, const Resource *resource)
{
	const json_t *object = resource->object;
	const Resource *old = resources_find(&action->present, object);
	if (!is_tracked(action) || !old || !json_same(old->object, object))
		return false;
	autofree char *key = drift_key(object);
	return drift_is_clean(action->target->drift, key, action->input.owner,
			      object_api_version(object), object_kind(object));
}

static void note_left_alone(Resource *resource)
{
	resource->looked = true;
	resource->code = KSTATUS_CURRENT;
}

static void note_writing(const Action *action, const Resource *resource)
{
	if (!is_tracked(action))
		return;
	autofree char *key = drift_key(resource->object);
	drift_writing(action->target->drift, key);
}

static void note_failed(Action *action, const Resource *resource, const ApplyWay *way, Error *err)
{
	word_error(resource, err);
	resource_failed(action, resource, way->separator, err);
	if (!is_tracked(action))
		return;
	autofree char *key = drift_key(resource->object);
	drift_write_failed(action->target->drift, key);
}

bool replies_put_off(const KubeReply *replies, size_t count, Error *err)
{
	for (size_t i = 0; i < count && !err_is_set(err); i++)
		if (replies[i].err.not_yet)
			err_copy(err, &replies[i].err);
	return err_is_set(err);
}

static void take_reply(Action *action, const Resources *resources, Resource *resource,
		       KubeReply *reply, const ApplyWay *way)
{
	if (way->only_new && reply->err.code == ERR_CONFLICT) {
		note_left_alone(resource);
		return;
	}
	bool ok = reply->object && apply_migrated(action, resource, reply, &reply->err);
	if (ok)
		note_applied(action, resources->mode, resource, reply);
	else
		note_failed(action, resource, way, &reply->err);
}

static KubeRequest request_of(const Resource *resource, const ApplyWay *way)
{
	return (KubeRequest){.verb = KUBE_APPLY,
			     .body = resource->object,
			     .force = way->force,
			     .create_only = way->only_new,
			     .field_manager = HR_FIELD_MANAGER,
			     .field_validation = "Strict"};
}

static bool apply_batch(Action *action, Resources *resources, size_t count, const ApplyWay *way,
			Error *err)
{
	autofree KubeRequest *requests = mem_zalloc(count, sizeof(*requests));
	autofree KubeReply *replies = mem_zalloc(count, sizeof(*replies));
	autovec Vec sent = {0};
	for (size_t i = 0; i < count; i++) {
		Resource *resource = &resources->items[resources->applied + i];
		if (is_settled(action, resource))
			continue;
		note_writing(action, resource);
		requests[sent.len] = request_of(resource, way);
		vec_push(&sent, resource);
	}
	kube_do_all(action->target->client, requests, replies, sent.len);
	bool again = replies_put_off(replies, sent.len, err);
	for (size_t i = 0; i < sent.len; i++) {
		if (!again)
			take_reply(action, resources, sent.items[i], &replies[i], way);
		kube_reply_dispose(&replies[i]);
	}
	return !again;
}

bool apply_objects(Action *action, Resources *resources, const ApplyWay *way, Error *err)
{
	while (resources->applied < resources->len) {
		size_t to = batch_end(resources, resources->applied);
		size_t count = to - resources->applied;
		bool ok = action->server_side
				  ? apply_batch(action, resources, count, way, err)
				  : apply_client_side(action, resources, count, way, err);
		if (!ok)
			return false;
		resources->applied = to;
	}
	return resources_went_well(action, err);
}

StepResult step_apply(Action *action, Error *err)
{
	ApplyWay way = {.separator = action->input.kind == ACTION_INSTALL ? "\n" : " && ",
			.force = true};
	action_note(action, "applying %zu resource(s)", action->wanted.len);
	return apply_objects(action, &action->wanted, &way, err) ? STEP_NEXT : STEP_FAIL;
}
