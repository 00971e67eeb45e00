/*
 * Charts by the digest of their artifact: fetched and verified once, loaded and parsed once, shared
 * by all releases that use them. Thread-safe.
 */
#ifndef HELM_CONTROLLER_CHARTS_H
#define HELM_CONTROLLER_CHARTS_H

#include "artifact/fetch.h"
#include "helm/chart_cache.h"

/* Since the start, for metrics. */
typedef struct {
	atomic_size_t loaded; /* charts */
	atomic_size_t parsed; /* their templates */
} ChartCounts;

typedef struct {
	ChartCounts *counts;
	ArtifactCache *artifacts; /* of files (ArtifactCacheConfig.as_files) */
	HelmChartCache *cache;
} Charts;

/*
 * The chart of an artifact, its version with `build` as build metadata ("1.2.3+BUILD") where that
 * is not NULL. Errors as artifact_cache_get's; ERR_INVALID for what is no chart. One reference, the
 * caller's.
 */
PreparedChart *charts_get(const Charts *charts, const Artifact *artifact, const char *build,
			  Error *err) MUST_USE;

/*
 * What of a source's revision becomes build metadata: the first 12 digits of its digest (H24). For
 * OCIRepositories, and ExternalArtifacts whose revision holds ":"; else NULL with err unset.
 * *out_digest is the whole digest. Both owned. ERR_INVALID.
 */
char *chart_build_of(const char *source_kind, const char *revision, char **out_digest, Error *err);

/* A tag that is a version must be the chart's (H26). ERR_INVALID. */
bool chart_fits_tag(const HelmChart *chart, const char *revision, Error *err) MUST_USE;

#endif
