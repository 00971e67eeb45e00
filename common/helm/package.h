/* A chart back into an archive. The bytes depend on the chart alone: times are 1970, owners 0. */
#ifndef HELM_PACKAGE_H
#define HELM_PACKAGE_H

#include "helm/chart.h"

/* The chart's own file of that name (values.yaml, Chart.lock), or NULL. Borrowed. */
HelmFile *helm_chart_raw(const HelmChart *chart, const char *name);

/*
 * Writes a .tgz as `helm package` has it: Chart.yaml (from the metadata), Chart.lock, values.yaml,
 * values.schema.json, templates, files, then the charts in it. ERR_INVALID in Helm's words.
 */
bool helm_chart_package(const HelmChart *chart, int fd, Error *err) MUST_USE;

#endif
