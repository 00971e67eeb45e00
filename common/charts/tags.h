/*
 * Charts in OCI registries: one repository a chart, one tag a version, "+" written as "_", the
 * archive a layer of the manifest.
 */
#ifndef CHARTS_TAGS_H
#define CHARTS_TAGS_H

#include "oci/registry.h"

#define CHART_PROVENANCE_TYPE "application/vnd.cncf.helm.chart.provenance.v1.prov"

/* A repository of a registry, as messages name it; all borrowed. */
typedef struct {
	Registry *registry;
	const char *name; /* of the chart */
	const char *url;  /* "oci://HOST/REPOSITORY" */
} ChartTags;

/*
 * The version that `wanted` means: itself where a tag says so, else the newest of the tags in that
 * range; "" is any that is no prerelease. Owned. ERR_NOT_FOUND, ERR_INVALID for a range that is
 * none, and the registry's.
 */
char *chart_tags_find(const ChartTags *tags, const char *wanted, Error *err) MUST_USE;

/* The tag of a version. Owned. */
char *chart_tag_of(const char *version);

/* The layer of a chart's manifest with the archive; ERR_INVALID when it is no chart. Borrowed. */
const OciDescriptor *chart_layer(const OciManifest *manifest, Error *err) MUST_USE;

#endif
