/* What the word CHART means when it is no path: a URL, a registry's reference, a repository's. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "charts/client.h"
#include "charts/provenance.h"
#include "helm/archive.h"
#include "helm/index.h"
#include "helm_far.h"

void helm_found_dispose(HelmFound *found)
{
	free(found->url);
	json_decref(found->repositories);
	*found = (HelmFound){0};
}

/* The URL of a version, seen from its repository. */
static char *url_in(const HelmIndex *index, const char *repository, const char *chart,
		    const char *version, const char *shown, Error *err)
{
	HelmIndexEntry entry;
	if (!helm_index_find(index, chart, version ? version : "", &entry, err))
		return NULL;
	if (!*entry.url)
		return err_null(err, ERR_INVALID, "%s has no downloadable URLs", shown);
	autohelmclient HelmClient *client =
		helm_client_new(&(HelmClientConfig){.url = repository}, err);
	return client ? helm_client_resolve(client, entry.url, err) : NULL;
}

/* --- --repo --- */

static HelmIndex *fetch_index(HelmFetcher *fetcher, const HelmAccess *access,
			      const char *repository, Error *err)
{
	autofd int fd = fd_nameless(dir_temp(), err);
	if (fd < 0)
		return NULL;
	HelmIndex *index = helm_fetch_index(fetcher, access, repository, fd, err)
				   ? helm_index_load(fd, err)
				   : NULL;
	return index ? index
		     : err_wrap_null(err,
				     "looks like \"%s\" is not a valid chart repository or cannot "
				     "be reached",
				     repository);
}

static bool find_in_repo(HelmFetcher *fetcher, const HelmSource *source, const char *chart,
			 const char *version, HelmFound *out, Error *err)
{
	HelmAccess access = helm_access_of(source);
	autohelmindex HelmIndex *index = fetch_index(fetcher, &access, source->repo, err);
	if (!index)
		return false;
	autofree char *shown = version ? mem_printf("chart \"%s\" version \"%s\"", chart, version)
				       : mem_printf("chart \"%s\"", chart);
	out->url = url_in(index, source->repo, chart, version, shown, err);
	out->access = access;
	out->access.owner = source->repo;
	if (out->url || err->code != ERR_NOT_FOUND)
		return out->url != NULL;
	error_dispose(err);
	return err_set(err, ERR_NOT_FOUND, "%s not found in %s repository", shown, source->repo);
}

char *helm_locate_version(HelmFetcher *fetcher, const HelmAccess *access, const char *repository,
			  const char *chart, const char *range, char **out_version, Error *err)
{
	HelmIndexEntry entry;
	autohelmindex HelmIndex *index = fetch_index(fetcher, access, repository, err);
	if (!index || !helm_index_find(index, chart, range, &entry, err))
		return NULL;
	autofree char *shown = mem_printf("chart \"%s\"", chart);
	char *url = url_in(index, repository, chart, entry.version, shown, err);
	*out_version = url ? mem_strdup(entry.version) : NULL;
	return url;
}

/* --- repositories.yaml --- */

static HelmIndex *load_cached(const HelmSource *source, const char *repository, Error *err)
{
	autofree char *path = helm_home_index(source, repository);
	autofd int fd = fd_open(path, O_RDONLY, 0, err);
	HelmIndex *index = fd < 0 ? NULL : helm_index_load(fd, err);
	return index ? index : err_wrap_null(err, "no cached repo found. (try 'helm repo update')");
}

/* "REPOSITORY/CHART" */
static bool find_by_name(const HelmSource *source, const char *reference, const char *version,
			 HelmFound *out, Error *err)
{
	Str name, chart;
	HelmRepositoryEntry entry;
	if (!str_cut(str_of(reference), '/', &name, &chart))
		return err_set(err, ERR_INVALID,
			       "non-absolute URLs should be in form of repo_name/path_to_chart, "
			       "got: %s",
			       reference);
	autofree char *repository = str_dup(name), *own = str_dup(chart);
	if (!helm_repositories_find(out->repositories, repository, &entry))
		return err_set(err, ERR_NOT_FOUND, "repo %s not found", repository);
	if (!*entry.url)
		return err_set(err, ERR_INVALID, "no URL found for repository %s", repository);
	autohelmindex HelmIndex *index = load_cached(source, repository, err);
	if (!index)
		return false;
	autofree char *shown = mem_printf("chart \"%s\"", reference);
	out->access = helm_access_with(&out->access, &entry);
	out->url = url_in(index, entry.url, own, version, shown, err);
	return out->url || err_wrap(err,
				    "chart \"%s\" matching %s not found in %s index. (try 'helm "
				    "repo update')",
				    own, version ? version : "", repository);
}

/* --- a URL --- */

typedef struct {
	const HelmSource *source;
	const char *url;
	HelmFound *found;
	Error *err;
} Search;

/* A repository whose index has the URL: the chart is fetched as it says. */
static bool is_owner(void *arg, const HelmRepositoryEntry *entry)
{
	Search *search = arg;
	autohelmindex HelmIndex *index = load_cached(search->source, entry->name, search->err);
	if (!index)
		return false;
	if (!helm_index_has_url(index, search->url))
		return true;
	search->found->access = helm_access_with(&search->found->access, entry);
	return false;
}

static bool find_by_url(const HelmSource *source, const char *url, HelmFound *out, Error *err)
{
	Search search = {source, url, out, err};
	out->url = mem_strdup(url);
	helm_repositories_each(out->repositories, is_owner, &search);
	return !err_is_set(err);
}

bool helm_locate(HelmFetcher *fetcher, const HelmSource *source, const char *chart,
		 const char *version, HelmFound *out, Error *err)
{
	if (source->repo)
		return find_in_repo(fetcher, source, chart, version, out, err);
	out->access = helm_access_of(source);
	if (cstr_starts(chart, "oci://")) {
		out->url = helm_fetch_reference(fetcher, &out->access, chart, version, err);
		return out->url != NULL;
	}
	out->repositories = helm_repositories_load(source, err);
	if (!out->repositories)
		return false;
	return strstr(chart, "://") ? find_by_url(source, chart, out, err)
				    : find_by_name(source, chart, version, out, err);
}

/* --- fetching, and provenance --- */

static bool verify(const HelmSource *source, Str archive, const char *name, Str text, Error *err)
{
	autofree char *path = helm_home_keyring(source);
	autobuf Buf keys = {0};
	if (!file_read(path, KEYRING_MAX, &keys, err))
		return err_wrap(err, "failed to load keyring");
	return provenance_verify(text, archive, name, buf_str(&keys), err);
}

/* As the provenance calls it: NAME-VERSION.tgz. Owned. */
static char *archive_name(const char *url)
{
	const char *base = path_base(url), *colon = strrchr(base, ':');
	if (!cstr_starts(url, "oci://"))
		return mem_strndup(base, strcspn(base, "?#"));
	return colon ? mem_printf("%.*s-%s.tgz", (int)(colon - base), base, colon + 1)
		     : mem_strdup(base);
}

static bool verify_fetched(HelmFetcher *fetcher, const HelmSource *source, const HelmFound *found,
			   int fd, Buf *out, Error *err)
{
	autobuf Buf text = {0}, archive = {0};
	autoerror Error own = {0};
	const HelmWanted wanted = {
		.url = found->url, .provenance = true, .max_bytes = PROVENANCE_MAX};
	if (!helm_fetch_text(fetcher, &found->access, &wanted, &text, out, &own))
		return err_set(err, own.code, "failed to fetch provenance \"%s.prov\"", found->url);
	autofree char *name = archive_name(found->url);
	return fd_read_all(fd, HELM_MAX_CHART_BYTES, &archive, err) &&
	       verify(source, buf_str(&archive), name, buf_str(&text), err);
}

int helm_locate_fetch(HelmFetcher *fetcher, const HelmSource *source, const HelmFound *found,
		      Buf *out, Error *err)
{
	autofd int fd = fd_nameless(dir_temp(), err);
	const HelmWanted wanted = {.url = found->url, .max_bytes = HELM_MAX_CHART_BYTES};
	if (fd < 0 || !helm_fetch(fetcher, &found->access, &wanted, fd, out, err))
		return -1;
	if (lseek(fd, 0, SEEK_SET) < 0) {
		err_errno(err, "read %s", found->url);
		return -1;
	}
	if (source->verify && !verify_fetched(fetcher, source, found, fd, out, err))
		return -1;
	return fd_steal(&fd);
}

bool helm_locate_verify(const HelmSource *source, const char *path, Error *err)
{
	struct stat status;
	autobuf Buf text = {0}, archive = {0};
	autofree char *provenance = mem_printf("%s.prov", path);
	if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
		return err_set(err, ERR_INVALID, "unpacked charts cannot be verified");
	if (strlen(path) < 4 || strcasecmp(path + strlen(path) - 4, ".tgz") != 0)
		return err_set(err, ERR_INVALID, "chart must be a tgz file");
	if (!file_read(provenance, PROVENANCE_MAX, &text, err))
		return err_wrap(err, "could not load provenance file %s", provenance);
	return file_read(path, HELM_MAX_CHART_BYTES, &archive, err) &&
	       verify(source, buf_str(&archive), path_base(path), buf_str(&text), err);
}
