/* Walks an action through its steps. What a step waits for, the next call asks again. */
#include "action_internal.h"

#include "base/mem.h"

enum {
	PUT_OFF_MAX = 10, /* times in a row that a server which serves nothing is no failure */
	PUT_OFF_MS = 1000,
};

Action *action_new(const ActionInput *input)
{
	Action *action = mem_zalloc(1, sizeof(*action));
	action->input = *input;
	action->steps = action_steps(input->kind);
	action->arena = arena_new();
	return action;
}

static void free_record(void *record)
{
	helm_record_free(record);
}

void action_free(Action *action)
{
	if (!action)
		return;
	helm_record_free(action->record);
	helm_record_free(action->base);
	helm_record_free(action->last);
	vec_dispose_with(&action->superseded, free_record);
	stored_rows_dispose(&action->rows);
	resources_dispose(&action->wanted);
	resources_dispose(&action->present);
	resources_dispose(&action->removed);
	resources_dispose(&action->crds);
	hook_run_dispose(&action->hooks);
	log_ring_dispose(&action->log);
	buf_dispose(&action->errors);
	buf_dispose(&action->left);
	error_dispose(&action->failure);
	arena_free(action->arena);
	free(action);
}

Storage action_storage(const Action *action)
{
	return (Storage){.client = action->target->storage,
			 .ns = action->input.storage_ns,
			 .release = action->input.release};
}

bool action_failed_to_update(const Action *action)
{
	return action->failed_step == step_apply || action->failed_step == step_remove;
}

/* Keeps the first failure and goes on with the steps that a failure has; a failure of these changes
 * nothing. */
static void turn_to_failure(Action *action, const char *context, Error *cause)
{
	wait_stop(action);
	if (action->failing) {
		action_note(action, "%s", err_text(cause));
		action->at++;
		return;
	}
	if (context)
		err_wrap(cause, "%s", context);
	action_note(action, "%s", err_text(cause));
	err_move(&action->failure, cause);
	action->failing = true;
	action->failed_step = action->steps[action->at].run;
	action->steps = action_failure_steps(action->input.kind);
	action->at = 0;
}

static ActionState end(Action *action, Error *err)
{
	if (!action->failing)
		return ACTION_SUCCEEDED;
	err_copy(err, &action->failure);
	return ACTION_FAILED;
}

/* A server that serves nothing for the moment fails no action (not_yet). */
static bool puts_off(Action *action, const Error *cause)
{
	if (!cause->not_yet || action->put_off >= PUT_OFF_MAX)
		return false;
	action->put_off++;
	action->wait_ms = cause->retry_after_ms > 0 ? cause->retry_after_ms : PUT_OFF_MS;
	return true;
}

static StepResult run_step(Action *action)
{
	const Step *step = &action->steps[action->at];
	autoerror Error cause = {0};
	StepResult result = step->run(action, &cause);
	if (result == STEP_FAIL && puts_off(action, &cause))
		return STEP_WAIT;
	if (result != STEP_WAIT)
		action->put_off = 0;
	if (result == STEP_NEXT)
		action->at++;
	if (result == STEP_END)
		while (action->steps[action->at].run)
			action->at++;
	if (result == STEP_FAIL)
		turn_to_failure(action, step->context, &cause);
	return result;
}

ActionState action_advance(Action *action, const ActionTarget *target, int64_t *out_wait_ms,
			   Error *err)
{
	action->target = target;
	while (action->steps[action->at].run)
		if (run_step(action) == STEP_WAIT) {
			*out_wait_ms = action->wait_ms;
			return ACTION_WAITING;
		}
	return end(action, err);
}

bool action_awaits_health(const Action *action)
{
	StepFn *step = action->steps[action->at].run;
	return step == step_wait || step == step_await_crds;
}

void action_abort(Action *action, const ActionTarget *target, const char *why)
{
	action->target = target;
	wait_stop(action);
	bool ended = action->failing || !action->steps[action->at].run;
	if (ended || !action->stored || !action_leaves_pending(action->input.kind))
		return;
	autoerror Error cause = {0}, ignored = {0};
	err_set(&cause, ERR_CANCELLED, "%s", why);
	turn_to_failure(action, NULL, &cause);
	step_store_failed(action, &ignored);
}

const HelmRecord *action_record(const Action *action)
{
	return action->stored ? action->record : NULL;
}

const HelmRecord *action_superseded(const Action *action, size_t index)
{
	return index < action->superseded.len ? action->superseded.items[index] : NULL;
}

bool action_stored(const Action *action)
{
	return action->stored;
}

bool action_name_taken(const Action *action)
{
	return action->name_taken;
}
