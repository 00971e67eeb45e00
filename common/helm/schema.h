/* JSON Schema, drafts 4 to 2020-12, as far as charts use it; errors as Helm prints them. */
#ifndef HELM_SCHEMA_H
#define HELM_SCHEMA_H

#include "helm/chart.h"

/*
 * Checks coalesced values against a chart's schema and those of the charts in it. ERR_INVALID with
 * every breach: "CHART:\n- at '/a/b': got string, want integer\n". References lead within the
 * schema only: nothing is fetched. What is not done by until_ms (clock_mono_ms()) is a breach.
 */
bool helm_schema_check(const HelmChart *chart, const json_t *values, int64_t until_ms,
		       Error *err) MUST_USE;

#endif
