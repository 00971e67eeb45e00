/* The walk along the schema, and the rules of single members. */
#include "validate.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "data/quantity.h"
#include "data/selector.h"
#include "names.h"
#include "object.h"
#include "schema.h"
#include "server.h"
#include "validate_internal.h"

typedef struct FieldRule FieldRule;
typedef void FieldCheck(const Check *check, const FieldRule *rule, const json_t *value);

struct FieldRule {
	const char *name, *member;
	FieldCheck *check;
	const char *argument; /* of the check */
	int least;
};

void check_fail(const Check *check, const char *member, const char *type, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	autofree char *text = mem_vprintf(format, args);
	va_end(args);
	autofree char *path = *member ? schema_path_key(check->path, member) : NULL;
	field_error(check->errors, type, path ? path : check->path, "%s", text);
}

void check_required(const Check *check, const char *member)
{
	if (cstr_empty(json_text(check->value, member)))
		check_fail(check, member, "Required value", "%s", "");
}

void check_one_of(const Check *check, const char *member, const char *text, const char *list)
{
	autobuf Buf known = {0};
	Str rest = str_of(list);
	Str piece;
	while (str_next(&rest, ',', &piece)) {
		if (str_eq(piece, str_of(text)))
			return;
		buf_printf(&known, "%s\"%.*s\"", known.len ? ", " : "", (int)piece.len, piece.ptr);
	}
	check_fail(check, member, "Unsupported value", "\"%s\": supported values: %s", text,
		   buf_text(&known));
}

bool is_ip_address(const char *text)
{
	struct in6_addr address;
	return inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1;
}

static void at_least(const Check *check, const FieldRule *rule, const json_t *value)
{
	json_int_t number = json_integer_value(value);
	if (json_is_integer(value) && number < rule->least)
		check_fail(check, rule->member, "Invalid value",
			   "%lld: must be greater than or equal to %d", (long long)number,
			   rule->least);
}

static void above_zero(const Check *check, const FieldRule *rule, const json_t *value)
{
	json_int_t number = json_integer_value(value);
	if (json_is_integer(value) && number <= 0)
		check_fail(check, rule->member, "Invalid value", "%lld: must be greater than 0",
			   (long long)number);
}

static void user_id(const Check *check, const FieldRule *rule, const json_t *value)
{
	json_int_t number = json_integer_value(value);
	if (json_is_integer(value) && (number < 0 || number > INT32_MAX))
		check_fail(check, rule->member, "Invalid value",
			   "%lld: must be between 0 and 2147483647, inclusive", (long long)number);
}

static void one_of(const Check *check, const FieldRule *rule, const json_t *value)
{
	if (json_is_string(value))
		check_one_of(check, rule->member, json_string_value(value), rule->argument);
}

/* How many fields a schedule has; what is in them is the controller's affair, which is not here. */
static void schedule(const Check *check, const FieldRule *rule, const json_t *value)
{
	enum { FIELDS = 5 };
	size_t count = 0;
	autobuf Buf shown = {0};
	Str rest = json_is_string(value) ? str_trim(str_of(json_string_value(value))) : STR("");
	if (rest.len == 0)
		check_required(check, rule->member);
	if (rest.len == 0 || *rest.ptr == '@' || str_starts(rest, STR("TZ=")) ||
	    str_starts(rest, STR("CRON_TZ=")))
		return;
	autofree char *text = str_dup(rest);
	char *state = NULL;
	for (char *word = strtok_r(text, " \t\n", &state); word;
	     word = strtok_r(NULL, " \t\n", &state))
		buf_printf(&shown, "%s%s", count++ ? " " : "", word);
	if (count != FIELDS)
		check_fail(check, rule->member, "Invalid value",
			   "\"%s\": expected exactly %d fields, found %zu: [%s]",
			   json_string_value(value), FIELDS, count, buf_text(&shown));
}

static void time_zone(const Check *check, const FieldRule *rule, const json_t *value)
{
	if (json_is_string(value) && json_string_length(value) == 0)
		check_fail(check, rule->member, "Invalid value",
			   "\"\": timeZone must be nil or non-empty string");
}

static void required(const Check *check, const FieldRule *rule, const json_t *value)
{
	(void)value;
	check_required(check, rule->member);
}

static void subdomain(const Check *check, const FieldRule *rule, const json_t *value)
{
	autofree char *path = schema_path_key(check->path, rule->member);
	if (json_string_length(value) > 0)
		name_check_subdomain(json_string_value(value), path, check->errors);
}

static void label(const Check *check, const FieldRule *rule, const json_t *value)
{
	autofree char *path = schema_path_key(check->path, rule->member);
	if (json_string_length(value) > 0)
		name_check_label(json_string_value(value), path, check->errors);
}

static void labels(const Check *check, const FieldRule *rule, const json_t *value)
{
	autofree char *path = schema_path_key(check->path, rule->member);
	name_check_labels(value, path, check->errors);
}

static void ip_address(const Check *check, const FieldRule *rule, const json_t *value)
{
	if (json_is_string(value) && !is_ip_address(json_string_value(value)))
		check_fail(check, rule->member, "Invalid value",
			   "\"%s\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
			   json_string_value(value));
}

/* A count, or a percentage that may not pass 100 where `least` is set. */
static void share(const Check *check, const FieldRule *rule, const json_t *value)
{
	enum { WHOLE = 100 };
	at_least(check, rule, value);
	const char *text = json_string_value(value);
	if (!text)
		return;
	size_t digits = strspn(text, "0123456789");
	if (digits == 0 || strcmp(text + digits, "%") != 0)
		check_fail(check, rule->member, "Invalid value",
			   "\"%s\": a valid percent string must be a numeric string followed by an "
			   "ending '%%' (e.g. '1%%',  or '93%%', regex used for validation is "
			   "'[0-9]+%%')",
			   text);
	else if (rule->argument && strtol(text, NULL, 10) > WHOLE)
		check_fail(check, rule->member, "Invalid value",
			   "\"%s\": must not be greater than 100%%", text);
}

/* By name, so that a struct's rules are found by bisection. */
static const FieldRule field_rules[] = {
	{"apps.v1.DaemonSetSpec", "minReadySeconds", at_least, NULL, 0},
	{"apps.v1.DaemonSetSpec", "revisionHistoryLimit", at_least, NULL, 0},
	{"apps.v1.DaemonSetStatus", "currentNumberScheduled", at_least, NULL, 0},
	{"apps.v1.DaemonSetStatus", "desiredNumberScheduled", at_least, NULL, 0},
	{"apps.v1.DaemonSetStatus", "numberMisscheduled", at_least, NULL, 0},
	{"apps.v1.DaemonSetStatus", "numberReady", at_least, NULL, 0},
	{"apps.v1.DaemonSetStatus", "observedGeneration", at_least, NULL, 0},
	{"apps.v1.DeploymentSpec", "minReadySeconds", at_least, NULL, 0},
	{"apps.v1.DeploymentSpec", "progressDeadlineSeconds", at_least, NULL, 0},
	{"apps.v1.DeploymentSpec", "replicas", at_least, NULL, 0},
	{"apps.v1.DeploymentSpec", "revisionHistoryLimit", at_least, NULL, 0},
	{"apps.v1.DeploymentStatus", "availableReplicas", at_least, NULL, 0},
	{"apps.v1.DeploymentStatus", "observedGeneration", at_least, NULL, 0},
	{"apps.v1.DeploymentStatus", "readyReplicas", at_least, NULL, 0},
	{"apps.v1.DeploymentStatus", "replicas", at_least, NULL, 0},
	{"apps.v1.DeploymentStatus", "updatedReplicas", at_least, NULL, 0},
	{"apps.v1.ReplicaSetSpec", "minReadySeconds", at_least, NULL, 0},
	{"apps.v1.ReplicaSetSpec", "replicas", at_least, NULL, 0},
	{"apps.v1.RollingUpdateDeployment", "maxSurge", share, NULL, 0},
	{"apps.v1.RollingUpdateDeployment", "maxUnavailable", share, "100", 0},
	{"apps.v1.RollingUpdateStatefulSetStrategy", "partition", at_least, NULL, 0},
	{"apps.v1.StatefulSetSpec", "minReadySeconds", at_least, NULL, 0},
	{"apps.v1.StatefulSetSpec", "replicas", at_least, NULL, 0},
	{"apps.v1.StatefulSetStatus", "currentReplicas", at_least, NULL, 0},
	{"apps.v1.StatefulSetStatus", "readyReplicas", at_least, NULL, 0},
	{"apps.v1.StatefulSetStatus", "replicas", at_least, NULL, 0},
	{"autoscaling.v2.CrossVersionObjectReference", "kind", required, NULL, 0},
	{"autoscaling.v2.CrossVersionObjectReference", "name", required, NULL, 0},
	{"autoscaling.v2.HPAScalingPolicy", "periodSeconds", above_zero, NULL, 0},
	{"autoscaling.v2.HPAScalingPolicy", "type", one_of, "Percent,Pods", 0},
	{"autoscaling.v2.HPAScalingPolicy", "value", above_zero, NULL, 0},
	{"autoscaling.v2.HPAScalingRules", "selectPolicy", one_of, "Disabled,Max,Min", 0},
	{"autoscaling.v2.HorizontalPodAutoscalerSpec", "minReplicas", at_least, NULL, 1},
	{"autoscaling.v2.HorizontalPodAutoscalerStatus", "currentReplicas", at_least, NULL, 0},
	{"autoscaling.v2.HorizontalPodAutoscalerStatus", "desiredReplicas", at_least, NULL, 0},
	{"autoscaling.v2.MetricSpec", "type", one_of,
	 "ContainerResource,External,Object,Pods,Resource", 0},
	{"batch.v1.CronJobSpec", "concurrencyPolicy", one_of, "Allow,Forbid,Replace", 0},
	{"batch.v1.CronJobSpec", "failedJobsHistoryLimit", at_least, NULL, 0},
	{"batch.v1.CronJobSpec", "schedule", schedule, NULL, 0},
	{"batch.v1.CronJobSpec", "startingDeadlineSeconds", at_least, NULL, 0},
	{"batch.v1.CronJobSpec", "successfulJobsHistoryLimit", at_least, NULL, 0},
	{"batch.v1.CronJobSpec", "timeZone", time_zone, NULL, 0},
	{"batch.v1.JobSpec", "activeDeadlineSeconds", at_least, NULL, 0},
	{"batch.v1.JobSpec", "backoffLimit", at_least, NULL, 0},
	{"batch.v1.JobSpec", "completions", at_least, NULL, 0},
	{"batch.v1.JobSpec", "parallelism", at_least, NULL, 0},
	{"batch.v1.JobSpec", "ttlSecondsAfterFinished", at_least, NULL, 0},
	{"coordination.v1.LeaseSpec", "leaseDurationSeconds", above_zero, NULL, 0},
	{"coordination.v1.LeaseSpec", "leaseTransitions", at_least, NULL, 0},
	{"core.v1.Container", "imagePullPolicy", one_of, "Always,IfNotPresent,Never", 0},
	{"core.v1.Container", "terminationMessagePolicy", one_of, "File,FallbackToLogsOnError", 0},
	{"core.v1.EnvVar", "name", required, NULL, 0},
	{"core.v1.HostAlias", "ip", ip_address, NULL, 0},
	{"core.v1.PodSecurityContext", "fsGroup", user_id, NULL, 0},
	{"core.v1.PodSecurityContext", "runAsGroup", user_id, NULL, 0},
	{"core.v1.PodSecurityContext", "runAsUser", user_id, NULL, 0},
	{"core.v1.PodSpec", "dnsPolicy", one_of,
	 "ClusterFirstWithHostNet,ClusterFirst,Default,None", 0},
	{"core.v1.PodSpec", "nodeSelector", labels, NULL, 0},
	{"core.v1.PodSpec", "hostname", label, NULL, 0},
	{"core.v1.PodSpec", "restartPolicy", one_of, "Always,OnFailure,Never", 0},
	{"core.v1.PodSpec", "serviceAccountName", subdomain, NULL, 0},
	{"core.v1.Probe", "failureThreshold", at_least, NULL, 0},
	{"core.v1.Probe", "initialDelaySeconds", at_least, NULL, 0},
	{"core.v1.Probe", "periodSeconds", at_least, NULL, 0},
	{"core.v1.Probe", "successThreshold", at_least, NULL, 0},
	{"core.v1.Probe", "timeoutSeconds", at_least, NULL, 0},
	{"core.v1.SecurityContext", "runAsGroup", user_id, NULL, 0},
	{"core.v1.SecurityContext", "runAsUser", user_id, NULL, 0},
	{"core.v1.ServicePort", "name", label, NULL, 0},
	{"core.v1.ServicePort", "protocol", one_of, "SCTP,TCP,UDP", 0},
	{"core.v1.ServiceSpec", "externalTrafficPolicy", one_of, "Cluster,Local", 0},
	{"core.v1.ServiceSpec", "internalTrafficPolicy", one_of, "Cluster,Local", 0},
	{"core.v1.ServiceSpec", "ipFamilyPolicy", one_of,
	 "PreferDualStack,RequireDualStack,SingleStack", 0},
	{"core.v1.ServiceSpec", "selector", labels, NULL, 0},
	{"core.v1.ServiceSpec", "sessionAffinity", one_of, "ClientIP,None", 0},
	{"core.v1.ServiceSpec", "type", one_of, "ClusterIP,ExternalName,LoadBalancer,NodePort", 0},
	{"networking.v1.IngressLoadBalancerIngress", "ip", ip_address, NULL, 0},
	{"networking.v1.IngressSpec", "ingressClassName", subdomain, NULL, 0},
	{"networking.v1.NetworkPolicyPort", "protocol", one_of, "TCP,UDP,SCTP", 0},
	{"policy.v1.PodDisruptionBudgetSpec", "maxUnavailable", share, "100", 0},
	{"policy.v1.PodDisruptionBudgetSpec", "minAvailable", share, "100", 0},
	{"policy.v1.PodDisruptionBudgetSpec", "unhealthyPodEvictionPolicy", one_of,
	 "AlwaysAllow,IfHealthyBudget", 0},
	{"policy.v1.PodDisruptionBudgetStatus", "currentHealthy", at_least, NULL, 0},
	{"policy.v1.PodDisruptionBudgetStatus", "desiredHealthy", at_least, NULL, 0},
	{"policy.v1.PodDisruptionBudgetStatus", "disruptionsAllowed", at_least, NULL, 0},
	{"policy.v1.PodDisruptionBudgetStatus", "expectedPods", at_least, NULL, 0},
};

static int compare_rule(const void *key, const void *row)
{
	return strcmp(key, ((const FieldRule *)row)->name);
}

static void check_fields(const Check *check, const char *name)
{
	const FieldRule *end = field_rules + COUNT(field_rules);
	const FieldRule *rule = bsearch(name, field_rules, COUNT(field_rules),
					sizeof(field_rules[0]), compare_rule);
	while (rule && rule > field_rules && strcmp(rule[-1].name, name) == 0)
		rule--;
	for (; rule && rule < end && strcmp(rule->name, name) == 0; rule++)
		rule->check(check, rule, json_object_get(check->value, rule->member));
}

static void check_selector(const Check *check)
{
	autofree char *path = schema_path_key(check->path, "matchLabels");
	name_check_labels(json_map(check->value, "matchLabels"), path, check->errors);
	const json_t *list = json_list(check->value, "matchExpressions");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *operator= json_text_or(json_array_get(list, i), "operator", "");
		autofree char *member = mem_printf("matchExpressions[%zu].operator", i);
		if (strcmp(operator, "In") != 0 && strcmp(operator, "NotIn") != 0 &&
		    strcmp(operator, "Exists") != 0 && strcmp(operator, "DoesNotExist") != 0)
			check_fail(check, member, "Invalid value",
				   "\"%s\": not a valid selector operator", operator);
	}
}

static const StructRule common_rules[] = {
	{"io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector", check_selector},
	{NULL, NULL},
};

static void check_struct(const Check *check, const char *name)
{
	static const StructRule *const tables[] = {common_rules, validate_network_rules,
						   validate_pod_rules, validate_storage_rules,
						   validate_workload_rules};
	check_fields(check, name);
	for (size_t i = 0; i < COUNT(tables); i++)
		for (const StructRule *rule = tables[i]; rule->name; rule++)
			if (strcmp(rule->name, name) == 0)
				rule->check(check);
}

typedef struct {
	Definitions *definitions;
	const char *resource;
	FieldErrors *errors;
} Walk;

static void walk(const Walk *context, const json_t *schema, const json_t *value, const char *path);

static void walk_members(const Walk *context, const json_t *schema, const json_t *value,
			 const char *path)
{
	const char *key;
	json_t *member;
	json_t *members = (json_t *)(uintptr_t)value;
	json_object_foreach(members, key, member)
	{
		const json_t *child = schema_member(schema, key);
		if (!child || !(json_is_object(member) || json_is_array(member)))
			continue;
		autofree char *child_path = schema_path_key(path, key);
		walk(context, child, member, child_path);
	}
}

/* "core.v1.Container" of a reference to io.k8s.api.core.v1.Container; NULL of anything else. */
static const char *struct_name(const json_t *schema)
{
	static const char prefix[] = "io.k8s.api.";
	const char *name = schema_ref(schema);
	return name && cstr_starts(name, prefix) ? name + sizeof(prefix) - 1 : name;
}

static void walk(const Walk *context, const json_t *schema, const json_t *value, const char *path)
{
	const char *name = json_is_object(value) ? struct_name(schema) : NULL;
	if (name)
		check_struct(&(Check){value, path, context->resource, context->errors}, name);
	schema = definitions_resolve(context->definitions, schema);
	if (json_is_object(value)) {
		walk_members(context, schema, value, path);
		return;
	}
	const json_t *items = json_map(schema, "items");
	for (size_t i = 0; items && i < json_array_size(value); i++) {
		autofree char *item_path = schema_path_index(path, i);
		walk(context, items, json_array_get(value, i), item_path);
	}
}

void validate_builtin(const Request *request, const json_t *object, bool status,
		      FieldErrors *errors)
{
	const Resource *resource = request->resource;
	if (resource_has(resource, KIND_CUSTOM) || !resource->definition)
		return;
	Definitions *definitions = catalog_definitions(request->server->catalog);
	Walk context = {definitions, resource->key, errors};
	/* Metadata has rules of its own. */
	autojson json_t *part = status ? json_object() : json_copy((json_t *)(uintptr_t)object);
	if (status && json_map(object, "status"))
		json_object_set(part, "status", json_map(object, "status"));
	if (!status)
		json_object_del(part, "status");
	json_object_del(part, "metadata");
	walk_members(&context, definitions_get(definitions, resource->stored_definition), part, "");
}

static void warn_headless(Request *request, const json_t *spec)
{
	if (json_array_size(json_list(spec, "externalIPs")) > 0)
		request_warn(request, "spec.externalIPs is ignored for headless services");
	if (!cstr_empty(json_text(spec, "loadBalancerIP")))
		request_warn(request, "spec.loadBalancerIP is ignored for headless services");
	if (cstr_eq(json_text(spec, "sessionAffinity"), "ClientIP"))
		request_warn(request, "spec.SessionAffinity is ignored for headless services");
}

static void warn_finalizers(Request *request, const json_t *object, const json_t *live)
{
	const json_t *list = json_list(json_map(object, "metadata"), "finalizers");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));
		if (!name || strchr(name, '/') || (live && object_has_finalizer(live, name)))
			continue;
		autofree char *text =
			mem_printf("metadata.finalizers: \"%s\": prefer a domain-qualified "
				   "finalizer name to avoid accidental conflicts with other "
				   "finalizer writers",
				   name);
		request_warn(request, text);
	}
}

/* Bytes come in whole ones. */
static void warn_fractions(Request *request, const json_t *container, const char *path)
{
	enum { NANOS = 1000000000 };
	static const char *const rows[][2] = {{"limits", "memory"},
					      {"requests", "memory"},
					      {"limits", "ephemeral-storage"},
					      {"requests", "ephemeral-storage"}};
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *amount =
			json_text_at(container, "resources", rows[i][0], rows[i][1], NULL);
		__int128 nanos = 0;
		if (!amount || !quantity_nanos(amount, &nanos) || nanos % NANOS == 0)
			continue;
		autofree char *text =
			mem_printf("%s.resources.%s[%s]: fractional byte value \"%s\" is invalid, "
				   "must be an integer",
				   path, rows[i][0], rows[i][1], amount);
		request_warn(request, text);
	}
}

static void warn_containers(Request *request, const json_t *pod)
{
	static const char *const lists[] = {"initContainers", "containers"};
	for (size_t i = 0; i < COUNT(lists); i++) {
		const json_t *list = json_list(pod, lists[i]);
		for (size_t k = 0; k < json_array_size(list); k++) {
			autofree char *path = mem_printf("spec.template.spec.%s[%zu]", lists[i], k);
			warn_fractions(request, json_array_get(list, k), path);
		}
	}
}

void validate_warn(Request *request, const json_t *object, const json_t *live)
{
	const json_t *spec = json_map(object, "spec");
	if (strcmp(request->path.subresource, "status") == 0)
		return;
	if (resource_has(request->resource, KIND_CUSTOM))
		warn_finalizers(request, object, live);
	if (strcmp(request->resource->key, "services") == 0 &&
	    cstr_eq(json_text(spec, "clusterIP"), "None"))
		warn_headless(request, spec);
	/* Of templates only when they may have changed. */
	const json_t *pod = json_at(spec, "template", "spec", NULL);
	bool same = live && json_int(json_map(live, "metadata"), "generation", 0) ==
				    json_int(json_map(object, "metadata"), "generation", 0);
	if (!same)
		warn_containers(request, pod);
	if (!same && json_int(pod, "terminationGracePeriodSeconds", 0) < 0)
		request_warn(request,
			     "spec.template.spec.terminationGracePeriodSeconds: must be >= 0; "
			     "negative values are invalid and will be treated as 1");
}
