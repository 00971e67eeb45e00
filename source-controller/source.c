/* The frame of a run that the kinds fill in, and the conditions that all of them set. */
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "internal.h"

static const char *const failures[] = {"FetchFailed", "StorageOperationFailed",
				       "IncludeUnavailable", "BuildFailed"};

const char *const source_order[] = {
	"StorageOperationFailed",
	"FetchFailed",
	"ArtifactOutdated",
	"ArtifactInStorage",
	"Stalled",
	"Reconciling",
	NULL,
};

bool source_has_failure(const json_t *object)
{
	for (size_t i = 0; i < COUNT(failures); i++)
		if (condition_is(object, failures[i], "True"))
			return true;
	return false;
}

void source_clear_failures(json_t *object)
{
	for (size_t i = 0; i < COUNT(failures); i++)
		condition_remove(object, failures[i]);
	condition_remove(object, "ArtifactOutdated");
}

void source_note_change(Run *run, const char *reason, bool has_artifact, const char *message)
{
	json_t *object = run_object(run);
	if (has_artifact)
		condition_set(object, "ArtifactOutdated", "True", reason, message);
	condition_setf(object, "Reconciling", "True", "Progressing", "building artifact: %s",
		       message);
	condition_setf(object, "Ready", "Unknown", "Progressing", "building artifact: %s", message);
}

void source_alias(Run *run, const Artifact *artifact, const char *name)
{
	const SourceContext *context = run_context(run);
	autoerror Error err = {0};
	if (!store_link(context->store, artifact, name, &err)) {
		run_event(run, EVENT_TRACE, "SymlinkUpdateFailed", NULL,
			  "failed to update status URL symlink: %s", err_text(&err));
		return;
	}
	autofree char *dir = path_dir(artifact->path), *path = path_join(dir, name);
	autofree char *url = store_url(context->store, path);
	json_put_text(json_make_at(run_object(run), "status", NULL), "url", url);
}

bool source_is_new(SourceContext *context, const char *key, const char *state)
{
	if (!state) {
		map_remove(context->seen, key);
		return false;
	}
	if (cstr_eq(map_get(context->seen, key), state))
		return false;
	map_put(context->seen, key, mem_strdup(state));
	return true;
}

bool source_temp_failed(Error *err)
{
	return err->code == ERR_IO ? err_wrap(err, "%s", dir_temp()) : false;
}

bool source_rules_failed(Error *err)
{
	err_wrap(err, "failed to load source ignore patterns from repository");
	return err_reason(err, SOURCE_IGNORE_ERROR);
}

bool source_is_stall(const Error *err)
{
	static const char *const reasons[] = {"URLInvalid",
					      "UnsupportedField",
					      "FeatureGateDisabled",
					      "InvalidSTSConfiguration",
					      "InvalidVerificationMode",
					      "UnsupportedSourceKind",
					      "InvalidChartReference",
					      "MetadataPatchError",
					      "ValuesFilesError"};
	for (size_t i = 0; i < COUNT(reasons); i++)
		if (cstr_eq(err->reason, reasons[i]))
			return true;
	/* No client can be made of what the spec says. */
	if (cstr_eq(err->reason, "Failed") && err->code == ERR_UNSUPPORTED)
		return true;
	/* A Secret that lacks the keys may get them; a spec without a Secret stalls (S46). */
	return cstr_eq(err->reason, "InvalidProviderConfiguration") && err->code == ERR_UNSUPPORTED;
}

Outcome source_run(Run *run, const char *const *order, int64_t interval_ms, SourceUpdate *update,
		   const void *view, Error *err)
{
	const SourceContext *context = run_context(run);
	source_check_storage(run);
	condition_set(run_object(run), "Reconciling", "True", "Progressing",
		      "reconciliation in progress");
	bool ok = update(run, view, err);
	/* Nothing failed when something included is missing: its own artifact is awaited (S44). */
	bool waits = condition_is(run_object(run), "IncludeUnavailable", "True");
	/* They say how the run went; Ready must not take last time's word for it. */
	if (!waits)
		condition_remove(run_object(run), "Reconciling");
	condition_remove(run_object(run), "Stalled");
	source_summarize(run, order, err);
	if (ok)
		return outcome_again(interval_ms);
	if (waits)
		return outcome_waiting(context->options->requeue_dependency_ms);
	return source_is_stall(err) ? outcome_stalled() : outcome_failed();
}
