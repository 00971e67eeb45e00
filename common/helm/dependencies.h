/* Which of the charts in a chart take part, and what they export. */
#ifndef HELM_DEPENDENCIES_H
#define HELM_DEPENDENCIES_H

#include "helm/chart.h"

/* Applies Chart.yaml's dependencies to a chart that is the caller's own (helm_chart_copy): alias,
 * tags, condition, import-values, all the way down. */
bool helm_dependencies_process(Arena *arena, HelmChart *chart, const json_t *values,
			       Error *err) MUST_USE;
/* A version range that a version satisfies, as Helm's IsCompatibleRange. */
bool helm_version_fits(const char *range, const char *version);

#endif
