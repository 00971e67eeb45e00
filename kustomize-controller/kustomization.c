/*
 * The reconcile of a Kustomization, as a list of steps. A step that cannot go on leaves a condition
 * and an outcome; none of them sleeps. Read reconcile_steps from the top.
 */
#include "decrypt.h"
#include "delivery/health_exprs.h"
#include "internal.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/path.h"
#include "data/digest.h"
#include "data/duration.h"

int64_t run_waited_ms(int64_t since_ms)
{
	return clock_mono_ms() - since_ms;
}

json_t *kustomization_event_metadata(const SourceState *source)
{
	json_t *metadata = json_object();
	json_put_text(metadata, KS_GROUP "/revision", source->artifact.revision);
	json_put_text(metadata, KS_GROUP "/originRevision", source->origin_revision);
	return metadata;
}

/* Parts of the API that are not there yet say so: a check left out must never look like success. */
static bool check_supported(Run *run, const Kustomization *ks, Error *err)
{
	if (!cstr_empty(json_text_at(ks->spec, "decryption", "serviceAccountName", NULL)) &&
	    !manager_gate(run_manager(run), "ObjectLevelWorkloadIdentity")) {
		err_set(err, ERR_UNSUPPORTED,
			"to use spec.decryption.serviceAccountName for decryption authentication "
			"please enable the ObjectLevelWorkloadIdentity feature gate in the "
			"controller");
		return err_reason(err, "FeatureGateDisabled"); /* K49 */
	}
	return true;
}

/* What no retry mends: the spec has to change (K85). */
static bool terminal(Error *err)
{
	err_wrap(err, "Reconciliation failed terminally due to configuration error");
	return err_reason(err, REASON_INVALID_CEL);
}

static bool check_expressions(const Kustomization *ks, Error *err)
{
	autohealthexprs HealthExprs *exprs =
		health_exprs_new(json_list(ks->spec, "healthCheckExprs"), err);
	return exprs || terminal(err);
}

static Outcome stalled(Run *run, const json_t *metadata, const Error *err)
{
	condition_set(run_object(run), "Ready", "False", err->reason, err_text(err));
	run_event(run, EVENT_WARNING, err->reason, metadata, "%s", err_text(err));
	return outcome_stalled();
}

/* A step begins: told when the run takes long enough for a person to see it (design.md 3.5). */
static void progress(Run *run, const Kustomization *ks, const char *step, const char *revision)
{
	char timeout[DURATION_TEXT_SIZE];
	duration_format(ks->timeout_ms, timeout);
	autofree char *message =
		mem_printf("%s for revision %s with a timeout of %s", step, revision, timeout);
	condition_set(run_object(run), "Reconciling", "True", "Progressing", message);
	if (!condition_is(run_object(run), "Ready", "True"))
		condition_set(run_object(run), "Ready", "Unknown", "Progressing", message);
	run_progress(run);
}

/* A failed step: Ready False with err's reason, and the Warning event. */
static Outcome failed(Run *run, const Kustomization *ks, const json_t *metadata, Error *err)
{
	const char *reason = err->reason ? err->reason : "ReconciliationFailed";
	condition_set(run_object(run), "Ready", "False", reason, err_text(err));
	if (!run_is_cancelled(run))
		run_verdict(run, EVENT_WARNING, reason, metadata, "%s", err_text(err));
	return outcome_retry(ks->retry_ms);
}

/* Not ready yet, and somebody should be told only when what we wait for is another thing than
 * before. */
static Outcome waiting_for(Run *run, const json_t *metadata, const Error *err, int64_t after_ms)
{
	autofree char *before = mem_strdup(condition_message(run_object(run), "Ready"));
	char again[DURATION_TEXT_SIZE];
	duration_format(after_ms, again);
	condition_set(run_object(run), "Ready", "False", "DependencyNotReady", err_text(err));
	if (!cstr_eq(before, err_text(err)))
		run_event(run, EVENT_NORMAL, "DependencyNotReady", metadata,
			  "Dependencies do not meet ready condition, retrying in %s: %s", again,
			  err_text(err));
	return outcome_waiting(after_ms);
}

static void stream_digest(const KustomizeResult *result, char out[DIGEST_TEXT_SIZE])
{
	autobuf Buf text = {0};
	kustomize_emit(result, &text);
	digest_of(DIGEST_SHA256, buf_text(&text), text.len, out);
}

/* The new inventory goes into status before anything is pruned, so that a crash in between forgets
 * no object. Entries to be pruned are in it until they are gone. */
static bool update_inventory(Run *run, const Kustomization *ks, const Target *target,
			     const ItemSet *set, const json_t *metadata, Error *err)
{
	json_t *status = json_make_at(run_object(run), "status", NULL);
	autojson json_t *old = json_incref(json_map(status, "inventory"));
	autojson json_t *now = inventory_of_items(set);
	autojson json_t *gone = inventory_difference(old, now);
	if (!json_array_size(gone) || !ks->prune) {
		json_object_set(status, "inventory", now);
		return true;
	}
	autojson json_t *both = json_deep_copy(now);
	json_array_extend(json_list(both, "entries"), gone);
	json_object_set(status, "inventory", both);
	autojson json_t *kept = json_array();
	if (!run_flush(run, err))
		return err_reason(err, "ReconciliationFailed");
	bool ok = prune_entries(run, target, gone, kept, metadata, err);
	/* What could not be deleted stays in the inventory and is tried again (K72). */
	json_array_extend(json_list(now, "entries"), kept);
	json_object_set(json_make_at(run_object(run), "status", NULL), "inventory", now);
	return ok;
}

static void succeeded(Run *run, const Kustomization *ks, const SourceState *source,
		      json_t *metadata, int64_t started_ms)
{
	json_t *status = json_make_at(run_object(run), "status", NULL);
	char took[DURATION_TEXT_SIZE], interval[DURATION_TEXT_SIZE];
	duration_format(clock_mono_ms() - started_ms, took);
	duration_format(ks->interval_ms, interval);
	json_put_text(status, "lastAppliedRevision", source->artifact.revision);
	json_put_text(status, "lastAppliedOriginRevision", source->origin_revision);
	condition_setf(run_object(run), "Ready", "True", "ReconciliationSucceeded",
		       "Applied revision: %s", source->artifact.revision);
	json_put_text(metadata, KS_GROUP "/commit_status", "update");
	run_verdict(run, EVENT_NORMAL, "ReconciliationSucceeded", metadata,
		    "Reconciliation finished in %s, next run in %s", took, interval);
}

/* Apply, inventory, prune, health: the part that history tells of. */
static bool apply_steps(Run *run, const Kustomization *ks, const SourceState *source,
			const Target *target, KustomizeResult *result, const RunFacts *facts,
			int64_t *out_wait_ms, Error *err)
{
	autoitemset ItemSet set = {0};
	json_t *kept = NULL;
	const json_t *metadata = facts->metadata;
	const char *revision = facts->revision;
	const KustomizeContext *context = run_context(run);
	if (!prepare_items(ks, target->client, &context->flags->custom_stage_kinds, result, &set,
			   err))
		return err_reason(err, "ReconciliationFailed");
	/* The built objects are in the set now; the rest of the build's memory is not needed. */
	kustomize_result_dispose(result);
	progress(run, ks, "Detecting drift", revision);
	bool applied = apply_items(run, ks, target, &set, revision, out_wait_ms, &kept, err);
	apply_announce(run, &set, metadata);
	waiting_renew(run, facts->digest);
	bool ok = applied && update_inventory(run, ks, target, &set, metadata, err) &&
		  health_check(run, ks, target, &set, facts, out_wait_ms, &kept, err);
	if (kept)
		waiting_keep(run, source, facts, kept);
	autofree char *key = run_key(run);
	drift_wake_on_change(target->drift, key, !ok && !err_is_set(err));
	return ok;
}

Outcome kustomization_conclude(Run *run, const Kustomization *ks, const SourceState *source,
			       const RunFacts *facts, bool ok, Error *err)
{
	const char *reason = err->reason ? err->reason : "ReconciliationFailed";
	history_note(run_object(run), facts->digest, ok ? "ReconciliationSucceeded" : reason,
		     facts->started_ms, source);
	if (!ok)
		return failed(run, ks, facts->metadata, err);
	succeeded(run, ks, source, facts->metadata, facts->started_ms);
	return outcome_again(ks->interval_ms);
}

static KustomizeLimits build_limits(const KustomizeFlags *flags)
{
	return (KustomizeLimits){.max_file_bytes = (size_t)flags->build_max_file_bytes,
				 .max_bytes = (size_t)flags->build_max_bytes,
				 .max_objects = (size_t)flags->build_max_objects,
				 .max_ms = flags->build_timeout_ms};
}

static bool substitute(Run *run, const Kustomization *ks, KustomizeResult *result, Error *err)
{
	const KustomizeContext *context = run_context(run);
	const PostBuildInput input = {
		.client = run_client(run),
		.strict = manager_gate(run_manager(run), "StrictPostBuildSubstitutions"),
		.limits = build_limits(context->flags)};
	return postbuild_substitute(ks, &input, result, err);
}

static bool build_source(Run *run, const Kustomization *ks, const SourceState *source,
			 KustomizeResult *out, Error *err)
{
	KustomizeContext *context = run_context(run);
	const KustomizeFiles files = tree_files(artifact_tree_files(source->tree));
	autofree char *confined = path_confine(".", ks->path);
	autofree char *dir = path_clean(confined);
	autobases Bases *bases =
		bases_new(&(BasesConfig){.loop = manager_loop(run_manager(run)),
					 .http = context->http,
					 .local = &files,
					 .named_by = source->host,
					 .work_dir = workdir_path(context->workdir)});
	const KustomizeFlags *flags = context->flags;
	BuildInput input = {.files = bases_files(bases),
			    .dir = dir,
			    .limits = build_limits(flags),
			    .bases = flags->no_remote_bases ? NULL : bases};
	if (input.files->stat(input.files->arg, dir) != KUSTOMIZE_DIR) {
		err_set(err, ERR_NOT_FOUND, "kustomization path not found: %s in revision %s",
			ks->path, source->artifact.revision);
		return err_reason(err, "ArtifactFailed"); /* K10 */
	}
	autodecryptor Decryptor *decryptor = decryptor_new(run, ks, input.files, err);
	if (err_is_set(err))
		return err_reason(err, "BuildFailed");
	input.decryptor = decryptor;
	autofree char *builder = mem_printf("%s/%s", run_namespace(run), run_name(run));
	input.builder = builder;
	input.parsed = &context->files_parsed;
	input.cache = parsed_get(context->parsed, source->artifact.digest);
	autobuf Buf unknown = {0};
	input.unknown = &unknown;
	bool ok = generate_and_build(ks, &input, out, err);
	if (unknown.len)
		log_info(run_log(run),
			 "warning: unknown fields of the root kustomization are ignored", "fields",
			 buf_text(&unknown), NULL);
	parsed_put(context->parsed, input.cache);
	return ok;
}

bool kustomization_target(Run *run, const Kustomization *ks, Target *out, Error *err)
{
	const KustomizeContext *context = run_context(run);
	return target_open(run, &context->targets, ks->spec, out, err) ||
	       err_reason(err, "ReconciliationFailed");
}

static bool is_same_source(const Kustomization *ks, const json_t *dependency)
{
	const json_t *ref = json_at(dependency, "spec", "sourceRef", NULL);
	return cstr_eq(json_text(ref, "kind"), ks->source_kind) &&
	       cstr_eq(json_text(ref, "name"), ks->source_name) &&
	       cstr_eq(json_text_or(ref, "namespace", object_namespace(dependency)), ks->source_ns);
}

/* At an older revision of our own source it has not seen what we build (K90). */
typedef struct {
	const Kustomization *ks;
	const char *revision;
} SameRevision;

static bool has_our_revision(void *arg, const json_t *dependency, Error *err)
{
	const SameRevision *wanted = arg;
	const json_t *status = json_map(dependency, "status");
	return !is_same_source(wanted->ks, dependency) ||
	       cstr_eq(json_text(status, "lastAppliedRevision"), wanted->revision) ||
	       err_set(err, ERR_UNAVAILABLE, "dependency '%s/%s' revision is not up to date",
		       object_namespace(dependency), object_name(dependency));
}

static bool may_go_on(Run *run, const Kustomization *ks, const SourceState *source, Error *err)
{
	SameRevision wanted = {.ks = ks, .revision = source->artifact.revision};
	return dependencies_ready(run, json_list(ks->spec, "dependsOn"), has_our_revision, &wanted,
				  err);
}

static Outcome reconcile_steps(Run *run, const Kustomization *ks, SourceState *source, Error *err)
{
	const KustomizeContext *context = run_context(run);
	Outcome outcome;
	if (!source_find(run, ks, source, &outcome, err) ||
	    waiting_goes_on(run, ks, source, &outcome, err))
		return outcome;
	int64_t started_ms = waiting_started_ms(run, source->artifact.revision, clock_mono_ms());
	unsigned long long configs = atomic_load(&context->configs);
	autojson json_t *metadata = kustomization_event_metadata(source);
	if (!may_go_on(run, ks, source, err) && cstr_eq(err->reason, REASON_INVALID_CEL)) {
		terminal(err);
		return stalled(run, metadata, err);
	}
	if (err_is_set(err))
		return waiting_for(run, metadata, err, context->flags->requeue_dependency_ms);
	progress(run, ks, "Fetching manifests", source->artifact.revision);
	json_put_text(json_make_at(run_object(run), "status", NULL), "lastAttemptedRevision",
		      source->artifact.revision);
	if (!source_fetch(run, ks, source, &outcome, err)) {
		run_verdict(run, EVENT_WARNING, "ArtifactFailed", metadata, "%s", err_text(err));
		return outcome;
	}
	progress(run, ks, "Building manifests", source->artifact.revision);
	autotarget Target target = {0};
	if (!kustomization_target(run, ks, &target, err))
		return failed(run, ks, metadata, err);
	autokustomizeresult KustomizeResult result = {0};
	if (!build_source(run, ks, source, &result, err) || !substitute(run, ks, &result, err))
		return failed(run, ks, metadata, err);
	char digest[DIGEST_TEXT_SIZE];
	stream_digest(&result, digest);
	RunFacts facts = {.revision = source->artifact.revision,
			  .digest = digest,
			  .started_ms = started_ms,
			  .metadata = metadata,
			  .configs = configs};
	int64_t wait_ms = 0;
	bool ok = apply_steps(run, ks, source, &target, &result, &facts, &wait_ms, err);
	if (ok || err_is_set(err))
		return kustomization_conclude(run, ks, source, &facts, ok, err);
	/* What was Ready is not while something newer is on its way. */
	condition_set(run_object(run), "Ready", "Unknown", "Progressing",
		      condition_message(run_object(run), "Reconciling"));
	return outcome_waiting(wait_ms);
}

Outcome kustomization_reconcile(Run *run, Error *err)
{
	autosource SourceState source = {0};
	Kustomization ks;
	kustomization_parse(run_object(run), &ks);
	if (!check_expressions(&ks, err) || !check_supported(run, &ks, err))
		return stalled(run, NULL, err);
	return reconcile_steps(run, &ks, &source, err);
}
