/* A chart from a HelmRepository: found, pulled, and packed anew only when its values change. */
#include <ctype.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "helm/archive.h"
#include "helm/package.h"
#include "helmchart.h"

/* ^([-a-z0-9]+/?\.?)+$ */
static bool is_chart_name(const char *name)
{
	if (!*name || *name == '/' || *name == '.')
		return false;
	for (const char *at = name; *at; at++) {
		bool plain =
			*at == '-' || isdigit((unsigned char)*at) || (*at >= 'a' && *at <= 'z');
		bool separator = *at == '/' || *at == '.';
		/* Separators follow a word, at most "/" and then ".". */
		if (!plain && !separator)
			return false;
		if (separator && (at[-1] == '.' || (*at == '/' && at[-1] == '/')))
			return false;
	}
	return true;
}

static bool check_name(const HelmChartView *view, Error *err)
{
	if (is_chart_name(view->chart))
		return true;
	err_set(err, ERR_INVALID,
		"invalid chart name '%s': a valid name must be lower case letters and numbers and "
		"MAY be separated with dashes (-), slashes (/) or periods (.)",
		view->chart);
	return chart_build_fail(CHART_REFERENCE, err);
}

static bool find(ChartSource *source, const HelmChartView *view, ChartVersion *out, Error *err)
{
	bool is_reference = false;
	if (chart_source_find(source, view->chart, view->version, out, &is_reference, err))
		return true;
	err_wrap(err, "failed to get chart version for remote reference");
	return chart_build_fail(is_reference ? CHART_REFERENCE : CHART_PULL, err);
}

/* Each run, whether anything is pulled or not: keys may have been taken back. */
static bool verify(Run *run, const HelmChartView *view, ChartSource *source,
		   const ChartVersion *version, Error *err)
{
	if (cstr_empty(json_text(view->verify, "provider")) ||
	    chart_source_verify(source, version, view->verify, err))
		return true;
	if (err->not_yet)
		return false;
	chart_build_fail(CHART_VERIFICATION, err);
	condition_set(run_object(run), "SourceVerified", "False", "VerificationError",
		      err_text(err));
	return false;
}

/* The archive in a file without a name, known to be a chart; -1 and err. */
static int pull(Run *run, ChartSource *source, const ChartVersion *version, Error *err)
{
	const SourceContext *context = run_context(run);
	run_progress(run);
	autofd int fd = fd_nameless(workdir_path(context->workdir), err);
	if (fd < 0 || !chart_source_pull(source, version, fd, err)) {
		err_wrap(err, "failed to download chart for remote reference");
		chart_build_fail(CHART_PULL, err);
		return -1;
	}
	return fd_steal(&fd);
}

static bool keep_unchanged(Run *run, int *fd, ChartBuild *out, Error *err)
{
	const SourceContext *context = run_context(run);
	autojson json_t *metadata =
		helm_archive_metadata(*fd, (size_t)context->options->helm_chart_file_max_size, err);
	if (!metadata) {
		err_wrap(err, "failed to load chart metadata from written chart");
		return chart_build_fail(CHART_PULL, err);
	}
	out->fd = fd_steal(fd);
	out->complete = true;
	return true;
}

/* A values file of the chart's own. */
static const Str *read_own(void *arg, const char *path, Error *err)
{
	const HelmChart *chart = arg;
	(void)err;
	autofree char *clean = path_clean(path);
	const HelmFile *values =
		cstr_eq(clean, "values.yaml") ? helm_chart_raw(chart, clean) : NULL;
	if (values)
		return &values->data;
	for (size_t i = 0; i < chart->files.len; i++) {
		const HelmFile *file = chart->files.items[i];
		if (cstr_eq(file->name, clean))
			return &file->data;
	}
	return NULL;
}

static bool package(Run *run, const HelmChartView *view, int fd, ChartBuild *out, Error *err)
{
	HelmChart *chart = helm_chart_of_archive_fd(run_arena(run), fd, err);
	if (!chart) {
		err_wrap(err, "failed to load downloaded chart");
		return chart_build_fail(CHART_PACKAGE, err);
	}
	return chart_build_values(run, view, chart, read_own, chart, "failed to merge chart values",
				  out, err) &&
	       chart_build_package(run, chart, out, err);
}

static bool build(Run *run, const HelmChartView *view, ChartSource *source, ChartBuild *out,
		  Error *err)
{
	autochartversion ChartVersion version = {0};
	bool packaged = helmchart_values_files(view) != NULL;
	autofree char *metadata =
		packaged ? mem_printf("%lld", (long long)object_generation(run_object(run))) : NULL;
	if (!find(source, view, &version, err) || !verify(run, view, source, &version, err))
		return false;
	if (!chart_build_name(out, version.name, version.version, metadata, err))
		return false;
	if (chart_build_is_stored(run, view, packaged, out))
		return true;
	autofd int fd = pull(run, source, &version, err);
	if (fd < 0)
		return false;
	return packaged ? package(run, view, fd, out, err) : keep_unchanged(run, &fd, out, err);
}

static bool has_word(const char *text, const char *word)
{
	for (const char *at = text; (at = strstr(at, word)); at++) {
		size_t len = strlen(word);
		if ((at == text || !isalnum((unsigned char)at[-1])) &&
		    !isalnum((unsigned char)at[len]))
			return true;
	}
	return false;
}

/* Upstream looks for these in the text of the error, where a port or a digest may hold a 401, too:
 * here they are words. */
static bool is_refused(const Error *err)
{
	static const char *const words[] = {"401", "unauthorized", "authentication required", "tls",
					    "unknown certificate authority"};
	if (cstr_eq(err->reason, "InvalidChartReference"))
		return false;
	if (err->code == ERR_UNAUTHORIZED)
		return true;
	for (size_t i = 0; i < COUNT(words); i++)
		if (has_word(err_text(err), words[i]))
			return true;
	return false;
}

bool helmchart_build_remote(Run *run, const HelmChartView *view, const json_t *source,
			    ChartBuild *out, Error *err)
{
	if (!check_name(view, err))
		return false;
	autochartsource ChartSource *from = chart_source_open(run, source, NULL, view->chart, err);
	if (!from)
		return false;
	if (build(run, view, from, out, err))
		return true;
	if (is_refused(err)) {
		err_wrap(err, "failed to authenticate with the Helm repository");
		err_reason(err, "AuthenticationFailed");
	}
	return false;
}
