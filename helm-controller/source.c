/* Where a release's chart comes from: its source object and the artifact's chart (facts 5.8-12). */
#include "internal.h"

#include "base/mem.h"
#include "data/duration.h"

void prerequisite_failed(Run *run, const char *reason, const char *message)
{
	condition_remove(run_object(run), "Stalled");
	condition_set(run_object(run), "Reconciling", "True", "Progressing",
		      "Fulfilling prerequisites");
	condition_set(run_object(run), "Ready", "False", reason, message);
}

static bool denied(Run *run, Outcome *out_outcome, const Error *err)
{
	condition_set(run_object(run), "Ready", "False", "AccessDenied", err_text(err));
	run_event(run, EVENT_WARNING, "AccessDenied", NULL, "%s", err_text(err));
	*out_outcome = outcome_stalled();
	return false;
}

bool source_cross_namespace_denied(Run *run, const char *kind, const char *ns, const char *name,
				   Error *err)
{
	const HelmContext *context = run_context(run);
	if (!context->flags->no_cross_namespace_refs || cstr_eq(ns, run_namespace(run)))
		return false;
	err_set(err, ERR_FORBIDDEN,
		"cross-namespace references are not allowed: cannot access %s %s/%s", kind, ns,
		name);
	err_reason(err, "AccessDenied");
	return true;
}

static bool check_access(Run *run, const ReleaseSpec *spec, Outcome *out_outcome, Error *err)
{
	if (source_cross_namespace_denied(run, spec->source_kind, spec->source_ns,
					  spec->source_name, err))
		return denied(run, out_outcome, err);
	if (!cstr_eq(spec->source_kind, "ExternalArtifact") ||
	    manager_gate(run_manager(run), "ExternalArtifact"))
		return true;
	err_set(err, ERR_FORBIDDEN,
		"can't access '%s/%s/%s', ExternalArtifact feature gate is disabled",
		spec->source_kind, spec->source_ns, spec->source_name);
	err_reason(err, "AccessDenied");
	return denied(run, out_outcome, err);
}

/* Whoever asks for a run, or changes the spec (and resumes it), may have seen a revision that the
 * watch has not told yet. */
static bool may_know_better(Run *run, const ReleaseSpec *spec)
{
	int64_t attempted = json_int(run_status(run), "lastAttemptedGeneration", 0);
	return run_requested_at(run) || (attempted > 0 && attempted != spec->generation);
}

/* What was made just now: of an older state the artifact would be that of an older spec. */
static json_t *get_source(Run *run, const ReleaseSpec *spec, const json_t *made, Error *err)
{
	bool now =
		manager_gate(run_manager(run), "DirectSourceFetch") || may_know_better(run, spec);
	return made ? json_incref(json_borrow(made))
		    : run_peer_find(run, now, SOURCE_VERSION, spec->source_kind, spec->source_ns,
				    spec->source_name, err);
}

char *source_revision(Run *run, const ReleaseSpec *spec)
{
	autojson json_t *object = run_peer_get(run, SOURCE_VERSION, spec->source_kind,
					       spec->source_ns, spec->source_name);
	return mem_strdup(json_text_at(object, "status", "artifact", "revision", NULL));
}

/* Why the source cannot be used yet; owned, or NULL. */
static char *unready_because(const ReleaseSpec *spec, const json_t *source, bool has_artifact)
{
	const char *what = NULL;
	const json_t *status = json_map(source, "status");
	bool external = cstr_eq(spec->source_kind, "ExternalArtifact");
	if (!external && json_int(status, "observedGeneration", 0) != object_generation(source))
		what = condition_is(source, "Ready", "False")
			       ? condition_message(source, "Ready")
			       : "latest generation of object has not been reconciled";
	else if (!external && condition_is(source, "Stalled", "True"))
		what = condition_message(source, "Stalled");
	else if (!has_artifact)
		what = "does not have an artifact";
	return what ? mem_printf("%s '%s/%s' is not ready: %s", spec->source_kind, spec->source_ns,
				 spec->source_name, what)
		    : NULL;
}

/* Nothing is written at first for a HelmChart of our own. */
static void wait_for_source(Run *run, bool fresh, const char *message, Outcome *out_outcome)
{
	const HelmContext *context = run_context(run);
	autofree char *key = run_key(run);
	int64_t quiet_ms = source_waits_quiet_ms(context->waits, key);
	*out_outcome = outcome_waiting(run_jittered(run, context->flags->requeue_dependency_ms));
	bool is_new = !json_list(run_status(run), "conditions");
	if ((fresh || is_new) && quiet_ms > 0)
		*out_outcome = outcome_waiting(quiet_ms);
	else
		prerequisite_failed(run, "SourceNotReady", message);
}

bool release_source_find(Run *run, const ReleaseSpec *spec, const json_t *made, Artifact *out,
			 Outcome *out_outcome, Error *err)
{
	const HelmContext *context = run_context(run);
	autofree char *key = run_key(run);
	if (!check_access(run, spec, out_outcome, err))
		return false;
	autojson json_t *object = get_source(run, spec, made, err);
	if (!object) {
		err_wrap(err, "could not get Source object");
		prerequisite_failed(run, "ArtifactFailed", err_text(err));
		*out_outcome = outcome_failed();
		return false;
	}
	bool has_artifact = artifact_of_json(json_at(object, "status", "artifact", NULL), out);
	autofree char *why = unready_because(spec, object, has_artifact);
	if (why) {
		log_info(run_log(run), why, NULL);
		wait_for_source(run, made != NULL, why, out_outcome);
		return false;
	}
	source_waits_over(context->waits, key);
	return true;
}

/* 404: the artifact was replaced a moment ago; it comes with the next event (H22). */
static void gone(Run *run, Outcome *out_outcome, Error *err)
{
	const HelmContext *context = run_context(run);
	char wait[DURATION_TEXT_SIZE];
	duration_format(context->flags->requeue_dependency_ms, wait);
	autofree char *message =
		mem_printf("Source not ready: artifact not found. Retrying in %s", wait);
	prerequisite_failed(run, "ArtifactFailed", message);
	log_info(run_log(run), message, NULL);
	error_dispose(err);
	*out_outcome = outcome_waiting(context->flags->requeue_dependency_ms);
}

PreparedChart *source_chart(Run *run, const ReleaseSpec *spec, const Artifact *artifact,
			    char **out_digest, Outcome *out_outcome, Error *err)
{
	const HelmContext *context = run_context(run);
	bool tracks = !manager_gate(run_manager(run), "DisableChartDigestTracking");
	*out_outcome = outcome_failed();
	autofree char *build =
		chart_build_of(spec->source_kind, artifact->revision, out_digest, err);
	if (err_is_set(err)) {
		prerequisite_failed(run, "ChartMutateError", err_text(err));
		return NULL;
	}
	autopreparedchart PreparedChart *chart =
		charts_get(&context->charts, artifact, tracks ? build : NULL, err);
	if (!chart && err->code == ERR_NOT_FOUND) {
		gone(run, out_outcome, err);
		return NULL;
	}
	if (!chart) {
		autofree char *message = mem_printf("Could not load chart: %s", err_text(err));
		prerequisite_failed(run, "ArtifactFailed", message);
		run_verdict(run, EVENT_WARNING, "ArtifactFailed", NULL, "%s", err_text(err));
		return NULL;
	}
	if (build && !chart_fits_tag(prepared_chart_chart(chart), artifact->revision, err)) {
		prerequisite_failed(run, "ChartMutateError", err_text(err));
		return NULL;
	}
	return steal(&chart);
}
