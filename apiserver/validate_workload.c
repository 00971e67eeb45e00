/* Deployments, StatefulSets, DaemonSets, autoscalers, roles: rules over several members. */
#include <string.h>

#include "base/mem.h"
#include "data/selector.h"
#include "validate_internal.h"

/* A count or percentage that comes to nothing. */
static bool is_nothing(const json_t *value)
{
	return (json_is_integer(value) && json_integer_value(value) == 0) ||
	       cstr_eq(json_string_value(value), "0%");
}

/* How Go prints a strategy of a type that it does not know. */
static char *strategy_text(const json_t *strategy)
{
	return mem_printf("{\"Type\":\"%s\",\"RollingUpdate\":null}",
			  json_text_or(strategy, "type", ""));
}

static void check_deployment(const Check *check)
{
	json_int_t limit = json_int(check->value, "progressDeadlineSeconds", INT32_MAX);
	if (limit <= json_int(check->value, "minReadySeconds", 0))
		check_fail(check, "progressDeadlineSeconds", "Invalid value",
			   "%lld: must be greater than minReadySeconds", (long long)limit);
}

/* No more of one than of the other. */
static void check_within(const Check *check, const char *member, const char *bound,
			 const char *bound_text)
{
	json_int_t count = json_int(check->value, member, 0);
	if (count > json_int(check->value, bound, 0))
		check_fail(check, member, "Invalid value", "%lld: cannot be greater than %s",
			   (long long)count, bound_text);
}

static void check_deployment_status(const Check *check)
{
	check_within(check, "updatedReplicas", "replicas", "status.replicas");
	check_within(check, "readyReplicas", "replicas", "status.replicas");
	check_within(check, "availableReplicas", "replicas", "status.replicas");
	check_within(check, "availableReplicas", "readyReplicas", "readyReplicas");
}

static void check_stateful_set_status(const Check *check)
{
	check_within(check, "readyReplicas", "replicas", "status.replicas");
	check_within(check, "currentReplicas", "replicas", "status.replicas");
	check_within(check, "updatedReplicas", "replicas", "status.replicas");
	check_within(check, "availableReplicas", "replicas", "status.replicas");
	check_within(check, "availableReplicas", "readyReplicas", "status.readyReplicas");
}

static void check_deployment_strategy(const Check *check)
{
	const char *type = json_text_or(check->value, "type", "");
	const json_t *rolling = json_map(check->value, "rollingUpdate");
	if (strcmp(type, "Recreate") == 0) {
		if (rolling)
			check_fail(check, "rollingUpdate", "Forbidden",
				   "may not be specified when strategy `type` is 'Recreate'");
		return;
	}
	if (strcmp(type, "RollingUpdate") != 0) {
		autofree char *shown = strategy_text(check->value);
		check_fail(check, "", "Unsupported value",
			   "%s: supported values: \"Recreate\", \"RollingUpdate\"", shown);
		return;
	}
	if (is_nothing(json_object_get(rolling, "maxSurge")) &&
	    is_nothing(json_object_get(rolling, "maxUnavailable")))
		check_fail(check, "rollingUpdate.maxUnavailable", "Invalid value",
			   "0: may not be 0 when `maxSurge` is 0");
}

static void check_stateful_set(const Check *check)
{
	const char *policy = json_text_or(check->value, "podManagementPolicy", "");
	if (strcmp(policy, "OrderedReady") != 0 && strcmp(policy, "Parallel") != 0)
		check_fail(check, "podManagementPolicy", "Invalid value",
			   "\"%s\": must be 'OrderedReady' or 'Parallel'", policy);
}

static void check_stateful_set_strategy(const Check *check)
{
	const char *type = json_text_or(check->value, "type", "");
	autofree char *shown = strategy_text(check->value);
	if (strcmp(type, "OnDelete") == 0 && json_map(check->value, "rollingUpdate"))
		check_fail(check, "rollingUpdate", "Invalid value",
			   "{\"Partition\":%lld,\"MaxUnavailable\":null}: only allowed for "
			   "updateStrategy 'RollingUpdate'",
			   (long long)json_int(json_map(check->value, "rollingUpdate"), "partition",
					       0));
	else if (strcmp(type, "RollingUpdate") != 0 && strcmp(type, "OnDelete") != 0)
		check_fail(check, "", "Invalid value", "%s: must be 'RollingUpdate' or 'OnDelete'",
			   shown);
}

static void check_daemon_set_strategy(const Check *check)
{
	const char *type = json_text_or(check->value, "type", "");
	autofree char *shown = strategy_text(check->value);
	if (strcmp(type, "RollingUpdate") != 0 && strcmp(type, "OnDelete") != 0)
		check_fail(check, "", "Unsupported value",
			   "%s: supported values: \"RollingUpdate\", \"OnDelete\"", shown);
}

static void check_autoscaler(const Check *check)
{
	json_int_t most = json_int(check->value, "maxReplicas", 0);
	if (most < 1)
		check_fail(check, "maxReplicas", "Invalid value", "%lld: must be greater than 0",
			   (long long)most);
	if (most < json_int(check->value, "minReplicas", 1))
		check_fail(check, "maxReplicas", "Invalid value",
			   "%lld: must be greater than or equal to `minReplicas`", (long long)most);
}

/* Only a ReplicationController has a scale outside of all groups. */
static void check_target(const Check *check)
{
	const char *version = json_text_or(check->value, "apiVersion", "");
	const char *kind = json_text_or(check->value, "kind", "");
	if (strchr(version, '/') || strcmp(kind, "ReplicationController") == 0)
		return;
	check_fail(check, "apiVersion", "Invalid value",
		   "\"%s\": apiVersion must specify API group", version);
}

static void check_scaling(const Check *check)
{
	const json_t *window = json_object_get(check->value, "stabilizationWindowSeconds");
	long long seconds = (long long)json_integer_value(window);
	if (seconds < 0)
		check_fail(check, "stabilizationWindowSeconds", "Invalid value",
			   "%lld: must be greater than or equal to zero", seconds);
}

static void check_metric(const Check *check)
{
	static const char *const sources[][2] = {{"ContainerResource", "containerResource"},
						 {"External", "external"},
						 {"Object", "object"},
						 {"Pods", "pods"},
						 {"Resource", "resource"}};
	const char *type = json_text_or(check->value, "type", "");
	for (size_t i = 0; i < COUNT(sources); i++)
		if (strcmp(sources[i][0], type) == 0 && !json_map(check->value, sources[i][1]))
			check_fail(check, sources[i][1], "Required value",
				   "must populate information for the given metric source");
}

static void check_rule(const Check *check)
{
	const json_t *urls = json_list(check->value, "nonResourceURLs");
	autofree char *shown = json_dump(urls ? urls : check->value);
	if (json_array_size(urls) > 0 && cstr_starts(check->resource, "roles."))
		check_fail(check, "nonResourceURLs", "Invalid value",
			   "%s: namespaced rules cannot apply to non-resource URLs", shown);
}

const StructRule validate_workload_rules[] = {
	{"apps.v1.DaemonSetUpdateStrategy", check_daemon_set_strategy},
	{"apps.v1.DeploymentSpec", check_deployment},
	{"apps.v1.DeploymentStatus", check_deployment_status},
	{"apps.v1.DeploymentStrategy", check_deployment_strategy},
	{"apps.v1.StatefulSetSpec", check_stateful_set},
	{"apps.v1.StatefulSetStatus", check_stateful_set_status},
	{"apps.v1.StatefulSetUpdateStrategy", check_stateful_set_strategy},
	{"autoscaling.v2.CrossVersionObjectReference", check_target},
	{"autoscaling.v2.HPAScalingRules", check_scaling},
	{"autoscaling.v2.HorizontalPodAutoscalerSpec", check_autoscaler},
	{"autoscaling.v2.MetricSpec", check_metric},
	{"rbac.v1.PolicyRule", check_rule},
	{NULL, NULL},
};
