/*
 * The one status write: the whole status as the reconcile left it, locked by resourceVersion and,
 * on a conflict, done again on the fresh object with only our own changes, so that other writers'
 * conditions survive (S94). For a merge patch of the same difference the API server would write the
 * object out, merge two texts and parse the outcome: a fifth more of its CPU. It gets one where the
 * account may not replace.
 */
#include "ctrl/manager_internal.h"

#include "base/clock.h"
#include "base/mem.h"

enum { TRIES = 5 };

/* A condition that came back to what it said before keeps its times: nothing happened. */
static void settle_conditions(const json_t *before, json_t *after)
{
	size_t i;
	json_t *now;
	json_array_foreach(json_at(after, "status", "conditions", NULL), i, now)
	{
		const json_t *old = object_condition(before, json_text_or(now, "type", ""));
		if (old && cstr_eq(json_text(old, "status"), json_text(now, "status")) &&
		    cstr_eq(json_text(old, "reason"), json_text(now, "reason")) &&
		    cstr_eq(json_text(old, "message"), json_text(now, "message")))
			json_object_set(now, "lastTransitionTime",
					json_object_get(old, "lastTransitionTime"));
	}
}

/* What the run changed of status, as a merge patch of it; NULL: nothing. Owned. */
static json_t *status_diff(const json_t *before, const json_t *after)
{
	autojson json_t *empty = json_object();
	const json_t *from = json_map(before, "status"), *to = json_map(after, "status");
	json_t *diff = json_merge_diff(from ? from : empty, to ? to : empty);
	if (json_object_size(diff) > 0)
		return diff;
	json_decref(diff);
	return NULL;
}

/* Does to `fresh` what the run did to conditions between `before` and `after`. */
static void replay_conditions(const json_t *before, const json_t *after, json_t *fresh)
{
	size_t i;
	json_t *condition;
	json_array_foreach(json_at(before, "status", "conditions", NULL), i, condition)
	{
		const char *type = json_text_or(condition, "type", "");
		if (!object_condition(after, type))
			condition_remove(fresh, type);
	}
	json_array_foreach(json_at(after, "status", "conditions", NULL), i, condition)
	{
		const char *type = json_text_or(condition, "type", "");
		const json_t *old = object_condition(before, type);
		if (old && json_same(old, condition))
			continue;
		condition_set(fresh, type, json_text_or(condition, "status", "Unknown"),
			      json_text_or(condition, "reason", ""),
			      json_text_or(condition, "message", ""));
	}
}

/* `after` on top of the server's present state: other writers' fields stay. Owned. */
static json_t *rebase(const json_t *before, const json_t *after, json_t *take_fresh)
{
	autojson json_t *diff = status_diff(before, after);
	json_t *status = json_incref(json_make_at(take_fresh, "status", NULL));
	if (diff) {
		json_object_del(diff, "conditions");
		json_merge_patch(&status, diff);
	}
	json_object_set_new(take_fresh, "status", status);
	replay_conditions(before, after, take_fresh);
	return take_fresh;
}

/* Nobody reads warnings, for which the server would parse the body once more. */
static json_t *write_object(const Run *run, KubeVerb verb, const json_t *body,
			    const char *subresource, Error *err)
{
	const Kind *kind = run->state->kind;
	return kube_do(run->manager->client,
		       &(KubeRequest){.verb = verb,
				      .api_version = kind->api_version,
				      .kind = kind->kind,
				      .ns = run->ns,
				      .name = run->name,
				      .subresource = subresource,
				      .field_validation = "Ignore",
				      .body = body},
		       err);
}

/* The status that is to be, on the metadata as the server has them: what is missing of those would
 * leave its owner's entry of managedFields. The spec is not looked at, and left out. Owned. */
static json_t *whole_status(const Run *run)
{
	json_t *body = json_object(), *metadata = json_copy(json_map(run->before, "metadata"));
	json_t *status = json_map(run->object, "status");
	json_object_del(metadata, "managedFields");
	json_put_text(body, "apiVersion", run->state->kind->api_version);
	json_put_text(body, "kind", run->state->kind->kind);
	json_object_set_new(body, "metadata", metadata);
	json_object_set_new(body, "status", status ? json_incref(status) : json_object());
	return body;
}

/* The same for an account that may patch and not update. */
static json_t *patch_status(const Run *run, const json_t *diff, Error *err)
{
	autojson json_t *patch = json_object();
	json_put_text(json_make_at(patch, "metadata", NULL), "resourceVersion",
		      object_resource_version(run->before));
	json_object_set(patch, "status", json_borrow(diff));
	return write_object(run, KUBE_MERGE_PATCH, patch, "status", err);
}

static json_t *send_status(const Run *run, const json_t *diff, Error *err)
{
	atomic_bool *patches_only = &run->state->patches_only;
	if (atomic_load(patches_only))
		return patch_status(run, diff, err);
	autojson json_t *whole = whole_status(run);
	json_t *reply = write_object(run, KUBE_REPLACE, whole, "status", err);
	if (reply || err->code != ERR_FORBIDDEN)
		return reply;
	error_dispose(err);
	reply = patch_status(run, diff, err);
	if (reply)
		atomic_store(patches_only, true);
	return reply;
}

static json_t *get_fresh(const Run *run, Error *err)
{
	const Kind *kind = run->state->kind;
	return kube_get(run->manager->client, kind->api_version, kind->kind, run->ns, run->name,
			err);
}

/* A run is about the spec that it has read, and tells of that generation. What was asked for
 * meanwhile is the next one's. */
static void keep_spec(const json_t *object, json_t *fresh)
{
	json_object_set(fresh, "spec", json_map(object, "spec"));
	json_object_set_new(json_map(fresh, "metadata"), "generation",
			    json_integer(object_generation(object)));
}

static void rebase_run(Run *run, json_t *take_fresh)
{
	json_t *base = json_deep_copy(take_fresh);
	json_t *after = rebase(run->before, run->object, take_fresh);
	json_decref(run->before);
	json_array_append_new(run->outlived, run->object);
	run->before = base;
	run->object = after;
}

/* The reply is the new truth: for later writes of this run and for the next one. */
static void adopt(Run *run, json_t *take_reply)
{
	informer_put(run->state->informer, take_reply);
	json_object_set(json_make_at(run->object, "metadata", NULL), "resourceVersion",
			json_at(take_reply, "metadata", "resourceVersion", NULL));
	json_decref(run->before);
	run->before = json_deep_copy(run->object);
	json_decref(take_reply);
	run->written_ms = clock_mono_ms();
}

bool run_write_status(Run *run, Error *err)
{
	if (run->state->kind->no_status)
		return true;
	progress_settle(run);
	for (int try = 0;; try++) {
		autoerror Error failure = {0};
		settle_conditions(run->before, run->object);
		autojson json_t *diff = status_diff(run->before, run->object);
		if (!diff)
			return true;
		json_t *reply = send_status(run, diff, &failure);
		if (reply) {
			adopt(run, reply);
			return true;
		}
		if (failure.code == ERR_NOT_FOUND)
			return true; /* deleted meanwhile: nobody is left to tell */
		if (failure.code != ERR_CONFLICT || try + 1 == TRIES) {
			err_move(err, &failure);
			return err_wrap(err, "write status");
		}
		json_t *fresh = get_fresh(run, err);
		if (!fresh)
			return err->code == ERR_NOT_FOUND ? (error_dispose(err), true)
							  : err_wrap(err, "write status");
		if (!cstr_eq(object_uid(fresh), object_uid(run->object))) {
			json_decref(fresh);
			return true; /* a namesake, which is the next run's */
		}
		keep_spec(run->object, fresh);
		rebase_run(run, fresh);
	}
}

/* The finalizer list with ours put in or left out; locked by resourceVersion, because a merge patch
 * replaces the list. Owned. */
static json_t *finalizer_patch(const json_t *object, bool present)
{
	json_t *patch = json_object();
	json_t *metadata = json_make_at(patch, "metadata", NULL);
	json_t *list = json_array();
	size_t i;
	json_t *item;
	json_array_foreach(json_at(object, "metadata", "finalizers", NULL), i, item)
	{
		if (!cstr_eq(json_string_value(item), FLUX_FINALIZER))
			json_array_append(list, item);
	}
	if (present)
		json_array_append_new(list, json_string(FLUX_FINALIZER));
	json_object_set_new(metadata, "finalizers", list);
	json_put_text(metadata, "resourceVersion", object_resource_version(object));
	return patch;
}

bool run_set_finalizer(Run *run, bool present, Error *err)
{
	for (int try = 0;; try++) {
		autoerror Error failure = {0};
		autojson json_t *patch = finalizer_patch(run->object, present);
		autojson json_t *reply = write_object(run, KUBE_MERGE_PATCH, patch, NULL, &failure);
		if (reply) {
			json_object_set(run->object, "metadata", json_map(reply, "metadata"));
			json_object_set(run->before, "metadata", json_map(reply, "metadata"));
			if (present)
				informer_put(run->state->informer, reply);
			return true;
		}
		if (failure.code == ERR_NOT_FOUND && !present)
			return true;
		if (failure.code != ERR_CONFLICT || try + 1 == TRIES) {
			err_move(err, &failure);
			return err_wrap(err, "%s the finalizer", present ? "add" : "remove");
		}
		json_t *fresh = get_fresh(run, err);
		if (!fresh)
			return !present && err->code == ERR_NOT_FOUND ? (error_dispose(err), true)
								      : false;
		rebase_run(run, fresh);
	}
}

bool run_flush(Run *run, Error *err)
{
	return run_write_status(run, err);
}

void run_progress(Run *run)
{
	enum { PERSON_WAITS_MS = 2000 };
	int64_t last = run->written_ms > run->started_ms ? run->written_ms : run->started_ms;
	if (!run->state->kind->no_status)
		progress_arm(run, last + PERSON_WAITS_MS);
}
