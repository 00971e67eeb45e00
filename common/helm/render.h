/* Running a chart's templates: order, contexts, and errors as Helm words them. */
#ifndef HELM_RENDER_H
#define HELM_RENDER_H

#include "gotmpl/gotmpl.h"

/* One template of a chart or of a chart in it. */
typedef struct {
	const char *name;      /* "root/charts/sub/templates/f.yaml" */
	const char *base_path; /* "root/charts/sub/templates" */
	Str text;	       /* borrowed */
	GoMap *context;	       /* of its chart, shared by its templates; set while running only */
	char *output;	       /* owned once rendered; NULL for partials ("_...") */
	size_t output_len;
} HelmTemplate;

/* Sorts templates into the order in which Helm parses and runs them: deeper ones first, then from z
 * to a. */
void helm_templates_sort(HelmTemplate *templates, size_t count);

/* Runs sorted templates in their order; fills their outputs. ERR_INVALID as Helm words it:
 * "execution error at (FILE:LINE:COLUMN): ..." for required and fail, else a stack of places. */
bool helm_templates_run(const GotmplSet *set, HelmTemplate *templates, size_t count,
			const GotmplLimits *limits, Arena *arena, Error *err) MUST_USE;

#endif
