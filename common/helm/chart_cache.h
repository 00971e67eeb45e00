/*
 * Prepared charts by the digest of their archive, shared by all releases of a chart. Thread-safe.
 * What was not asked for the longest time goes when the cache is full; who holds such a chart keeps
 * it.
 */
#ifndef HELM_CHART_CACHE_H
#define HELM_CHART_CACHE_H

#include "helm/prepared.h"

typedef struct HelmChartCache HelmChartCache;

/* `max_bytes` of charts and their parsed templates; one chart above that is kept alone. Owned. */
HelmChartCache *helm_chart_cache_new(size_t max_bytes);
void helm_chart_cache_free(HelmChartCache *cache);
AUTO_POINTER(HelmChartCache, helm_chart_cache_free, auto_helm_chart_cache);
#define autohelmchartcache __attribute__((cleanup(auto_helm_chart_cache)))

/* Makes the chart of a digest that the cache does not have. One reference, the caller's. */
typedef PreparedChart *(*HelmPrepare)(void *context, Error *err);

/*
 * The chart of a digest, which `prepare` loads when it is new: called without a lock, and by one of
 * those who ask for a new chart at once, while the others wait; where it fails they try for
 * themselves. One reference, the caller's; NULL with prepare's error.
 */
PreparedChart *helm_chart_cache_get(HelmChartCache *cache, const char *digest, HelmPrepare prepare,
				    void *context, Error *err) MUST_USE;

#endif
