/* What the files of --dependency-update share. */
#ifndef CLI_HELM_UPDATE_H
#define CLI_HELM_UPDATE_H

#include "data/json.h"
#include "helm/chart.h"

/*
 * Writes Chart.lock (of an old chart requirements.lock) into the chart's directory, unless one of
 * the same digest is there. `wanted` is what Chart.yaml asks for with the repositories' URLs,
 * `locked` name, version and repository of each. ERR_INVALID where it is a link.
 */
bool helm_lock_write(const char *dir, const HelmChart *chart, const json_t *wanted,
		     const json_t *locked, Error *err) MUST_USE;

#endif
