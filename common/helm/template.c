#include "helm/template.h"

#include "base/clock.h"
#include "base/mem.h"
#include "helm/dependencies.h"
#include "helm/schema.h"
#include "helm/values.h"

enum { RELEASE_NAME_MAX = 53 };

void helm_manifest_write(const char *path, Str text, Buf *out)
{
	buf_printf(out, "---\n# Source: %s\n", path);
	buf_add(out, text);
	buf_putc(out, '\n');
}

static bool is_label(Str text)
{
	for (size_t i = 0; i < text.len; i++) {
		char byte = text.ptr[i];
		bool inner = byte == '-' && i > 0 && i + 1 < text.len;
		if (!inner && !(byte >= 'a' && byte <= 'z') && !(byte >= '0' && byte <= '9'))
			return false;
	}
	return text.len > 0;
}

bool helm_release_name_check(const char *name, Error *err)
{
	Str label, rest = str_of(name);
	if (!*name)
		return err_set(err, ERR_INVALID, "release name \"\": no name provided");
	bool fine = rest.len <= RELEASE_NAME_MAX, more = true;
	while (fine && more) {
		more = str_cut(rest, '.', &label, &rest);
		fine = is_label(label);
	}
	return fine || err_set(err, ERR_INVALID,
			       "release name \"%s\": invalid release name, must match regex "
			       "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$ "
			       "and the length must not be longer than %d",
			       name, RELEASE_NAME_MAX);
}

static bool is_crd_file(const char *name)
{
	return cstr_starts(name, "crds/") &&
	       (cstr_ends(name, ".yaml") || cstr_ends(name, ".yml") || cstr_ends(name, ".json"));
}

void helm_crds_list(Arena *arena, const HelmChart *chart, Vec *out)
{
	for (size_t i = 0; i < chart->files.len; i++) {
		const HelmFile *file = chart->files.items[i];
		if (!is_crd_file(file->name))
			continue;
		HelmOutput *crd = arena_alloc(arena, sizeof(*crd));
		crd->path = arena_printf(arena, "%s/%s", helm_chart_path(arena, chart), file->name);
		crd->text = file->data;
		vec_push(out, crd);
	}
	for (size_t i = 0; i < chart->charts.len; i++)
		helm_crds_list(arena, chart->charts.items[i], out);
}

void helm_crds_write(Arena *arena, const HelmChart *chart, Buf *out)
{
	autovec Vec crds = {0};
	helm_crds_list(arena, chart, &crds);
	for (size_t i = 0; i < crds.len; i++) {
		const HelmOutput *crd = crds.items[i];
		helm_manifest_write(crd->path, crd->text, out);
	}
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

typedef struct {
	HelmTemplate *items;
	size_t len;
} Templates;

static void free_templates(void *pointer)
{
	Templates *templates = pointer;
	for (size_t i = 0; i < templates->len; i++)
		free(templates->items[i].output);
	free(templates->items);
}

static void drop_json(void *tree)
{
	json_decref(tree);
}

/* Notes are for people: they are taken out, and those of the chart itself kept. */
static void add_notes(const HelmOptions *options, const char *own, const HelmOutput *output,
		      Buf *notes)
{
	if (!options->subchart_notes && strcmp(output->path, own) != 0)
		return;
	if (notes->len > 0)
		buf_putc(notes, '\n');
	buf_add(notes, output->text);
}

/* The rendered texts without notes. */
static HelmOutput *outputs_of(Arena *arena, const HelmChart *chart, const Templates *templates,
			      const HelmOptions *options, size_t *out_count, Buf *notes)
{
	const char *own = arena_printf(arena, "%s/templates/NOTES.txt", helm_chart_name(chart));
	HelmOutput *outputs = arena_alloc(arena, templates->len * sizeof(*outputs));
	size_t count = 0;
	for (size_t i = 0; i < templates->len; i++) {
		const HelmTemplate *template = &templates->items[i];
		HelmOutput output = {template->name,
				     str_sized(template->output, template->output_len)};
		if (!template->output)
			continue;
		if (cstr_ends(output.path, "NOTES.txt"))
			add_notes(options, own, &output, notes);
		else
			outputs[count++] = output;
	}
	*out_count = count;
	return outputs;
}

static bool sort_outputs(Arena *arena, const HelmChart *chart, const Templates *templates,
			 const HelmOptions *options, HelmManifests *out, Error *err)
{
	autobuf Buf notes = {0};
	size_t count;
	HelmOutput *outputs = outputs_of(arena, chart, templates, options, &count, &notes);
	if ((options->postrenderer.run || options->postrenderer.run_text) &&
	    !helm_postrender(arena, &options->postrenderer, outputs, count, &outputs, &count, err))
		return false;
	if (!helm_manifests_read(arena, outputs, count, out, err))
		return false;
	out->notes = notes.len > 0 ? buf_steal(&notes) : NULL;
	return true;
}

static bool render(Arena *arena, PreparedChart *prepared, const HelmChart *chart,
		   const json_t *values, const HelmOptions *options, HelmManifests *out, Error *err)
{
	Templates *templates = arena_alloc(arena, sizeof(*templates));
	if (!helm_templates_of(arena, chart, values, &options->release, &options->capabilities,
			       &templates->items, &templates->len, err))
		return false;
	arena_defer(arena, free_templates, templates);
	const GotmplSet *set =
		prepared_chart_set(prepared, templates->items, templates->len, arena, err);
	return set &&
	       helm_templates_run(set, templates->items, templates->len, &options->limits, arena,
				  err) &&
	       sort_outputs(arena, chart, templates, options, out, err);
}

bool helm_template(Arena *arena, PreparedChart *prepared, const json_t *values,
		   const HelmOptions *options, HelmManifests *out, HelmChart **out_chart,
		   HelmStage *out_stage, Error *err)
{
	*out_stage = HELM_AT_VALUES;
	HelmChart *own = helm_chart_copy(arena, prepared_chart_chart(prepared));
	if (options->defaults) {
		json_decref(own->values);
		own->values = json_deep_copy(options->defaults);
	}
	if (!helm_dependencies_process(arena, own, values, err))
		return err_wrap(err, "chart dependencies processing failed");
	json_t *all = helm_values_coalesce(own, values, false, err);
	if (!all)
		return false;
	arena_defer(arena, drop_json, all);
	int64_t time_ms = options->limits.time_ms ? options->limits.time_ms : GOTMPL_TIME_MS;
	if (!options->skip_schema && !helm_schema_check(own, all, clock_mono_ms() + time_ms, err))
		return false;
	*out_stage = HELM_AT_RENDERING;
	if (!check_kube_version(own, &options->capabilities, err) ||
	    !render(arena, prepared, own, all, options, out, err))
		return false;
	*out_stage = HELM_DONE;
	*out_chart = own;
	return true;
}
