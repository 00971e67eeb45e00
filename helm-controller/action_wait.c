/*
 * Waiting for objects without holding a worker: those that are not known to be ready are looked at
 * in one batch, then the run ends. A watch wakes its owner where objects have the owner's labels; a
 * timer does for the others, and below the watch as a net.
 */
#include "action_internal.h"

#include "base/clock.h"
#include "base/mem.h"
#include "kube/kstatus_live.h"

enum { WATCHED_LOOK_MS = 5000, UNWATCHED_LOOK_MS = 1000 };

WaitMode wait_mode(const Action *action)
{
	const ActionOptions *options = &action->input.options;
	if (options->legacy_wait)
		return WAIT_LEGACY;
	return options->disable_wait_for_jobs ? WAIT_READY : WAIT_COMPLETION;
}

/* --- what an object's state is --- */

/* Where Jobs need not end, one that was started is ready. */
static KstatusCode job_start(const json_t *job)
{
	KstatusCode code = kstatus_of(job, NULL);
	bool started = !cstr_empty(json_text_at(job, "status", "startTime", NULL));
	return code == KSTATUS_IN_PROGRESS && started ? KSTATUS_CURRENT : code;
}

static KstatusCode pod_end(const json_t *pod)
{
	const char *phase = json_text_at(pod, "status", "phase", NULL);
	if (cstr_eq(phase, "Failed"))
		return KSTATUS_FAILED;
	return cstr_eq(phase, "Succeeded") ? KSTATUS_CURRENT : KSTATUS_IN_PROGRESS;
}

static bool is_kind(const json_t *object, const char *api_version, const char *kind)
{
	return cstr_eq(object_kind(object), kind) &&
	       cstr_eq(object_api_version(object), api_version);
}

/* Of the object alone. */
static KstatusCode wait_status(const Action *action, WaitMode mode, const json_t *object)
{
	const HealthExprs *exprs = action->input.exprs;
	bool job = is_kind(object, "batch/v1", "Job"), pod = is_kind(object, "v1", "Pod");
	if (exprs && health_exprs_cover(exprs, object_api_version(object), object_kind(object)))
		return health_exprs_status(exprs, object, NULL);
	if (job && mode == WAIT_READY)
		return job_start(object);
	if (mode == WAIT_HOOK && !job)
		return pod ? pod_end(object) : KSTATUS_CURRENT;
	return kstatus_of(object, NULL);
}

void wait_note(const Action *action, WaitMode mode, Resource *resource, const json_t *object)
{
	resource->looked = mode != WAIT_LEGACY;
	if (resource->looked)
		resource->code = wait_status(action, mode, object);
}

static bool is_paused(const json_t *object)
{
	return is_kind(object, "apps/v1", "Deployment") &&
	       json_flag(json_map(object, "spec"), "paused", false);
}

/* Of the object and of those that it has made. */
static KstatusCode live_status(const Action *action, WaitMode mode, const json_t *object)
{
	const HealthExprs *exprs = action->input.exprs;
	if (mode == WAIT_LEGACY)
		return legacy_status(action, object);
	KstatusCode code = wait_status(action, mode, object);
	bool custom =
		exprs && health_exprs_cover(exprs, object_api_version(object), object_kind(object));
	if (code != KSTATUS_IN_PROGRESS || custom || mode == WAIT_HOOK)
		return code;
	return kstatus_live(action->target->client, object);
}

static KstatusCode code_of(const Action *action, WaitMode mode, const Resource *resource)
{
	if (resource->unseen)
		return KSTATUS_UNKNOWN;
	if (resource->live)
		return mode == WAIT_GONE ? KSTATUS_TERMINATING
					 : live_status(action, mode, resource->live);
	/* A Job that its own TTL deleted has ended (H85). */
	bool done = mode == WAIT_GONE || object_expires(resource->object);
	return done ? KSTATUS_CURRENT : KSTATUS_NOT_FOUND;
}

/* --- looking --- */

static bool is_pending(const Resource *resource)
{
	return !resource->looked || resource->code != KSTATUS_CURRENT;
}

/* Not what goes. */
static bool is_explained(WaitMode mode, const Resource *resource)
{
	return mode != WAIT_GONE && resource->code != KSTATUS_CURRENT;
}

static bool look_again(Action *action, Resources *resources, WaitMode mode, Error *err)
{
	Resources pending = {.items = mem_zalloc(resources->len + 1, sizeof(Resource))};
	autofree size_t *indexes = mem_zalloc(resources->len + 1, sizeof(*indexes));
	for (size_t i = 0; i < resources->len; i++)
		if (is_pending(&resources->items[i])) {
			indexes[pending.len] = i;
			pending.items[pending.len++] = resources->items[i];
		}
	autoerror Error cause = {0};
	bool ok = resources_look(action, &pending, 0, pending.len, &cause) || !cause.not_yet;
	for (size_t i = 0; i < pending.len; i++) {
		Resource *resource = &pending.items[i];
		if (ok) {
			resource->code = code_of(action, mode, resource);
			resource->looked = true;
			if (is_explained(mode, resource))
				why_note(action, resource);
		}
		json_decref(resource->live);
		resource->live = NULL;
		resources->items[indexes[i]] = *resource;
	}
	free(pending.items);
	return ok || err_move(err, &cause);
}

/* --- verdict --- */

static void put_status(Buf *out, const Resource *resource)
{
	autofree char *id = resource_id(resource);
	buf_printf(out, "%s%s status: '%s'", out->len ? ", " : "", id,
		   kstatus_name(resource->code));
	const char *why = resource->unseen ? resource->unseen : resource->why;
	if (!cstr_empty(why))
		buf_printf(out, ": %s", why);
}

static bool is_such(const Resource *resource, bool failed)
{
	return failed ? resource->code == KSTATUS_FAILED : is_pending(resource);
}

static size_t count_such(const Resources *resources, bool failed)
{
	size_t count = 0;
	for (size_t i = 0; i < resources->len; i++)
		count += is_such(&resources->items[i], failed);
	return count;
}

static void put_such(const Resources *resources, bool failed, Buf *out)
{
	for (size_t i = 0; i < resources->len; i++)
		if (is_such(&resources->items[i], failed))
			put_status(out, &resources->items[i]);
}

static StepResult still_there(const Resources *resources, Error *err)
{
	for (size_t i = 0; i < resources->len; i++) {
		const Resource *resource = &resources->items[i];
		autofree char *id = resource_id(resource);
		if (!is_pending(resource))
			continue;
		err_set(err, ERR_TIMEOUT, "%s termination timeout: %s", id,
			resource->unseen ? resource->unseen : "context deadline exceeded");
		break;
	}
	return STEP_FAIL;
}

/* In words, with what the pods say. */
static StepResult fail(const Action *action, Resources *resources, bool early, Error *err)
{
	autobuf Buf text = {0};
	why_ask_pods(action, resources, early);
	put_such(resources, early, &text);
	if (early)
		err_set(err, ERR_UNAVAILABLE, "failed early due to stalled resources: [%s]",
			buf_text(&text));
	else
		err_set(err, ERR_TIMEOUT, "timeout waiting for: [%s]", buf_text(&text));
	return STEP_FAIL;
}

static StepResult verdict(const Action *action, Resources *resources, WaitMode mode,
			  int64_t left_ms, Error *err)
{
	size_t pending = count_such(resources, false), failed = count_such(resources, true);
	if (!pending)
		return STEP_NEXT;
	/* Hooks may be migrations of data: only the last one that runs ends the wait. */
	bool early = mode == WAIT_HOOK ? failed == pending : failed > 0;
	if (!early && left_ms > 0)
		return STEP_WAIT;
	if (!early && mode == WAIT_GONE)
		return still_there(resources, err);
	return fail(action, resources, early, err);
}

/* --- across runs --- */

static bool has_owner_labels(const Action *action, const json_t *object)
{
	const char *const *origin = action->input.origin_labels;
	return origin[0] && cstr_eq(object_label(object, HR_OWNER_NAME), origin[0]) &&
	       cstr_eq(object_label(object, HR_OWNER_NAMESPACE), origin[1]);
}

/* True when every object that is waited for is watched. A watch of metadata tells nothing of an
 * object that is gone but for its owner, so that deletions are watched, too. */
static bool watch_pending(const Action *action, const Resources *resources)
{
	Drift *drift = action->target->drift;
	bool all = drift != NULL;
	for (size_t i = 0; drift && i < resources->len; i++) {
		const json_t *object = resources->items[i].object;
		if (!is_pending(&resources->items[i]))
			continue;
		if (has_owner_labels(action, object))
			drift_watch(drift, object_api_version(object), object_kind(object));
		else
			all = false;
	}
	return all;
}

void wait_stop(Action *action)
{
	if (action->wait.begun && action->target->drift && action->input.owner)
		drift_wake_on_change(action->target->drift, action->input.owner, false);
	action->wait = (Wait){0};
}

static void begin(Action *action, Resources *resources, int64_t timeout_ms)
{
	action->wait = (Wait){.begun = true, .deadline_ms = clock_mono_ms() + timeout_ms};
	if (action->target->drift && action->input.owner)
		drift_wake_on_change(action->target->drift, action->input.owner, true);
	action->wait.watched = watch_pending(action, resources);
	for (size_t i = 0; i < resources->len; i++)
		if (is_paused(resources->items[i].object)) {
			resources->items[i].looked = true;
			resources->items[i].code = KSTATUS_CURRENT;
		}
}

static bool any_pending(const Resources *resources)
{
	for (size_t i = 0; i < resources->len; i++)
		if (is_pending(&resources->items[i]))
			return true;
	return false;
}

StepResult wait_for(Action *action, Resources *resources, int64_t timeout_ms, Error *err)
{
	WaitMode mode = resources->mode;
	bool first = !action->wait.begun;
	if (first && !any_pending(resources))
		return STEP_NEXT;
	if (first)
		begin(action, resources, timeout_ms);
	if (!look_again(action, resources, mode, err))
		return STEP_FAIL;
	int64_t left = action->wait.deadline_ms - clock_mono_ms();
	StepResult result = verdict(action, resources, mode, left, err);
	int64_t look_ms = action->wait.watched ? WATCHED_LOOK_MS : UNWATCHED_LOOK_MS;
	action->wait_ms = left < look_ms ? left : look_ms;
	if (result != STEP_WAIT)
		wait_stop(action);
	return result;
}

StepResult step_wait(Action *action, Error *err)
{
	const ActionOptions *options = &action->input.options;
	if (options->disable_wait)
		return STEP_NEXT;
	return wait_for(action, &action->wanted, options->timeout_ms, err);
}
