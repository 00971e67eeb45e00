/* From a chart and values to the record of a release (helm-engine.md 13). */
#include "action_internal.h"
#include "controller.h"

#include "base/mem.h"
#include "helm/limits.h"
#include "helm/release_build.h"
#include "helm/values.h"
#include "kube/capabilities.h"

/* The values of a render. */
typedef struct {
	json_t *values;	  /* owned */
	json_t *defaults; /* owned; NULL: the chart's own */
} RenderValues;

static void dispose_values(RenderValues *values)
{
	json_decref(values->values);
	json_decref(values->defaults);
}

/* What the old release's templates saw becomes the chart's defaults, and its values fill the gaps
 * of the new ones. */
static bool reuse_values(const Action *action, RenderValues *out, Error *err)
{
	const json_t *tree = helm_record_tree(action->base);
	autojson json_t *old = json_deep_copy(json_map(tree, "config"));
	HelmChart chart = {.metadata = json_at(tree, "chart", "metadata", NULL),
			   .values = json_at(tree, "chart", "values", NULL)};
	out->defaults = helm_values_coalesce(&chart, old, false, err);
	if (!out->defaults)
		return err_wrap(err, "failed to rebuild old values");
	helm_tables_coalesce(out->values, old, false);
	return true;
}

static bool values_of(const Action *action, RenderValues *out, Error *err)
{
	const json_t *given = action->input.values;
	bool reuse = action->input.options.preserve_values && action->base;
	if (given && !reuse)
		out->values = json_incref(json_borrow(given));
	else
		out->values = given ? json_deep_copy(given) : json_object();
	return !reuse || reuse_values(action, out, err);
}

bool release_lookup(void *context, const char *api_version, const char *kind, const char *ns,
		    const char *name, json_t **out, Error *err)
{
	KubeClient *client = context;
	KubeRequest request = {.verb = *name ? KUBE_GET : KUBE_LIST,
			       .api_version = api_version,
			       .kind = kind,
			       .ns = ns,
			       .name = name};
	KubeResource resource;
	if (!kube_resource(client, api_version, kind, &resource, err))
		return err_wrap(err, "unable to get apiresource from unstructured: %s, Kind=%s",
				api_version, kind);
	if (*name && resource.namespaced && !*ns)
		return true; /* it cannot be anywhere */
	*out = kube_do(client, &request, err);
	if (*out || err->code != ERR_NOT_FOUND)
		return *out != NULL;
	error_dispose(err);
	return true;
}

static void options_of(Action *action, const KubeCapabilities *capabilities, HelmOptions *out)
{
	const ActionInput *input = &action->input;
	*out = (HelmOptions){
		.release = {.name = input->release,
			    .ns = input->ns,
			    .revision = next_version(action),
			    .is_upgrade = input->kind == ACTION_UPGRADE},
		.capabilities = {.kube_version = kube_capabilities_version(capabilities),
				 .api_versions = kube_capabilities_apis(capabilities),
				 .only_api_versions = true},
		.limits = input->limits,
		.skip_schema = input->options.disable_schema,
	};
	/* As whom the release is made. */
	out->limits.lookup = release_lookup;
	out->limits.lookup_context = action->target->client;
	if (input->options.allow_dns)
		out->limits.resolve = helm_limits_resolve;
	if (input->post_render)
		out->postrenderer = *input->post_render;
}

static void describe(const Action *action, HelmRecordInput *out)
{
	bool install = action->input.kind == ACTION_INSTALL;
	out->name = action->input.release;
	out->ns = action->input.ns;
	out->version = next_version(action);
	out->status = install ? "pending-install" : "pending-upgrade";
	out->description = install ? "Initial install underway" : "Preparing upgrade";
	out->server_side = action->server_side;
	if (action->base)
		out->first_deployed = json_text_at(helm_record_tree(action->base), "info",
						   "first_deployed", NULL);
}

/* Labels of the Secret go from revision to revision. */
static void keep_labels(Action *action)
{
	if (action->last)
		helm_record_set_stored(action->record, helm_record_labels(action->last), "", "");
}

StepResult step_render(Action *action, Error *err)
{
	autoarena Arena *arena = arena_new();
	automanifests HelmManifests manifests = {0};
	HelmOptions options;
	HelmChart *chart;
	HelmStage stage;
	__attribute__((cleanup(dispose_values))) RenderValues values = {0};
	if (!values_of(action, &values, err))
		return STEP_FAIL;
	autokubecapabilities KubeCapabilities *capabilities =
		kube_capabilities(action->target->client, err);
	if (!capabilities)
		return STEP_FAIL;
	options_of(action, capabilities, &options);
	options.defaults = values.defaults;
	if (!helm_template(arena, action->input.chart, values.values, &options, &manifests, &chart,
			   &stage, err))
		return STEP_FAIL;
	HelmRecordInput input = {.chart = chart, .config = values.values, .manifests = &manifests};
	describe(action, &input);
	action->record = helm_record_build(&input, err);
	if (!action->record)
		return STEP_FAIL;
	keep_labels(action);
	return STEP_NEXT;
}
