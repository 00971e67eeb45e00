#include <fnmatch.h>

#include "base/mem.h"
#include "base/rand.h"
#include "helm/template.h"
#include "helm_command.h"

/* Loading, rendering, and choosing what is printed. */

/* What Chart.yaml declares must be in charts/. */
static bool check_dependencies(const HelmChart *chart, Error *err)
{
	autobuf Buf gone = {0};
	json_t *dependency;
	size_t index;
	json_array_foreach(json_list(chart->metadata, "dependencies"), index, dependency)
	{
		const char *name = json_text_or(dependency, "name", "");
		bool found = false;
		for (size_t i = 0; i < chart->charts.len; i++)
			found |= cstr_eq(helm_chart_name(chart->charts.items[i]), name);
		if (!found)
			buf_printf(&gone, "%s%s", gone.len ? ", " : "", name);
	}
	if (gone.len == 0)
		return true;
	return err_set(err, ERR_INVALID,
		       "an error occurred while checking for chart dependencies. You may need to "
		       "run 'helm dependency build' to fetch missing dependencies: found in "
		       "Chart.yaml, but missing in charts/ directory: %s",
		       buf_text(&gone));
}

static bool is_test(const HelmManifest *hook)
{
	Str word, rest = str_of(hook->events);
	while (str_next(&rest, ',', &word))
		if (str_starts(str_trim(word), STR("test")))
			return true;
	return false;
}

static void write_all(Arena *arena, const HelmArguments *arguments, const HelmChart *chart,
		      const HelmManifests *manifests, Buf *out)
{
	autobuf Buf objects = {0};
	if (arguments->include_crds)
		helm_crds_write(arena, chart, &objects);
	for (size_t i = 0; i < manifests->objects.len; i++) {
		const HelmManifest *object = manifests->objects.items[i];
		helm_manifest_write(object->path, object->text, &objects);
	}
	buf_add(out, str_trim(buf_str(&objects)));
	buf_putc(out, '\n');
	for (size_t i = 0; !arguments->no_hooks && i < manifests->hooks.len; i++) {
		const HelmManifest *hook = manifests->hooks.items[i];
		if (!arguments->skip_tests || !is_test(hook))
			helm_manifest_write(hook->path, hook->text, out);
	}
}

/* The path behind the chart's name in "# Source: CHART/PATH"; NULL when there is none. */
static char *source_of(Str text)
{
	ptrdiff_t at = str_find(text, STR("# Source: "));
	if (at < 0)
		return NULL;
	Str line, rest, chart, path;
	str_cut(str_slice(text, (size_t)at + 10, text.len), '\n', &line, &rest);
	return str_cut(line, '/', &chart, &path) ? str_dup(path) : NULL;
}

static bool write_matching(const Vec *texts, const char *pattern, Buf *out, Error *err)
{
	bool found = false;
	for (size_t i = 0; i < texts->len; i++) {
		Str text = *(Str *)texts->items[i];
		autofree char *path = source_of(text);
		if (!path || fnmatch(pattern, path, FNM_PATHNAME) != 0)
			continue;
		found = true;
		buf_puts(out, "---\n");
		buf_add(out, text);
		buf_putc(out, '\n');
	}
	return found || err_set(err, ERR_NOT_FOUND, "could not find template %s in chart", pattern);
}

static bool write_shown(Arena *arena, const HelmArguments *arguments, const Buf *all, Buf *out,
			Error *err)
{
	autovec Vec texts = {0};
	autobuf Buf shown = {0};
	if (arguments->show_only.len == 0) {
		buf_add(out, buf_str(all));
		return true;
	}
	helm_manifest_split(arena, buf_str(all), &texts);
	for (size_t i = 0; i < arguments->show_only.len; i++)
		if (!write_matching(&texts, arguments->show_only.items[i], &shown, err))
			return false;
	buf_add(out, buf_str(&shown));
	return true;
}

static bool load(Arena *arena, const char *path, HelmChart **out, Error *err)
{
	HelmChart *chart = helm_chart_load(arena, path, err);
	if (!chart)
		return false;
	const char *type = helm_chart_field(chart, "type");
	if (*type && !cstr_eq(type, "application"))
		return err_set(err, ERR_INVALID, "%s charts are not installable", type);
	*out = chart;
	return check_dependencies(chart, err);
}

bool helm_command_template(const HelmArguments *arguments, Buf *out, Error *err)
{
	autoarena Arena *arena = arena_new();
	autojson json_t *values = helm_command_values(arguments, err);
	automanifests HelmManifests manifests = {0};
	autobuf Buf all = {0};
	HelmChart *chart = NULL, *own = NULL;
	HelmStage stage;
	HelmOptions options = {
		.release = {arguments->name, arguments->ns, 1, arguments->is_upgrade},
		.capabilities = {arguments->kube_version, &arguments->api_versions, false},
		.skip_schema = arguments->skip_schema,
	};
	if (!values || !load(arena, arguments->chart, &chart, err))
		return false;
	if (!helm_template(arena, chart, values, &options, &manifests, &own, &stage, err)) {
		autofree char *text = mem_strdup(err_text(err));
		if (arguments->debug || stage == HELM_AT_VALUES)
			return false;
		error_dispose(err);
		return err_set(err, ERR_INVALID,
			       "%s\n\nUse --debug flag to render out invalid YAML", text);
	}
	write_all(arena, arguments, own, &manifests, &all);
	return write_shown(arena, arguments, &all, out, err);
}
