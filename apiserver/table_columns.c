/* Which columns each built-in kind has (kube-api.md 2.5); kinds without a row have Name and Age. */
#include <string.h>

#include "base/auto.h"
#include "table_cells_internal.h"

#define NAME                                                                                       \
	{                                                                                          \
		"Name", "string", 0, cell_name                                                     \
	}
#define AGE                                                                                        \
	{                                                                                          \
		"Age", "string", 0, cell_age                                                       \
	}
#define WIDE                                                                                       \
	{"Containers", "string", 1, cell_containers}, {"Images", "string", 1, cell_images},        \
	{                                                                                          \
		"Selector", "string", 1, cell_selector                                             \
	}

static const Column plain_columns[] = {NAME, AGE};
static const Column created_columns[] = {NAME, {"Created At", "date", 0, cell_created}};
static const Column config_map_columns[] = {NAME, {"Data", "string", 0, cell_data}, AGE};
static const Column secret_columns[] = {
	NAME, {"Type", "string", 0, cell_type}, {"Data", "string", 0, cell_data}, AGE};
static const Column account_columns[] = {NAME, {"Secrets", "string", 0, cell_secrets}, AGE};
static const Column namespace_columns[] = {NAME, {"Status", "string", 0, cell_phase}, AGE};
static const Column pod_columns[] = {NAME,
				     {"Ready", "string", 0, cell_pod_ready},
				     {"Status", "string", 0, cell_pod_status},
				     {"Restarts", "string", 0, cell_restarts},
				     AGE,
				     {"IP", "string", 1, cell_pod_ip},
				     {"Node", "string", 1, cell_node},
				     {"Nominated Node", "string", 1, cell_none},
				     {"Readiness Gates", "string", 1, cell_none}};
static const Column deployment_columns[] = {NAME,
					    {"Ready", "string", 0, cell_ready_replicas},
					    {"Up-to-date", "string", 0, cell_updated},
					    {"Available", "string", 0, cell_available},
					    AGE,
					    WIDE};
static const Column replica_set_columns[] = {NAME,
					     {"Desired", "integer", 0, cell_desired},
					     {"Current", "integer", 0, cell_current},
					     {"Ready", "integer", 0, cell_ready_count},
					     AGE,
					     WIDE};
static const Column stateful_set_columns[] = {NAME,
					      {"Ready", "string", 0, cell_ready_replicas},
					      AGE,
					      {"Containers", "string", 1, cell_containers},
					      {"Images", "string", 1, cell_images}};
static const Column daemon_set_columns[] = {NAME,
					    {"Desired", "integer", 0, cell_ds_desired},
					    {"Current", "integer", 0, cell_ds_current},
					    {"Ready", "integer", 0, cell_ds_ready},
					    {"Up-to-date", "integer", 0, cell_ds_updated},
					    {"Available", "integer", 0, cell_ds_available},
					    {"Node Selector", "string", 0, cell_node_selector},
					    AGE,
					    WIDE};
static const Column job_columns[] = {NAME,
				     {"Status", "string", 0, cell_job_status},
				     {"Completions", "string", 0, cell_completions},
				     {"Duration", "string", 0, cell_duration},
				     AGE,
				     WIDE};
static const Column cron_job_columns[] = {NAME,
					  {"Schedule", "string", 0, cell_schedule},
					  {"Timezone", "string", 0, cell_timezone},
					  {"Suspend", "string", 0, cell_suspend},
					  {"Active", "integer", 0, cell_active},
					  {"Last Schedule", "string", 0, cell_last_schedule},
					  AGE,
					  WIDE};
static const Column service_columns[] = {NAME,
					 {"Type", "string", 0, cell_service_type},
					 {"Cluster-IP", "string", 0, cell_cluster_ip},
					 {"External-IP", "string", 0, cell_external_ip},
					 {"Port(s)", "string", 0, cell_ports},
					 AGE,
					 {"Selector", "string", 1, cell_service_selector}};
static const Column ingress_columns[] = {NAME,
					 {"Class", "string", 0, cell_ingress_class},
					 {"Hosts", "string", 0, cell_ingress_hosts},
					 {"Address", "string", 0, cell_ingress_address},
					 {"Ports", "string", 0, cell_ingress_ports},
					 AGE};
static const Column policy_columns[] = {
	NAME, {"Pod-Selector", "string", 0, cell_pod_selector}, AGE};
static const Column binding_columns[] = {NAME,
					 {"Role", "string", 0, cell_role},
					 AGE,
					 {"Users", "string", 1, cell_bound_users},
					 {"Groups", "string", 1, cell_bound_groups},
					 {"ServiceAccounts", "string", 1, cell_bound_accounts}};
static const Column lease_columns[] = {NAME, {"Holder", "string", 0, cell_holder}, AGE};
static const Column event_columns[] = {
	{"Last Seen", "string", 0, cell_last_seen}, {"Type", "string", 0, cell_type},
	{"Reason", "string", 0, cell_reason},	    {"Object", "string", 0, cell_event_object},
	{"Message", "string", 0, cell_message},	    {"Name", "string", 1, cell_name}};
static const Column node_columns[] = {NAME,
				      {"Status", "string", 0, cell_node_status},
				      {"Roles", "string", 0, cell_none},
				      AGE,
				      {"Version", "string", 0, cell_node_version}};
static const Column claim_columns[] = {NAME,
				       {"Status", "string", 0, cell_phase},
				       {"Volume", "string", 0, cell_volume},
				       {"Capacity", "string", 0, cell_capacity},
				       {"Access Modes", "string", 0, cell_access_modes},
				       {"StorageClass", "string", 0, cell_storage_class},
				       AGE};
static const Column class_columns[] = {NAME,
				       {"Provisioner", "string", 0, cell_provisioner},
				       {"ReclaimPolicy", "string", 0, cell_reclaim},
				       AGE};
static const Column hpa_columns[] = {NAME,
				     {"Reference", "string", 0, cell_hpa_reference},
				     {"Targets", "string", 0, cell_hpa_targets},
				     {"MinPods", "string", 0, cell_hpa_min},
				     {"MaxPods", "string", 0, cell_hpa_max},
				     {"Replicas", "string", 0, cell_hpa_current},
				     AGE};
static const Column budget_columns[] = {NAME,
					{"Min Available", "string", 0, cell_min_available},
					{"Max Unavailable", "string", 0, cell_max_unavailable},
					{"Allowed Disruptions", "integer", 0, cell_disruptions},
					AGE};

#define TABLE(key, columns)                                                                        \
	{                                                                                          \
		key, columns, COUNT(columns)                                                       \
	}

static const struct {
	const char *key;
	const Column *columns;
	size_t count;
} tables[] = {
	TABLE("configmaps", config_map_columns),
	TABLE("secrets", secret_columns),
	TABLE("serviceaccounts", account_columns),
	TABLE("namespaces", namespace_columns),
	TABLE("pods", pod_columns),
	TABLE("services", service_columns),
	TABLE("nodes", node_columns),
	TABLE("events", event_columns),
	TABLE("events.events.k8s.io", event_columns),
	TABLE("persistentvolumeclaims", claim_columns),
	TABLE("replicationcontrollers", replica_set_columns),
	TABLE("deployments.apps", deployment_columns),
	TABLE("replicasets.apps", replica_set_columns),
	TABLE("statefulsets.apps", stateful_set_columns),
	TABLE("daemonsets.apps", daemon_set_columns),
	TABLE("jobs.batch", job_columns),
	TABLE("cronjobs.batch", cron_job_columns),
	TABLE("ingresses.networking.k8s.io", ingress_columns),
	TABLE("networkpolicies.networking.k8s.io", policy_columns),
	TABLE("leases.coordination.k8s.io", lease_columns),
	TABLE("poddisruptionbudgets.policy", budget_columns),
	TABLE("storageclasses.storage.k8s.io", class_columns),
	TABLE("horizontalpodautoscalers.autoscaling", hpa_columns),
	TABLE("roles.rbac.authorization.k8s.io", created_columns),
	TABLE("clusterroles.rbac.authorization.k8s.io", created_columns),
	TABLE("rolebindings.rbac.authorization.k8s.io", binding_columns),
	TABLE("clusterrolebindings.rbac.authorization.k8s.io", binding_columns),
	TABLE("customresourcedefinitions.apiextensions.k8s.io", created_columns),
};

const Column *table_builtin_columns(const char *key, size_t *out_count)
{
	for (size_t i = 0; i < COUNT(tables); i++) {
		if (strcmp(tables[i].key, key) != 0)
			continue;
		*out_count = tables[i].count;
		return tables[i].columns;
	}
	*out_count = COUNT(plain_columns);
	return plain_columns;
}
