#include "helm/template.h"

#include "base/mem.h"
#include "helm/dependencies.h"
#include "helm/schema.h"
#include "helm/values.h"

void helm_manifest_write(const char *path, Str text, Buf *out)
{
	buf_printf(out, "---\n# Source: %s\n", path);
	buf_add(out, text);
	buf_putc(out, '\n');
}

static bool is_crd_file(const char *name)
{
	return cstr_starts(name, "crds/") &&
	       (cstr_ends(name, ".yaml") || cstr_ends(name, ".yml") || cstr_ends(name, ".json"));
}

void helm_crds_write(Arena *arena, const HelmChart *chart, Buf *out)
{
	for (size_t i = 0; i < chart->files.len; i++) {
		const HelmFile *file = chart->files.items[i];
		if (is_crd_file(file->name))
			helm_manifest_write(arena_printf(arena, "%s/%s",
							 helm_chart_path(arena, chart), file->name),
					    file->data, out);
	}
	for (size_t i = 0; i < chart->charts.len; i++)
		helm_crds_write(arena, chart->charts.items[i], out);
}

/* The chart says which versions of Kubernetes it is for. */
static bool check_kube_version(const HelmChart *chart, const HelmCapabilities *capabilities,
			       Error *err)
{
	const char *range = helm_chart_field(chart, "kubeVersion");
	const char *version =
		capabilities->kube_version ? capabilities->kube_version : helm_default_kube_version;
	if (!*range)
		return true;
	autofree char *normal = helm_kube_version_normal(version, err);
	if (!normal)
		return false;
	if (helm_version_fits(range, normal))
		return true;
	return err_set(err, ERR_INVALID,
		       "chart requires kubeVersion: %s which is incompatible with Kubernetes %s%s",
		       range, *version == 'v' ? "" : "v", version);
}

static void free_outputs(HelmTemplate *templates, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(templates[i].output);
	free(templates);
}

typedef struct {
	HelmTemplate *items;
	size_t len;
} Templates;

static void free_templates(void *pointer)
{
	Templates *templates = pointer;
	free_outputs(templates->items, templates->len);
}

static void free_set(void *set)
{
	gotmpl_free(set);
}

static void drop_json(void *tree)
{
	json_decref(tree);
}

static bool render(Arena *arena, const HelmChart *chart, const json_t *values,
		   const HelmOptions *options, HelmManifests *out, Error *err)
{
	Templates *templates = arena_alloc(arena, sizeof(*templates));
	if (!helm_templates_of(arena, chart, values, &options->release, &options->capabilities,
			       &templates->items, &templates->len, err))
		return false;
	arena_defer(arena, free_templates, templates);
	GotmplSet *set = helm_templates_parse(templates->items, templates->len, err);
	if (!set)
		return false;
	arena_defer(arena, free_set, set);
	return helm_templates_run(set, templates->items, templates->len, &options->limits, arena,
				  err) &&
	       helm_manifests_read(arena, templates->items, templates->len, helm_chart_name(chart),
				   out, err);
}

bool helm_template(Arena *arena, const HelmChart *chart, const json_t *values,
		   const HelmOptions *options, HelmManifests *out, HelmChart **out_chart,
		   HelmStage *out_stage, Error *err)
{
	*out_stage = HELM_AT_VALUES;
	HelmChart *own = helm_chart_copy(arena, chart);
	if (!helm_dependencies_process(arena, own, values, err))
		return err_wrap(err, "chart dependencies processing failed");
	json_t *all = helm_values_coalesce(own, values, false, err);
	if (!all)
		return false;
	arena_defer(arena, drop_json, all);
	if (!options->skip_schema && !helm_schema_check(own, all, err))
		return false;
	*out_stage = HELM_AT_RENDERING;
	if (!check_kube_version(own, &options->capabilities, err) ||
	    !render(arena, own, all, options, out, err))
		return false;
	*out_stage = HELM_DONE;
	*out_chart = own;
	return true;
}
