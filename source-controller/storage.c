/* The steps that every source kind shares: storage, conditions, events, deletion. */
#include "internal.h"

#include "base/path.h"

bool source_artifact(Run *run, Artifact *out)
{
	return artifact_of_json(json_at(run_object(run), "status", "artifact", NULL), out);
}

static void drop_artifact(Run *run)
{
	json_t *status = json_make_at(run_object(run), "status", NULL);
	json_object_del(status, "artifact");
	json_object_del(status, "url");
	condition_remove(run_object(run), "ArtifactInStorage");
}

/* Missing or damaged: consumers must not be told Ready for it while it is rebuilt (S93). */
static void lost(Run *run, const char *message)
{
	drop_artifact(run);
	condition_set(run_object(run), "Reconciling", "True", "Progressing", message);
	condition_set(run_object(run), "Ready", "Unknown", "Progressing", message);
	autoerror Error err = {0};
	if (!run_flush(run, &err))
		log_error(run_log(run), &err, "lost artifact not noted in status", NULL);
}

/* The alias lies beside the artifact; only where it is reached may have changed (S15). */
static void refresh_url(Run *run, const Artifact *artifact)
{
	const SourceContext *context = run_context(run);
	json_t *status = json_at(run_object(run), "status", NULL);
	const char *old = json_text(status, "url");
	if (cstr_empty(old))
		return;
	autofree char *dir = path_dir(artifact->path), *path = path_join(dir, path_base(old));
	autofree char *url = store_url(context->store, path);
	if (!cstr_eq(url, old))
		json_put_text(status, "url", url);
}

void source_check_storage(Run *run)
{
	const SourceContext *context = run_context(run);
	autoartifact Artifact artifact = {0};
	bool has = source_artifact(run, &artifact);
	int gone = store_sweep(context->store, run_kind(run)->kind, run_namespace(run),
			       run_name(run), has ? &artifact : NULL);
	if (!has)
		return;
	if (gone)
		run_event(run, EVENT_TRACE, "GarbageCollectionSucceeded", NULL,
			  "garbage collected %d artifacts", gone);
	bool missing = false;
	if (!store_verify(context->store, &artifact, &missing)) {
		if (!missing) {
			run_event(run, EVENT_WARNING, "ArtifactVerificationFailed", NULL,
				  "failed to verify integrity of artifact: %s does not match %s",
				  artifact.path, artifact.digest);
			store_drop(context->store, &artifact);
		}
		lost(run, missing ? "building artifact: disappeared from storage"
				  : "building artifact: digest mismatch");
		return;
	}
	autofree char *url = store_url(context->store, artifact.path);
	if (!cstr_eq(url, artifact.url))
		json_put_text(json_at(run_object(run), "status", "artifact", NULL), "url", url);
	refresh_url(run, &artifact);
}

void source_set_artifact(Run *run, const Artifact *artifact, const char *reason)
{
	json_t *status = json_make_at(run_object(run), "status", NULL);
	json_object_set_new(status, "artifact", artifact_to_json(artifact));
	condition_setf(run_object(run), "ArtifactInStorage", "True", reason,
		       "stored artifact for revision '%s'", artifact->revision);
}

static bool is_negative(const char *type)
{
	return !cstr_eq(type, "ArtifactInStorage") && !cstr_eq(type, "SourceVerified");
}

/* The first condition of `order` with that status, among the negative or the positive ones. */
static const json_t *first(const json_t *object, const char *const *order, bool negative,
			   const char *status)
{
	for (; *order; order++)
		if (is_negative(*order) == negative && condition_is(object, *order, status))
			return object_condition(object, *order);
	return NULL;
}

void source_summarize(Run *run, const char *const *order, const Error *err)
{
	json_t *object = run_object(run);
	const char *status = "False";
	const json_t *winner = NULL;
	if (condition_is(object, "SourceVerified", "False"))
		winner = object_condition(object, "SourceVerified");
	if (!winner)
		winner = first(object, order, true, "True");
	if (!winner)
		winner = first(object, order, false, "False");
	if (!winner && !err_is_set(err)) {
		winner = first(object, order, false, "True");
		status = "True";
	}
	if (winner)
		condition_set(object, "Ready", status, json_text_or(winner, "reason", "Failed"),
			      json_text_or(winner, "message", ""));
	else
		condition_set(object, "Ready", "False", err->reason ? err->reason : "Failed",
			      err_text(err));
}

bool source_fail(Run *run, const char *condition, const char *reason, Error *err)
{
	err_reason(err, reason);
	condition_set(run_object(run), condition, "True", reason, err_text(err));
	run_verdict(run, EVENT_WARNING, reason, NULL, "%s", err_text(err));
	return false;
}

void source_announce_as(Run *run, const Artifact *before, const Artifact *now, bool failed_before,
			const char *reason_new, const char *reason_healed, const char *message)
{
	bool is_new = !before || !cstr_eq(before->digest, now->digest);
	if (!is_new && !failed_before)
		return;
	autojson json_t *metadata = json_object();
	json_put_text(metadata, SOURCE_GROUP "/revision", now->revision);
	json_put_text(metadata, SOURCE_GROUP "/digest", now->digest);
	run_verdict(run, EVENT_NORMAL, is_new ? reason_new : reason_healed, metadata, "%s",
		    message);
	log_info(run_log(run), "stored artifact", "revision", now->revision, NULL);
}

void source_announce(Run *run, const Artifact *before, const Artifact *now, bool failed_before,
		     const char *message)
{
	source_announce_as(run, before, now, failed_before, "NewArtifact", "Succeeded", message);
}

Outcome source_finalize(Run *run, Error *err)
{
	const SourceContext *context = run_context(run);
	if (!store_remove(context->store, run_kind(run)->kind, run_namespace(run), run_name(run),
			  err)) {
		err_wrap(err, "garbage collection for deleted resource failed");
		run_event(run, EVENT_WARNING, "GarbageCollectionFailed", NULL, "%s", err_text(err));
		return outcome_failed();
	}
	run_event(run, EVENT_TRACE, "GarbageCollectionSucceeded", NULL,
		  "garbage collected artifacts for deleted resource");
	return outcome_gone();
}
