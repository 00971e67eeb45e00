/*
 * What a step came to: history, counters, conditions and events (helm-controller.md 3, 4, 8). Texts
 * and metadata keys are upstream's: dashboards and alerts know them.
 */
#include "internal.h"

#include "base/clock.h"
#include "base/mem.h"
#include "data/duration.h"

/* One step's end; all borrowed. */
typedef struct {
	Run *run;
	Attempt *attempt;
	const Target *target;
	const Error *failure; /* NULL: it succeeded */
	bool stored;
} Report;

json_t *report_metadata(const char *revision, const char *token, const char *app_version,
			const char *oci_digest)
{
	const struct {
		const char *key, *value;
	} rows[] = {
		{HR_GROUP "/revision", revision},
		{HR_GROUP "/token", token},
		{HR_GROUP "/app-version", app_version},
		{HR_GROUP "/oci-digest", oci_digest},
	};
	json_t *metadata = json_object();
	for (size_t i = 0; i < COUNT(rows); i++)
		if (!cstr_empty(rows[i].value))
			json_put_text(metadata, rows[i].key, rows[i].value);
	return metadata;
}

json_t *report_snapshot_metadata(const json_t *snapshot)
{
	return report_metadata(json_text(snapshot, "chartVersion"),
			       json_text(snapshot, "configDigest"),
			       json_text(snapshot, "appVersion"), json_text(snapshot, "ociDigest"));
}

/* The condition, and the event with what Helm last logged where it failed (H94). */
static void tell(const Report *report, const char *condition, const char *reason,
		 const json_t *metadata, const char *message)
{
	bool failed = report->failure != NULL;
	const char *status = failed ? "False" : "True";
	autofree char *log = failed && report->attempt->action && !cstr_eq(condition, "TestSuccess")
				     ? action_log(report->attempt->action)
				     : NULL;
	condition_set(run_object(report->run), condition, status, reason, message);
	run_verdict(report->run, failed ? EVENT_WARNING : EVENT_NORMAL, reason, metadata, "%s%s%s",
		    message, cstr_empty(log) ? "" : "\n\nLast Helm logs:\n\n",
		    cstr_empty(log) ? "" : log);
}

static const char *cause_of(const Report *report)
{
	return report->failure ? err_text(report->failure) : "";
}

/* --- history --- */

static SnapshotFacts facts_of(const Report *report, const char *action, const char *oci_digest)
{
	const HelmContext *context = run_context(report->run);
	return (SnapshotFacts){.action = action, .oci_digest = oci_digest, .algo = context->algo};
}

/* Revisions that the action wrote besides its own, such as the one it superseded. */
static void note_superseded(const Report *report)
{
	const HelmRecord *record;
	for (size_t i = 0; (record = action_superseded(report->attempt->action, i)); i++) {
		json_t *status = run_status(report->run);
		const char *action = json_text(history_find(status, record), "action");
		SnapshotFacts facts = facts_of(report, action, NULL);
		history_update(status, record, &facts);
	}
}

static void note_inventory(const Report *report, const HelmRecord *record)
{
	autoerror Error failure = {0};
	const PreparedChart *chart = report->attempt->chart;
	if (!inventory_note(run_status(report->run), report->target->client, record,
			    chart ? prepared_chart_chart(chart) : NULL, &failure))
		run_event(report->run, EVENT_WARNING, "InventoryBuildFailed", NULL,
			  "failed to build inventory for %s: %s", report->attempt->owner,
			  err_text(&failure));
}

/* What the action stored becomes the newest snapshot. */
static void note_record(const Report *report, const char *action, const char *oci_digest)
{
	const HelmRecord *record = action_record(report->attempt->action);
	SnapshotFacts facts = facts_of(report, action, oci_digest);
	if (!report->stored || !record)
		return;
	history_record(run_status(report->run), record, &facts);
	note_inventory(report, record);
	note_superseded(report);
}

/* --- install, upgrade --- */

static void await_tests(const Report *report)
{
	const json_t *latest = history_latest(run_status(report->run));
	if (!report->attempt->spec.tests || snapshot_tested(latest))
		return;
	autofree char *release = snapshot_release(latest), *chart = snapshot_chart(latest);
	condition_setf(run_object(report->run), "TestSuccess", "Unknown", "AwaitingTests",
		       "Helm release %s with chart %s is awaiting tests", release, chart);
}

static void release_failed(const Report *report, const char *name, const char *reason)
{
	const Attempt *attempt = report->attempt;
	const HelmChart *chart = prepared_chart_chart(attempt->chart);
	const char *version = helm_chart_field(chart, "version");
	autofree char *message = mem_printf("Helm %s failed for release %s/%s with chart %s@%s: %s",
					    name, attempt->spec.release_ns, attempt->spec.full_name,
					    helm_chart_name(chart), version, cause_of(report));
	autojson json_t *metadata =
		report_metadata(version, attempt->config_digest,
				helm_chart_field(chart, "appVersion"), attempt->oci_digest);
	failures_add(run_status(report->run), "failures");
	tell(report, "Released", reason, metadata, message);
}

static void release_succeeded(const Report *report, const char *name, const char *reason,
			      const json_t *said)
{
	const HelmContext *context = run_context(report->run);
	const json_t *latest = history_latest(run_status(report->run));
	autofree char *release = snapshot_release(latest), *chart = snapshot_chart(latest);
	autofree char *message =
		mem_printf("Helm %s succeeded for release %s with chart %s", name, release, chart);
	autojson json_t *metadata = report_snapshot_metadata(latest);
	tell(report, "Released", reason, metadata, message);
	await_tests(report);
	if (retry_interval(said, context->retries_by_default) >= 0)
		failures_clear(run_status(report->run)); /* H62 */
}

static bool report_release(const Report *report, Error *err)
{
	const Attempt *attempt = report->attempt;
	bool installs = attempt->step == DO_INSTALL;
	const char *name = release_step_name(attempt->step);
	char took[DURATION_TEXT_SIZE];
	duration_format(clock_mono_ms() - attempt->step_started_ms, took);
	json_put_text(run_status(report->run), "lastAttemptedReleaseActionDuration", took);
	note_record(report, name, attempt->oci_digest);
	if (!report->failure) {
		release_succeeded(report, name, installs ? "InstallSucceeded" : "UpgradeSucceeded",
				  installs ? attempt->spec.install : attempt->spec.upgrade);
		return true;
	}
	release_failed(report, name, installs ? "InstallFailed" : "UpgradeFailed");
	if (!report->stored) {
		err_copy(err, report->failure);
		return false;
	}
	Remediation remediation =
		installs ? remediation_of_install(&attempt->spec, run_status(report->run))
			 : remediation_of_upgrade(&attempt->spec, run_status(report->run));
	remediation_count(&remediation, run_status(report->run));
	return true;
}

/* --- tests --- */

static bool is_selected(const json_t *filters, const char *name)
{
	bool includes = false, included = false;
	for (size_t i = 0; i < json_array_size(filters); i++) {
		const json_t *row = json_array_get(filters, i);
		bool same = cstr_eq(json_text(row, "name"), name);
		bool excludes = json_flag(row, "exclude", false);
		if (excludes && same)
			return false;
		includes |= !excludes;
		included |= !excludes && same;
	}
	return included || !includes;
}

static bool is_test(const json_t *hook)
{
	const json_t *events = json_list(hook, "events");
	for (size_t i = 0; i < json_array_size(events); i++)
		if (cstr_eq(json_string_value(json_array_get(events, i)), "test"))
			return true;
	return false;
}

static void put_hook_time(json_t *out, const char *key, const char *text)
{
	char shown[CLOCK_TEXT_SIZE];
	int64_t wall_ms;
	if (!text || cstr_starts(text, "0001-01-01") || !clock_parse(text, &wall_ms))
		return;
	clock_format(wall_ms, shown);
	json_put_text(out, key, shown);
}

static json_t *test_hooks(const ReleaseSpec *spec, const HelmRecord *record)
{
	const json_t *filters = json_list(spec->test, "filters");
	json_t *out = json_object();
	size_t i;
	json_t *hook;
	json_array_foreach(json_list(helm_record_tree(record), "hooks"), i, hook)
	{
		const char *name = json_text_or(hook, "name", "");
		if (!is_test(hook) || !is_selected(filters, name))
			continue;
		const json_t *run = json_map(hook, "last_run");
		json_t *row = json_make_at(out, name, NULL);
		put_hook_time(row, "lastStarted", json_text(run, "started_at"));
		put_hook_time(row, "lastCompleted", json_text(run, "completed_at"));
		const char *phase = json_text(run, "phase");
		json_put_text(row, "phase", cstr_empty(phase) ? NULL : phase);
	}
	return out;
}

/* Only results for the release that we made count. */
static void note_tests(const Report *report)
{
	const Attempt *attempt = report->attempt;
	const HelmRecord *record = action_record(attempt->action);
	json_t *status = run_status(report->run);
	const json_t *latest = history_latest(status);
	if (!record)
		record = attempt->last;
	if (!record || !snapshot_is_of(latest, record) || (report->failure && !report->stored))
		return;
	SnapshotFacts facts = facts_of(report, json_text(latest, "action"), NULL);
	history_update(status, record, &facts);
	json_object_set_new(history_latest(status), "testHooks",
			    test_hooks(&attempt->spec, record));
}

static bool report_test(const Report *report, Error *err)
{
	json_t *status = run_status(report->run);
	note_tests(report);
	json_t *latest = history_latest(status);
	size_t count = json_object_size(json_map(latest, "testHooks"));
	autofree char *release = snapshot_release(latest), *chart = snapshot_chart(latest);
	autofree char *counted = count ? mem_printf("%zu test hook%s completed successfully", count,
						    count > 1 ? "s" : "")
				       : mem_strdup("no test hooks");
	autofree char *message = mem_printf("Helm test %s for release %s with chart %s: %s",
					    report->failure ? "failed" : "succeeded", release,
					    chart, report->failure ? cause_of(report) : counted);
	autojson json_t *metadata = report_snapshot_metadata(latest);
	tell(report, "TestSuccess", report->failure ? "TestFailed" : "TestSucceeded", metadata,
	     message);
	if (!report->failure)
		return true;
	failures_add(status, "failures");
	Remediation remediation;
	if (!snapshot_tested(latest)) {
		err_copy(err, report->failure);
		return false;
	}
	if (remediation_active(&report->attempt->spec, status, &remediation) &&
	    !remediation.ignore_test_failures)
		remediation_count(&remediation, status);
	return true;
}

/* --- remediation --- */

static bool report_rollback(const Report *report, Error *err)
{
	const Attempt *attempt = report->attempt;
	const HelmRecord *target = attempt->previous;
	const json_t *metadata_of = json_at(helm_record_tree(target), "chart", "metadata", NULL);
	autofree char *message = mem_printf(
		"Helm rollback to previous release %s/%s.v%lld with chart %s@%s %s%s%s",
		helm_record_namespace(target), helm_record_name(target),
		(long long)helm_record_version(target), json_text_or(metadata_of, "name", ""),
		json_text_or(metadata_of, "version", ""), report->failure ? "failed" : "succeeded",
		report->failure ? ": " : "", cause_of(report));
	autojson json_t *metadata = report_metadata(
		json_text(metadata_of, "version"), attempt->config_digest,
		json_text(metadata_of, "appVersion"),
		json_text(history_find(run_status(report->run), target), "ociDigest"));
	note_record(report, "rollback", NULL);
	if (report->failure)
		failures_add(run_status(report->run), "failures");
	tell(report, "Remediated", report->failure ? "RollbackFailed" : "RollbackSucceeded",
	     metadata, message);
	if (!report->failure || report->stored)
		return true;
	err_copy(err, report->failure);
	return false;
}

static bool report_uninstall(const Report *report, Error *err)
{
	json_t *status = run_status(report->run);
	const HelmRecord *record = action_record(report->attempt->action);
	SnapshotFacts facts = facts_of(report, "uninstall-remediation", NULL);
	if (report->stored && record)
		history_update(status, record, &facts);
	const json_t *latest = history_latest(status);
	autofree char *release = snapshot_release(latest), *chart = snapshot_chart(latest);
	autofree char *message =
		mem_printf("Helm uninstall remediation for release %s with chart %s %s%s%s",
			   release, chart, report->failure ? "failed" : "succeeded",
			   report->failure ? ": " : "", cause_of(report));
	autojson json_t *metadata = report_snapshot_metadata(latest);
	if (report->failure)
		failures_add(status, "failures");
	else
		json_object_del(status, "inventory");
	tell(report, "Remediated", report->failure ? "UninstallFailed" : "UninstallSucceeded",
	     metadata, message);
	if (!report->failure || report->stored)
		return true;
	err_copy(err, report->failure);
	return false;
}

bool report_step(Run *run, Attempt *attempt, const Target *target, const Error *failure, Error *err)
{
	const HelmContext *context = run_context(run);
	Report report = {.run = run,
			 .attempt = attempt,
			 .target = target,
			 .failure = failure,
			 .stored = action_stored(attempt->action)};
	bool ok = false;
	switch (attempt->step) {
	case DO_INSTALL:
	case DO_UPGRADE:
		ok = report_release(&report, err);
		break;
	case DO_TEST:
		ok = report_test(&report, err);
		break;
	case DO_ROLLBACK:
		ok = report_rollback(&report, err);
		break;
	case DO_UNINSTALL:
		ok = report_uninstall(&report, err);
		break;
	case DO_NOTHING:
	case DO_UNLOCK:
	case DO_CORRECT:
	case DO_STALL:
	case DO_GIVE_UP:
		break;
	}
	/* Ready goes on to say what failed, and not that it is gone. */
	if (attempt->step != DO_UNINSTALL)
		release_summarize(run_object(run), &attempt->spec, context->algo);
	return ok;
}
