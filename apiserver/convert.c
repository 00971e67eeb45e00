/*
 * An Event of events.k8s.io/v1 has other names for some members. An autoscaling/v1 autoscaler has
 * one metric, the CPU's; other metrics and the behavior are not seen there, and gone when such an
 * object is written back (upstream keeps them in annotations).
 */
#include "convert.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"

static const char events[] = "events.events.k8s.io";

static const struct {
	const char *shown, *stored;
} event_members[] = {
	{"regarding", "involvedObject"},
	{"note", "message"},
	{"reportingController", "reportingComponent"},
	{"deprecatedSource", "source"},
	{"deprecatedFirstTimestamp", "firstTimestamp"},
	{"deprecatedLastTimestamp", "lastTimestamp"},
	{"deprecatedCount", "count"},
};

static bool is_event(const Resource *resource)
{
	return strcmp(resource->key, events) == 0;
}

static bool is_old_scaler(const Resource *resource)
{
	return strcmp(resource->api_version, "autoscaling/v1") == 0 &&
	       strcmp(resource->plural, "horizontalpodautoscalers") == 0;
}

static void rename_member(json_t *object, const char *from, const char *to)
{
	json_t *value = json_object_get(object, from);
	if (!value)
		return;
	json_object_set(object, to, value);
	json_object_del(object, from);
}

/* The CPU's share among an autoscaler's metrics: "target" of spec, "current" of status. */
static json_t *cpu_share(const json_t *metrics, const char *what)
{
	size_t i;
	json_t *metric;
	json_array_foreach(metrics, i, metric)
	{
		const json_t *resource = json_map(metric, "resource");
		if (cstr_eq(json_text(resource, "name"), "cpu"))
			return json_object_get(json_map(resource, what), "averageUtilization");
	}
	return NULL;
}

/* The one metric that the old version has, into a list of metrics. */
static void share_to_metrics(json_t *part, const char *share, const char *metrics, const char *what)
{
	json_t *value = json_object_get(part, share);
	if (!json_is_integer(value))
		return;
	json_t *measure = json_pack("{s:O}", "averageUtilization", value);
	if (strcmp(what, "target") == 0)
		json_put_text(measure, "type", "Utilization");
	json_object_set_new(part, metrics,
			    json_pack("[{s:s,s:{s:s,s:o}}]", "type", "Resource", "resource", "name",
				      "cpu", what, measure));
	json_object_del(part, share);
}

static void metrics_to_share(json_t *part, const char *share, const char *metrics, const char *what)
{
	json_t *value = cpu_share(json_list(part, metrics), what);
	if (value)
		json_object_set(part, share, value);
	json_object_del(part, metrics);
}

void convert_to_stored(const Resource *resource, json_t *object)
{
	for (size_t i = 0; is_event(resource) && i < COUNT(event_members); i++)
		rename_member(object, event_members[i].shown, event_members[i].stored);
	if (!is_old_scaler(resource))
		return;
	share_to_metrics(json_map(object, "spec"), "targetCPUUtilizationPercentage", "metrics",
			 "target");
	share_to_metrics(json_map(object, "status"), "currentCPUUtilizationPercentage",
			 "currentMetrics", "current");
}

void convert_from_stored(const Resource *resource, json_t *object)
{
	for (size_t i = 0; is_event(resource) && i < COUNT(event_members); i++)
		rename_member(object, event_members[i].stored, event_members[i].shown);
	if (!is_old_scaler(resource))
		return;
	json_t *spec = json_copy(json_map(object, "spec"));
	json_t *status = json_copy(json_map(object, "status"));
	metrics_to_share(spec, "targetCPUUtilizationPercentage", "metrics", "target");
	metrics_to_share(status, "currentCPUUtilizationPercentage", "currentMetrics", "current");
	json_object_del(spec, "behavior");
	json_object_del(status, "conditions");
	if (spec)
		json_object_set_new(object, "spec", spec);
	if (status)
		json_object_set_new(object, "status", status);
}

bool convert_field(const Resource *resource, const char *field, char **out_stored)
{
	for (size_t i = 0; is_event(resource) && i < COUNT(event_members); i++) {
		size_t len = strlen(event_members[i].shown);
		if (strncmp(field, event_members[i].shown, len) != 0 ||
		    (field[len] != '.' && field[len] != '\0'))
			continue;
		*out_stored = mem_printf("%s%s", event_members[i].stored, field + len);
		return true;
	}
	return false;
}
