/* A chart and values to manifests: what an installation renders, and `helm template` prints. */
#ifndef HELM_TEMPLATE_H
#define HELM_TEMPLATE_H

#include "helm/context.h"
#include "helm/manifest.h"

typedef struct {
	HelmRelease release;
	HelmCapabilities capabilities;
	GotmplLimits limits;
	bool skip_schema;
} HelmOptions;

/* How far it came: errors of templates and manifests leave something to show. */
typedef enum { HELM_AT_VALUES, HELM_AT_RENDERING, HELM_DONE } HelmStage;

/*
 * Dependencies, values, schema, templates, sorting. `chart` is copied before it is changed and may
 * be shared; `values` are the user's. The result points into the arena. ERR_INVALID in Helm's
 * words, and *out_stage says where.
 */
bool helm_template(Arena *arena, const HelmChart *chart, const json_t *values,
		   const HelmOptions *options, HelmManifests *out, HelmChart **out_chart,
		   HelmStage *out_stage, Error *err) MUST_USE;

/* Appends "---\n# Source: PATH\nTEXT\n". */
void helm_manifest_write(const char *path, Str text, Buf *out);
/* Appends the files of crds/, the chart's before those of charts in it. */
void helm_crds_write(Arena *arena, const HelmChart *chart, Buf *out);

#endif
