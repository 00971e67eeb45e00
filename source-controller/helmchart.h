/* HelmChart: its typed view, and the steps that its files share. */
#ifndef SOURCE_CONTROLLER_HELMCHART_H
#define SOURCE_CONTROLLER_HELMCHART_H

#include "helm/chart.h"
#include "helmrepository.h"
#include "oci/reference.h"

/* spec, parsed once; all borrowed from the run's object. */
typedef struct {
	const char *chart, *version; /* version: "" is the newest */
	int64_t interval_ms;
	const char *source_kind, *source_name;
	bool by_revision; /* reconcileStrategy */
	const json_t *values_files;
	bool ignore_missing;
	const json_t *verify;
} HelmChartView;

void helmchart_parse(const json_t *object, HelmChartView *out);

/* spec.valuesFiles, NULL when they say no more than the chart itself: values.yaml. Borrowed. */
const json_t *helmchart_values_files(const HelmChartView *view);

/* What came of a build. */
typedef struct {
	char *name, *version; /* NULL: not known */
	bool complete;	      /* the chart is in fd, or, without one, in storage already */
	bool packaged;	      /* it is no copy */
	int fd;		      /* -1: none */
	json_t *values_files; /* that were merged, or NULL */
	size_t resolved;      /* dependencies that were added */
} ChartBuild;
void chart_build_dispose(ChartBuild *build);
#define autochartbuild __attribute__((cleanup(chart_build_dispose)))

/*
 * Builds the chart from its source, an object with an artifact or a HelmRepository of type oci.
 * Errors have upstream's reason; for those of chart_build_fail helmchart.c knows the condition.
 */
bool helmchart_build(Run *run, const HelmChartView *view, const json_t *source, ChartBuild *out,
		     Error *err) MUST_USE;

/* --- helmchart_build.c --- */

typedef enum {
	CHART_REFERENCE,
	CHART_PULL,
	CHART_METADATA,
	CHART_VALUES,
	CHART_DEPENDENCY,
	CHART_PACKAGE,
	CHART_VERIFICATION,
} ChartFailure;

/* "SUMMARY: err's text", with the reason. Returns false. */
bool chart_build_fail(ChartFailure failure, Error *err);

/* The condition for such a reason: BuildFailed, or FetchFailed. Static. */
const char *chart_failure_condition(const char *reason);

/* Sets name and version, the latter with `metadata` (may be NULL) as SemVer build metadata. */
bool chart_build_name(ChartBuild *build, const char *name, const char *version,
		      const char *metadata, Error *err) MUST_USE;

/* True, and the build is complete, when storage has a chart of that name and version that was made
 * for this generation. */
bool chart_build_is_stored(Run *run, const HelmChartView *view, bool packaged, ChartBuild *build);

/* The text of a values file; NULL without err: there is none. Borrowed from the arena. */
typedef const Str *ChartValuesFn(void *arg, const char *path, Error *err);

/* Puts the merged values files in place of the chart's values.yaml (S71, S72). `merging` is what
 * upstream calls it, or NULL. */
bool chart_build_values(Run *run, const HelmChartView *view, HelmChart *chart, ChartValuesFn *read,
			void *arg, const char *merging, ChartBuild *build, Error *err) MUST_USE;

/* Packs the chart under the build's version into build->fd. */
bool chart_build_package(Run *run, HelmChart *chart, ChartBuild *build, Error *err) MUST_USE;

/* --- helmchart_tree.c, helmchart_remote.c: by source --- */

bool helmchart_build_tree(Run *run, const HelmChartView *view, const json_t *source,
			  ChartBuild *out, Error *err) MUST_USE;
bool helmchart_build_remote(Run *run, const HelmChartView *view, const json_t *source,
			    ChartBuild *out, Error *err) MUST_USE;

/* --- helmchart_source.c --- */

/* A repository that charts are pulled from, over HTTP or OCI. One thread at a time. */
typedef struct ChartSource ChartSource;

/* A chart's version in it. */
typedef struct {
	char *name, *version, *url; /* owned; url: where it is, relative or with a tag */
} ChartVersion;
void chart_version_dispose(ChartVersion *version);
#define autochartversion __attribute__((cleanup(chart_version_dispose)))

/* From a HelmRepository object, for that chart; or, with `named_by`, from one made up of a URL
 * alone that a chart of that host names, and that then must not lead from outside inside. Errors
 * have a reason; of those "Failed" stalls. Owned. */
ChartSource *chart_source_open(Run *run, const json_t *repository, const char *named_by,
			       const char *chart, Error *err) MUST_USE;
void chart_source_close(ChartSource *source);
AUTO_POINTER(ChartSource, chart_source_close, auto_chart_source);
#define autochartsource __attribute__((cleanup(auto_chart_source)))

/* The version of a chart that a range means; ERR_NOT_FOUND and ERR_INVALID of an index say that the
 * reference is wrong, which *out_is_reference tells apart from what may heal. */
bool chart_source_find(ChartSource *source, const char *name, const char *range, ChartVersion *out,
		       bool *out_is_reference, Error *err) MUST_USE;

/* Checks the version's signatures by spec.verify, setting SourceVerified; what is pulled then is
 * what was signed. False for repositories over HTTP (S79). */
bool chart_source_verify(ChartSource *source, const ChartVersion *version, const json_t *verify,
			 Error *err) MUST_USE;

/* The chart's archive into fd, at most --helm-chart-max-size bytes (S75). */
bool chart_source_pull(ChartSource *source, const ChartVersion *version, int fd,
		       Error *err) MUST_USE;

/* --- helmchart_dependencies.c --- */

/* Where a chart in a tree is: the source's directory, the chart's below it, the source's host. */
typedef struct {
	const char *root, *path, *host;
} ChartPlace;

/* Adds the dependencies that the chart lacks (S74). */
bool helmchart_add_dependencies(Run *run, const ChartPlace *place, HelmChart *chart,
				size_t *out_count, Error *err) MUST_USE;

#endif
