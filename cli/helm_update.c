/*
 * --dependency-update: what Chart.yaml asks for is found, fetched into charts/ and written down in
 * Chart.lock; archives in charts/ that nothing asks for any more go. What the real tool tells on
 * standard output, in front of the manifests, is told here, too.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/path.h"
#include "helm/archive.h"
#include "helm/dependencies.h"
#include "helm/index.h"
#include "helm/package.h"
#include "helm_far.h"
#include "helm_update.h"

enum { MAX_FILES = 10000, MAX_DEPENDENCIES = 200 };

typedef struct {
	HelmFetcher *fetcher;
	const HelmArguments *arguments;
	const char *dir;      /* of the chart */
	char *charts;	      /* DIR/charts */
	char *temp;	      /* beside it: what is there is moved when all went well */
	json_t *repositories; /* repositories.yaml */
	json_t *wanted;	      /* Chart.yaml's, aliases of repositories resolved */
	json_t *locked;
	Map *kept; /* names of archives in charts/, and of charts without a repository */
	Buf *out;
} Update;

static void update_dispose(Update *update)
{
	free(update->charts);
	dir_auto_remove(&update->temp);
	json_decref(update->repositories);
	json_decref(update->wanted);
	json_decref(update->locked);
	map_free(update->kept);
}

/* One of the dependencies; borrowed. */
typedef struct {
	const char *name, *version, *repository;
} Wanted;

static Wanted read_wanted(const json_t *item)
{
	return (Wanted){json_text_or(item, "name", ""), json_text_or(item, "version", ""),
			json_text_or(item, "repository", "")};
}

static void lock(Update *update, const Wanted *wanted, const char *version)
{
	json_array_append_new(update->locked, json_pack("{ssssss}", "name", wanted->name, "version",
							version, "repository", wanted->repository));
}

/* --- repositories --- */

/* "@NAME" and "alias:NAME" are rows of repositories.yaml. */
static bool resolve_alias(const Update *update, json_t *item, Error *err)
{
	const char *repository = json_text_or(item, "repository", "");
	const char *name = *repository == '@'		       ? repository + 1
			   : cstr_starts(repository, "alias:") ? repository + strlen("alias:")
							       : NULL;
	HelmRepositoryEntry entry;
	if (name && helm_repositories_find(update->repositories, name, &entry)) {
		json_put_text(item, "repository", entry.url);
		return true;
	}
	if (!name && (!*repository || strstr(repository, "://")))
		return true;
	return err_set(err, ERR_NOT_FOUND,
		       "no repository definition for %s. Please add them via 'helm repo add'",
		       repository);
}

typedef struct {
	const char *url;
	HelmRepositoryEntry found;
	bool is_found;
} Owner;

static bool is_owner(void *arg, const HelmRepositoryEntry *entry)
{
	Owner *owner = arg;
	size_t len = strlen(owner->url), own = strlen(entry->url);
	while (len && owner->url[len - 1] == '/')
		len--;
	while (own && entry->url[own - 1] == '/')
		own--;
	owner->is_found = len == own && strncmp(owner->url, entry->url, len) == 0;
	if (owner->is_found)
		owner->found = *entry;
	return !owner->is_found;
}

/* Only what repositories.yaml says of a repository: the command line's login is the chart's. */
static HelmAccess access_to(const Update *update, const char *url)
{
	Owner owner = {.url = url};
	const HelmAccess none = {.owner = url,
				 .registry_config = update->arguments->source.registry_config,
				 .plain_http = update->arguments->source.plain_http};
	helm_repositories_each(update->repositories, is_owner, &owner);
	return owner.is_found ? helm_access_with(&none, &owner.found) : none;
}

static bool is_http(const char *url)
{
	return cstr_starts(url, "http://") || cstr_starts(url, "https://");
}

static void tell_updates(Update *update)
{
	automap Map *told = map_new(NULL);
	size_t i;
	json_t *item;
	json_array_foreach(update->wanted, i, item)
	{
		const char *url = json_text_or(item, "repository", "");
		if (!is_http(url) || map_has(told, url))
			continue;
		if (map_len(told) == 0)
			buf_puts(update->out,
				 "Getting updates for unmanaged Helm repositories...\n");
		map_put(told, url, NULL);
		buf_printf(update->out,
			   "...Successfully got an update from the \"%s\" chart repository\n", url);
	}
}

/* --- one dependency --- */

static bool no_version(const Wanted *wanted, Error *err)
{
	return err_set(err, ERR_NOT_FOUND,
		       "can't get a valid version for 1 subchart(s): \"%s\" (repository \"%s\", "
		       "version \"%s\"). Make sure a matching chart version exists in the repo, or "
		       "change the version constraint in Chart.yaml",
		       wanted->name, wanted->repository, wanted->version);
}

/* A chart in a directory here. */
static HelmChart *load_dir(Arena *arena, const Wanted *wanted, const char *path, Error *err)
{
	HelmChart *chart = helm_chart_load(arena, path, err);
	if (!chart)
		return NULL;
	if (helm_version_fits(wanted->version, helm_chart_field(chart, "version")))
		return chart;
	no_version(wanted, err);
	return NULL;
}

static bool take_bundled(Update *update, const Wanted *wanted, Error *err)
{
	autoarena Arena *arena = arena_new();
	autofree char *path = path_join(update->charts, wanted->name);
	buf_printf(update->out,
		   "Dependency %s did not declare a repository. Assuming it exists in the charts "
		   "directory\n",
		   wanted->name);
	lock(update, wanted, wanted->version);
	map_put(update->kept, wanted->name, NULL);
	return load_dir(arena, wanted, path, err) != NULL;
}

/* A file in the temporary directory; its name goes on into charts/. */
static int create(Update *update, const char *name, Error *err)
{
	autofree char *path = path_join(update->temp, name);
	if (!*name || *name == '.' || strchr(name, '/')) {
		err_set(err, ERR_INVALID, "invalid name of an archive: %s", name);
		return -1;
	}
	map_put(update->kept, name, NULL);
	return fd_open(path, O_RDWR | O_CREAT | O_TRUNC, 0644, err);
}

static bool pack_local(Update *update, const Wanted *wanted, Error *err)
{
	autoarena Arena *arena = arena_new();
	const char *path = wanted->repository + strlen("file://");
	autofree char *full =
		*path == '/' ? mem_strdup(path) : mem_printf("%s/%s", update->dir, path);
	HelmChart *chart = load_dir(arena, wanted, full, err);
	if (!chart)
		return false;
	const char *version = helm_chart_field(chart, "version");
	autofree char *name = mem_printf("%s-%s.tgz", helm_chart_name(chart), version);
	autofd int fd = create(update, name, err);
	lock(update, wanted, version);
	return fd >= 0 && helm_chart_package(chart, fd, err);
}

static bool download(Update *update, const Wanted *wanted, const HelmAccess *access,
		     const char *url, const char *name, Error *err)
{
	if (map_has(update->kept, name)) {
		buf_printf(update->out, "Already downloaded %s from repo %s\n", wanted->name,
			   wanted->repository);
		return true;
	}
	buf_printf(update->out, "Downloading %s from repo %s\n", wanted->name, wanted->repository);
	const HelmWanted what = {.url = url, .max_bytes = HELM_MAX_CHART_BYTES};
	autofd int fd = create(update, name, err);
	return fd >= 0 && (helm_fetch(update->fetcher, access, &what, fd, update->out, err) ||
			   err_wrap(err, "could not download %s", url));
}

static bool take_indexed(Update *update, const Wanted *wanted, Error *err)
{
	const HelmAccess access = access_to(update, wanted->repository);
	autofree char *version = NULL;
	autofree char *url = helm_locate_version(update->fetcher, &access, wanted->repository,
						 wanted->name, wanted->version, &version, err);
	if (!url)
		return false;
	autofree char *name = mem_strndup(path_base(url), strcspn(path_base(url), "?#"));
	lock(update, wanted, version);
	return download(update, wanted, &access, url, name, err);
}

static bool take_oci(Update *update, const Wanted *wanted, Error *err)
{
	const HelmAccess access = access_to(update, wanted->repository);
	autofree char *chart = mem_printf("%s/%s", wanted->repository, wanted->name);
	autofree char *url =
		helm_fetch_reference(update->fetcher, &access, chart, wanted->version, err);
	const char *colon = url ? strrchr(url, ':') : NULL;
	if (!colon)
		return false;
	autofree char *name = mem_printf("%s-%s.tgz", wanted->name, colon + 1);
	autofree char *version = mem_strdup(colon + 1);
	for (char *at = version; *at; at++)
		if (*at == '_')
			*at = '+';
	lock(update, wanted, version);
	return download(update, wanted, &access, url, name, err);
}

static bool take(Update *update, const json_t *item, Error *err)
{
	const Wanted wanted = read_wanted(item);
	if (!*wanted.repository)
		return take_bundled(update, &wanted, err);
	if (cstr_starts(wanted.repository, "file://"))
		return pack_local(update, &wanted, err);
	return cstr_starts(wanted.repository, "oci://") ? take_oci(update, &wanted, err)
							: take_indexed(update, &wanted, err);
}

/* --- all of them --- */

static bool move_all(const Update *update, Error *err)
{
	autostrings Vec names = {0};
	autofd int fd = fd_open(update->temp, O_RDONLY | O_DIRECTORY, 0, err);
	if (fd < 0 || !dir_names(fd, MAX_FILES, &names, err))
		return false;
	for (size_t i = 0; i < names.len; i++) {
		autofree char *from = path_join(update->temp, names.items[i]);
		autofree char *to = path_join(update->charts, names.items[i]);
		if (rename(from, to) != 0)
			return err_errno(err, "move %s", to);
	}
	return true;
}

/* Archives of charts that nothing asks for. What is no chart stays. */
static bool drop_outdated(Update *update, Error *err)
{
	autostrings Vec names = {0};
	autofd int fd = fd_open(update->charts, O_RDONLY | O_DIRECTORY, 0, err);
	if (fd < 0 || !dir_names(fd, MAX_FILES, &names, err))
		return false;
	buf_puts(update->out, "Deleting outdated charts\n");
	for (size_t i = 0; i < names.len; i++) {
		autofree char *path = path_join(update->charts, names.items[i]);
		autoarena Arena *arena = arena_new();
		autoerror Error ignored = {0};
		struct stat status;
		if (map_has(update->kept, names.items[i]) || stat(path, &status) != 0 ||
		    !S_ISREG(status.st_mode))
			continue;
		const HelmChart *chart = helm_chart_load(arena, path, &ignored);
		if (chart && !map_has(update->kept, helm_chart_name(chart)))
			unlink(path);
	}
	return true;
}

static bool prepare(Update *update, const HelmChart *chart, Error *err)
{
	struct stat status;
	if (!helm_command_is_local(update->arguments) || stat(update->dir, &status) != 0 ||
	    !S_ISDIR(status.st_mode))
		return err_set(err, ERR_INVALID, "only unpacked charts can be updated");
	update->charts = path_join(update->dir, "charts");
	update->wanted = json_deep_copy(json_list(chart->metadata, "dependencies"));
	if (json_array_size(update->wanted) > MAX_DEPENDENCIES)
		return err_set(err, ERR_LIMIT, "more than %d dependencies", MAX_DEPENDENCIES);
	update->repositories = helm_repositories_load(&update->arguments->source, err);
	size_t i;
	json_t *item;
	json_array_foreach(update->wanted, i, item)
	{
		if (!update->repositories || !resolve_alias(update, item, err))
			return false;
	}
	if (!update->repositories || !dir_make(update->charts, 0755, err))
		return false;
	update->temp = dir_make_temp(update->dir, "tmpcharts", err);
	return update->temp != NULL;
}

static bool take_all(Update *update, Error *err)
{
	size_t i;
	json_t *item;
	tell_updates(update);
	buf_printf(update->out, "Saving %zu charts\n", json_array_size(update->wanted));
	json_array_foreach(update->wanted, i, item)
	{
		if (!take(update, item, err))
			return false;
	}
	return true;
}

bool helm_update(HelmFetcher *fetcher, const HelmArguments *arguments, const HelmChart *chart,
		 Buf *out, Error *err)
{
	__attribute__((cleanup(update_dispose))) Update update = {.fetcher = fetcher,
								  .arguments = arguments,
								  .dir = arguments->chart,
								  .locked = json_array(),
								  .kept = map_new(NULL),
								  .out = out};
	return prepare(&update, chart, err) && take_all(&update, err) && move_all(&update, err) &&
	       drop_outdated(&update, err) &&
	       helm_lock_write(update.dir, chart, update.wanted, update.locked, err);
}
