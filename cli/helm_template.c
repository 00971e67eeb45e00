#include <fnmatch.h>

#include "base/fd.h"
#include "base/mem.h"
#include "helm/archive.h"
#include "helm/template.h"
#include "helm_command.h"

/* Loading, rendering, and choosing what is printed. */

/* What Chart.yaml declares must be in charts/; the names of what is not. */
static void missing_dependencies(const HelmChart *chart, Buf *out)
{
	json_t *dependency;
	size_t index;
	json_array_foreach(json_list(chart->metadata, "dependencies"), index, dependency)
	{
		const char *name = json_text_or(dependency, "name", "");
		bool found = false;
		for (size_t i = 0; i < chart->charts.len; i++)
			found |= cstr_eq(helm_chart_name(chart->charts.items[i]), name);
		if (!found)
			buf_printf(out, "%s%s", out->len ? ", " : "", name);
	}
}

static void write_all(Arena *arena, const HelmArguments *arguments, const HelmChart *chart,
		      const HelmManifests *manifests, Buf *out)
{
	if (arguments->include_crds)
		helm_crds_write(arena, chart, out);
	for (size_t i = 0; i < manifests->objects.len; i++) {
		const HelmManifest *object = manifests->objects.items[i];
		helm_manifest_write(object->path, object->text, out);
	}
	/* trimmed: in front there is "---" */
	out->len = str_trim(buf_str(out)).len;
	buf_putc(out, '\n');
	for (size_t i = 0; !arguments->no_hooks && i < manifests->hooks.len; i++) {
		const HelmManifest *hook = manifests->hooks.items[i];
		if (!arguments->skip_tests || !helm_words_have(&hook->events, "test"))
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

/* What --show-only names, of all. */
static bool write_shown(Arena *arena, const HelmArguments *arguments, const Buf *all, Buf *out,
			Error *err)
{
	autovec Vec texts = {0};
	autobuf Buf shown = {0};
	helm_manifest_split(arena, buf_str(all), &texts);
	for (size_t i = 0; i < arguments->show_only.len; i++)
		if (!write_matching(&texts, arguments->show_only.items[i], &shown, err))
			return false;
	buf_add(out, buf_str(&shown));
	return true;
}

char *helm_command_name(const char *template, Error *err)
{
	autogotmpl GotmplSet *set = gotmpl_new();
	autoarena Arena *arena = arena_new();
	autobuf Buf name = {0};
	if (!gotmpl_parse(set, "name-template", str_of(template), err))
		return NULL;
	GoRun *run = gotmpl_run_new(set, arena, NULL);
	if (!gotmpl_execute(run, "name-template", go_nil(), &name, err))
		return NULL;
	return buf_steal(&name);
}

/* Of the chart itself: those in it may say what they like, as Flux lets all of them. */
static bool check_api_version(const HelmChart *chart, Error *err)
{
	const char *version = helm_chart_field(chart, "apiVersion");
	if (cstr_eq(version, "v1") || cstr_eq(version, "v2"))
		return true;
	return err_set(err, ERR_UNSUPPORTED,
		       cstr_eq(version, "v3") ? "invalid chart apiVersion"
					      : "unsupported chart version");
}

static HelmChart *load(Arena *arena, const HelmArguments *arguments, int fd, Error *err)
{
	HelmChart *chart = fd >= 0 ? helm_chart_of_archive_fd(arena, fd, err)
				   : helm_chart_load(arena, arguments->chart, err);
	if (!chart || !check_api_version(chart, err))
		return NULL;
	const char *type = helm_chart_field(chart, "type");
	if (*type && !cstr_eq(type, "application"))
		return err_null(err, ERR_INVALID, "%s charts are not installable", type);
	return chart;
}

/* Loads the chart, and again once its dependencies were fetched. */
static PreparedChart *prepare(const HelmArguments *arguments, int fd, Buf *out, Error *err)
{
	autoarena Arena *arena = arena_new();
	autobuf Buf gone = {0};
	HelmChart *chart = load(arena, arguments, fd, err);
	if (!chart)
		return NULL;
	missing_dependencies(chart, &gone);
	if (gone.len && arguments->source.dependency_update) {
		if (!arguments->far->update(arguments->far_state, chart, out, err))
			return NULL;
		chart = load(arena, arguments, fd, err);
		if (!chart)
			return err_wrap_null(err, "failed reloading chart after repo update");
	} else if (gone.len) {
		return err_null(err, ERR_INVALID,
				"an error occurred while checking for chart dependencies. You may "
				"need to run 'helm dependency build' to fetch missing "
				"dependencies: found in Chart.yaml, but missing in charts/ "
				"directory: %s",
				buf_text(&gone));
	}
	return prepared_chart_new(steal(&arena), chart);
}

/* --- rendering --- */

static bool options_of(HelmArguments *arguments, const PreparedChart *prepared, HelmOptions *out,
		       Error *err)
{
	if (!arguments->ns)
		arguments->ns = helm_command_namespace(&arguments->cluster, &arguments->own_ns);
	*out = (HelmOptions){
		.release = {arguments->name, arguments->ns, 1, arguments->is_upgrade},
		.capabilities = {arguments->kube_version, &arguments->api_versions, false},
		.skip_schema = arguments->skip_schema,
	};
	if (!helm_limits_read(&arguments->limits, &out->limits, err))
		return false;
	out->limits.resolve = arguments->enable_dns ? helm_limits_resolve : NULL;
	return !arguments->far || arguments->far->prepare(arguments->far_state,
							  prepared_chart_chart(prepared), out, err);
}

static bool render(Arena *arena, const HelmArguments *arguments, PreparedChart *prepared,
		   const json_t *values, const HelmOptions *options, HelmManifests *out,
		   HelmChart **out_chart, Error *err)
{
	HelmStage stage;
	if (!helm_release_name_check(arguments->name, err))
		return err_wrap(err, "release name check failed");
	if (helm_template(arena, prepared, values, options, out, out_chart, &stage, err))
		return true;
	autofree char *text = mem_strdup(err_text(err));
	if (arguments->debug || stage == HELM_AT_VALUES)
		return false;
	error_dispose(err);
	return err_set(err, ERR_INVALID, "%s\n\nUse --debug flag to render out invalid YAML", text);
}

static bool write_out(Arena *arena, const HelmArguments *arguments, const HelmChart *chart,
		      const HelmManifests *manifests, Buf *out, Error *err)
{
	autobuf Buf all = {0};
	bool to_files = arguments->output_dir != NULL, all_shown = arguments->show_only.len == 0;
	if (to_files && !helm_command_write_files(arena, arguments, chart, manifests, out, err))
		return false;
	Buf *text = all_shown ? out : &all;
	if (to_files)
		buf_putc(text, '\n');
	else
		write_all(arena, arguments, chart, manifests, text);
	return all_shown || write_shown(arena, arguments, &all, out, err);
}

bool helm_command_template(HelmArguments *arguments, Buf *out, Error *err)
{
	const HelmFar *far = arguments->far;
	automanifests HelmManifests manifests = {0};
	HelmChart *own = NULL;
	HelmOptions options;
	autofd int fd = -1;
	if (far && !far->locate(arguments->far_state, &fd, out, err))
		return false;
	autojson json_t *values = helm_command_values(arguments, err);
	autopreparedchart PreparedChart *prepared =
		values ? prepare(arguments, fd, out, err) : NULL;
	if (!prepared || !options_of(arguments, prepared, &options, err) ||
	    !helm_command_check_labels(arguments, err))
		return false;
	autoarena Arena *arena = arena_new();
	return render(arena, arguments, prepared, values, &options, &manifests, &own, err) &&
	       (!far || far->validate(arguments->far_state, &manifests, err)) &&
	       write_out(arena, arguments, own, &manifests, out, err);
}
