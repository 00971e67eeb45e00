/* Cells of autoscalers, and of whom a role is bound to. */
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "table_cells_internal.h"

enum { METRICS_SHOWN = 2 };

static int64_t number_at(const json_t *o, const char *part, const char *name)
{
	return json_int(json_map(o, part), name, 0);
}

json_t *cell_hpa_reference(const json_t *o)
{
	const json_t *ref = json_at(o, "spec", "scaleTargetRef", NULL);
	autofree char *text =
		mem_printf("%s/%s", json_text_or(ref, "kind", ""), json_text_or(ref, "name", ""));
	return json_string(text);
}

json_t *cell_hpa_min(const json_t *o)
{
	return json_integer(json_int(json_map(o, "spec"), "minReplicas", 1));
}

json_t *cell_hpa_max(const json_t *o)
{
	return json_integer(number_at(o, "spec", "maxReplicas"));
}

json_t *cell_hpa_current(const json_t *o)
{
	return json_integer(number_at(o, "status", "currentReplicas"));
}

/* Members of a metric's spec and status, by its type (printers.go, formatHPAMetrics). */
static const struct {
	const char *type, *member;
	bool named; /* with the resource's name in front */
} metric_types[] = {
	{"External", "external", false},
	{"Pods", "pods", false},
	{"Object", "object", false},
	{"Resource", "resource", true},
	{"ContainerResource", "containerResource", true},
};

static void write_measure(const json_t *metric, const json_t *current, const char *member,
			  bool named, Buf *out)
{
	const json_t *target = json_at(metric, member, "target", NULL);
	const json_t *now = json_at(current, member, "current", NULL);
	const char *average = json_text(target, "averageValue");
	if (named)
		buf_printf(out, "%s: ", json_text_or(json_map(metric, member), "name", ""));
	if (json_object_get(target, "averageUtilization")) {
		if (json_object_get(now, "averageUtilization"))
			buf_printf(out, "%lld%%",
				   (long long)json_int(now, "averageUtilization", 0));
		else
			buf_puts(out, "<unknown>");
		buf_printf(out, "/%lld%%", (long long)json_int(target, "averageUtilization", 0));
		return;
	}
	const char *wanted = average ? average : json_text_or(target, "value", "<auto>");
	const char *seen = json_text(now, average ? "averageValue" : "value");
	bool pods = strcmp(member, "pods") == 0;
	buf_printf(out, "%s/%s%s", seen ? seen : "<unknown>", wanted,
		   average && !named && !pods ? " (avg)" : "");
}

static void write_metric(const json_t *metric, const json_t *current, Buf *out)
{
	const char *type = json_text_or(metric, "type", "");
	for (size_t i = 0; i < COUNT(metric_types); i++) {
		if (strcmp(metric_types[i].type, type) != 0)
			continue;
		write_measure(metric, current, metric_types[i].member, metric_types[i].named, out);
		return;
	}
	buf_puts(out, "<unknown type>");
}

json_t *cell_hpa_targets(const json_t *o)
{
	const json_t *metrics = json_at(o, "spec", "metrics", NULL);
	const json_t *current = json_at(o, "status", "currentMetrics", NULL);
	size_t count = json_array_size(metrics);
	autobuf Buf text = {0};
	if (count == 0)
		return json_string("<none>");
	for (size_t i = 0; i < count && i < METRICS_SHOWN; i++) {
		buf_puts(&text, i ? ", " : "");
		write_metric(json_array_get(metrics, i), json_array_get(current, i), &text);
	}
	if (count > METRICS_SHOWN)
		buf_printf(&text, " + %zu more...", count - METRICS_SHOWN);
	return json_string(buf_text(&text));
}

/* --- bindings --- */

static json_t *subjects_of(const json_t *o, const char *kind)
{
	const json_t *subjects = json_list(o, "subjects");
	autobuf Buf text = {0};
	size_t i;
	json_t *subject;
	json_array_foreach(subjects, i, subject)
	{
		if (!cstr_eq(json_text(subject, "kind"), kind))
			continue;
		const char *ns = json_text(subject, "namespace");
		buf_puts(&text, text.len ? ", " : "");
		if (ns && strcmp(kind, "ServiceAccount") == 0)
			buf_printf(&text, "%s/", ns);
		buf_puts(&text, json_text_or(subject, "name", ""));
	}
	return json_string(text.len ? buf_text(&text) : "");
}

json_t *cell_bound_users(const json_t *o)
{
	return subjects_of(o, "User");
}

json_t *cell_bound_groups(const json_t *o)
{
	return subjects_of(o, "Group");
}

json_t *cell_bound_accounts(const json_t *o)
{
	return subjects_of(o, "ServiceAccount");
}
