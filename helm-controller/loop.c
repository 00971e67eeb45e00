/*
 * The release loop (helm-controller.md 6): look, choose a step, do it, until nothing is left to do
 * or a step of a type that was done already comes up again. A step that waits ends the run; the
 * next one goes on here. Read release_loop from the bottom.
 */
#include "internal.h"

#include "base/clock.h"
#include "base/mem.h"
#include "data/duration.h"

/* What came of a look or a step. */
typedef enum { LOOP_ON, LOOP_OVER } LoopState;

/* The same for all of an attempt in one run. */
typedef struct {
	Run *run;
	const HelmContext *context;
	Attempt *attempt;
	const Target *target;
	Outcome outcome; /* once it is LOOP_OVER */
} ReleaseLoop;

static LoopState over(ReleaseLoop *loop, Outcome outcome)
{
	loop->outcome = outcome;
	return LOOP_OVER;
}

/* RetryOnFailure: after how long; negative where that is not the strategy. */
static int64_t retry_after(const ReleaseLoop *loop)
{
	return retry_interval_active(&loop->attempt->spec, run_status(loop->run),
				     loop->context->retries_by_default);
}

/* --- looking --- */

/* What the watch or the server remembers is good enough where it agrees with what we know: nothing
 * of a release that we never made (whose creation would conflict), or the very revision that we
 * made last, at rest. Anything else is looked up. */
static bool is_as_known(const StoredRows *rows, const json_t *latest)
{
	const StoredRow *newest = stored_newest(rows, NULL);
	if (!newest || !latest)
		return !newest && !latest;
	return newest->version == json_int(latest, "version", 0) &&
	       cstr_eq(newest->status, json_text(latest, "status"));
}

static bool list_rows(ReleaseLoop *loop, const Storage *storage, StoredRows *out, Error *err)
{
	const json_t *latest = history_latest(run_status(loop->run));
	if (loop->attempt->requested || loop->attempt->misled)
		return storage_list(storage, STORAGE_NOW, out, err);
	if (!release_watch_rows(loop->context->releases, storage, out) &&
	    !storage_list(storage, STORAGE_LATELY, out, err))
		return false;
	if (is_as_known(out, latest))
		return true;
	stored_rows_dispose(out);
	*out = (StoredRows){0};
	return storage_list(storage, STORAGE_NOW, out, err);
}

/* Somebody else may have written it since the rows were told: they are looked up then. */
static HelmRecord *read_newest(const Storage *storage, StoredRows *rows, Error *err)
{
	const StoredRow *newest = stored_newest(rows, NULL);
	autohelmrecord HelmRecord *record = storage_get(storage, newest->version, err);
	bool is_gone = !record && err->code == ERR_NOT_FOUND;
	if (!is_gone && (!record || cstr_eq(helm_record_status(record), newest->status)))
		return steal(&record);
	error_dispose(err);
	stored_rows_dispose(rows);
	if (!storage_list(storage, STORAGE_NOW, rows, err))
		return NULL;
	newest = stored_newest(rows, NULL);
	return newest ? storage_get(storage, newest->version, err) : NULL;
}

static bool read_last(ReleaseLoop *loop, Error *err)
{
	Attempt *attempt = loop->attempt;
	const ReleaseSpec *spec = &attempt->spec;
	Storage storage = {loop->target->client, spec->storage_ns, spec->release};
	autostoredrows StoredRows rows = {0};
	if (attempt->last || attempt->absent)
		return true;
	if (!list_rows(loop, &storage, &rows, err))
		return err_wrap(err, "failed to retrieve last release from storage");
	if (!stored_newest(&rows, NULL)) {
		attempt_set_last(attempt, NULL);
		return true;
	}
	HelmRecord *record = read_newest(&storage, &rows, err);
	if (err_is_set(err))
		return err_wrap(err, "failed to retrieve last release from storage");
	attempt_set_last(attempt, record);
	if (!record)
		return true;
	attempt->rows = rows;
	rows = (StoredRows){0};
	attempt->rows_known = true;
	return true;
}

static bool is_same_digest(const json_t *status, const char *key, const char *digest)
{
	return cstr_eq(json_text_or(status, key, ""), digest);
}

static bool tests_count_as_failed(const ReleaseSpec *spec, const json_t *status)
{
	Remediation remediation;
	return remediation_active(spec, status, &remediation) &&
	       !remediation.ignore_test_failures && snapshot_test_failed(history_latest(status));
}

static ReleaseSight sight_of(ReleaseLoop *loop)
{
	Attempt *attempt = loop->attempt;
	const ReleaseSpec *spec = &attempt->spec;
	const json_t *status = run_status(loop->run), *latest = history_latest(status);
	if (!attempt->last)
		return (ReleaseSight){0};
	const json_t *stored = json_at(helm_record_tree(attempt->last), "chart", "metadata", NULL);
	const HelmChart *chart = prepared_chart_chart(attempt->chart);
	autofree char *renderers = post_renderers_digest(spec->spec, loop->context->algo);
	autofree char *metadata = common_metadata_digest(spec->spec, loop->context->algo);
	if (latest && !attempt->matches)
		attempt->matches = snapshot_matches(latest, attempt->last);
	return (ReleaseSight){
		.stored = helm_record_status(attempt->last),
		.has_history = latest != NULL,
		.matches = latest && attempt->matches,
		.same_chart =
			cstr_eq(json_text(stored, "name"), helm_chart_name(chart)) &&
			cstr_eq(json_text(stored, "version"), helm_chart_field(chart, "version")),
		.same_values = latest && snapshot_has_values(latest, attempt->values),
		.is_new_generation = json_int(status, "observedGeneration", -1) != spec->generation,
		.same_post_renderers =
			is_same_digest(status, "observedPostRenderersDigest", renderers),
		.same_common_metadata =
			is_same_digest(status, "observedCommonMetadataDigest", metadata),
		.tests = spec->tests,
		.tested = snapshot_tested(latest),
		.tests_failed = tests_count_as_failed(spec, status),
	};
}

static bool look(ReleaseLoop *loop, ReleaseState *out, DriftedSet *drifted, const char **out_reason,
		 Error *err)
{
	const ReleaseSpec *spec = &loop->attempt->spec;
	if (!read_last(loop, err))
		return false;
	ReleaseSight sight = sight_of(loop);
	*out = release_state(&sight, out_reason);
	if (*out != STATE_IN_SYNC || spec->drift_mode == DRIFT_DISABLED)
		return true;
	if (!drift_detect(loop->run, loop->attempt, loop->target, drifted, err))
		return err_wrap(err, "unable to determine cluster state");
	sight.drifted = drifted->len > 0;
	*out = release_state(&sight, out_reason);
	return true;
}

/* --- what a state means for status, before a step is chosen --- */

static void forget_remediation(ReleaseLoop *loop)
{
	json_t *object = run_object(loop->run);
	const json_t *latest = history_latest(run_status(loop->run));
	if (!condition_is(object, "Remediated", "True"))
		return;
	autofree char *release = snapshot_release(latest), *chart = snapshot_chart(latest);
	condition_setf(object, "Released", "True", "UpgradeSucceeded",
		       "Helm upgrade succeeded for release %s with chart %s", release, chart);
	condition_remove(object, "Remediated");
}

/* A failure that an in-sync release has left in the conditions. */
static void repair_conditions(ReleaseLoop *loop)
{
	json_t *object = run_object(loop->run);
	const char *said = condition_reason(object, "Released");
	bool installs = cstr_eq(said, "InstallFailed"), upgrades = cstr_eq(said, "UpgradeFailed");
	bool is_well =
		condition_is(object, "Ready", "True") && condition_is(object, "Released", "True");
	if (is_well || (!installs && !upgrades))
		return;
	const json_t *latest = history_latest(run_status(loop->run));
	autofree char *release = snapshot_release(latest), *chart = snapshot_chart(latest);
	condition_setf(object, "Released", "True",
		       installs ? "InstallSucceeded" : "UpgradeSucceeded",
		       "Helm %s succeeded for release %s with chart %s",
		       installs ? "install" : "upgrade", release, chart);
}

static void truncate(ReleaseLoop *loop)
{
	const ReleaseSpec *spec = &loop->attempt->spec;
	json_t *status = run_status(loop->run);
	Remediation remediation = {.ignore_test_failures = spec->ignore_test_failures};
	if (retry_after(loop) >= 0) {
		history_truncate_plain(status);
		return;
	}
	remediation_active(spec, status, &remediation);
	history_truncate(status, remediation.ignore_test_failures);
}

static void note_drift(ReleaseLoop *loop, const DriftedSet *drifted)
{
	const json_t *latest = history_latest(run_status(loop->run));
	autofree char *release = snapshot_release(latest), *lines = drift_summary(drifted);
	autofree char *message =
		mem_printf("Cluster state of release %s has drifted from the desired state:\n%s",
			   release, lines);
	condition_set(run_object(loop->run), "Drifted", "True", "DriftDetected", message);
	run_verdict(loop->run, EVENT_WARNING, "DriftDetected", NULL, "%s", message);
}

static void note_state(ReleaseLoop *loop, ReleaseState state, const DriftedSet *drifted)
{
	const ReleaseSpec *spec = &loop->attempt->spec;
	json_t *object = run_object(loop->run);
	if (state == STATE_IN_SYNC)
		truncate(loop);
	if (state == STATE_IN_SYNC || state == STATE_UNTESTED)
		forget_remediation(loop);
	if (state == STATE_IN_SYNC && !loop->attempt->force)
		repair_conditions(loop);
	if (state == STATE_IN_SYNC && spec->drift_mode != DRIFT_DISABLED)
		condition_set(object, "Drifted", "False", "NoDriftDetected",
			      "No drift detected against the cluster state");
	if (state == STATE_UNMANAGED)
		run_forget_history(loop->run);
	if (state == STATE_DRIFTED)
		note_drift(loop, drifted);
	if (spec->drift_mode == DRIFT_DISABLED)
		condition_remove(object, "Drifted");
}

static ReleaseSituation situation_of(ReleaseLoop *loop, ReleaseState state)
{
	const ReleaseSpec *spec = &loop->attempt->spec;
	const json_t *status = run_status(loop->run);
	Remediation install = remediation_of_install(spec, status);
	Remediation upgrade = remediation_of_upgrade(spec, status), active = {0};
	bool has_active = remediation_active(spec, status, &active);
	return (ReleaseSituation){.state = state,
				  .force = loop->attempt->force,
				  .install_exhausted = remediation_exhausted(&install),
				  .upgrade_exhausted = remediation_exhausted(&upgrade),
				  .retries_on_failure = retry_after(loop) >= 0,
				  .has_remediation = has_active,
				  .failures = active.failures,
				  .exhausted = has_active && remediation_exhausted(&active),
				  .remediate_last = active.remediate_last,
				  .uninstalls = active.uninstalls,
				  .corrects_drift = spec->drift_mode == DRIFT_ENABLED};
}

/* --- ends --- */

static LoopState end_stalled(ReleaseLoop *loop, Error *err)
{
	const ReleaseSpec *spec = &loop->attempt->spec;
	const json_t *status = run_status(loop->run);
	Remediation active = {0};
	remediation_active(spec, status, &active);
	err_set(err, ERR_INVALID, "Failed to %s after %lld attempt(s)",
		json_text_or(status, "lastAttemptedReleaseAction", ""), (long long)active.failures);
	err_reason(err, "RetriesExceeded");
	return over(loop, outcome_stalled());
}

/* RetryOnFailure: the same again after its interval; whoever waits for the generation learns of
 * it. */
static LoopState end_retry(ReleaseLoop *loop, int64_t interval_ms)
{
	char text[DURATION_TEXT_SIZE];
	duration_format(interval_ms, text);
	json_t *object = run_object(loop->run);
	condition_setf(object, "Reconciling", "True", "ProgressingWithRetry", "retrying after %s",
		       text);
	json_object_set_new(run_status(loop->run), "observedGeneration",
			    json_integer(loop->attempt->spec.generation));
	return over(loop, outcome_waiting(run_jittered(loop->run, interval_ms)));
}

/* There are retries left: again after the back-off. */
static LoopState end_requeue(ReleaseLoop *loop, Error *err)
{
	json_t *object = run_object(loop->run);
	autofree char *said = mem_strdup(condition_message(object, "Ready"));
	condition_set(object, "Reconciling", "True", "ProgressingWithRetry", said ? said : "");
	err_set(err, ERR_UNAVAILABLE, "%s", cstr_empty(said) ? "must requeue" : said);
	return over(loop, outcome_failed());
}

static LoopState end_done(ReleaseLoop *loop)
{
	release_summarize(run_object(loop->run), &loop->attempt->spec, loop->context->algo);
	return over(loop, outcome_again(loop->attempt->spec.interval_ms));
}

/* Ends a run that is to be tried again; false when there is no retry left. */
static bool end_with_retry(ReleaseLoop *loop, bool after_remediation, LoopState *out, Error *err)
{
	int64_t interval = retry_after(loop);
	Remediation active = {0};
	bool is_active = remediation_active(&loop->attempt->spec, run_status(loop->run), &active);
	/* What an upgrade's remediation uninstalled is to be installed. */
	bool uninstalled =
		after_remediation && is_active && !active.is_install && active.uninstalls;
	if (interval >= 0)
		*out = end_retry(loop, interval);
	else if (!is_active || !remediation_exhausted(&active) || uninstalled)
		*out = end_requeue(loop, err);
	else
		return false;
	return true;
}

/* A step of a type that was done already: what is left is for a later run. */
static LoopState end_before(ReleaseLoop *loop, Error *err)
{
	LoopState end;
	return end_with_retry(loop, false, &end, err)
		       ? end
		       : over(loop, outcome_again(loop->attempt->spec.interval_ms));
}

static LoopState end_after_remediation(ReleaseLoop *loop, Error *err)
{
	LoopState end;
	return end_with_retry(loop, true, &end, err) ? end : end_stalled(loop, err);
}

/* A step failed without a trace in storage. */
static LoopState end_failed(ReleaseLoop *loop, const Error *err)
{
	json_t *object = run_object(loop->run);
	int64_t interval = retry_after(loop);
	if (interval >= 0 && !err->not_yet)
		return end_retry(loop, interval);
	if (condition_is(object, "Ready", "True"))
		condition_set(object, "Ready", "False", "ReconcileError", err_text(err));
	return over(loop, outcome_failed());
}

/* --- steps --- */

static void mark_begun(ReleaseLoop *loop, ReleaseStep step)
{
	json_t *object = run_object(loop->run);
	char timeout[DURATION_TEXT_SIZE];
	duration_format(release_step_timeout(&loop->attempt->spec, step), timeout);
	autofree char *message = mem_printf("Running '%s' action with timeout of %s",
					    release_step_name(step), timeout);
	condition_set(object, "Reconciling", "True", "Progressing", message);
	condition_remove(object, "Stalled");
	if (release_step_type(step) == STEP_RELEASE)
		condition_set(object, "Ready", "Unknown", "Progressing", message);
	log_info(run_log(loop->run), message, NULL);
	run_progress(loop->run);
}

/* An installation begins a new life: nothing before it may be rolled back to. */
static void mark_release(ReleaseLoop *loop, ReleaseStep step)
{
	json_t *status = run_status(loop->run);
	if (release_step_type(step) != STEP_RELEASE)
		return;
	json_put_text(status, "lastAttemptedReleaseAction", release_step_name(step));
	if (step == DO_INSTALL)
		run_forget_history(loop->run);
	condition_remove(run_object(loop->run), "TestSuccess");
	condition_remove(run_object(loop->run), "Remediated");
}

/* True with attempt->previous set; else err is: the target is gone for good with MissingRollback-
 * Target, or *out_upgrade: it was altered, and only an upgrade puts that right. */
static bool find_previous(ReleaseLoop *loop, bool *out_upgrade, Error *err)
{
	Attempt *attempt = loop->attempt;
	const ReleaseSpec *spec = &attempt->spec;
	json_t *status = run_status(loop->run);
	Remediation upgrade = remediation_of_upgrade(spec, status);
	*out_upgrade = false;
	const json_t *previous = history_previous(status, upgrade.ignore_test_failures);
	if (!previous) {
		err_set(err, ERR_NOT_FOUND,
			"Failed to perform remediation: missing target release for rollback: "
			"cannot remediate failed release");
		return err_reason(err, "MissingRollbackTarget");
	}
	Storage storage = {loop->target->client, spec->storage_ns, spec->release};
	autohelmrecord HelmRecord *record =
		storage_get(&storage, json_int(previous, "version", 0), err);
	*out_upgrade = record ? !snapshot_matches(previous, record)
			      : err->code == ERR_NOT_FOUND || err->code == ERR_INVALID;
	if (*out_upgrade)
		error_dispose(err);
	if (*out_upgrade || !record)
		return false;
	helm_record_free(attempt->previous);
	attempt->previous = steal(&record);
	return true;
}

/* The newest five failures at most, and the release that was good. */
static void shorten_history(ReleaseLoop *loop, ReleaseState state, ReleaseStep step)
{
	json_t *status = run_status(loop->run);
	Remediation active = {0};
	if (state != STATE_FAILED)
		return;
	if (step == DO_ROLLBACK || step == DO_UNINSTALL) {
		remediation_active(&loop->attempt->spec, status, &active);
		history_truncate(status, active.ignore_test_failures);
	} else if (retry_after(loop) >= 0) {
		history_truncate_plain(status);
	}
}

/* Where a crash must not lose it: what was installed, and where its records are. In this cluster it
 * is found again (finalize.c); another one may be out of reach by then, and would hold up the
 * deletion of what it never had. */
static bool remember_storage(ReleaseLoop *loop, const char *stored_before, Error *err)
{
	const char *now = json_text(run_status(loop->run), "storageNamespace");
	bool is_near = loop->target->client == run_client(loop->run);
	return is_near || cstr_eq(stored_before, now) || run_flush(loop->run, err);
}

/* Spec may point elsewhere again before status tells of this release, and a crash would leave it to
 * nobody. A first one costs no write more: it is found by its labels when the object goes. */
static bool remember_install(ReleaseLoop *loop, Error *err)
{
	const Attempt *attempt = loop->attempt;
	const HelmChart *chart = prepared_chart_chart(attempt->chart);
	if (!attempt->replaces)
		return remember_storage(loop, attempt->storage_before, err);
	InstallIntent intent = {.release = attempt->spec.release,
				.ns = attempt->spec.release_ns,
				.chart = helm_chart_name(chart),
				.chart_version = helm_chart_field(chart, "version"),
				.config_digest = attempt->config_digest};
	history_intend(run_status(loop->run), &intent);
	return run_flush(loop->run, err);
}

static LoopState begin_action(ReleaseLoop *loop, ReleaseStep step, Error *err)
{
	Attempt *attempt = loop->attempt;
	int64_t version = step == DO_ROLLBACK ? helm_record_version(attempt->previous) : 0;
	mark_release(loop, step);
	if (step == DO_INSTALL && !remember_install(loop, err))
		return over(loop, outcome_failed());
	attempt_start(loop->context, attempt, step, version);
	return LOOP_ON;
}

static LoopState do_step(ReleaseLoop *loop, ReleaseState state, ReleaseStep step,
			 DriftedSet *drifted, Error *err)
{
	Attempt *attempt = loop->attempt;
	bool upgrade_instead = false;
	if (step == DO_ROLLBACK && !find_previous(loop, &upgrade_instead, err)) {
		if (!upgrade_instead)
			return over(loop, err->reason ? outcome_stalled() : outcome_failed());
		step = DO_UPGRADE;
	}
	if (attempt->done & (unsigned)release_step_type(step))
		return end_before(loop, err);
	shorten_history(loop, state, step);
	mark_begun(loop, step);
	if (step == DO_UNLOCK) {
		if (!release_unlock(loop->run, attempt, loop->target, err))
			return end_failed(loop, err);
	} else if (step == DO_CORRECT) {
		drift_correct(loop->run, attempt, loop->target, drifted);
	} else {
		return begin_action(loop, step, err);
	}
	attempt->done |= (unsigned)release_step_type(step);
	return LOOP_ON;
}

static LoopState choose(ReleaseLoop *loop, Error *err)
{
	autodrifted DriftedSet drifted = {0};
	ReleaseState state;
	const char *reason;
	if (!look(loop, &state, &drifted, &reason, err)) {
		condition_setf(run_object(loop->run), "Ready", "False", "StateError",
			       "Could not determine release state: %s", err_text(err));
		return over(loop, outcome_failed());
	}
	log_debug(run_log(loop->run), "state of the release", "state", release_state_name(state),
		  "reason", reason, NULL);
	note_state(loop, state, &drifted);
	ReleaseSituation situation = situation_of(loop, state);
	ReleaseStep step = release_next_step(&situation);
	loop->attempt->force = false;
	if (step == DO_NOTHING)
		return end_done(loop);
	if (step == DO_STALL)
		return end_stalled(loop, err);
	if (step != DO_GIVE_UP)
		return do_step(loop, state, step, &drifted, err);
	err_set(err, ERR_INTERNAL, "unable to determine state for release with status '%s'",
		helm_record_status(loop->attempt->last));
	condition_setf(run_object(loop->run), "Ready", "False", "StateError",
		       "Could not determine release state: %s", err_text(err));
	return over(loop, outcome_failed());
}

/* --- the action under way --- */

/* What the next look needs of the action that has ended. */
static void adopt_record(Attempt *attempt)
{
	const HelmRecord *record = action_record(attempt->action);
	bool is_uninstall = attempt->step == DO_UNINSTALL;
	if (is_uninstall || !action_stored(attempt->action) || !record) {
		helm_record_free(attempt->last);
		attempt->last = NULL;
		attempt->absent = false;
		return;
	}
	attempt_set_last(attempt, helm_record_copy(record));
	attempt->matches = true;
}

/* Somebody has made the revision that was not there when we looked, or that the watch did not know
 * yet: no failure of ours. What to do with it the next look tells. */
static LoopState look_again(Attempt *attempt)
{
	attempt->misled = true;
	adopt_record(attempt);
	attempt_end_action(attempt);
	return LOOP_ON;
}

static LoopState end_action(ReleaseLoop *loop, const Error *failure, Error *err)
{
	Attempt *attempt = loop->attempt;
	StepType type = release_step_type(attempt->step);
	drift_wake_on_change(loop->target->drift, attempt->owner, false);
	/* The server had too much to do before anything was begun: not a failure yet. */
	if (failure && failure->not_yet && !action_stored(attempt->action)) {
		err_copy(err, failure);
		attempt_end_action(attempt);
		return over(loop, outcome_failed());
	}
	history_forget_intent(run_status(loop->run));
	if (action_name_taken(attempt->action) && !attempt->misled)
		return look_again(attempt);
	bool goes_on = report_step(loop->run, attempt, loop->target, failure, err);
	if (action_stored(attempt->action))
		attempts_keep_status(loop->context->attempts, attempt->owner,
				     run_status(loop->run));
	adopt_record(attempt);
	attempt_end_action(attempt);
	if (!goes_on)
		return end_failed(loop, err);
	if (type == STEP_REMEDIATE)
		return end_after_remediation(loop, err);
	attempt->done |= (unsigned)type;
	return LOOP_ON;
}

static LoopState advance(ReleaseLoop *loop, Error *err)
{
	Attempt *attempt = loop->attempt;
	autoerror Error failure = {0};
	int64_t wait_ms = 0;
	ActionTarget target = action_target_of(loop->target);
	switch (action_advance(attempt->action, &target, &wait_ms, &failure)) {
	case ACTION_WAITING:
		drift_wake_on_change(loop->target->drift, attempt->owner, true);
		return over(loop, outcome_waiting(wait_ms));
	case ACTION_SUCCEEDED:
		return end_action(loop, NULL, err);
	case ACTION_FAILED:
		break;
	}
	return end_action(loop, &failure, err);
}

void release_cancel(Run *run, Attempt *attempt, const Target *target)
{
	autoerror Error failure = {0}, ignored = {0};
	ActionTarget where = action_target_of(target);
	action_abort(attempt->action, &where, "context canceled");
	err_set(&failure, ERR_CANCELLED, "context canceled");
	history_forget_intent(run_status(run));
	report_step(run, attempt, target, &failure, &ignored);
	attempt_end_action(attempt);
}

Outcome release_loop(Run *run, Attempt *attempt, const Target *target, Error *err)
{
	ReleaseLoop loop = {
		.run = run, .context = run_context(run), .attempt = attempt, .target = target};
	while ((attempt->action ? advance(&loop, err) : choose(&loop, err)) == LOOP_ON)
		;
	return loop.outcome;
}
