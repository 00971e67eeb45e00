/* Chart values: reading, merging, and what a chart and the charts in it get to see. */
#ifndef HELM_VALUES_H
#define HELM_VALUES_H

#include "helm/chart.h"

/* All YAML documents of a text merged, later ones winning; every number a real, as Helm has them.
 * Owned. */
json_t *helm_values_parse(Str text, Error *err) MUST_USE;
/* Puts src over dst: maps merge, everything else is replaced. */
void helm_values_merge(json_t *dst, const json_t *src);

/* A chart's defaults under `values`, down through the charts in it, null removing a default and
 * globals reaching everybody (Helm's CoalesceValues); with keep_nulls its MergeValues. Owned. */
json_t *helm_values_coalesce(const HelmChart *chart, const json_t *values, bool keep_nulls,
			     Error *err) MUST_USE;
/* dst over src, both maps; changes both. */
void helm_tables_coalesce(json_t *dst, json_t *src, bool keep_nulls);

/* The value at "a.b.c"; NULL when a part is missing. Borrowed. */
json_t *helm_values_at(const json_t *values, const char *path);

#endif
