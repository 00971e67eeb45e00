#include "helm/dependencies.h"

#include "base/mem.h"
#include "data/semver.h"
#include "helm/values.h"

static json_t *declared(const HelmChart *chart)
{
	return json_list(chart->metadata, "dependencies");
}

bool helm_version_fits(const char *range, const char *version)
{
	autoerror Error err = {0};
	autosemver Semver parsed = {0};
	autosemverrange SemverRange *compiled = semver_range_new(range, &err);
	return compiled && semver_parse(version, &parsed) &&
	       semver_range_matches(compiled, &parsed);
}

static bool is_met_by(const json_t *dependency, const HelmChart *chart)
{
	return cstr_eq(json_text_or(dependency, "name", ""), helm_chart_name(chart)) &&
	       helm_version_fits(json_text_or(dependency, "version", ""),
				 helm_chart_field(chart, "version"));
}

/* A copy of the first bundled chart that a declaration means, under its alias. */
static HelmChart *take_declared(Arena *arena, HelmChart *chart, const json_t *dependency)
{
	for (size_t i = 0; i < chart->charts.len; i++) {
		const HelmChart *bundled = chart->charts.items[i];
		if (!is_met_by(dependency, bundled))
			continue;
		HelmChart *copy = helm_chart_copy(arena, bundled);
		const char *alias = json_text_or(dependency, "alias", "");
		if (*alias)
			json_object_set_new(copy->metadata, "name", json_string(alias));
		copy->parent = chart;
		return copy;
	}
	return NULL;
}

/* Bundled charts that no declaration means stay as they are; the declared ones follow in their
 * order. Declarations carry their alias as their name from here on. */
static void resolve(Arena *arena, HelmChart *chart, Vec *out)
{
	json_t *dependency;
	size_t index;
	for (size_t i = 0; i < chart->charts.len; i++) {
		bool is_declared = false;
		json_array_foreach(declared(chart), index, dependency) is_declared |=
			is_met_by(dependency, chart->charts.items[i]);
		if (!is_declared)
			vec_push(out, chart->charts.items[i]);
	}
	json_array_foreach(declared(chart), index, dependency)
	{
		HelmChart *copy = take_declared(arena, chart, dependency);
		const char *alias = json_text_or(dependency, "alias", "");
		if (copy)
			vec_push(out, copy);
		if (*alias)
			json_object_set_new(dependency, "name", json_string(alias));
	}
}

/* Some tag false and none true: off. */
static bool tags_allow(const json_t *dependency, const json_t *values)
{
	json_t *tag, *table = json_map(values, "tags");
	size_t index;
	bool on = false, off = false;
	json_array_foreach(json_list(dependency, "tags"), index, tag)
	{
		json_t *state = json_object_get(table, json_string_value(tag));
		on |= json_is_true(state);
		off |= json_is_false(state);
	}
	return on || !off;
}

/* The first path of the condition that is a boolean decides. */
static bool condition_allows(const json_t *dependency, const json_t *values, const char *prefix,
			     bool fallback)
{
	Str path, rest = str_trim(str_of(json_text_or(dependency, "condition", "")));
	while (str_next(&rest, ',', &path)) {
		if (path.len == 0)
			continue;
		autofree char *full = mem_printf("%s%.*s", prefix, (int)path.len, path.ptr);
		json_t *state = helm_values_at(values, full);
		if (json_is_boolean(state))
			return json_is_true(state);
	}
	return fallback;
}

static void drop_chart(Vec *charts, const char *name)
{
	for (size_t i = charts->len; i > 0; i--)
		if (cstr_eq(helm_chart_name(charts->items[i - 1]), name))
			vec_remove(charts, i - 1);
}

static void drop_disabled(HelmChart *chart, const json_t *values, const char *prefix)
{
	autojson json_t *kept = json_array();
	autojson json_t *gone = json_array();
	json_t *dependency;
	size_t index;
	json_array_foreach(declared(chart), index, dependency)
	{
		bool on = condition_allows(dependency, values, prefix,
					   tags_allow(dependency, values));
		json_object_set_new(dependency, "enabled", json_boolean(on));
		json_array_append(on ? kept : gone, dependency);
	}
	json_array_foreach(gone, index, dependency)
		drop_chart(&chart->charts, json_text_or(dependency, "name", ""));
	json_object_set(chart->metadata, "dependencies", kept);
}

static bool process_enabled(Arena *arena, HelmChart *chart, const json_t *values,
			    const char *prefix, int depth, Error *err)
{
	Vec charts = {0};
	if (!declared(chart))
		return true;
	if (depth > HELM_MAX_DEPTH)
		return err_set(err, ERR_LIMIT, "charts are nested too deeply");
	resolve(arena, chart, &charts);
	vec_dispose(&chart->charts);
	chart->charts = charts; /* freed with the chart */
	autojson json_t *all = helm_values_coalesce(chart, values, false, err);
	if (!all)
		return false;
	drop_disabled(chart, all, prefix);
	for (size_t i = 0; i < chart->charts.len; i++) {
		HelmChart *sub = chart->charts.items[i];
		autofree char *below = mem_printf("%s%s.", prefix, helm_chart_name(sub));
		if (!process_enabled(arena, sub, all, below, depth + 1, err))
			return false;
	}
	return true;
}

/* {"a": {"b": table}} for "a.b". */
static json_t *table_under(const char *path, json_t *table)
{
	json_t *nested = json_deep_copy(table);
	if (cstr_eq(path, "."))
		return nested;
	size_t end = strlen(path);
	while (true) {
		size_t at = end;
		while (at > 0 && path[at - 1] != '.')
			at--;
		autofree char *part = mem_strndup(path + at, end - at);
		json_t *outer = json_object();
		json_object_set_new(outer, part, nested);
		nested = outer;
		if (at == 0)
			return nested;
		end = at - 1;
	}
}

static void import_table(json_t *imports, const json_t *values, const char *chart,
			 const char *child, const char *parent)
{
	autofree char *path = mem_printf("%s.%s", chart, child);
	json_t *table = helm_values_at(values, path);
	if (!json_is_object(table))
		return;
	autojson json_t *nested = table_under(parent, table);
	helm_tables_coalesce(imports, nested, true);
}

static void import_of(json_t *imports, const json_t *values, const json_t *dependency)
{
	const char *name = json_text_or(dependency, "name", "");
	json_t *import;
	size_t index;
	json_array_foreach(json_list(dependency, "import-values"), index, import)
	{
		if (json_is_string(import)) {
			autofree char *child = mem_printf("exports.%s", json_string_value(import));
			import_table(imports, values, name, child, ".");
		} else if (json_is_object(import)) {
			import_table(imports, values, name, json_text_or(import, "child", "<nil>"),
				     json_text_or(import, "parent", "<nil>"));
		}
	}
}

/* Deepest first; a chart's own defaults beat what it imports. */
static bool process_imports(HelmChart *chart, Error *err)
{
	for (size_t i = 0; i < chart->charts.len; i++)
		if (!process_imports(chart->charts.items[i], err))
			return false;
	if (!declared(chart))
		return true;
	autojson json_t *values = helm_values_coalesce(chart, NULL, true, err);
	autojson json_t *imports = json_object();
	json_t *dependency;
	size_t index;
	if (!values)
		return false;
	json_array_foreach(declared(chart), index, dependency)
		import_of(imports, values, dependency);
	helm_tables_coalesce(values, imports, true);
	json_object_clear(chart->values);
	json_object_update(chart->values, values);
	return true;
}

bool helm_dependencies_process(Arena *arena, HelmChart *chart, const json_t *values, Error *err)
{
	return process_enabled(arena, chart, values, "", 0, err) && process_imports(chart, err);
}
