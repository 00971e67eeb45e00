/*
 * The dependencies that a chart in a tree declares and does not bring along: from other directories
 * of the tree, and from repositories, those that a HelmRepository of the namespace stands for with
 * its credentials.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/path.h"
#include "data/yaml.h"
#include "helm/archive.h"
#include "helm/dependencies.h"
#include "helm/package.h"
#include "helmchart.h"
#include "net/url.h"

enum { MAX_DEPENDENCIES = 200 };

/* Where the chart lies, and what was opened for it. */
typedef struct {
	Run *run;
	const ChartPlace *place;
	HelmChart *chart;
	Map *sources; /* URL, and for registries the chart -> ChartSource, owned */
	Vec objects;  /* json_t *: what sources borrow, owned */
} Builder;

static void close_source(void *source)
{
	chart_source_close(source);
}

static void drop_object(void *object)
{
	json_decref(object);
}

static void builder_dispose(Builder *builder)
{
	map_free(builder->sources);
	vec_dispose_with(&builder->objects, drop_object);
}

/* One of Chart.yaml's or Chart.lock's dependencies; borrowed. */
typedef struct {
	const char *name, *version, *repository, *alias;
} Dependency;

static Dependency read_dependency(const json_t *item)
{
	return (Dependency){json_text_or(item, "name", ""), json_text_or(item, "version", ""),
			    json_text_or(item, "repository", ""), json_text_or(item, "alias", "")};
}

static const char *name_of(const Dependency *dependency)
{
	return *dependency->alias ? dependency->alias : dependency->name;
}

static bool add(Builder *builder, HelmChart *found, const Dependency *dependency)
{
	if (*dependency->alias)
		json_put_text(found->metadata, "name", dependency->alias);
	found->parent = builder->chart;
	vec_push(&builder->chart->charts, found);
	return true;
}

/* --- from the tree --- */

static bool is_local(const Dependency *dependency)
{
	return !*dependency->repository || cstr_starts(dependency->repository, "file://");
}

/* Confined to the tree, which has no links. */
static char *local_path(const Builder *builder, const Dependency *dependency)
{
	autofree char *below = *dependency->repository
				       ? mem_strdup(dependency->repository + strlen("file://"))
				       : path_join("charts", dependency->name);
	autofree char *path = path_join(builder->place->path, below);
	return path_confine(builder->place->root, path);
}

static HelmChart *load_local(const Builder *builder, const char *path, Error *err)
{
	const SourceContext *context = run_context(builder->run);
	Arena *arena = run_arena(builder->run);
	struct stat st;
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return helm_chart_load_dir(arena, path,
					   (size_t)context->options->helm_chart_file_max_size, err);
	autofd int fd = fd_open(path, O_RDONLY, 0, err);
	return fd < 0 ? NULL : helm_chart_of_archive_fd(arena, fd, err);
}

static bool add_local(Builder *builder, const Dependency *dependency, Error *err)
{
	autofree char *path = local_path(builder, dependency);
	const char *shown = path + strlen(builder->place->root);
	if (access(path, F_OK) != 0)
		return err_set(err, ERR_NOT_FOUND, "no chart found at '%s' (reference '%s')", shown,
			       dependency->repository);
	HelmChart *found = load_local(builder, path, err);
	if (!found)
		return err_wrap(err, "failed to load chart from '%s' (reference '%s')", shown,
				dependency->repository);
	if (!helm_version_fits(dependency->version, helm_chart_field(found, "version")))
		return err_set(err, ERR_INVALID, "can't get a valid version for constraint '%s'",
			       dependency->version);
	return add(builder, found, dependency);
}

/* --- from repositories --- */

/* The URL as HelmRepositories are compared by; what is no URL of a repository is refused. Owned. */
static char *repository_url(const Dependency *dependency, Error *err)
{
	const char *url = dependency->repository;
	bool is_alias = cstr_starts(url, "@");
	autofree char *shown = url_redacted(url + is_alias);
	if (is_alias)
		return err_null(err, ERR_UNSUPPORTED,
				"aliased repository dependency is not supported: @%s", shown);
	if (!cstr_starts(url, "oci://") && !cstr_starts(url, "http://") &&
	    !cstr_starts(url, "https://"))
		return err_null(err, ERR_INVALID, "invalid dependency repository URL: %s", shown);
	return helm_url_normal(url, err);
}

typedef struct {
	const char *ns, *url;
	json_t *found; /* owned */
} Wanted;

static bool is_wanted(void *arg, const json_t *object)
{
	Wanted *wanted = arg;
	autoerror Error ignored = {0};
	HelmRepository view;
	helmrepository_parse(object, &view);
	autofree char *url = helm_url_normal(view.url, &ignored);
	if (!cstr_eq(object_namespace(object), wanted->ns) || !cstr_eq(url, wanted->url))
		return true;
	wanted->found = json_deep_copy(object);
	return false;
}

/* The namespace's HelmRepository of that URL; else one that has nothing but it, which is
 * *out_made_up. Owned. */
static json_t *find_repository(Run *run, const char *url, bool *out_made_up)
{
	Wanted wanted = {.ns = run_namespace(run), .url = url};
	run_peer_each(run, SOURCE_VERSION, "HelmRepository", is_wanted, &wanted);
	*out_made_up = !wanted.found;
	return wanted.found ? wanted.found : json_pack("{s{ss}}", "spec", "url", url);
}

static ChartSource *source_of(Builder *builder, const Dependency *dependency, Error *err)
{
	autofree char *url = repository_url(dependency, err);
	if (!url)
		return NULL;
	bool is_oci = cstr_starts(url, "oci://");
	autofree char *key = mem_printf("%s %s", url, is_oci ? dependency->name : "");
	ChartSource *source = map_get(builder->sources, key);
	if (source)
		return source;
	bool made_up;
	json_t *object = find_repository(builder->run, url, &made_up);
	vec_push(&builder->objects, object);
	const char *named_by = made_up ? builder->place->host : NULL;
	source = chart_source_open(builder->run, object, named_by, dependency->name, err);
	if (!source) {
		autofree char *shown = url_redacted(url);
		return err_wrap_null(err, "failed to get chart repository for URL '%s'", shown);
	}
	map_put(builder->sources, key, source);
	return source;
}

static bool add_remote(Builder *builder, const Dependency *dependency, Error *err)
{
	const SourceContext *context = run_context(builder->run);
	ChartSource *source = source_of(builder, dependency, err);
	autochartversion ChartVersion version = {0};
	bool ignored;
	if (!source)
		return false;
	if (!chart_source_find(source, dependency->name, dependency->version, &version, &ignored,
			       err)) {
		autofree char *shown = url_redacted(dependency->repository);
		return err_wrap(err, "failed to get chart '%s' version '%s' from '%s'",
				dependency->name, dependency->version, shown);
	}
	autofd int fd = fd_nameless(workdir_path(context->workdir), err);
	if (fd < 0 || !chart_source_pull(source, &version, fd, err))
		return err_wrap(err, "chart download of version '%s' failed", version.version);
	HelmChart *found = helm_chart_of_archive_fd(run_arena(builder->run), fd, err);
	if (!found)
		return err_wrap(err, "failed to load downloaded archive of version '%s'",
				version.version);
	return add(builder, found, dependency);
}

/* --- all of them --- */

static bool add_one(Builder *builder, const Dependency *dependency, Error *err)
{
	if (is_local(dependency))
		return add_local(builder, dependency, err) ||
		       err_wrap(err, "failed to add local dependency '%s'", name_of(dependency));
	return add_remote(builder, dependency, err) ||
	       err_wrap(err, "failed to add remote dependency '%s'", name_of(dependency));
}

static bool is_there(const HelmChart *chart, const char *name)
{
	for (size_t i = 0; i < chart->charts.len; i++)
		if (cstr_eq(helm_chart_name(chart->charts.items[i]), name))
			return true;
	return false;
}

/* What the lock file pins, else what Chart.yaml asks for. Owned; NULL: nothing. */
static json_t *declared(const HelmChart *chart, Error *err)
{
	bool is_v1 = cstr_eq(helm_chart_field(chart, "apiVersion"), "v1");
	const HelmFile *file = helm_chart_raw(chart, is_v1 ? "requirements.lock" : "Chart.lock");
	if (!file)
		return json_incref(json_list(chart->metadata, "dependencies"));
	autojson json_t *lock =
		yaml_parse_old(file->data.ptr, file->data.len, HELM_MAX_FILE_BYTES, "yaml", err);
	return lock ? json_incref(json_list(lock, "dependencies"))
		    : err_wrap_null(err, "cannot load %s", file->name);
}

/* A lock file knows no aliases, which renderers give to what is there; but of two versions of one
 * chart only one can be there by the chart's name. */
static bool is_of_two_versions(const json_t *list, const Dependency *dependency)
{
	size_t i;
	json_t *item;
	json_array_foreach(json_borrow(list), i, item)
	{
		const Dependency other = read_dependency(item);
		if (cstr_eq(other.name, dependency->name) &&
		    !cstr_eq(other.version, dependency->version))
			return true;
	}
	return false;
}

/* The alias that Chart.yaml has at that place, which is the lock file's order, too; "": none. */
static const char *declared_alias(const HelmChart *chart, size_t at, const char *name)
{
	const json_t *list = json_list(chart->metadata, "dependencies");
	const Dependency found = read_dependency(json_array_get(list, at));
	return cstr_eq(found.name, name) ? found.alias : "";
}

static bool add_missing(Builder *builder, const json_t *list, size_t *out_count, Error *err)
{
	size_t i;
	json_t *item;
	json_array_foreach(json_borrow(list), i, item)
	{
		Dependency dependency = read_dependency(item);
		if (!*dependency.alias && is_of_two_versions(list, &dependency))
			dependency.alias = declared_alias(builder->chart, i, dependency.name);
		if (is_there(builder->chart, name_of(&dependency)))
			continue;
		if (!add_one(builder, &dependency, err))
			return false;
		++*out_count;
	}
	return true;
}

bool helmchart_add_dependencies(Run *run, const ChartPlace *place, HelmChart *chart,
				size_t *out_count, Error *err)
{
	autojson json_t *list = declared(chart, err);
	*out_count = 0;
	/* Upstream compares no more than the counts. */
	if (!list || json_array_size(list) == chart->charts.len)
		return !err_is_set(err);
	if (json_array_size(list) > MAX_DEPENDENCIES)
		return err_set(err, ERR_LIMIT, "more than %d dependencies", MAX_DEPENDENCIES);
	__attribute__((cleanup(builder_dispose)))
	Builder builder = {.run = run, .place = place, .chart = chart};
	builder.sources = map_new(close_source);
	return add_missing(&builder, list, out_count, err);
}
