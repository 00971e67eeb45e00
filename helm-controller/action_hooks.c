/*
 * Hooks of an event, one after the other: delete what an earlier run left, note the start in
 * storage, create, await the end (helm-engine.md 11). When all have ended, or one has failed, their
 * policies say which are deleted.
 */
#include "action_internal.h"

#include "base/mem.h"
#include "helm/hooks.h"

static json_t *hook_at_hand(const Action *action)
{
	return action->hooks.hooks.items[action->hooks.at];
}

void hook_run_dispose(HookRun *run)
{
	vec_dispose(&run->hooks);
	resources_dispose(&run->resources);
	error_dispose(&run->failure);
	*run = (HookRun){0};
}

/* Exclusions win; with any inclusion only what is named runs (H74). */
static bool is_selected(const ActionOptions *options, const char *name)
{
	bool included = true, named = false;
	for (size_t i = 0; i < options->filter_count; i++) {
		const TestFilter *filter = &options->filters[i];
		bool same = cstr_eq(filter->name, name);
		if (filter->exclude && same)
			return false;
		if (!filter->exclude) {
			included = false;
			named |= same;
		}
	}
	return included || named;
}

static void drop_unselected(const ActionOptions *options, Vec *hooks)
{
	for (size_t i = hooks->len; i > 0; i--)
		if (!is_selected(options, json_text(hooks->items[i - 1], "name")))
			vec_remove(hooks, i - 1);
}

static void begin(Action *action, const char *event)
{
	hook_run_dispose(&action->hooks);
	action->hooks.event = event;
	json_t *tree = helm_record_tree(action->record);
	helm_hooks_select(json_list(tree, "hooks"), event, &action->hooks.hooks);
	if (action->input.kind == ACTION_TEST)
		drop_unselected(&action->input.options, &action->hooks.hooks);
}

static bool read_hook(Action *action, const json_t *hook, Error *err)
{
	Resources *resources = &action->hooks.resources;
	const char *path = json_text_or(hook, "path", "");
	if (!resources_read(action, json_text_or(hook, "manifest", ""), resources, err))
		return err_wrap(err, "unable to build kubernetes object for %s hook %s",
				action->hooks.event, path);
	for (size_t i = 0; i < resources->len; i++)
		resources->items[i].path = arena_strdup(action->arena, path);
	return true;
}

/* A definition takes all its objects along: hooks that are one are never deleted. */
static bool is_to_delete(const json_t *hook, const char *policy)
{
	return !cstr_eq(json_text(hook, "kind"), "CustomResourceDefinition") &&
	       helm_hook_has(hook, "delete_policies", policy);
}

/* --- one hook --- */

static StepResult delete_hook(Action *action, Error *err)
{
	HookRun *run = &action->hooks;
	const json_t *hook = hook_at_hand(action);
	if (!read_hook(action, hook, err))
		return STEP_FAIL;
	bool clean = run->cleaning || is_to_delete(hook, "before-hook-creation");
	if (!clean) {
		run->phase = HOOK_CREATE;
		return STEP_NEXT;
	}
	if (!delete_objects(action, &run->resources, "Background", err))
		return STEP_FAIL;
	run->phase = HOOK_GONE;
	return STEP_NEXT;
}

static StepResult await_deletion(Action *action, Error *err)
{
	HookRun *run = &action->hooks;
	const ActionOptions *options = &action->input.options;
	bool wait = !run->cleaning || !options->disable_wait;
	StepResult result =
		wait ? wait_for(action, &run->resources, options->timeout_ms, err) : STEP_NEXT;
	if (result != STEP_NEXT)
		return result;
	run->phase = run->cleaning ? HOOK_DELETE : HOOK_CREATE;
	run->at += run->cleaning;
	return STEP_NEXT;
}

static StepResult create_hook(Action *action, Error *err)
{
	static const ApplyWay way = {.separator = "\n", .create = true};
	HookRun *run = &action->hooks;
	json_t *hook = hook_at_hand(action);
	autoerror Error unsaid = {0};
	Storage storage = action_storage(action);
	helm_hook_started(hook);
	action_note(action, "running %s hook %s", run->event, json_text_or(hook, "name", ""));
	if (!storage_update(&storage, action->record, &unsaid))
		action_note(action, "%s", err_text(&unsaid));
	resources_forget(&run->resources, WAIT_HOOK);
	run->resources.applied = 0;
	if (!apply_objects(action, &run->resources, &way, err)) {
		helm_hook_ended(hook, "Failed");
		err_wrap(err, "warning: Hook %s %s failed", run->event,
			 json_text_or(hook, "path", ""));
		return STEP_FAIL;
	}
	run->phase = HOOK_AWAIT;
	return STEP_NEXT;
}

/* The hooks that their policies have deleted now: after success all, last first; after a failure
 * that one, then those before it. */
static void begin_cleaning(HookRun *run)
{
	bool failed = err_is_set(&run->failure);
	Vec list = {0};
	for (size_t i = 0; failed && i <= run->at; i++) {
		json_t *hook = run->hooks.items[i == 0 ? run->at : i - 1];
		if (is_to_delete(hook, i == 0 ? "hook-failed" : "hook-succeeded"))
			vec_push(&list, hook);
	}
	for (size_t i = failed ? 0 : run->hooks.len; i > 0; i--)
		if (is_to_delete(run->hooks.items[i - 1], "hook-succeeded"))
			vec_push(&list, run->hooks.items[i - 1]);
	vec_dispose(&run->hooks);
	run->hooks = list;
	run->at = 0;
	run->phase = HOOK_DELETE;
	run->cleaning = true;
}

static StepResult await_hook(Action *action, Error *err)
{
	HookRun *run = &action->hooks;
	autoerror Error cause = {0};
	StepResult result =
		wait_for(action, &run->resources, action->input.options.timeout_ms, &cause);
	if (result == STEP_WAIT)
		return result;
	if (cause.not_yet) {
		err_move(err, &cause);
		return STEP_FAIL;
	}
	helm_hook_ended(hook_at_hand(action), result == STEP_NEXT ? "Succeeded" : "Failed");
	run->phase = HOOK_DELETE;
	if (result == STEP_NEXT) {
		run->at++;
		return STEP_NEXT;
	}
	action_name_file(&cause, json_text(hook_at_hand(action), "path"));
	err_move(&run->failure, &cause);
	begin_cleaning(run);
	return STEP_NEXT;
}

/* --- all of an event --- */

static StepResult run_phase(Action *action, Error *err)
{
	static StepFn *const phases[] = {
		[HOOK_DELETE] = delete_hook,
		[HOOK_GONE] = await_deletion,
		[HOOK_CREATE] = create_hook,
		[HOOK_AWAIT] = await_hook,
	};
	return phases[action->hooks.phase](action, err);
}

/* What a hook failed with counts for more than that it could not be deleted. */
static StepResult finish(Action *action, StepResult result, Error *err)
{
	HookRun *run = &action->hooks;
	if (err_is_set(&run->failure)) {
		error_dispose(err);
		err_move(err, &run->failure);
		result = STEP_FAIL;
	}
	hook_run_dispose(run);
	return result;
}

StepResult hooks_run(Action *action, const char *event, Error *err)
{
	HookRun *run = &action->hooks;
	if (!cstr_eq(run->event, event))
		begin(action, event);
	for (;;) {
		if (run->at == run->hooks.len && run->cleaning)
			return finish(action, STEP_NEXT, err);
		if (run->at == run->hooks.len) {
			begin_cleaning(run);
			continue;
		}
		StepResult result = run_phase(action, err);
		if (result == STEP_WAIT || (result == STEP_FAIL && err->not_yet))
			return result;
		if (result == STEP_FAIL)
			return finish(action, result, err);
	}
}

typedef struct {
	const char *before, *after;
} Events;

static const Events events[] = {
	[ACTION_INSTALL] = {"pre-install", "post-install"},
	[ACTION_UPGRADE] = {"pre-upgrade", "post-upgrade"},
	[ACTION_ROLLBACK] = {"pre-rollback", "post-rollback"},
	[ACTION_UNINSTALL] = {"pre-delete", "post-delete"},
};

static StepResult run_unless_disabled(Action *action, const char *event, Error *err)
{
	return action->input.options.disable_hooks ? STEP_NEXT : hooks_run(action, event, err);
}

StepResult step_hooks_before(Action *action, Error *err)
{
	return run_unless_disabled(action, events[action->input.kind].before, err);
}

StepResult step_hooks_after(Action *action, Error *err)
{
	return run_unless_disabled(action, events[action->input.kind].after, err);
}

StepResult step_test(Action *action, Error *err)
{
	return hooks_run(action, "test", err);
}
