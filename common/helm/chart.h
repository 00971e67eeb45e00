/*
 * A chart: its metadata, values, templates, files and the charts in it. Loaded from a directory or
 * an archive, within limits; everything lives in the arena it was loaded into.
 */
#ifndef HELM_CHART_H
#define HELM_CHART_H

#include "base/arena.h"
#include "base/str.h"
#include "base/vec.h"
#include "data/json.h"

enum {
	HELM_MAX_FILE_BYTES = 5 << 20,
	HELM_MAX_CHART_BYTES = 100 << 20,
	HELM_MAX_FILES = 20000,
	HELM_MAX_DEPTH = 20, /* of charts in charts */
};

typedef struct {
	const char *name; /* relative to its chart, with slashes */
	Str data;
} HelmFile;

typedef struct HelmChart HelmChart;

struct HelmChart {
	json_t *metadata; /* Chart.yaml's fields by their JSON names, strings made strings */
	json_t *values;	  /* an object */
	Str schema;	  /* values.schema.json; a NULL pointer when there is none */
	Vec templates, files, raw; /* HelmFile * */
	Vec charts;		   /* HelmChart * */
	HelmChart *parent;
};

/* From files as an archive or a directory holds them. ERR_INVALID in Helm's words. */
HelmChart *helm_chart_of_files(Arena *arena, const HelmFile *files, size_t count,
			       Error *err) MUST_USE;
/* A directory, with its .helmignore, or a .tgz file. */
HelmChart *helm_chart_load(Arena *arena, const char *path, Error *err) MUST_USE;

/* The metadata's member, "" when absent. Borrowed. */
const char *helm_chart_name(const HelmChart *chart);
const char *helm_chart_field(const HelmChart *chart, const char *field);
/* "root/charts/sub" */
const char *helm_chart_path(Arena *arena, const HelmChart *chart);

/* A chart and the charts in it, with metadata and values of its own: dependencies may then be
 * processed without touching what others share. */
HelmChart *helm_chart_copy(Arena *arena, const HelmChart *chart);

#endif
