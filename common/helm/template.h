/* A chart and values to manifests: what an installation renders, and `helm template` prints. */
#ifndef HELM_TEMPLATE_H
#define HELM_TEMPLATE_H

#include "helm/context.h"
#include "helm/postrender.h"
#include "helm/prepared.h"

typedef struct {
	HelmRelease release;
	HelmCapabilities capabilities;
	GotmplLimits limits; /* also lookup in a cluster, and DNS */
	HelmPostRenderer postrenderer;
	const json_t *defaults; /* in place of the chart's own values; or NULL */
	bool skip_schema;
	bool subchart_notes; /* NOTES.txt of charts below too */
} HelmOptions;

/* How far it came: errors of templates and manifests leave something to show. */
typedef enum { HELM_AT_VALUES, HELM_AT_RENDERING, HELM_DONE } HelmStage;

/*
 * Dependencies, values, schema, templates, sorting. `values` are the user's; `prepared` is shared
 * and must outlive the arena, in which all of the result lives. *out_chart is the chart as this
 * release has it: aliases applied, disabled charts gone. ERR_INVALID in Helm's words, and
 * *out_stage says where.
 */
bool helm_template(Arena *arena, PreparedChart *prepared, const json_t *values,
		   const HelmOptions *options, HelmManifests *out, HelmChart **out_chart,
		   HelmStage *out_stage, Error *err) MUST_USE;

/* Names of releases: DNS-1123 subdomains of at most 53 bytes. ERR_INVALID in Helm's words. */
bool helm_release_name_check(const char *name, Error *err) MUST_USE;

/* Appends "---\n# Source: PATH\nTEXT\n". */
void helm_manifest_write(const char *path, Str text, Buf *out);
/* Pushes the files of crds/ (HelmOutput *, in the arena), the chart's before those of charts in it.
 * Their paths begin with the chart's. */
void helm_crds_list(Arena *arena, const HelmChart *chart, Vec *out);
/* Appends each as helm_manifest_write does. */
void helm_crds_write(Arena *arena, const HelmChart *chart, Buf *out);

#endif
