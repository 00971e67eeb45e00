/* A record that says pending, or uninstalling, and that nobody works on: left by a crash (H67), or
 * by an uninstallation that failed midway. It becomes a failed one, and what failed is done again.
 */
#include "internal.h"

#include "base/mem.h"

static void tell(Run *run, const json_t *snapshot, const char *state, const Error *failure)
{
	autofree char *release = snapshot_release(snapshot), *chart = snapshot_chart(snapshot);
	autojson json_t *metadata = report_snapshot_metadata(snapshot);
	autofree char *message =
		failure ? mem_printf(
				  "Unlock of Helm release %s with chart %s in %s state failed: %s",
				  release, chart, state, err_text(failure))
			: mem_printf("Unlocked Helm release %s with chart %s in %s state", release,
				     chart, state);
	condition_set(run_object(run), "Released", "False", "PendingRelease", message);
	run_verdict(run, failure ? EVENT_WARNING : EVENT_NORMAL, "PendingRelease", metadata, "%s",
		    message);
}

bool release_unlock(Run *run, Attempt *attempt, const Target *target, Error *err)
{
	const HelmContext *context = run_context(run);
	const ReleaseSpec *spec = &attempt->spec;
	Storage storage = {target->client, spec->storage_ns, spec->release};
	const json_t *known = history_find(run_status(run), attempt->last);
	SnapshotFacts facts = {.action = json_text(known, "action"),
			       .oci_digest = json_text(known, "ociDigest"),
			       .algo = context->algo};
	autofree char *state = mem_strdup(helm_record_status(attempt->last));
	autofree char *description = mem_printf("Release unlocked from stale '%s' state", state);
	autojson json_t *snapshot = snapshot_of(attempt->last, &facts);
	autohelmrecord HelmRecord *record = helm_record_copy(attempt->last);
	helm_record_set_status(record, "failed", description);
	json_put_text(json_make_at(helm_record_tree(record), "info", NULL), "deleted", NULL);
	if (!storage_update(&storage, record, err)) {
		failures_add(run_status(run), "failures");
		tell(run, snapshot, state, err);
		release_summarize(run_object(run), spec, context->algo);
		return false;
	}
	history_update(run_status(run), record, &facts);
	tell(run, snapshot, state, NULL);
	attempt_set_last(attempt, steal(&record));
	release_summarize(run_object(run), spec, context->algo);
	return true;
}
