#include "helm/chart.h"

#include "base/mem.h"
#include "base/path.h"
#include "helm/archive.h"
#include "helm/metadata.h"
#include "helm/values.h"

static const Str byte_order_mark = {"\xef\xbb\xbf", 3};

const char *helm_chart_field(const HelmChart *chart, const char *field)
{
	return json_text_or(chart->metadata, field, "");
}

const char *helm_chart_name(const HelmChart *chart)
{
	return helm_chart_field(chart, "name");
}

const char *helm_chart_path(Arena *arena, const HelmChart *chart)
{
	if (!chart->parent)
		return helm_chart_name(chart);
	return arena_printf(arena, "%s/charts/%s", helm_chart_path(arena, chart->parent),
			    helm_chart_name(chart));
}

static void free_chart(void *pointer)
{
	HelmChart *chart = pointer;
	json_decref(chart->metadata);
	json_decref(chart->values);
	vec_dispose(&chart->templates);
	vec_dispose(&chart->files);
	vec_dispose(&chart->raw);
}

static HelmChart *chart_new(Arena *arena)
{
	HelmChart *chart = arena_alloc(arena, sizeof(*chart));
	chart->metadata = json_object();
	chart->values = json_object();
	arena_defer(arena, free_chart, chart);
	return chart;
}

static void free_list(void *list)
{
	vec_dispose(list);
}

static void copy_list(Vec *to, const Vec *from)
{
	for (size_t i = 0; i < from->len; i++)
		vec_push(to, from->items[i]);
}

HelmChart *helm_chart_copy(Arena *arena, const HelmChart *chart)
{
	HelmChart *copy = arena_alloc(arena, sizeof(*copy));
	copy->metadata = json_deep_copy(chart->metadata);
	copy->values = json_deep_copy(chart->values);
	copy->schema = chart->schema;
	copy->parent = chart->parent;
	copy_list(&copy->templates, &chart->templates);
	copy_list(&copy->files, &chart->files);
	copy_list(&copy->raw, &chart->raw);
	arena_defer(arena, free_chart, copy);
	for (size_t i = 0; i < chart->charts.len; i++) {
		HelmChart *sub = helm_chart_copy(arena, chart->charts.items[i]);
		sub->parent = copy;
		vec_push(&copy->charts, sub);
	}
	arena_defer(arena, free_list, &copy->charts);
	return copy;
}

static HelmFile *keep_file(Arena *arena, Vec *list, const char *name, Str data)
{
	HelmFile *file = arena_alloc(arena, sizeof(*file));
	*file = (HelmFile){arena_strdup(arena, name), data};
	vec_push(list, file);
	return file;
}

static bool read_chart_yaml(HelmChart *chart, const HelmFile *file, Error *err)
{
	if (!metadata_read(chart->metadata, file->data, err))
		return err_wrap(err, "cannot load Chart.yaml");
	if (cstr_empty(json_text(chart->metadata, "apiVersion")))
		json_object_set_new(chart->metadata, "apiVersion", json_string("v1"));
	return true;
}

static bool read_values(HelmChart *chart, const HelmFile *file, Error *err)
{
	json_t *values = helm_values_parse(file->data, err);
	if (!values)
		return err_wrap(err, "cannot load values.yaml");
	json_decref(chart->values);
	chart->values = values;
	return true;
}

static bool is_v1(const HelmChart *chart)
{
	return cstr_eq(helm_chart_field(chart, "apiVersion"), "v1");
}

/* A file that is not of a chart below. */
static bool read_file(Arena *arena, HelmChart *chart, const HelmFile *file, Error *err)
{
	if (cstr_eq(file->name, "values.yaml"))
		return read_values(chart, file, err);
	if (cstr_eq(file->name, "Chart.lock"))
		return true;
	if (cstr_eq(file->name, "values.schema.json")) {
		chart->schema = file->data;
		return true;
	}
	bool requirements = cstr_eq(file->name, "requirements.yaml");
	if (requirements && !metadata_read(chart->metadata, file->data, err))
		return err_wrap(err, "cannot load requirements.yaml");
	if (!requirements && !cstr_eq(file->name, "requirements.lock")) {
		bool template = cstr_starts(file->name, "templates/");
		keep_file(arena, template ? &chart->templates : &chart->files, file->name,
			  file->data);
	} else if (is_v1(chart)) {
		keep_file(arena, &chart->files, file->name, file->data);
	}
	return true;
}

/* ---- charts below: files grouped by the first part of their path in charts/ ---- */

typedef struct {
	char *name; /* owned */
	Vec files;  /* HelmFile *, in the arena; names without charts/ */
} Group;

typedef struct {
	Vec items; /* Group *, owned */
} Groups;

static void groups_dispose(Groups *groups)
{
	for (size_t i = 0; i < groups->items.len; i++) {
		Group *group = groups->items.items[i];
		free(group->name);
		vec_dispose(&group->files);
		free(group);
	}
	vec_dispose(&groups->items);
}

static int compare_groups(const void *a, const void *b)
{
	return strcmp(((const Group *)a)->name, ((const Group *)b)->name);
}

static void group_file(Arena *arena, Groups *groups, const HelmFile *file)
{
	const char *name = file->name + strlen("charts/");
	size_t len = strcspn(name, "/");
	Group *group = NULL;
	for (size_t i = groups->items.len; i > 0 && !group; i--) {
		Group *other = groups->items.items[i - 1];
		if (strlen(other->name) == len && strncmp(other->name, name, len) == 0)
			group = other;
	}
	if (!group) {
		group = mem_zalloc(1, sizeof(*group));
		group->name = mem_strndup(name, len);
		vec_push(&groups->items, group);
	}
	keep_file(arena, &group->files, name, file->data);
}

static HelmChart *load_group(Arena *arena, const Group *group, Error *err)
{
	const HelmFile *first = group->files.items[0];
	if (cstr_ends(group->name, ".tgz")) {
		if (!cstr_eq(first->name, group->name))
			return err_null(err, ERR_INVALID,
					"error unpacking subchart tar: expected %s, got %s",
					group->name, first->name);
		return helm_chart_of_archive(arena, first->data, err);
	}
	HelmFile *files = arena_alloc(arena, group->files.len * sizeof(HelmFile));
	size_t count = 0;
	for (size_t i = 0; i < group->files.len; i++) {
		const HelmFile *file = group->files.items[i];
		const char *slash = strchr(file->name, '/');
		if (slash)
			files[count++] = (HelmFile){slash + 1, file->data};
	}
	return helm_chart_of_files(arena, files, count, err);
}

static bool load_groups(Arena *arena, HelmChart *chart, Groups *groups, Error *err)
{
	vec_sort(&groups->items, compare_groups);
	arena_defer(arena, free_list, &chart->charts);
	for (size_t i = 0; i < groups->items.len; i++) {
		const Group *group = groups->items.items[i];
		if (group->name[0] == '_' || group->name[0] == '.')
			continue;
		HelmChart *sub = load_group(arena, group, err);
		if (!sub)
			return err_wrap(err, "error unpacking subchart %s in %s", group->name,
					helm_chart_name(chart));
		sub->parent = chart;
		vec_push(&chart->charts, sub);
	}
	return true;
}

static bool read_files(Arena *arena, HelmChart *chart, const HelmFile *files, size_t count,
		       Groups *groups, Error *err)
{
	for (size_t i = 0; i < count; i++) {
		const HelmFile *file = &files[i];
		if (cstr_eq(file->name, "Chart.yaml"))
			continue;
		if (!cstr_starts(file->name, "charts/")) {
			if (!read_file(arena, chart, file, err))
				return false;
		} else if (cstr_ends(file->name, ".prov")) {
			keep_file(arena, &chart->files, file->name, file->data);
		} else {
			group_file(arena, groups, file);
		}
	}
	return true;
}

HelmChart *helm_chart_of_files(Arena *arena, const HelmFile *files, size_t count, Error *err)
{
	HelmChart *chart = chart_new(arena);
	__attribute__((cleanup(groups_dispose))) Groups groups = {0};
	bool found = false;
	for (size_t i = 0; i < count; i++) {
		keep_file(arena, &chart->raw, files[i].name, files[i].data);
		if (!cstr_eq(files[i].name, "Chart.yaml"))
			continue;
		found = true;
		if (!read_chart_yaml(chart, &files[i], err))
			return NULL;
	}
	if (!read_files(arena, chart, files, count, &groups, err))
		return NULL;
	if (!found)
		return err_null(err, ERR_INVALID, "Chart.yaml file is missing");
	if (!metadata_check(chart->metadata, err) || !load_groups(arena, chart, &groups, err))
		return NULL;
	return chart;
}

Str helm_without_mark(Str data)
{
	return str_starts(data, byte_order_mark) ? str_slice(data, 3, data.len) : data;
}
