#include "helm/render.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/path.h"
#include "helm/render_error.h"

static size_t depth_of(const char *name)
{
	size_t depth = 0;
	for (; *name; name++)
		depth += *name == '/';
	return depth;
}

/* Deeper ones first; of the same depth the greater name. */
static int compare_templates(const void *a, const void *b)
{
	const HelmTemplate *first = a, *second = b;
	size_t first_depth = depth_of(first->name), second_depth = depth_of(second->name);
	if (first_depth != second_depth)
		return first_depth > second_depth ? -1 : 1;
	return strcmp(second->name, first->name);
}

void helm_templates_sort(HelmTemplate *templates, size_t count)
{
	if (count > 1)
		qsort(templates, count, sizeof(*templates), compare_templates);
}

static void put_template(Arena *arena, const HelmTemplate *template)
{
	GoMap *self = go_map_new(arena, GO_VALUES);
	go_map_put(arena, self, STR("Name"), go_cstr(template->name));
	go_map_put(arena, self, STR("BasePath"), go_cstr(template->base_path));
	go_map_put(arena, template->context, STR("Template"), go_map(self));
}

static bool run_one(GoRun *run, HelmTemplate *template, Arena *arena, Error *err)
{
	autobuf Buf text = {0};
	autoerror Error cause = {0};
	GoValue context = go_map(template->context);
	context.type = GO_VALUES; /* what typeOf says of the whole context */
	put_template(arena, template);
	if (!gotmpl_execute(run, template->name, context, &text, &cause))
		return run_error_reword(run, &cause, err);
	gotmpl_drop_no_value(&text);
	template->output_len = text.len;
	free(template->output);
	template->output = buf_steal(&text);
	return true;
}

bool helm_templates_run(const GotmplSet *set, HelmTemplate *templates, size_t count,
			const GotmplLimits *limits, Arena *arena, Error *err)
{
	GoRun *run = gotmpl_run_new(set, arena, limits);
	for (size_t i = 0; i < count; i++) {
		if (path_base(templates[i].name)[0] == '_')
			continue;
		if (!run_one(run, &templates[i], arena, err))
			return false;
	}
	return true;
}
