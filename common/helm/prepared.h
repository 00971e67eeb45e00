/*
 * A chart made ready for any number of renders: loaded once, its templates parsed when they are
 * first needed and kept. Immutable for those who hold it and shared by threads, with different
 * values, releases and clusters. Which charts below take part depends on values, and an alias
 * gives a chart's templates other names, so what is kept is each template by its name; a render
 * puts its own set of them together.
 */
#ifndef HELM_PREPARED_H
#define HELM_PREPARED_H

#include <stdatomic.h>

#include "helm/chart.h"
#include "helm/render.h"

typedef struct PreparedChart PreparedChart;

/* Of a chart that was loaded into the arena (helm_chart_load, helm_chart_of_archive), both of
 * which are the result's. One reference, the caller's. */
PreparedChart *prepared_chart_new(Arena *take_arena, HelmChart *chart);
PreparedChart *prepared_chart_ref(PreparedChart *prepared);
void prepared_chart_unref(PreparedChart *prepared);
AUTO_POINTER(PreparedChart, prepared_chart_unref, auto_prepared_chart);
#define autopreparedchart __attribute__((cleanup(auto_prepared_chart)))

/* Each template that is parsed from now on adds one to it; borrowed, and to outlive the chart.
 * Before the chart is shared. */
void prepared_chart_count(PreparedChart *prepared, atomic_size_t *parsed);

/* The chart as it was loaded: nobody changes it. Borrowed. */
const HelmChart *prepared_chart_chart(const PreparedChart *prepared);
/* Bytes that it holds, parsed templates included. */
size_t prepared_chart_size(PreparedChart *prepared);

/*
 * The set of sorted templates of the chart: parsed where they were not yet. It lives in `arena` and
 * as long as the chart. ERR_INVALID "parse error at (FILE:LINE): ...", as Helm words it.
 */
const GotmplSet *prepared_chart_set(PreparedChart *prepared, const HelmTemplate *templates,
				    size_t count, Arena *arena, Error *err) MUST_USE;

#endif
