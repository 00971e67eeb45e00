/* The end of a HelmRelease (helm-controller.md 7, "Delete HR"): its release is uninstalled, the
 * generated HelmChart deleted. What is suspended is let go untouched. */
#include "internal.h"

#include <string.h>

#include "base/mem.h"

static Outcome released(Run *run)
{
	const HelmContext *context = run_context(run);
	autofree char *key = run_key(run);
	attempts_forget(context->attempts, key);
	source_waits_over(context->waits, key);
	drift_wake_on_change(context->targets.drift, key, false);
	clusters_leave(context->targets.clusters, key);
	return outcome_gone();
}

/* Untouched, but for what was under way: nobody is left who would end what is pending. */
static Outcome let_go(Run *run)
{
	const HelmContext *context = run_context(run);
	autofree char *key = run_key(run);
	autoattempt Attempt *attempt = attempts_take(context->attempts, key);
	if (attempt && attempt->action) {
		ActionTarget where = action_target_of(&attempt->target);
		action_abort(attempt->action, &where, "the suspended HelmRelease was deleted");
	}
	return released(run);
}

static bool failed(Run *run, const char *what, Error *err)
{
	condition_setf(run_object(run), "Ready", "False", "UninstallFailed", "%s: %s", what,
		       err_text(err));
	return false;
}

/* False with err unset: nobody is left who may uninstall (H9, H10). Only that the Secret, ConfigMap
 * or ServiceAccount is not there counts: releases must not be orphaned because a server was out of
 * reach, or a cloud did not know its cluster. */
static bool can_uninstall(Run *run, const ReleaseSpec *spec, Target *out, Error *err)
{
	const char *account = target_account(run, spec->spec);
	bool remote = json_map(spec->spec, "kubeConfig") != NULL;
	if (!helmrelease_target(run, spec, out, err)) {
		if (err->code != ERR_NOT_FOUND)
			return failed(run,
				      "failed to build REST client getter to uninstall release",
				      err);
		log_error(run_log(run), err, "skipping Helm release uninstallation", NULL);
		error_dispose(err);
		return false;
	}
	if (remote || cstr_empty(account))
		return true;
	autojson json_t *object =
		kube_get(run_client(run), "v1", "ServiceAccount", run_namespace(run), account, err);
	if (object)
		return true;
	if (err->code != ERR_NOT_FOUND)
		return failed(run, "failed to confirm that the ServiceAccount can be used", err);
	log_error(run_log(run), err, "skipping Helm release uninstallation", NULL);
	error_dispose(err);
	return false;
}

/* An uninstallation that waits goes on where it began, whether or not its account and kubeconfig
 * are still there: half of it would be left. NULL: none, or one as an older spec wanted it: without
 * its hooks it may come to an end (H12). */
static Attempt *take_waiting(Run *run, const char *key, Target *out)
{
	const HelmContext *context = run_context(run);
	autoattempt Attempt *attempt = attempts_take(context->attempts, key);
	if (attempt && attempt->uninstalls &&
	    attempt->spec.generation == object_generation(run_object(run))) {
		helmrelease_reopen(run, attempt, out);
		return steal(&attempt);
	}
	if (attempt)
		attempts_keep(context->attempts, key, steal(&attempt));
	return NULL;
}

/* What was under way is not to be finished any more. */
static Attempt *begin_anew(Run *run, const char *key, const Target *target)
{
	const HelmContext *context = run_context(run);
	autoattempt Attempt *attempt = attempts_take(context->attempts, key);
	if (attempt && attempt->action && !attempt->uninstalls)
		release_cancel(run, attempt, target);
	return attempt_new(run_object(run));
}

static UninstallState uninstall(Run *run, const ReleaseSpec *spec, int64_t *out_wait_ms, Error *err)
{
	const HelmContext *context = run_context(run);
	autofree char *key = run_key(run);
	autotarget Target target = {0};
	autoattempt Attempt *attempt = take_waiting(run, key, &target);
	if (!attempt && !can_uninstall(run, spec, &target, err))
		return err_is_set(err) ? UNINSTALL_FAILED : UNINSTALL_DONE;
	if (!attempt)
		attempt = begin_anew(run, key, &target);
	UninstallState state = release_uninstall(run, attempt, &target, out_wait_ms, err);
	if (state != UNINSTALL_WAITING)
		return state;
	target_close(&attempt->target);
	attempt->target = target;
	target = (Target){0};
	attempts_keep(context->attempts, key, steal(&attempt));
	return state;
}

/* Of nobody's release, or one that may not be read, there is nothing to recall. */
static bool is_nothing(const Error *err)
{
	return err->code == ERR_NOT_FOUND || err->code == ERR_FORBIDDEN || err->code == ERR_INVALID;
}

/* Rendered for this object: by its labels, on any of what is stored. */
static bool is_for_us(Run *run, const HelmRecord *record, Error *err)
{
	const json_t *us = run_object(run);
	autojson json_t *objects = record ? manifest_objects(run_client(run), record, err) : NULL;
	size_t i;
	json_t *object;
	json_array_foreach(objects, i, object)
	{
		if (cstr_eq(object_label(object, HR_OWNER_NAME), object_name(us)) &&
		    cstr_eq(object_label(object, HR_OWNER_NAMESPACE), object_namespace(us)))
			return true;
	}
	return false;
}

/* Both times are the API server's, in one format: their order is that of their texts. */
static bool is_no_older(const char *time, const json_t *object)
{
	const char *made = json_text_at(object, "metadata", "creationTimestamp", NULL);
	return time && made && strcmp(time, made) >= 0;
}

static bool is_own_release(Run *run, const ReleaseSpec *spec, Error *err)
{
	Storage storage = {run_client(run), spec->storage_ns, spec->release};
	autostoredrows StoredRows rows = {0};
	if (!storage_list(&storage, STORAGE_NOW, &rows, err))
		return false;
	const StoredRow *newest = stored_newest(&rows, NULL);
	if (!newest)
		return false;
	autofree char *time = storage_created_at(&storage, newest->version, err);
	if (!is_no_older(time, run_object(run)))
		return false;
	autohelmrecord HelmRecord *record = storage_get(&storage, newest->version, err);
	return is_for_us(run, record, err);
}

/* A crash may have come between a first installation and the status that tells of it (loop.c,
 * remember_storage). A release is this object's own when it is younger and what it made carries
 * this object's labels: one that a namesake left behind stays, and so does one that somebody
 * installed by hand. */
static bool recall_storage(Run *run, const ReleaseSpec *spec, Error *err)
{
	bool elsewhere =
		json_map(spec->spec, "kubeConfig") || !cstr_empty(target_account(run, spec->spec));
	if (elsewhere || !cstr_empty(json_text(run_status(run), "storageNamespace")))
		return true;
	bool is_own = is_own_release(run, spec, err);
	if (err_is_set(err) && !is_nothing(err))
		return failed(run, "failed to look for a release", err);
	error_dispose(err);
	if (is_own)
		json_put_text(run_status(run), "storageNamespace", spec->storage_ns);
	return true;
}

Outcome helmrelease_finalize(Run *run, Error *err)
{
	ReleaseSpec spec __attribute__((cleanup(release_spec_dispose)));
	release_spec_parse(run_object(run), &spec);
	int64_t wait_ms = 0;
	if (json_flag(spec.spec, "suspend", false))
		return let_go(run);
	if (!recall_storage(run, &spec, err))
		return outcome_failed();
	if (!cstr_empty(json_text(run_status(run), "storageNamespace"))) {
		switch (uninstall(run, &spec, &wait_ms, err)) {
		case UNINSTALL_WAITING:
			return outcome_waiting(wait_ms);
		case UNINSTALL_FAILED:
			return outcome_failed();
		case UNINSTALL_DONE:
			break;
		}
		run_forget_history(run);
		json_object_del(run_status(run), "storageNamespace");
	}
	return chart_template_forget(run, &spec, err) ? released(run) : outcome_failed();
}
