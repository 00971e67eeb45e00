/* The source of a Kustomization: its object, its artifact, the unpacked tree (facts 2.3, 3). */
#include "internal.h"

#include <string.h>

#include "base/mem.h"
#include "base/visible.h"

enum { ORIGIN_ANNOTATION_MAX = 256 };

void source_state_dispose(SourceState *source)
{
	artifact_dispose(&source->artifact);
	free(source->origin_revision);
	free(source->host);
	artifact_tree_unref(source->tree);
	*source = (SourceState){0};
}

static bool not_ready(Run *run, const char *message)
{
	condition_set(run_object(run), "Ready", "False", "ArtifactFailed", message);
	return false;
}

static bool check_access(Run *run, const Kustomization *ks, Outcome *out_outcome, Error *err)
{
	const KustomizeContext *context = run_context(run);
	const char *denied = NULL;
	if (context->flags->no_cross_namespace_refs && !cstr_eq(ks->source_ns, run_namespace(run)))
		denied = "cross-namespace references have been blocked";
	else if (cstr_eq(ks->source_kind, "ExternalArtifact") &&
		 !manager_gate(run_manager(run), "ExternalArtifact"))
		denied = "ExternalArtifact feature gate is disabled";
	if (!denied)
		return true;
	err_set(err, ERR_FORBIDDEN, "can't access '%s/%s/%s', %s", ks->source_kind, ks->source_ns,
		ks->source_name, denied);
	err_reason(err, "AccessDenied");
	condition_set(run_object(run), "Ready", "False", "AccessDenied", err_text(err));
	run_event(run, EVENT_WARNING, "AccessDenied", NULL, "%s", err_text(err));
	*out_outcome = outcome_stalled();
	return false;
}

/* Whoever asks for a run, or changes a spec (and resumes it), may have seen a revision that the
 * watch has not told yet: what went before it is not for them, and might take from others what the
 * newer one leaves to them. */
static json_t *get_source(Run *run, const Kustomization *ks, Error *err)
{
	bool now = manager_gate(run_manager(run), "DirectSourceFetch") || run_requested_at(run) ||
		   waiting_is_corrected(run);
	return run_peer_find(run, now, "source.toolkit.fluxcd.io/v1", ks->source_kind,
			     ks->source_ns, ks->source_name, err);
}

/* Told at first only where something was told before, as of an artifact that has gone. */
static bool no_artifact(Run *run, Outcome *out_outcome)
{
	const KustomizeContext *context = run_context(run);
	const int64_t again_ms = context->flags->requeue_dependency_ms;
	autofree char *key = run_key(run);
	int64_t quiet_ms = source_waits_quiet_ms(context->waits, key);
	bool is_new = !json_list(json_map(run_object(run), "status"), "conditions");
	*out_outcome = outcome_waiting(is_new && quiet_ms > 0 ? quiet_ms : again_ms);
	if (is_new && quiet_ms > 0)
		return false;
	autofree char *message = mem_printf("Source artifact not found, retrying in %llds",
					    (long long)again_ms / 1000);
	return not_ready(run, message);
}

bool source_find(Run *run, const Kustomization *ks, SourceState *out, Outcome *out_outcome,
		 Error *err)
{
	const KustomizeContext *context = run_context(run);
	if (!check_access(run, ks, out_outcome, err))
		return false;
	autojson json_t *object = get_source(run, ks, err);
	if (!object && err->code == ERR_NOT_FOUND) {
		*out_outcome = outcome_retry(ks->retry_ms);
		return not_ready(run, err_text(err));
	}
	if (!object) {
		*out_outcome = outcome_failed();
		return not_ready(run, err_text(err));
	}
	if (!artifact_of_json(json_at(object, "status", "artifact", NULL), &out->artifact))
		return no_artifact(run, out_outcome);
	autofree char *key = run_key(run);
	source_waits_over(context->waits, key);
	out->host = artifact_source_host(object);
	const json_t *metadata = out->artifact.metadata;
	const char *origin = json_text(metadata, "org.opencontainers.image.revision");
	if (!origin)
		return true;
	autofree char *cut = mem_strndup(origin, strnlen(origin, ORIGIN_ANNOTATION_MAX));
	out->origin_revision = visible_text(cut, ORIGIN_ANNOTATION_MAX);
	return true;
}

bool source_fetch(Run *run, const Kustomization *ks, SourceState *source, Outcome *out_outcome,
		  Error *err)
{
	const KustomizeContext *context = run_context(run);
	source->tree = artifact_cache_get(context->artifacts, &source->artifact, err);
	if (source->tree)
		return true;
	*out_outcome = err->code == ERR_NOT_FOUND
			       ? outcome_retry(context->flags->requeue_dependency_ms)
			       : outcome_retry(ks->retry_ms);
	err_reason(err, "ArtifactFailed");
	return not_ready(run, err_text(err));
}
