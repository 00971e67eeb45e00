/*
 * A wait for health outlives the run that began it: the worker is free meanwhile, so that a new
 * revision may come before the wait is over (K88). By default the wait is finished first, for the
 * revision it is about; with CancelHealthCheckOnNewRevision it is dropped. A changed spec, or a
 * request where there is something newer, ends it either way: whoever asks shall not wait for what
 * they just corrected. A request for what is waited for already is a look, and its time goes on.
 */
#include "internal.h"

#include "base/mem.h"

void waiting_keep(Run *run, const SourceState *source, const RunFacts *facts, json_t *take_kept)
{
	const KustomizeContext *context = run_context(run);
	autofree char *key = run_key(run);
	autojson json_t *what = take_kept;
	json_put_text(what, "revision", source->artifact.revision);
	json_put_text(what, "originRevision", source->origin_revision);
	json_put_text(what, "digest", facts->digest);
	json_object_set_new(what, "startedMs", json_integer(facts->started_ms));
	json_object_set_new(what, "generation", json_integer(object_generation(run_object(run))));
	memory_keep_wait(context->memory, key, what);
}

int64_t waiting_started_ms(Run *run, const char *revision, int64_t now_ms)
{
	const KustomizeContext *context = run_context(run);
	autofree char *key = run_key(run);
	autojson json_t *kept = memory_kept_wait(context->memory, key);
	bool same = kept && cstr_eq(json_text(kept, "revision"), revision);
	return same ? json_int(kept, "startedMs", now_ms) : now_ms;
}

void waiting_renew(Run *run, const char *digest)
{
	const KustomizeContext *context = run_context(run);
	autofree char *key = run_key(run);
	autojson json_t *kept = memory_kept_wait(context->memory, key);
	if (kept && !cstr_eq(json_text(kept, "digest"), digest))
		memory_stop_waiting(context->memory, key);
}

static void cancel(Run *run, const Kustomization *ks, const json_t *metadata, bool newer)
{
	const char *kind = newer ? ks->source_kind : KS_KIND;
	const char *ns = newer ? ks->source_ns : run_namespace(run);
	const char *name = newer ? ks->source_name : run_name(run);
	condition_setf(run_object(run), "Ready", "False", "HealthCheckCanceled",
		       "New reconciliation triggered by %s/%s/%s", kind, ns, name);
	run_event(run, EVENT_NORMAL, "HealthCheckCanceled", metadata,
		  "Health checks canceled due to new reconciliation triggered by %s/%s/%s", kind,
		  ns, name);
}

/* Looks at what the older revision waits for. When that has ended, the newer one is next. */
static Outcome finish(Run *run, const Kustomization *ks, const json_t *kept, Error *err)
{
	SourceState older = {
		.artifact = {.revision = (char *)(uintptr_t)json_text(kept, "revision")},
		.origin_revision = (char *)(uintptr_t)json_text(kept, "originRevision")};
	autojson json_t *metadata = kustomization_event_metadata(&older);
	RunFacts facts = {.revision = older.artifact.revision,
			  .digest = json_text_or(kept, "digest", ""),
			  .started_ms = json_int(kept, "startedMs", 0),
			  .metadata = metadata};
	int64_t wait_ms = 0;
	autotarget Target target = {0};
	if (!kustomization_target(run, ks, &target, err))
		return kustomization_conclude(run, ks, &older, &facts, false, err);
	bool ok = health_check_again(run, ks, target.client, json_list(kept, "checks"), &facts,
				     &wait_ms, err);
	if (!ok && !err_is_set(err))
		return outcome_waiting(wait_ms);
	autofree char *key = run_key(run);
	drift_wake_on_change(target.drift, key, false);
	Outcome outcome = kustomization_conclude(run, ks, &older, &facts, ok, err);
	manager_enqueue(run_manager(run), run_kind(run), run_namespace(run), run_name(run));
	return outcome;
}

bool waiting_goes_on(Run *run, const Kustomization *ks, const SourceState *source, Outcome *out,
		     Error *err)
{
	const KustomizeContext *context = run_context(run);
	autofree char *key = run_key(run);
	autojson json_t *kept = memory_kept_wait(context->memory, key);
	if (!kept)
		return false;
	bool newer = !cstr_eq(json_text(kept, "revision"), source->artifact.revision);
	bool corrected = json_int(kept, "generation", 0) != object_generation(run_object(run));
	bool asked = run_requested_at(run);
	bool cancels = manager_gate(run_manager(run), "CancelHealthCheckOnNewRevision");
	if (!newer && !corrected && !(asked && cancels))
		return false;
	if (!cancels && !asked && !corrected) {
		*out = finish(run, ks, kept, err);
		return true;
	}
	autojson json_t *metadata = kustomization_event_metadata(source);
	if (cancels)
		cancel(run, ks, metadata, newer);
	memory_stop_waiting(context->memory, key);
	return false;
}
