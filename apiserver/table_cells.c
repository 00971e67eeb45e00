/* Cells as kubectl users know them from a real server (kube-api.md 2.5). */
#include "table_cells_internal.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "object.h"
#include "table.h"

static json_t *take_text(char *take)
{
	json_t *value = json_string(take);
	free(take);
	return value;
}

static json_t *text_or_none(const char *text)
{
	return json_string(cstr_empty(text) ? "<none>" : text);
}

static json_t *age_of(const char *time)
{
	return take_text(table_age(cstr_empty(time) ? NULL : time, clock_wall_ms()));
}

json_t *cell_name(const json_t *o)
{
	return json_string(object_name(o));
}

json_t *cell_age(const json_t *o)
{
	return age_of(object_meta(o, "creationTimestamp"));
}

json_t *cell_created(const json_t *o)
{
	return json_string(object_meta(o, "creationTimestamp"));
}

static int64_t number_at(const json_t *o, const char *part, const char *member)
{
	return json_int(json_map(o, part), member, 0);
}

json_t *cell_type(const json_t *o)
{
	return json_string(json_text_or(o, "type", ""));
}

json_t *cell_data(const json_t *o)
{
	size_t count =
		json_object_size(json_map(o, "data")) + json_object_size(json_map(o, "binaryData"));
	return json_integer((json_int_t)count);
}

json_t *cell_phase(const json_t *o)
{
	return json_string(json_text_or(json_map(o, "status"), "phase", ""));
}

json_t *cell_pod_ready(const json_t *o)
{
	const json_t *states = json_at(o, "status", "containerStatuses", NULL);
	size_t ready = 0;
	for (size_t i = 0; i < json_array_size(states); i++)
		ready += json_flag(json_array_get(states, i), "ready", false);
	size_t all = json_array_size(json_at(o, "spec", "containers", NULL));
	return take_text(mem_printf("%zu/%zu", ready, all));
}

json_t *cell_pod_status(const json_t *o)
{
	if (object_is_deleting(o))
		return json_string("Terminating");
	const json_t *status = json_map(o, "status");
	return json_string(
		json_text_or(status, "reason", json_text_or(status, "phase", "Unknown")));
}

json_t *cell_restarts(const json_t *o)
{
	const json_t *states = json_at(o, "status", "containerStatuses", NULL);
	int64_t count = 0;
	for (size_t i = 0; i < json_array_size(states); i++)
		count += json_int(json_array_get(states, i), "restartCount", 0);
	return take_text(mem_printf("%lld", (long long)count));
}

json_t *cell_pod_ip(const json_t *o)
{
	return text_or_none(json_text_at(o, "status", "podIP", NULL));
}

json_t *cell_node(const json_t *o)
{
	return text_or_none(json_text_at(o, "spec", "nodeName", NULL));
}

json_t *cell_none(const json_t *o)
{
	(void)o;
	return json_string("<none>");
}

json_t *cell_ready_replicas(const json_t *o)
{
	return take_text(mem_printf("%lld/%lld", (long long)number_at(o, "status", "readyReplicas"),
				    (long long)json_int(json_map(o, "spec"), "replicas", 1)));
}

json_t *cell_updated(const json_t *o)
{
	return json_integer(number_at(o, "status", "updatedReplicas"));
}

json_t *cell_available(const json_t *o)
{
	return json_integer(number_at(o, "status", "availableReplicas"));
}

json_t *cell_desired(const json_t *o)
{
	return json_integer(json_int(json_map(o, "spec"), "replicas", 1));
}

json_t *cell_current(const json_t *o)
{
	return json_integer(number_at(o, "status", "replicas"));
}

json_t *cell_ready_count(const json_t *o)
{
	return json_integer(number_at(o, "status", "readyReplicas"));
}

static json_t *joined(const json_t *list, const char *member)
{
	autobuf Buf out = {0};
	for (size_t i = 0; i < json_array_size(list); i++)
		buf_printf(&out, "%s%s", i ? "," : "",
			   json_text_or(json_array_get(list, i), member, ""));
	return json_string(out.len ? buf_text(&out) : "<none>");
}

static const json_t *template_containers(const json_t *o)
{
	const json_t *job = json_at(o, "spec", "jobTemplate", NULL);
	return json_at(job ? job : o, "spec", "template", "spec", "containers", NULL);
}

json_t *cell_containers(const json_t *o)
{
	return joined(template_containers(o), "name");
}

json_t *cell_images(const json_t *o)
{
	return joined(template_containers(o), "image");
}

static json_t *labels_text(const json_t *labels)
{
	autobuf Buf out = {0};
	const char *key;
	json_t *value;
	json_t *members = (json_t *)(uintptr_t)labels;
	json_object_foreach(members, key, value)
	{
		buf_printf(&out, "%s%s=%s", out.len ? "," : "", key,
			   json_is_string(value) ? json_string_value(value) : "");
	}
	return json_string(out.len ? buf_text(&out) : "<none>");
}

json_t *cell_selector(const json_t *o)
{
	const json_t *selector = json_at(o, "spec", "selector", NULL);
	const json_t *labels = json_map(selector, "matchLabels");
	return labels_text(labels ? labels : selector);
}

json_t *cell_service_selector(const json_t *o)
{
	return labels_text(json_at(o, "spec", "selector", NULL));
}

json_t *cell_ds_desired(const json_t *o)
{
	return json_integer(number_at(o, "status", "desiredNumberScheduled"));
}

json_t *cell_ds_current(const json_t *o)
{
	return json_integer(number_at(o, "status", "currentNumberScheduled"));
}

json_t *cell_ds_ready(const json_t *o)
{
	return json_integer(number_at(o, "status", "numberReady"));
}

json_t *cell_ds_updated(const json_t *o)
{
	return json_integer(number_at(o, "status", "updatedNumberScheduled"));
}

json_t *cell_ds_available(const json_t *o)
{
	return json_integer(number_at(o, "status", "numberAvailable"));
}

json_t *cell_node_selector(const json_t *o)
{
	return labels_text(json_at(o, "spec", "template", "spec", "nodeSelector", NULL));
}

static bool has_condition(const json_t *o, const char *type)
{
	const json_t *list = json_at(o, "status", "conditions", NULL);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *condition = json_array_get(list, i);
		if (cstr_eq(json_text(condition, "type"), type) &&
		    cstr_eq(json_text(condition, "status"), "True"))
			return true;
	}
	return false;
}

json_t *cell_job_status(const json_t *o)
{
	static const char *const types[] = {"Complete", "Failed", "Suspended"};
	for (size_t i = 0; i < COUNT(types); i++)
		if (has_condition(o, types[i]))
			return json_string(types[i]);
	return json_string(object_is_deleting(o) ? "Terminating" : "Running");
}

json_t *cell_completions(const json_t *o)
{
	return take_text(mem_printf("%lld/%lld", (long long)number_at(o, "status", "succeeded"),
				    (long long)json_int(json_map(o, "spec"), "completions", 1)));
}

json_t *cell_duration(const json_t *o)
{
	const char *start = json_text_at(o, "status", "startTime", NULL);
	const char *end = json_text_at(o, "status", "completionTime", NULL);
	int64_t end_ms;
	if (!start)
		return json_string("");
	if (!end || !clock_parse(end, &end_ms))
		end_ms = clock_wall_ms();
	return take_text(table_age(start, end_ms));
}

json_t *cell_schedule(const json_t *o)
{
	return json_string(json_text_or(json_map(o, "spec"), "schedule", ""));
}

json_t *cell_timezone(const json_t *o)
{
	return text_or_none(json_text_at(o, "spec", "timeZone", NULL));
}

json_t *cell_suspend(const json_t *o)
{
	return json_string(json_flag(json_map(o, "spec"), "suspend", false) ? "True" : "False");
}

json_t *cell_active(const json_t *o)
{
	return json_integer((json_int_t)json_array_size(json_at(o, "status", "active", NULL)));
}

json_t *cell_last_schedule(const json_t *o)
{
	const char *time = json_text_at(o, "status", "lastScheduleTime", NULL);
	return time ? age_of(time) : json_string("<none>");
}

json_t *cell_service_type(const json_t *o)
{
	return json_string(json_text_or(json_map(o, "spec"), "type", ""));
}

json_t *cell_cluster_ip(const json_t *o)
{
	return text_or_none(json_text_at(o, "spec", "clusterIP", NULL));
}

json_t *cell_external_ip(const json_t *o)
{
	const char *type = json_text_or(json_map(o, "spec"), "type", "");
	if (strcmp(type, "ExternalName") == 0)
		return text_or_none(json_text_at(o, "spec", "externalName", NULL));
	const json_t *ingress = json_at(o, "status", "loadBalancer", "ingress", NULL);
	if (json_array_size(ingress) > 0)
		return joined(ingress, "ip");
	return json_string(strcmp(type, "LoadBalancer") == 0 ? "<pending>" : "<none>");
}

json_t *cell_ports(const json_t *o)
{
	const json_t *list = json_at(o, "spec", "ports", NULL);
	autobuf Buf out = {0};
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *port = json_array_get(list, i);
		buf_printf(&out, "%s%lld", i ? "," : "", (long long)json_int(port, "port", 0));
		if (json_int(port, "nodePort", 0))
			buf_printf(&out, ":%lld", (long long)json_int(port, "nodePort", 0));
		buf_printf(&out, "/%s", json_text_or(port, "protocol", "TCP"));
	}
	return json_string(out.len ? buf_text(&out) : "<none>");
}

json_t *cell_ingress_class(const json_t *o)
{
	return text_or_none(json_text_at(o, "spec", "ingressClassName", NULL));
}

json_t *cell_ingress_hosts(const json_t *o)
{
	const json_t *rules = json_at(o, "spec", "rules", NULL);
	bool named = false;
	for (size_t i = 0; i < json_array_size(rules); i++)
		named = named || json_text(json_array_get(rules, i), "host");
	return named ? joined(rules, "host") : json_string("*");
}

json_t *cell_ingress_address(const json_t *o)
{
	const json_t *list = json_at(o, "status", "loadBalancer", "ingress", NULL);
	return json_array_size(list) ? joined(list, "ip") : json_string("");
}

json_t *cell_ingress_ports(const json_t *o)
{
	bool tls = json_array_size(json_at(o, "spec", "tls", NULL)) > 0;
	return json_string(tls ? "80, 443" : "80");
}

json_t *cell_pod_selector(const json_t *o)
{
	return labels_text(json_at(o, "spec", "podSelector", "matchLabels", NULL));
}

json_t *cell_role(const json_t *o)
{
	const json_t *ref = json_map(o, "roleRef");
	return take_text(
		mem_printf("%s/%s", json_text_or(ref, "kind", ""), json_text_or(ref, "name", "")));
}

json_t *cell_holder(const json_t *o)
{
	return json_string(json_text_or(json_map(o, "spec"), "holderIdentity", ""));
}

json_t *cell_secrets(const json_t *o)
{
	return json_integer((json_int_t)json_array_size(json_list(o, "secrets")));
}

json_t *cell_last_seen(const json_t *o)
{
	const char *time = json_text(o, "lastTimestamp");
	time = time ? time : json_text(o, "eventTime");
	return age_of(time ? time : object_meta(o, "creationTimestamp"));
}

json_t *cell_reason(const json_t *o)
{
	return json_string(json_text_or(o, "reason", ""));
}

json_t *cell_event_object(const json_t *o)
{
	const json_t *about = json_map(o, "involvedObject");
	autofree char *kind = mem_strdup(json_text_or(about, "kind", ""));
	for (char *c = kind; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return take_text(mem_printf("%s/%s", kind, json_text_or(about, "name", "")));
}

json_t *cell_message(const json_t *o)
{
	return json_string(json_text_or(o, "message", ""));
}

json_t *cell_node_status(const json_t *o)
{
	const json_t *conditions = json_at(o, "status", "conditions", NULL);
	const char *word = "Unknown";
	size_t i;
	json_t *condition;
	json_array_foreach(conditions, i, condition)
	{
		if (cstr_eq(json_text(condition, "type"), "Ready"))
			word = has_condition(o, "Ready") ? "Ready" : "NotReady";
	}
	bool closed = json_flag(json_map(o, "spec"), "unschedulable", false);
	return take_text(mem_printf("%s%s", word, closed ? ",SchedulingDisabled" : ""));
}

json_t *cell_node_version(const json_t *o)
{
	return json_string(
		json_text_or(json_at(o, "status", "nodeInfo", NULL), "kubeletVersion", ""));
}

json_t *cell_volume(const json_t *o)
{
	return json_string(json_text_or(json_map(o, "spec"), "volumeName", ""));
}

json_t *cell_capacity(const json_t *o)
{
	const json_t *claim = json_at(o, "status", "capacity", NULL);
	return json_string(
		json_text_or(claim ? claim : json_at(o, "spec", "capacity", NULL), "storage", ""));
}

json_t *cell_access_modes(const json_t *o)
{
	static const struct {
		const char *mode, *letters;
	} short_modes[] = {{"ReadWriteOnce", "RWO"},
			   {"ReadOnlyMany", "ROX"},
			   {"ReadWriteMany", "RWX"},
			   {"ReadWriteOncePod", "RWOP"}};
	const json_t *list = json_at(o, "spec", "accessModes", NULL);
	autobuf Buf out = {0};
	for (size_t i = 0; i < json_array_size(list); i++)
		for (size_t k = 0; k < COUNT(short_modes); k++)
			if (cstr_eq(json_string_value(json_array_get(list, i)),
				    short_modes[k].mode))
				buf_printf(&out, "%s%s", out.len ? "," : "",
					   short_modes[k].letters);
	return json_string(buf_text(&out));
}

json_t *cell_storage_class(const json_t *o)
{
	return json_string(json_text_or(json_map(o, "spec"), "storageClassName", ""));
}

json_t *cell_provisioner(const json_t *o)
{
	return json_string(json_text_or(o, "provisioner", ""));
}

json_t *cell_reclaim(const json_t *o)
{
	return json_string(json_text_or(o, "reclaimPolicy", "Delete"));
}

static json_t *any_text(const json_t *value)
{
	if (!value)
		return json_string("N/A");
	return take_text(json_is_string(value) ? mem_strdup(json_string_value(value))
					       : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT));
}

json_t *cell_min_available(const json_t *o)
{
	return any_text(json_at(o, "spec", "minAvailable", NULL));
}

json_t *cell_max_unavailable(const json_t *o)
{
	return any_text(json_at(o, "spec", "maxUnavailable", NULL));
}

json_t *cell_disruptions(const json_t *o)
{
	return json_integer(number_at(o, "status", "disruptionsAllowed"));
}
