/* What a HelmRelease makes of a chart, without a reconcile (controller.h). */
#include "controller.h"

#include "helm/template.h"
#include "kube/capabilities.h"
#include "postrender.h"
#include "release_spec.h"
#include "values.h"

typedef struct {
	KubeClient *client;
	const char *ns;
} ValuesSource;

static json_t *read_values(void *arg, const char *kind, const char *name, Error *err)
{
	const ValuesSource *source = arg;
	return kube_get(source->client, "v1", kind, source->ns, name, err);
}

static json_t *compose(const HelmReleaseBuild *input, const ReleaseSpec *spec, Error *err)
{
	ValuesSource source = {input->client, spec->ns};
	autojson json_t *said = json_copy(json_borrow(spec->spec));
	if (!input->client)
		json_object_del(said, "valuesFrom");
	return values_compose(said, spec->ns, read_values, &source, err);
}

static PreparedChart *load(const char *path, Error *err)
{
	autoarena Arena *arena = arena_new();
	HelmChart *chart = helm_chart_load(arena, path, err);
	return chart ? prepared_chart_new(steal(&arena), chart)
		     : err_wrap_null(err, "chart %s", path);
}

static void write_all(Arena *arena, const ReleaseSpec *spec, const HelmChart *chart,
		      const HelmManifests *manifests, Buf *out)
{
	const Vec *lists[] = {&manifests->objects, &manifests->hooks};
	bool skips_hooks = json_flag(spec->install, "disableHooks", false);
	if (!cstr_eq(json_text(spec->install, "crds"), "Skip"))
		helm_crds_write(arena, chart, out);
	for (size_t k = 0; k < COUNT(lists) - skips_hooks; k++) {
		for (size_t i = 0; i < lists[k]->len; i++) {
			const HelmManifest *manifest = lists[k]->items[i];
			helm_manifest_write(manifest->path, manifest->text, out);
		}
	}
}

static bool render(const HelmReleaseBuild *input, ReleaseSpec *spec, const json_t *values, Buf *out,
		   Error *err)
{
	autopreparedchart PreparedChart *prepared = load(input->chart, err);
	if (!prepared)
		return false;
	autokubecapabilities KubeCapabilities *capabilities =
		input->client ? kube_capabilities(input->client, err) : NULL;
	if (input->client && !capabilities)
		return false;
	HelmOptions options = {
		.release = {.name = spec->release, .ns = spec->release_ns, .revision = 1},
		.postrenderer = {.run = release_post_render,
				 .context = spec,
				 .strategy = release_post_render_strategy(spec, false)},
		.skip_schema = json_flag(spec->install, "disableSchemaValidation", false)};
	if (capabilities)
		options.capabilities =
			(HelmCapabilities){.kube_version = kube_capabilities_version(capabilities),
					   .api_versions = kube_capabilities_apis(capabilities),
					   .only_api_versions = true};
	autoarena Arena *arena = arena_new();
	automanifests HelmManifests manifests = {0};
	HelmChart *own = NULL;
	HelmStage stage;
	if (!helm_template(arena, prepared, values, &options, &manifests, &own, &stage, err))
		return false;
	write_all(arena, spec, own, &manifests, out);
	return true;
}

bool helmrelease_build(const HelmReleaseBuild *input, Buf *out, Error *err)
{
	ReleaseSpec spec __attribute__((cleanup(release_spec_dispose)));
	release_spec_parse(input->object, &spec);
	autojson json_t *values = compose(input, &spec, err);
	return values && render(input, &spec, values, out, err);
}
