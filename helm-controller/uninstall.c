/*
 * An uninstallation for good: because the HelmRelease is deleted, or because spec points to another
 * release than the one that is installed (helm-controller.md 5.14, 7). It waits as any action does.
 */
#include "internal.h"

#include "base/mem.h"

static void tell(Run *run, const json_t *snapshot, const Action *action, const char *reason,
		 const Error *failure)
{
	autofree char *release = snapshot_release(snapshot), *chart = snapshot_chart(snapshot);
	autojson json_t *metadata = report_snapshot_metadata(snapshot);
	autofree char *log = failure ? action_log(action) : NULL;
	autofree char *message = mem_printf("Helm uninstall %s for release %s with chart %s%s%s",
					    failure ? "failed" : "succeeded", release, chart,
					    failure ? ": " : "", failure ? err_text(failure) : "");
	condition_set(run_object(run), "Released", "False", reason, message);
	run_verdict(run, failure ? EVENT_WARNING : EVENT_NORMAL, reason, metadata, "%s%s%s",
		    message, cstr_empty(log) ? "" : "\n\nLast Helm logs:\n\n",
		    cstr_empty(log) ? "" : log);
}

/* Somebody else was faster; that is as good. */
static bool is_gone(Run *run, const Attempt *attempt, const Error *failure)
{
	autofree char *release = snapshot_release(attempt->uninstalled);
	bool kept = json_flag(attempt->spec.uninstall, "keepHistory", false) &&
		    strstr(err_text(failure), "is already deleted");
	if (failure->code != ERR_NOT_FOUND && !kept)
		return false;
	condition_setf(run_object(run), "Released", "False", "UninstallSucceeded",
		       kept ? "Release %s was already uninstalled"
			    : "Release %s was not found, assuming it is uninstalled",
		       release);
	return true;
}

static UninstallState ended(Run *run, Attempt *attempt, const Target *target, const Error *failure,
			    Error *err)
{
	const HelmContext *context = run_context(run);
	const HelmRecord *record = action_record(attempt->action);
	bool gone = failure && is_gone(run, attempt, failure);
	drift_wake_on_change(target->drift, attempt->owner, false);
	if (!failure && record)
		drift_forget_release(target, target->client, record);
	if (!gone)
		tell(run, attempt->uninstalled, attempt->action,
		     failure ? "UninstallFailed" : "UninstallSucceeded", failure);
	attempt_end_action(attempt);
	if (failure && !gone) {
		failures_add(run_status(run), "failures");
		release_summarize(run_object(run), &attempt->spec, context->algo);
		err_copy(err, failure);
		return UNINSTALL_FAILED;
	}
	json_object_del(run_status(run), "inventory");
	release_summarize(run_object(run), &attempt->spec, context->algo);
	return UNINSTALL_DONE;
}

static bool is_ours(const ReleaseSpec *spec, const json_t *objects)
{
	const json_t *first = json_array_get(objects, 0);
	return first && cstr_eq(object_label(first, HR_OWNER_NAME), spec->name) &&
	       cstr_eq(object_label(first, HR_OWNER_NAMESPACE), spec->ns);
}

/* A crash may have come between the storing of a release and the status that tells of it. What
 * carries our labels is ours and goes; anything else of that name stays. */
static bool find_untold(Run *run, const Attempt *attempt, const Target *target, Error *err)
{
	const HelmContext *context = run_context(run);
	const ReleaseSpec *spec = &attempt->spec;
	const char *ns = json_text_or(run_status(run), "storageNamespace", "");
	Storage storage = {target->client, ns, spec->release};
	autostoredrows StoredRows rows = {0};
	if (!storage_list(&storage, STORAGE_NOW, &rows, err))
		return false;
	const StoredRow *newest = stored_newest(&rows, NULL);
	autohelmrecord HelmRecord *record =
		newest ? storage_get(&storage, newest->version, err) : NULL;
	autojson json_t *objects = record ? manifest_objects(target->client, record, err) : NULL;
	SnapshotFacts facts = {.action = "install", .algo = context->algo};
	if (objects && is_ours(spec, objects))
		history_record(run_status(run), record, &facts);
	return !err_is_set(err);
}

UninstallState release_uninstall(Run *run, Attempt *attempt, const Target *target,
				 int64_t *out_wait_ms, Error *err)
{
	autoerror Error failure = {0};
	ActionTarget where = action_target_of(target);
	if (!attempt->action && !history_latest(run_status(run)) &&
	    !find_untold(run, attempt, target, err))
		return UNINSTALL_FAILED;
	const json_t *latest = history_latest(run_status(run));
	if (!attempt->action && !latest)
		return UNINSTALL_DONE;
	if (!attempt->action) {
		attempt->uninstalls = true;
		attempt->uninstalled = json_deep_copy(latest);
		attempt_start_uninstall(run_context(run), attempt, run_status(run));
	}
	switch (action_advance(attempt->action, &where, out_wait_ms, &failure)) {
	case ACTION_WAITING:
		drift_wake_on_change(target->drift, attempt->owner, true);
		return UNINSTALL_WAITING;
	case ACTION_SUCCEEDED:
		return ended(run, attempt, target, NULL, err);
	case ACTION_FAILED:
		break;
	}
	return ended(run, attempt, target, &failure, err);
}
