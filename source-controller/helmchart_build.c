/* What building a chart is made of, whatever it comes from: version, values, packing, failures. */
#include "helmchart.h"

#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "data/semver.h"
#include "data/yaml.h"
#include "helm/package.h"
#include "helm/values.h"

#define VALUES_FILE "values.yaml"

void chart_build_dispose(ChartBuild *build)
{
	free(build->name);
	free(build->version);
	json_decref(build->values_files);
	auto_close(&build->fd);
	*build = (ChartBuild){.fd = -1};
}

/* --- failures --- */

static const struct {
	const char *reason, *summary, *condition;
} failures[] = {
	[CHART_REFERENCE] = {"InvalidChartReference", "invalid chart reference", "FetchFailed"},
	[CHART_PULL] = {"ChartPullError", "chart pull error", "FetchFailed"},
	[CHART_METADATA] = {"MetadataPatchError", "chart metadata patch error", "BuildFailed"},
	[CHART_VALUES] = {"ValuesFilesError", "values files merge error", "BuildFailed"},
	[CHART_DEPENDENCY] = {"DependencyBuildError", "dependency build error", "BuildFailed"},
	[CHART_PACKAGE] = {"ChartPackageError", "chart package error", "BuildFailed"},
	[CHART_VERIFICATION] = {"ChartVerificationError", "chart verification error",
				"BuildFailed"},
};

bool chart_build_fail(ChartFailure failure, Error *err)
{
	err_wrap(err, "%s", failures[failure].summary);
	return err_reason(err, failures[failure].reason);
}

const char *chart_failure_condition(const char *reason)
{
	for (size_t i = 0; i < COUNT(failures); i++)
		if (cstr_eq(reason, failures[i].reason))
			return failures[i].condition;
	return "FetchFailed";
}

/* --- name and version --- */

bool chart_build_name(ChartBuild *build, const char *name, const char *version,
		      const char *metadata, Error *err)
{
	autosemver Semver parsed = {0};
	build->name = mem_strdup(name);
	if (cstr_empty(metadata)) {
		build->version = mem_strdup(version);
		return true;
	}
	if (!semver_parse(version, &parsed)) {
		err_set(err, ERR_INVALID,
			"failed to parse version from chart metadata as SemVer: invalid semantic "
			"version");
		return chart_build_fail(CHART_METADATA, err);
	}
	build->version =
		mem_printf("%llu.%llu.%llu%s%s+%s", (unsigned long long)parsed.major,
			   (unsigned long long)parsed.minor, (unsigned long long)parsed.patch,
			   *parsed.pre ? "-" : "", parsed.pre, metadata);
	return true;
}

static bool is_observed(Run *run)
{
	const json_t *object = run_object(run);
	return json_int(json_map(object, "status"), "observedGeneration", -1) ==
	       object_generation(object);
}

bool chart_build_is_stored(Run *run, const HelmChartView *view, bool packaged, ChartBuild *build)
{
	const json_t *status = json_map(run_object(run), "status");
	autoartifact Artifact stored = {0};
	if (!source_artifact(run, &stored) || !is_observed(run) ||
	    !cstr_eq(build->name, json_text(status, "observedChartName")) ||
	    !cstr_eq(build->version, stored.revision))
		return false;
	json_t *observed = json_list(status, "observedValuesFiles");
	const json_t *used = observed ? observed : helmchart_values_files(view);
	build->complete = true;
	build->packaged = packaged;
	build->values_files = used ? json_deep_copy(used) : NULL;
	return true;
}

/* --- values --- */

static bool is_values_file(const char *path)
{
	autofree char *clean = path_clean(path);
	return cstr_eq(clean, VALUES_FILE);
}

const json_t *helmchart_values_files(const HelmChartView *view)
{
	size_t count = json_array_size(view->values_files);
	const char *first = json_string_value(json_array_get(view->values_files, 0));
	if (count == 0 || (count == 1 && first && is_values_file(first)))
		return NULL;
	return view->values_files;
}

static json_t *parse_values(const char *path, Str text, Error *err)
{
	autojson json_t *values =
		yaml_parse_old(text.ptr, text.len, HELM_MAX_FILE_BYTES, "yaml", err);
	if (!values)
		return err_wrap_null(err, "unmarshaling values from '%s' failed", path);
	if (json_is_null(values))
		return json_object();
	if (!json_is_object(values))
		return err_null(err, ERR_INVALID,
				"unmarshaling values from '%s' failed: a map is expected", path);
	return steal(&values);
}

static bool merge_file(json_t *merged, const HelmChartView *view, const char *path,
		       ChartValuesFn *read, void *arg, json_t *used, Error *err)
{
	const Str *text = read(arg, path, err);
	if (!text)
		return !err_is_set(err) && view->ignore_missing;
	autojson json_t *values = parse_values(path, *text, err);
	if (!values)
		return false;
	helm_values_merge(merged, values);
	json_array_append_new(used, json_string(path));
	return true;
}

static bool merge_all(const HelmChartView *view, ChartValuesFn *read, void *arg, json_t *merged,
		      json_t *used, Error *err)
{
	size_t i;
	json_t *item;
	json_array_foreach(json_borrow(view->values_files), i, item)
	{
		const char *path = json_string_value(item);
		if (merge_file(merged, view, path ? path : "", read, arg, used, err))
			continue;
		if (!err_is_set(err))
			err_set(err, ERR_NOT_FOUND, "no values file found at path '%s'", path);
		return false;
	}
	return true;
}

/* The values as a file; no members: an empty one. */
static Str values_text(Run *run, const json_t *merged)
{
	autobuf Buf text = {0};
	if (json_object_size(merged))
		yaml_emit(merged, &text);
	return str_sized(arena_strndup(run_arena(run), buf_text(&text), text.len), text.len);
}

bool chart_build_values(Run *run, const HelmChartView *view, HelmChart *chart, ChartValuesFn *read,
			void *arg, const char *merging, ChartBuild *build, Error *err)
{
	if (!helmchart_values_files(view))
		return true;
	autojson json_t *merged = json_object(), *used = json_array();
	if (!merge_all(view, read, arg, merged, used, err)) {
		if (merging)
			err_wrap(err, "%s", merging);
		return chart_build_fail(CHART_VALUES, err);
	}
	HelmFile *file = helm_chart_raw(chart, VALUES_FILE);
	if (!file) {
		err_set(err, ERR_INVALID, "failed to locate values file: " VALUES_FILE);
		return chart_build_fail(CHART_VALUES, err);
	}
	Str text = values_text(run, merged);
	if (str_eq(file->data, text))
		return true;
	file->data = text;
	build->values_files = steal(&used);
	return true;
}

/* --- packing --- */

bool chart_build_package(Run *run, HelmChart *chart, ChartBuild *build, Error *err)
{
	const SourceContext *context = run_context(run);
	json_put_text(chart->metadata, "version", build->version);
	autofd int fd = fd_nameless(workdir_path(context->workdir), err);
	if (fd < 0 || !helm_chart_package(chart, fd, err)) {
		err_wrap(err, "failed to package chart");
		return chart_build_fail(CHART_PACKAGE, err);
	}
	build->fd = fd_steal(&fd);
	build->complete = true;
	build->packaged = true;
	return true;
}
