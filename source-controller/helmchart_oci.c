/* HelmCharts from OCI registries. What is pulled is known by its digest as soon as a signature was
 * checked. */
#include <string.h>

#include "base/mem.h"
#include "charts/tags.h"
#include "data/semver.h"
#include "helmchart_source.h"
#include "net/url.h"
#include "source_registry.h"
#include "source_verify.h"

bool chart_oci_open(ChartSource *source, const char *name, Error *err)
{
	if (source->registry)
		return true;
	const HelmRepository *view = &source->view;
	size_t len = strlen(view->url);
	while (len && view->url[len - 1] == '/')
		len--;
	autofree char *url = mem_printf("%.*s/%s", (int)len, view->url, name);
	source->shown_url = url_redacted(url);
	const SourceRegistry spec = {.url = url,
				     .named_by = view->named_by,
				     .provider = view->provider,
				     .secret_name = view->secret_name,
				     .cert_secret_name = view->cert_secret_name,
				     .insecure = view->insecure,
				     .timeout_ms = view->timeout_ms,
				     .helm = true};
	source->registry = source_registry_open(source->run, &spec, &source->reference, err);
	return source->registry != NULL;
}

/* --- versions --- */

bool chart_oci_find(ChartSource *source, const char *name, const char *range, ChartVersion *out,
		    Error *err)
{
	autosemver Semver exact = {0};
	if (!chart_oci_open(source, name, err))
		return false;
	const ChartTags tags = {source->registry, name, source->shown_url};
	autofree char *version = semver_parse_tag(range, &exact)
					 ? mem_strdup(range) /* S69 */
					 : chart_tags_find(&tags, range, err);
	if (!version)
		return false;
	autofree char *tag = chart_tag_of(version);
	*out = (ChartVersion){mem_strdup(name), steal(&version), steal(&tag)};
	return true;
}

/* --- signatures --- */

bool chart_oci_verify(ChartSource *source, const ChartVersion *version, const json_t *verify,
		      Error *err)
{
	autoocidescriptor OciDescriptor found = {0};
	if (!registry_resolve(source->registry, version->url, &found, err))
		return err_wrap(err, "failed to verify %s:%s", source->shown_url, version->url);
	autofree char *what = mem_printf("version %s", version->version);
	const SourceVerification verification = {.verify = verify,
						 .registry = source->registry,
						 .reference = &source->reference,
						 .digest = found.digest,
						 .what = what};
	if (!source_verify(source->run, &verification, err))
		return false;
	free(source->digest);
	source->digest = steal(&found.digest);
	return true;
}

/* --- pulling --- */

static bool pull_layer(ChartSource *source, const ChartVersion *version, int fd, Error *err)
{
	const SourceContext *context = run_context(source->run);
	int max = context->options->helm_chart_max_size;
	autoocimanifest OciManifest manifest = {0};
	const char *reference = source->digest ? source->digest : version->url;
	if (!registry_image(source->registry, reference, &manifest, err))
		return false;
	const OciDescriptor *layer = chart_layer(&manifest, err);
	if (!layer)
		return false;
	if (layer->size > max)
		return err_set(err, ERR_LIMIT, "size of chart '%s' exceeds '%d' bytes limit",
			       version->name, max);
	return registry_blob(source->registry, layer, (uint64_t)max, fd, err);
}

bool chart_oci_pull(ChartSource *source, const ChartVersion *version, int fd, Error *err)
{
	return pull_layer(source, version, fd, err) ||
	       err_wrap(err, "failed to get '%s:%s'", source->shown_url, version->version);
}
