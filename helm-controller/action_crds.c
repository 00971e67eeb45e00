/*
 * The files of crds/, before anything else of a release (helm-controller.md 13): created, or also
 * updated, never deleted, and awaited, so that the templates' objects find their kinds.
 */
#include "action_internal.h"

#include "base/mem.h"
#include "helm/dependencies.h"

enum { WAIT_MS = 60000 };

static bool has_crds(const HelmChart *chart)
{
	for (size_t i = 0; i < chart->files.len; i++)
		if (cstr_starts(((const HelmFile *)chart->files.items[i])->name, "crds/"))
			return true;
	for (size_t i = 0; i < chart->charts.len; i++)
		if (has_crds(chart->charts.items[i]))
			return true;
	return false;
}

/* Without the charts that values switch off (H82). */
static bool read_texts(const Action *action, Buf *out, Error *err)
{
	autoarena Arena *arena = arena_new();
	autojson json_t *none = json_object();
	const json_t *values = action->input.values ? action->input.values : none;
	HelmChart *chart = helm_chart_copy(arena, prepared_chart_chart(action->input.chart));
	if (!helm_dependencies_process(arena, chart, values, err))
		return err_wrap(err, "failed to process chart dependencies");
	helm_crds_write(arena, chart, out);
	return true;
}

/* Others are ignored (H81); what remains says whose it is. */
static void keep_crds(Action *action)
{
	Resources *crds = &action->crds;
	Resources kept = {.mode = WAIT_READY};
	const char *const *origin = action->input.origin_labels;
	for (size_t i = 0; i < crds->len; i++) {
		json_t *object = crds->items[i].object;
		if (!object_is_definition(object)) {
			action_note(
				action,
				"warning: ignoring %s \"%s\" found in the chart's crds/ directory",
				object_kind(object), object_name(object));
			continue;
		}
		json_t *labels = json_make_at(object, "metadata", "labels", NULL);
		json_put_text(labels, HR_OWNER_NAME, origin[0]);
		json_put_text(labels, HR_OWNER_NAMESPACE, origin[1]);
		resources_add(&kept, json_incref(object), crds->items[i].path);
	}
	resources_dispose(crds);
	*crds = kept;
}

StepResult step_crds(Action *action, Error *err)
{
	const HelmChart *chart = prepared_chart_chart(action->input.chart);
	autobuf Buf text = {0};
	if (action->input.options.crds == CRDS_SKIP || !has_crds(chart))
		return STEP_NEXT;
	if (!read_texts(action, &text, err))
		return STEP_FAIL;
	if (!resources_read(action, buf_text(&text), &action->crds, err))
		return STEP_FAIL;
	keep_crds(action);
	return STEP_NEXT;
}

StepResult step_apply_crds(Action *action, Error *err)
{
	bool replace = action->input.options.crds == CRDS_CREATE_REPLACE;
	bool forced = action->force_replace;
	ApplyWay way = {.separator = "\n", .force = true, .only_new = !replace};
	if (!action->crds.len)
		return STEP_NEXT;
	action_note(action, "applying %zu CustomResourceDefinition(s)", action->crds.len);
	action->force_replace = !action->server_side;
	bool ok = apply_objects(action, &action->crds, &way, err);
	action->force_replace = forced;
	return ok ? STEP_NEXT : STEP_FAIL;
}

/* Even without a wait for the release: its objects would find no kind. */
StepResult step_await_crds(Action *action, Error *err)
{
	if (!action->crds.len)
		return STEP_NEXT;
	StepResult result = wait_for(action, &action->crds, WAIT_MS, err);
	if (result == STEP_FAIL && !err->not_yet)
		err_wrap(err, "failed to wait for CustomResourceDefinition(s)");
	if (result == STEP_NEXT) {
		kube_discovery_invalidate(action->target->client);
		resources_dispose(&action->crds);
	}
	return result;
}
