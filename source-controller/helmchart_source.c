/* Where charts are pulled from: a repository with an index, or (helmchart_oci.c) a registry. */
#include "helmchart_source.h"

#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "helm_indexes.h"
#include "net/url.h"

void chart_version_dispose(ChartVersion *version)
{
	free(version->name);
	free(version->version);
	free(version->url);
	*version = (ChartVersion){0};
}

void chart_source_close(ChartSource *source)
{
	const SourceContext *context = run_context(source->run);
	if (source->shared)
		helm_indexes_release(context->indexes, source->shared);
	if (source->own)
		helm_index_free(source->own);
	if (source->client)
		helm_client_free(source->client);
	if (source->registry)
		registry_close(source->registry);
	oci_reference_dispose(&source->reference);
	free(source->shown_url);
	free(source->digest);
	free(source);
}

ChartSource *chart_source_open(Run *run, const json_t *repository, const char *named_by,
			       const char *chart, Error *err)
{
	autochartsource ChartSource *source = mem_zalloc(1, sizeof(*source));
	source->run = run;
	source->object = repository;
	helmrepository_parse(repository, &source->view);
	source->view.named_by = named_by;
	source->is_oci = cstr_starts(source->view.url, "oci://");
	if (source->view.is_oci && !source->is_oci) {
		autofree char *shown = url_redacted(source->view.url);
		err_set(err, ERR_UNSUPPORTED,
			"failed to construct Helm client: invalid OCI registry URL: %s", shown);
		err_reason(err, "Failed");
		return NULL;
	}
	if (source->is_oci)
		return chart_oci_open(source, chart, err) ? steal(&source) : NULL;
	source->client = helmrepository_client(run, &source->view, err);
	return source->client ? steal(&source) : NULL;
}

/* --- the index --- */

/* The stored one, shared with others. */
static bool take_stored(ChartSource *source, const Artifact *artifact, Error *err)
{
	const SourceContext *context = run_context(source->run);
	bool hit;
	source->shared = helm_indexes_take(context->indexes, context->store, artifact, &hit, err);
	if (!source->shared)
		return err_wrap(err, "failed to load index");
	helm_indexes_count(run_manager(source->run), object_namespace(source->object),
			   object_name(source->object), hit);
	return true;
}

/* Of a repository that is no object of ours. */
static bool download(ChartSource *source, Error *err)
{
	const SourceContext *context = run_context(source->run);
	autofd int fd = fd_nameless(workdir_path(context->workdir), err);
	if (fd < 0 || !helm_client_get_index(source->client, context->options->helm_index_max_size,
					     NULL, fd, NULL, err))
		return err_wrap(err, "failed to cache index");
	source->own = helm_index_load(fd, err);
	return source->own || err_wrap(err, "failed to load index");
}

static const HelmIndex *index_of(ChartSource *source, Error *err)
{
	autoartifact Artifact artifact = {0};
	if (source->shared || source->own)
		return source->shared ? source->shared : source->own;
	bool stored =
		artifact_of_json(json_at(source->object, "status", "artifact", NULL), &artifact);
	if (!(stored ? take_stored(source, &artifact, err) : download(source, err)))
		return NULL;
	return source->shared ? source->shared : source->own;
}

static bool find_in_index(ChartSource *source, const char *name, const char *range,
			  ChartVersion *out, bool *out_is_reference, Error *err)
{
	const HelmIndex *index = index_of(source, err);
	HelmIndexEntry entry;
	if (!index)
		return false;
	*out_is_reference = true;
	if (!helm_index_find(index, name, range, &entry, err))
		return false;
	*out = (ChartVersion){mem_strdup(name), mem_strdup(entry.version), mem_strdup(entry.url)};
	return true;
}

static bool pull_by_url(ChartSource *source, const ChartVersion *version, int fd, Error *err)
{
	const SourceContext *context = run_context(source->run);
	if (!*version->url)
		return err_set(err, ERR_INVALID, "chart '%s' has no downloadable URLs",
			       version->name);
	int max = context->options->helm_chart_max_size;
	autofree char *limit =
		mem_printf("size of chart '%s' exceeds '%d' bytes limit", version->name, max);
	const HelmGet get = {
		.url = version->url, .max_bytes = (uint64_t)max, .limit = limit, .fd = fd};
	return helm_client_get(source->client, &get, NULL, err);
}

/* --- both --- */

bool chart_source_find(ChartSource *source, const char *name, const char *range, ChartVersion *out,
		       bool *out_is_reference, Error *err)
{
	*out_is_reference = false;
	return source->is_oci ? chart_oci_find(source, name, range, out, err)
			      : find_in_index(source, name, range, out, out_is_reference, err);
}

bool chart_source_verify(ChartSource *source, const ChartVersion *version, const json_t *verify,
			 Error *err)
{
	return source->is_oci
		       ? chart_oci_verify(source, version, verify, err)
		       : err_set(err, ERR_UNSUPPORTED,
				 "not implemented for repositories over HTTP: only charts of "
				 "'oci://' ones can be verified");
}

bool chart_source_pull(ChartSource *source, const ChartVersion *version, int fd, Error *err)
{
	return source->is_oci ? chart_oci_pull(source, version, fd, err)
			      : pull_by_url(source, version, fd, err);
}
