/*
 * The reconcile of a HelmRelease, as a list of steps (helm-controller.md 5). A step that cannot go
 * on leaves a condition and an outcome; none of them sleeps. Read reconcile_steps from the top.
 */
#include "internal.h"

#include "base/clock.h"
#include "base/mem.h"
#include "helm/digest.h"
#include "values.h"

enum { REOPEN_MS = 30000 };

json_t *run_status(Run *run)
{
	return json_make_at(run_object(run), "status", NULL);
}

void run_forget_history(Run *run)
{
	const HelmContext *context = run_context(run);
	autofree char *key = run_key(run);
	attempts_keep_status(context->attempts, key, NULL);
	history_clear(run_status(run));
}

/* --- terminal errors --- */

static Outcome stalled(Run *run, Error *err)
{
	autofree char *cause = mem_strdup(err_text(err));
	condition_setf(run_object(run), "Ready", "False", err->reason,
		       "Reconciliation failed terminally due to configuration error: %s", cause);
	run_event(run, EVENT_WARNING, err->reason, NULL, "%s", cause);
	err_wrap(err, "Reconciliation failed terminally due to configuration error");
	return outcome_stalled();
}

/* The API refuses both and neither; objects from before it did are left alone. */
static bool check_chart(const ReleaseSpec *spec, Error *err)
{
	bool both = json_map(spec->spec, "chart") && json_map(spec->spec, "chartRef");
	bool none = !json_map(spec->spec, "chart") && !json_map(spec->spec, "chartRef");
	if (!both && !none)
		return true;
	err_set(err, ERR_INVALID, "invalid Chart reference");
	return err_reason(err, "InvalidChartReference");
}

/* --- dependencies --- */

static Outcome wait_for_dependency(Run *run, const Error *err)
{
	const HelmContext *context = run_context(run);
	autofree char *before = mem_strdup(condition_message(run_object(run), "Ready"));
	prerequisite_failed(run, "DependencyNotReady", err_text(err));
	/* The same again is no news. */
	if (!cstr_eq(before, err_text(err)))
		run_event(run, EVENT_NORMAL, "DependencyNotReady", NULL, "%s", err_text(err));
	return outcome_waiting(context->flags->requeue_dependency_ms);
}

/* --- values --- */

static json_t *read_values(void *arg, const char *kind, const char *name, Error *err)
{
	Run *run = arg;
	return kube_get(run_client(run), "v1", kind, run_namespace(run), name, err);
}

static bool compose(Run *run, Attempt *attempt, Error *err)
{
	const HelmContext *context = run_context(run);
	char digest[DIGEST_TEXT_SIZE];
	attempt->values =
		values_compose(attempt->spec.spec, run_namespace(run), read_values, run, err);
	if (!attempt->values) {
		prerequisite_failed(run, "ValuesError", err_text(err));
		run_verdict(run, EVENT_WARNING, "ValuesError", NULL, "%s", err_text(err));
		return false;
	}
	helm_values_digest(attempt->values, context->algo, digest);
	attempt->config_digest = mem_strdup(digest);
	return true;
}

/* --- target --- */

bool helmrelease_target(Run *run, const ReleaseSpec *spec, Target *out, Error *err)
{
	const HelmContext *context = run_context(run);
	return target_open(run, &context->targets, spec->spec, out, err);
}

static bool open_target(Run *run, const ReleaseSpec *spec, Target *out, Error *err)
{
	if (helmrelease_target(run, spec, out, err))
		return true;
	prerequisite_failed(run, "RESTClientError", err_text(err));
	return false;
}

/* Whether spec points to another release than the one that is installed (facts 5.14). */
static bool target_changed(const Attempt *attempt, const json_t *status)
{
	const ReleaseSpec *spec = &attempt->spec;
	const json_t *latest = history_latest(status);
	const char *storage = json_text(status, "storageNamespace");
	bool in_place =
		cstr_eq(json_text(spec->upgrade, "chartNameChangeStrategy"), "InPlaceUpdate");
	const HelmChart *chart = prepared_chart_chart(attempt->chart);
	if (cstr_empty(storage) || !latest)
		return false;
	return !cstr_eq(storage, spec->storage_ns) ||
	       !cstr_eq(json_text(latest, "namespace"), spec->release_ns) ||
	       !cstr_eq(json_text(latest, "name"), spec->release) ||
	       (!in_place && !cstr_eq(json_text(latest, "chartName"), helm_chart_name(chart)));
}

/* --- the record of an attempt --- */

/* resetAt acts once, when it comes with a request of its own; what it said is remembered either way
 * (H64). So does forceAt. */
static bool is_asked_for(Run *run, const char *annotation, const char *handled)
{
	const char *said = object_annotation(run_object(run), annotation);
	const char *before = json_text(run_status(run), handled);
	const char *request = run_requested_at(run);
	bool acts = !cstr_empty(said) && cstr_eq(said, request) && !cstr_eq(said, before);
	if (!cstr_empty(said))
		json_put_text(run_status(run), handled, said);
	return acts;
}

/* A SHA-1 without its name is what versions before this API wrote. */
static bool values_have_changed(const json_t *status, const json_t *values)
{
	const char *digest = json_text(status, "lastAttemptedConfigDigest");
	const char *checksum = json_text(status, "lastAttemptedValuesChecksum");
	if (cstr_empty(digest) && cstr_empty(checksum))
		return false;
	autofree char *said =
		cstr_empty(digest) ? mem_printf("sha1:%s", checksum) : mem_strdup(digest);
	return !helm_values_have_digest(values, said);
}

static bool has_changed_since(Run *run, const Attempt *attempt)
{
	const json_t *status = run_status(run);
	const HelmChart *chart = prepared_chart_chart(attempt->chart);
	return json_int(status, "lastAttemptedGeneration", 0) != attempt->spec.generation ||
	       !cstr_eq(json_text_or(status, "lastAttemptedRevision", ""),
			helm_chart_field(chart, "version")) ||
	       values_have_changed(status, attempt->values);
}

static void note_attempt(Run *run, Attempt *attempt)
{
	json_t *status = run_status(run);
	const HelmChart *chart = prepared_chart_chart(attempt->chart);
	bool reset = is_asked_for(run, "reconcile.fluxcd.io/resetAt", "lastHandledResetAt");
	attempt->force = is_asked_for(run, "reconcile.fluxcd.io/forceAt", "lastHandledForceAt");
	attempt->storage_before = mem_strdup(json_text(status, "storageNamespace"));
	/* Of an object that has had a release, only replace_target leaves no storage. */
	attempt->replaces = history_has_intent(status) ||
			    (cstr_empty(attempt->storage_before) &&
			     !cstr_empty(json_text(status, "lastAttemptedReleaseAction")));
	json_put_text(status, "storageNamespace", attempt->spec.storage_ns);
	if (has_changed_since(run, attempt) || reset)
		failures_clear(status);
	json_object_set_new(status, "lastAttemptedGeneration",
			    json_integer(attempt->spec.generation));
	json_put_text(status, "lastAttemptedRevision", helm_chart_field(chart, "version"));
	json_put_text(status, "lastAttemptedRevisionDigest", attempt->oci_digest);
	json_put_text(status, "lastAttemptedConfigDigest", attempt->config_digest);
	json_put_text(status, "lastAttemptedValuesChecksum", NULL);
	json_object_del(status, "lastReleaseRevision");
}

/* What an earlier stage has said of Ready is over. */
static void forget_prerequisites(Run *run)
{
	static const char *const reasons[] = {
		"DependencyNotReady", "AccessDenied",	  "ArtifactFailed",  "SourceNotReady",
		"ValuesError",	      "ChartMutateError", "RESTClientError", "FactoryError"};
	const char *reason = condition_reason(run_object(run), "Ready");
	bool is_over = false;
	for (size_t i = 0; i < COUNT(reasons); i++)
		is_over |= cstr_eq(reasons[i], reason);
	if (is_over)
		condition_set(run_object(run), "Ready", "Unknown", "Progressing",
			      "reconciliation in progress");
}

/* --- the end of a run --- */

/* Whatever woke this run while the attempt was under way was not looked at. */
static void look_again(Run *run, const Attempt *attempt)
{
	autofree char *revision = source_revision(run, &attempt->spec);
	bool newer = object_generation(run_object(run)) != attempt->spec.generation ||
		     run_requested_at(run) || !cstr_eq(revision, attempt->source_revision) ||
		     json_array_size(json_list(attempt->spec.spec, "valuesFrom"));
	if (attempt->has_waited && newer)
		manager_enqueue(run_manager(run), run_kind(run), run_namespace(run), run_name(run));
}

static Outcome keep_or_end(Run *run, Attempt *take_attempt, Target *target, Outcome outcome)
{
	const HelmContext *context = run_context(run);
	autoattempt Attempt *attempt = take_attempt;
	if (!attempt->action) {
		look_again(run, attempt);
		return outcome;
	}
	attempt->has_waited = true;
	attempt->target = *target;
	*target = (Target){0};
	autofree char *key = run_key(run);
	attempts_keep(context->attempts, key, steal(&attempt));
	return outcome;
}

/* The old release goes before the new one comes (H45, H46). */
static Outcome replace_target(Run *run, Attempt *take_attempt, Target *target, Error *err)
{
	autoattempt Attempt *attempt = take_attempt;
	int64_t wait_ms = 0;
	switch (release_uninstall(run, attempt, target, &wait_ms, err)) {
	case UNINSTALL_WAITING:
		return keep_or_end(run, steal(&attempt), target, outcome_waiting(wait_ms));
	case UNINSTALL_FAILED:
		return outcome_failed();
	case UNINSTALL_DONE:
		break;
	}
	json_t *status = run_status(run);
	run_forget_history(run);
	failures_clear(status);
	json_object_del(status, "storageNamespace");
	return outcome_waiting(1);
}

/* --- going on with what an earlier run began --- */

/* CancelHealthCheckOnNewRevision: something newer is more important than the end of a wait (H97).
 * Hooks, which may be migrations, come to their end. */
static bool is_overtaken(Run *run, const Attempt *attempt)
{
	if (!manager_gate(run_manager(run), "CancelHealthCheckOnNewRevision") || !attempt->action ||
	    !action_awaits_health(attempt->action))
		return false;
	autofree char *revision = source_revision(run, &attempt->spec);
	return object_generation(run_object(run)) != attempt->spec.generation ||
	       run_requested_at(run) || !cstr_eq(revision, attempt->source_revision);
}

static Outcome overtaken(Run *run, Attempt *attempt, const Target *target)
{
	bool newer = object_generation(run_object(run)) != attempt->spec.generation ||
		     run_requested_at(run);
	autofree char *trigger = mem_printf("%s/%s/%s", newer ? HR_KIND : attempt->spec.source_kind,
					    newer ? run_namespace(run) : attempt->spec.source_ns,
					    newer ? run_name(run) : attempt->spec.source_name);
	release_cancel(run, attempt, target);
	condition_setf(run_object(run), "Ready", "False", "HealthCheckCanceled",
		       "New reconciliation triggered by %s", trigger);
	run_event(run, EVENT_NORMAL, "HealthCheckCanceled", NULL,
		  "Health checks canceled due to new reconciliation triggered by %s", trigger);
	return outcome_waiting(1);
}

/* Kubeconfigs are read and tokens renewed once in a while, as each costs a request, and when
 * somebody has changed or asked for something. */
static bool must_reopen(Run *run, const Attempt *attempt)
{
	const Target *target = &attempt->target;
	return !target->cluster || clock_mono_ms() - target->opened_ms >= REOPEN_MS ||
	       run_requested_at(run) ||
	       object_generation(run_object(run)) != attempt->spec.generation;
}

/* What is under way comes to its end where it began; the next attempt reads spec anew. */
void helmrelease_reopen(Run *run, Attempt *attempt, Target *out)
{
	autoerror Error err = {0};
	autotarget Target now = {0};
	Target *stays = &attempt->target;
	bool reopens = must_reopen(run, attempt);
	if (reopens)
		stays->opened_ms = clock_mono_ms();
	if (reopens && !helmrelease_target(run, &attempt->spec, &now, &err))
		log_error(run_log(run), &err, "going on with the connection of before", NULL);
	else if (reopens && cstr_eq(kube_server(now.client), kube_server(attempt->target.client)))
		stays = &now;
	*out = *stays;
	*stays = (Target){0};
	target_close(&attempt->target);
}

static Outcome resume(Run *run, Attempt *take_attempt, Error *err)
{
	autoattempt Attempt *attempt = take_attempt;
	autotarget Target target = {0};
	helmrelease_reopen(run, attempt, &target);
	if (attempt->uninstalls)
		return replace_target(run, steal(&attempt), &target, err);
	Outcome outcome = outcome_waiting(0);
	if (!is_overtaken(run, attempt))
		outcome = release_loop(run, attempt, &target, err);
	if (is_overtaken(run, attempt))
		return overtaken(run, attempt, &target);
	return keep_or_end(run, steal(&attempt), &target, outcome);
}

/* --- the road --- */

static bool find_chart(Run *run, Attempt *attempt, const json_t *made, Outcome *out_outcome,
		       Error *err)
{
	autoartifact Artifact artifact = {0};
	if (!release_source_find(run, &attempt->spec, made, &artifact, out_outcome, err))
		return false;
	*out_outcome = outcome_failed();
	if (!compose(run, attempt, err))
		return false;
	attempt->source_revision = mem_strdup(artifact.revision);
	attempt->chart = source_chart(run, &attempt->spec, &artifact, &attempt->oci_digest,
				      out_outcome, err);
	return attempt->chart != NULL;
}

static Outcome reconcile_steps(Run *run, Attempt *take_attempt, Error *err)
{
	autoattempt Attempt *attempt = take_attempt;
	const ReleaseSpec *spec = &attempt->spec;
	autojson json_t *made = NULL;
	Outcome outcome;
	attempt->exprs = health_exprs_new(json_list(spec->spec, "healthCheckExprs"), err);
	if (!attempt->exprs) {
		err_reason(err, REASON_INVALID_CEL);
		return stalled(run, err);
	}
	if (spec->has_template && source_cross_namespace_denied(run, "HelmChart", spec->source_ns,
								spec->source_name, err))
		return stalled(run, err);
	if (!chart_template_apply(run, spec, &made, err))
		return outcome_failed();
	if (json_flag(spec->rollback, "recreate", false))
		log_info(run_log(run),
			 "warning: spec.rollback.recreate is deprecated, it has no effect", NULL);
	if (!dependencies_ready(run, json_list(spec->spec, "dependsOn"), NULL, NULL, err))
		return cstr_eq(err->reason, REASON_INVALID_CEL) ? stalled(run, err)
								: wait_for_dependency(run, err);
	if (!find_chart(run, attempt, made, &outcome, err))
		return outcome;
	autotarget Target target = {0};
	if (!open_target(run, spec, &target, err))
		return outcome_failed();
	forget_prerequisites(run);
	if (target_changed(attempt, run_status(run)))
		return replace_target(run, steal(&attempt), &target, err);
	note_attempt(run, attempt);
	outcome = release_loop(run, attempt, &target, err);
	return keep_or_end(run, steal(&attempt), &target, outcome);
}

/* What a step did to the release must not be lost when writing status failed: what is kept of it
 * takes the place of what the API server has. */
static void restore_status(Run *run)
{
	const HelmContext *context = run_context(run);
	autofree char *key = run_key(run);
	autojson json_t *kept = attempts_kept_status(context->attempts, key);
	if (!kept)
		return;
	json_t *status = run_status(run);
	if (history_has_reached(status, kept)) {
		attempts_keep_status(context->attempts, key, NULL);
	} else {
		json_put_text(kept, "lastHandledReconcileAt",
			      json_text(status, "lastHandledReconcileAt"));
		json_object_set(run_object(run), "status", kept);
	}
}

/* One that comes while an attempt is under way is for the next one, with what it asks for: to force
 * an upgrade, to clear the counters. */
static void leave_request(Run *run, const Attempt *attempt)
{
	json_put_text(run_status(run), "lastHandledReconcileAt", attempt->handled_at);
}

Outcome helmrelease_reconcile(Run *run, Error *err)
{
	const HelmContext *context = run_context(run);
	autofree char *key = run_key(run);
	restore_status(run);
	Attempt *waiting = attempts_take(context->attempts, key);
	if (waiting) {
		leave_request(run, waiting);
		return resume(run, waiting, err);
	}
	autoattempt Attempt *attempt = attempt_new(run_object(run));
	attempt->handled_at = mem_strdup(json_text(run_status(run), "lastHandledReconcileAt"));
	attempt->requested = run_requested_at(run);
	if (!check_chart(&attempt->spec, err))
		return stalled(run, err);
	return reconcile_steps(run, steal(&attempt), err);
}

/* The end of what was begun before: conditions are ours to settle, and nothing is tried again. */
static Outcome settle_suspended(Run *run, Outcome outcome, Error *err)
{
	if (outcome.kind == OUTCOME_WAITING)
		return outcome;
	condition_remove(run_object(run), "Reconciling");
	if (outcome.kind == OUTCOME_STALLED)
		condition_set(run_object(run), "Stalled", "True", err->reason, err_text(err));
	if (err_is_set(err))
		log_error(run_log(run), err, "the last action of a suspended release failed", NULL);
	error_dispose(err);
	return outcome_waiting(0);
}

/* What was begun is ended; nothing new is (H6). */
Outcome helmrelease_suspended(Run *run, Error *err)
{
	const HelmContext *context = run_context(run);
	autofree char *key = run_key(run);
	restore_status(run);
	Attempt *waiting = attempts_take(context->attempts, key);
	json_object_set_new(run_status(run), "observedGeneration",
			    json_integer(object_generation(run_object(run))));
	return waiting ? settle_suspended(run, resume(run, waiting, err), err) : outcome_waiting(0);
}
