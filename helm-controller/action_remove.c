/* What an action takes out of the cluster: objects that a new manifest no longer has, those that a
 * failed action made, those of a release that is uninstalled (helm-engine.md 13, 14). */
#include "action_internal.h"

#include "base/mem.h"
#include "helm/kinds.h"

static const char policy_annotation[] = "helm.sh/resource-policy";

/* --- after an update --- */

static bool keeps(const json_t *object)
{
	return cstr_eq(object_annotation(object, policy_annotation), "keep");
}

static void collect_removed(Action *action)
{
	for (size_t i = 0; i < action->present.len; i++) {
		const Resource *old = &action->present.items[i];
		if (!resources_find(&action->wanted, old->object))
			resources_add(&action->removed, json_incref(old->object), old->path);
	}
}

/* Those that are gone, or say on the cluster that they are kept (E78), are left alone. */
static void spare_kept(Resources *resources)
{
	size_t kept = 0;
	for (size_t i = 0; i < resources->len; i++) {
		Resource *resource = &resources->items[i];
		bool goes = resource->live && !keeps(resource->live);
		if (goes) {
			resources->items[kept++] = *resource;
			continue;
		}
		json_decref(resource->object);
		json_decref(resource->live);
		free(resource->unseen);
	}
	resources->len = kept;
}

StepResult step_remove(Action *action, Error *err)
{
	Resources *removed = &action->removed;
	resources_dispose(removed);
	collect_removed(action);
	if (!removed->len) {
		resources_dispose(&action->present); /* a wait may be long */
		return STEP_NEXT;
	}
	autoerror Error unseen = {0};
	if (!resources_look(action, removed, 0, removed->len, &unseen) && unseen.not_yet) {
		err_move(err, &unseen);
		return STEP_FAIL;
	}
	spare_kept(removed);
	action_note(action, "deleting %zu resource(s)", removed->len);
	return delete_objects(action, removed, "Background", err) ? STEP_NEXT : STEP_FAIL;
}

/* --- after a failure --- */

StepResult step_cleanup(Action *action, Error *err)
{
	autoresources Resources created = {0};
	autoerror Error cause = {0};
	(void)err;
	/* What a rollback has brought back whole stays, also where it is not ready in time. */
	bool stays = action->input.kind == ACTION_ROLLBACK && !action_failed_to_update(action);
	if (!action->input.options.cleanup_on_fail || stays)
		return STEP_NEXT;
	for (size_t i = 0; i < action->wanted.len; i++) {
		const Resource *resource = &action->wanted.items[i];
		if (resource->created)
			resources_add(&created, json_incref(resource->object), resource->path);
	}
	if (delete_objects(action, &created, "Background", &cause))
		return STEP_NEXT;
	Error first = action->failure;
	action->failure = (Error){0};
	err_set(&action->failure, first.code,
		"an error occurred while cleaning up resources. original %s error: %s: unable to "
		"cleanup resources: %s",
		action->input.kind == ACTION_ROLLBACK ? "rollback" : "upgrade", err_text(&first),
		err_text(&cause));
	error_dispose(&first);
	return STEP_NEXT;
}

/* --- uninstall --- */

static int compare_kinds(const void *a, const void *b)
{
	return helm_kinds_compare(HELM_UNINSTALL, object_kind(((const Resource *)a)->object),
				  object_kind(((const Resource *)b)->object));
}

/* "keep" and anything else that the annotation says: not deleted. */
static bool has_policy(const json_t *object)
{
	return object_annotation(object, policy_annotation) != NULL;
}

static void order_for_deletion(Resources *resources)
{
	autovec Vec order = {0};
	for (size_t i = 0; i < resources->len; i++)
		if (!has_policy(resources->items[i].object))
			vec_push(&order, &resources->items[i]);
	vec_sort(&order, compare_kinds);
	Resources sorted = {0};
	for (size_t i = 0; i < order.len; i++) {
		const Resource *resource = order.items[i];
		resources_add(&sorted, json_incref(resource->object), resource->path);
	}
	resources_dispose(resources);
	*resources = sorted;
}

StepResult step_delete_all(Action *action, Error *err)
{
	const char *manifest = helm_record_manifest(action->record);
	if (!resources_read(action, manifest, &action->removed, err)) {
		err_wrap(err, "unable to build kubernetes objects for delete");
	} else {
		order_for_deletion(&action->removed);
		action_note(action, "deleting %zu resource(s)", action->removed.len);
		delete_objects(action, &action->removed, action->input.options.propagation, err);
	}
	if (!err_is_set(err))
		return STEP_NEXT;
	if (err->not_yet)
		return STEP_FAIL;
	err_wrap(err, "failed to delete release: %s", action->input.release);
	return STEP_FAIL;
}

/* What goes wrong from here on is told at the end: the rest is done first. */
static StepResult told_later(Action *action, StepResult result, Error *err)
{
	if (result != STEP_FAIL || err->not_yet)
		return result;
	buf_printf(&action->left, "%s%s", action->left.len ? "; " : "", err_text(err));
	action->left_count++;
	error_dispose(err);
	return STEP_NEXT;
}

StepResult step_await_deletion(Action *action, Error *err)
{
	const ActionOptions *options = &action->input.options;
	if (options->disable_wait)
		return STEP_NEXT;
	StepResult result = wait_for(action, &action->removed, options->timeout_ms, err);
	return told_later(action, result, err);
}

StepResult step_hooks_after_uninstall(Action *action, Error *err)
{
	return told_later(action, step_hooks_after(action, err), err);
}

StepResult step_end_uninstall(Action *action, Error *err)
{
	if (!action->left_count)
		return STEP_NEXT;
	err_set(err, ERR_UNAVAILABLE, "uninstallation completed with %zu error(s): %s",
		action->left_count, buf_text(&action->left));
	return STEP_FAIL;
}
