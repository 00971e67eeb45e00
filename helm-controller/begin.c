/* Actions from spec: what spec.install, spec.upgrade, ... make of an action's options. */
#include "internal.h"

#include "base/clock.h"
#include "base/mem.h"

enum { DEFAULT_HISTORY = 5 };

static CrdsPolicy crds_policy(const json_t *action)
{
	const char *said = json_text(action, "crds");
	/* Empty is Create for upgrades, too (H79). */
	return cstr_eq(said, "Skip")		? CRDS_SKIP
	       : cstr_eq(said, "CreateReplace") ? CRDS_CREATE_REPLACE
						: CRDS_CREATE;
}

static ApplyMode apply_mode(const json_t *action)
{
	const char *said = json_text(action, "serverSideApply");
	return cstr_eq(said, "enabled")	   ? APPLY_SERVER_SIDE
	       : cstr_eq(said, "disabled") ? APPLY_CLIENT_SIDE
					   : APPLY_AUTO;
}

static const char *propagation(const json_t *action)
{
	const char *said = json_text(action, "deletionPropagation");
	return cstr_eq(said, "foreground") ? "Foreground"
	       : cstr_eq(said, "orphan")   ? "Orphan"
					   : "Background";
}

static const json_t *action_spec(const ReleaseSpec *spec, ReleaseStep step)
{
	switch (step) {
	case DO_INSTALL:
		return spec->install;
	case DO_UPGRADE:
		return spec->upgrade;
	case DO_TEST:
		return spec->test;
	case DO_ROLLBACK:
		return spec->rollback;
	case DO_UNINSTALL:
		return spec->uninstall;
	case DO_NOTHING:
	case DO_UNLOCK:
	case DO_CORRECT:
	case DO_STALL:
	case DO_GIVE_UP:
		break;
	}
	return NULL;
}

static bool waits_as_helm3(const HelmContext *context, const ReleaseSpec *spec)
{
	const char *said = json_text_at(spec->spec, "waitStrategy", "name", NULL);
	return cstr_eq(said, "legacy") || (cstr_empty(said) && context->helm3_defaults);
}

int64_t release_step_timeout(const ReleaseSpec *spec, ReleaseStep step)
{
	return release_action_timeout(spec, action_spec(spec, step));
}

static ActionOptions common_options(const HelmContext *context, const ReleaseSpec *spec,
				    ReleaseStep step)
{
	const json_t *said = action_spec(spec, step);
	return (ActionOptions){
		.timeout_ms = release_step_timeout(spec, step),
		.apply = apply_mode(said),
		.crds = crds_policy(said),
		.max_history = (int)json_int(spec->spec, "maxHistory", DEFAULT_HISTORY),
		.disable_wait = json_flag(said, "disableWait", false),
		.disable_wait_for_jobs = json_flag(said, "disableWaitForJobs", false),
		.disable_hooks = json_flag(said, "disableHooks", false),
		.disable_schema = json_flag(said, "disableSchemaValidation", false),
		.disable_openapi = json_flag(said, "disableOpenAPIValidation", false),
		.take_ownership = !json_flag(said, "disableTakeOwnership", false),
		.replace = json_flag(said, "replace", false),
		.force = json_flag(said, "force", false),
		.preserve_values = json_flag(said, "preserveValues", false),
		.cleanup_on_fail = json_flag(said, "cleanupOnFail", false),
		.keep_history = json_flag(said, "keepHistory", false),
		.propagation = propagation(said),
		.legacy_wait = waits_as_helm3(context, spec),
		.allow_dns = manager_gate(context->manager, "AllowDNSLookups"),
		.track_drift = spec->drift_mode != DRIFT_DISABLED,
	};
}

static void add_filters(Attempt *attempt, ActionOptions *options)
{
	const json_t *list = json_list(attempt->spec.test, "filters");
	size_t count = json_array_size(list);
	free(attempt->filters);
	attempt->filters = mem_zalloc(count + 1, sizeof(TestFilter));
	for (size_t i = 0; i < count; i++) {
		const json_t *row = json_array_get(list, i);
		attempt->filters[i] =
			(TestFilter){json_text(row, "name"), json_flag(row, "exclude", false)};
	}
	options->filters = attempt->filters;
	options->filter_count = count;
}

/* What only one of the actions has. */
static void add_special(const HelmContext *context, Attempt *attempt, ReleaseStep step,
			ActionOptions *options)
{
	const ReleaseSpec *spec = &attempt->spec;
	if (step == DO_INSTALL) {
		bool server_side =
			json_flag(spec->install, "serverSideApply", !context->helm3_defaults);
		options->apply = server_side ? APPLY_SERVER_SIDE : APPLY_CLIENT_SIDE;
		/* Only where a namespace was chosen (H47). */
		options->create_namespace = json_flag(spec->install, "createNamespace", false) &&
					    !cstr_empty(json_text(spec->spec, "targetNamespace"));
	}
	if (step == DO_TEST)
		add_filters(attempt, options);
}

static ActionKind kind_of(ReleaseStep step)
{
	static const ActionKind kinds[] = {[DO_INSTALL] = ACTION_INSTALL,
					   [DO_UPGRADE] = ACTION_UPGRADE,
					   [DO_TEST] = ACTION_TEST,
					   [DO_ROLLBACK] = ACTION_ROLLBACK,
					   [DO_UNINSTALL] = ACTION_UNINSTALL};
	return kinds[step];
}

static void start(const HelmContext *context, Attempt *attempt, ReleaseStep step,
		  int64_t to_version, const HealthExprs *exprs)
{
	const ReleaseSpec *spec = &attempt->spec;
	ActionInput input = {.kind = kind_of(step),
			     .options = common_options(context, spec, step),
			     .release = attempt->release,
			     .ns = attempt->ns,
			     .storage_ns = attempt->storage_ns,
			     .chart = attempt->chart,
			     .values = attempt->values,
			     .post_render = &attempt->post_render,
			     .to_version = to_version,
			     .name_free = attempt->absent,
			     .rows = attempt->rows_known ? &attempt->rows : NULL,
			     .last = attempt->last,
			     .exprs = exprs,
			     .owner = attempt->owner,
			     .origin_labels = {spec->name, spec->ns},
			     .limits = context->limits};
	add_special(context, attempt, step, &input.options);
	attempt->step = step;
	attempt->step_started_ms = clock_mono_ms();
	attempt->action = action_new(&input);
}

void attempt_start(const HelmContext *context, Attempt *attempt, ReleaseStep step,
		   int64_t to_version)
{
	const ReleaseSpec *spec = &attempt->spec;
	attempt->release = mem_strdup(spec->release);
	attempt->ns = mem_strdup(spec->release_ns);
	attempt->storage_ns = mem_strdup(spec->storage_ns);
	attempt->post_render = (HelmPostRenderer){
		.run = release_post_render,
		.context = &attempt->spec,
		.strategy = release_post_render_strategy(spec, context->helm3_defaults)};
	start(context, attempt, step, to_version, attempt->exprs);
}

void attempt_start_uninstall(const HelmContext *context, Attempt *attempt, const json_t *status)
{
	const json_t *latest = history_latest(status);
	attempt->release = mem_strdup(json_text_or(latest, "name", ""));
	attempt->ns = mem_strdup(json_text_or(latest, "namespace", ""));
	attempt->storage_ns = mem_strdup(json_text_or(status, "storageNamespace", ""));
	/* spec's expressions are for what spec has installed now. */
	start(context, attempt, DO_UNINSTALL, 0, NULL);
}

ActionTarget action_target_of(const Target *target)
{
	return (ActionTarget){
		.client = target->client, .storage = target->client, .drift = target->drift};
}
