/* What templates see: .Chart, .Release, .Capabilities, .Files, .Values, .Subcharts. */
#ifndef HELM_CONTEXT_H
#define HELM_CONTEXT_H

#include "helm/chart.h"
#include "helm/render.h"

typedef struct {
	const char *name, *ns;
	int64_t revision;
	bool is_upgrade;
} HelmRelease;

typedef struct {
	const char *kube_version; /* as given: "v1.36.0"; NULL: the default */
	const Vec *api_versions;  /* const char *: added to the default ones, or all of them */
	bool only_api_versions;	  /* of a live cluster: no defaults */
} HelmCapabilities;

/* The version of Kubernetes that templates see without a cluster. */
extern const char helm_default_kube_version[];
/* "1.30", "v1.30.2-gke.1" to "v1.30.2"; false when it is no version. Owned. */
char *helm_kube_version_normal(const char *version, Error *err) MUST_USE;

/* The templates of a chart and of those in it, sorted, each with its chart's context. `values` is
 * coalesced and borrowed for the arena's life. */
bool helm_templates_of(Arena *arena, const HelmChart *chart, const json_t *values,
		       const HelmRelease *release, const HelmCapabilities *capabilities,
		       HelmTemplate **out_templates, size_t *out_count, Error *err) MUST_USE;

#endif
