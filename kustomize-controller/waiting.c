/*
 * A wait for health outlives the run that began it: the worker is free meanwhile, so that a new
 * revision may come before the wait is over (K88). By default the wait is finished first, for the
 * revision it is about; with CancelHealthCheckOnNewRevision it is dropped. A changed spec, or a
 * request where there is something newer, ends it either way: whoever asks shall not wait for what
 * they just corrected. A request for what is waited for already is a look, and its time goes on.
 *
 * What else wakes it is a look at the objects alone: nothing is built that is built already, unless
 * one of them has left the state that was applied, or what it was built of may have changed.
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
	json_put_text(what, "artifact", source->artifact.digest);
	json_object_set_new(what, "configs", json_integer((json_int_t)facts->configs));
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

/* Of a wait: the source and facts of the run that began it. Borrows from kept, but metadata. */
static void recall(const json_t *kept, SourceState *out_source, RunFacts *out_facts)
{
	*out_source = (SourceState){
		.artifact = {.revision = (char *)(uintptr_t)json_text(kept, "revision")},
		.origin_revision = (char *)(uintptr_t)json_text(kept, "originRevision")};
	*out_facts = (RunFacts){.revision = out_source->artifact.revision,
				.digest = json_text_or(kept, "digest", ""),
				.started_ms = json_int(kept, "startedMs", 0),
				.metadata = kustomization_event_metadata(out_source)};
}

/* Looks at what is waited for. False: that takes a whole run, and nothing was told. */
static bool look(Run *run, const Kustomization *ks, const json_t *kept, const Target *target,
		 bool newer, Outcome *out, Error *err)
{
	SourceState source;
	RunFacts facts;
	int64_t wait_ms = 0;
	bool gone = false;
	recall(kept, &source, &facts);
	autojson json_t *metadata = facts.metadata;
	bool ok = health_check_again(run, ks, target, json_list(kept, "checks"), &facts, &wait_ms,
				     &gone, err);
	bool over = ok || err_is_set(err);
	if (!over && gone && !newer)
		return false;
	autofree char *key = run_key(run);
	if (over)
		drift_wake_on_change(target->drift, key, false);
	*out = over ? kustomization_conclude(run, ks, &source, &facts, ok, err)
		    : outcome_waiting(wait_ms);
	return true;
}

/* Looks at what the older revision waits for. When that has ended, the newer one is next. */
static Outcome finish(Run *run, const Kustomization *ks, const json_t *kept, Error *err)
{
	const KustomizeContext *context = run_context(run);
	autofree char *key = run_key(run);
	autotarget Target target = {0};
	Outcome outcome;
	if (!kustomization_target(run, ks, &target, err)) {
		SourceState older;
		RunFacts facts;
		recall(kept, &older, &facts);
		autojson json_t *metadata = facts.metadata;
		return kustomization_conclude(run, ks, &older, &facts, false, err);
	}
	look(run, ks, kept, &target, true, &outcome, err);
	autojson json_t *waits = memory_kept_wait(context->memory, key);
	if (!waits)
		manager_enqueue(run_manager(run), run_kind(run), run_namespace(run), run_name(run));
	return outcome;
}

/* Whether a run would build what was built, and find applied what it applied. */
static bool is_unmoved(Run *run, const json_t *kept, const SourceState *source,
		       const Target *target)
{
	const KustomizeContext *context = run_context(run);
	autofree char *key = run_key(run);
	return cstr_eq(json_text(kept, "artifact"), source->artifact.digest) &&
	       json_int(kept, "configs", 0) == (int64_t)atomic_load(&context->configs) &&
	       !drift_has_left(target->drift, key);
}

/* True: it is not ready, and no run would say more than that. */
static bool stage_goes_on(Run *run, const json_t *kept, const Target *target)
{
	const KustomizeContext *context = run_context(run);
	autofree char *key = run_key(run);
	int64_t since = memory_waiting_since(context->memory, key, json_text(kept, "stage"));
	return run_waited_ms(since) <= STAGE_TIMEOUT_MS &&
	       !health_stage_is_ready(run, target, json_list(kept, "checks"));
}

/* The same revision as before: a look, if that is enough. */
static bool go_on(Run *run, const Kustomization *ks, const json_t *kept, const SourceState *source,
		  Outcome *out, Error *err)
{
	autoerror Error unsaid = {0}; /* a whole run says it */
	autotarget Target target = {0};
	if (!kustomization_target(run, ks, &target, &unsaid) ||
	    !is_unmoved(run, kept, source, &target))
		return false;
	if (!json_text(kept, "stage"))
		return look(run, ks, kept, &target, false, out, err);
	*out = outcome_waiting(STAGE_LOOK_AGAIN_MS);
	return stage_goes_on(run, kept, &target);
}

static bool is_corrected(Run *run, const json_t *kept)
{
	return json_int(kept, "generation", 0) != object_generation(run_object(run));
}

bool waiting_is_corrected(Run *run)
{
	const KustomizeContext *context = run_context(run);
	autofree char *key = run_key(run);
	autojson json_t *kept = memory_kept_wait(context->memory, key);
	if (kept)
		return is_corrected(run, kept);
	int64_t observed = json_int(json_map(run_object(run), "status"), "observedGeneration", 0);
	return observed > 0 && observed != object_generation(run_object(run));
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
	bool corrected = is_corrected(run, kept);
	bool asked = run_requested_at(run);
	bool cancels = manager_gate(run_manager(run), "CancelHealthCheckOnNewRevision");
	if (!newer && !corrected && !asked)
		return go_on(run, ks, kept, source, out, err);
	/* What a stage waits for is not finished first: nothing of the revision is told yet. */
	if ((!newer && !corrected && !cancels) || json_text(kept, "stage"))
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
