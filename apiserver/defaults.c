/*
 * Table-driven: a row says "where this path's object stands, an absent member gets this value".
 * What depends on other members (image pull policies, probes, ports) has a function. Idempotent,
 * else every apply would drift (trap 3).
 */
#include "defaults.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "data/base64.h"

typedef struct {
	const char *resource; /* Resource.key */
	const char *path;     /* dotted, of the parent; "" is the object; "x[]" each item */
	const char *member;
	const char *json;
} DefaultRow;

static const DefaultRow rows[] = {
	{"deployments.apps", "spec", "replicas", "1"},
	{"deployments.apps", "spec", "revisionHistoryLimit", "10"},
	{"deployments.apps", "spec", "progressDeadlineSeconds", "600"},
	{"deployments.apps", "spec", "strategy", "{}"},
	{"deployments.apps", "spec.strategy", "type", "\"RollingUpdate\""},
	{"replicasets.apps", "spec", "replicas", "1"},
	{"replicationcontrollers", "spec", "replicas", "1"},
	{"statefulsets.apps", "spec", "replicas", "1"},
	{"statefulsets.apps", "spec", "podManagementPolicy", "\"OrderedReady\""},
	{"statefulsets.apps", "spec", "revisionHistoryLimit", "10"},
	{"statefulsets.apps", "spec", "updateStrategy", "{}"},
	{"statefulsets.apps", "spec", "persistentVolumeClaimRetentionPolicy", "{}"},
	{"statefulsets.apps", "spec.persistentVolumeClaimRetentionPolicy", "whenDeleted",
	 "\"Retain\""},
	{"statefulsets.apps", "spec.persistentVolumeClaimRetentionPolicy", "whenScaled",
	 "\"Retain\""},
	{"statefulsets.apps", "spec.volumeClaimTemplates[]", "apiVersion", "\"v1\""},
	{"statefulsets.apps", "spec.volumeClaimTemplates[]", "kind", "\"PersistentVolumeClaim\""},
	{"statefulsets.apps", "spec.volumeClaimTemplates[].spec", "volumeMode", "\"Filesystem\""},
	{"statefulsets.apps", "spec.volumeClaimTemplates[]", "status", "{}"},
	{"statefulsets.apps", "spec.volumeClaimTemplates[].status", "phase", "\"Pending\""},
	{"daemonsets.apps", "spec", "revisionHistoryLimit", "10"},
	{"daemonsets.apps", "spec", "updateStrategy", "{}"},
	{"daemonsets.apps", "spec.updateStrategy", "type", "\"RollingUpdate\""},
	{"jobs.batch", "spec", "backoffLimit", "6"},
	{"jobs.batch", "spec", "completionMode", "\"NonIndexed\""},
	{"jobs.batch", "spec", "suspend", "false"},
	{"jobs.batch", "spec", "manualSelector", "false"},
	{"jobs.batch", "spec", "podReplacementPolicy", "\"TerminatingOrFailed\""},
	{"cronjobs.batch", "spec", "concurrencyPolicy", "\"Allow\""},
	{"cronjobs.batch", "spec", "suspend", "false"},
	{"cronjobs.batch", "spec", "successfulJobsHistoryLimit", "3"},
	{"cronjobs.batch", "spec", "failedJobsHistoryLimit", "1"},
	{"services", "spec", "type", "\"ClusterIP\""},
	{"services", "spec", "sessionAffinity", "\"None\""},
	{"services", "spec.ports[]", "protocol", "\"TCP\""},
	{"secrets", "", "type", "\"Opaque\""},
	{"networkpolicies.networking.k8s.io", "spec", "podSelector", "{}"},
	{"networkpolicies.networking.k8s.io", "spec.ingress[].ports[]", "protocol", "\"TCP\""},
	{"networkpolicies.networking.k8s.io", "spec.egress[].ports[]", "protocol", "\"TCP\""},
	{"horizontalpodautoscalers.autoscaling", "spec", "minReplicas", "1"},
	{"storageclasses.storage.k8s.io", "", "reclaimPolicy", "\"Delete\""},
	{"storageclasses.storage.k8s.io", "", "volumeBindingMode", "\"Immediate\""},
	{"persistentvolumeclaims", "spec", "volumeMode", "\"Filesystem\""},
	{"persistentvolumes", "spec.hostPath", "type", "\"\""},
	{"endpointslices.discovery.k8s.io", "ports[]", "name", "\"\""},
	{"endpointslices.discovery.k8s.io", "ports[]", "protocol", "\"TCP\""},
	{"persistentvolumes", "spec", "volumeMode", "\"Filesystem\""},
	{"persistentvolumes", "spec", "persistentVolumeReclaimPolicy", "\"Retain\""},
	{"rolebindings.rbac.authorization.k8s.io", "roleRef", "apiGroup",
	 "\"rbac.authorization.k8s.io\""},
	{"clusterrolebindings.rbac.authorization.k8s.io", "roleRef", "apiGroup",
	 "\"rbac.authorization.k8s.io\""},
	{"priorityclasses.scheduling.k8s.io", "", "preemptionPolicy", "\"PreemptLowerPriority\""},
	{"validatingwebhookconfigurations.admissionregistration.k8s.io", "webhooks[]",
	 "failurePolicy", "\"Fail\""},
	{"validatingwebhookconfigurations.admissionregistration.k8s.io", "webhooks[]",
	 "matchPolicy", "\"Equivalent\""},
	{"validatingwebhookconfigurations.admissionregistration.k8s.io", "webhooks[]",
	 "namespaceSelector", "{}"},
	{"validatingwebhookconfigurations.admissionregistration.k8s.io", "webhooks[]",
	 "objectSelector", "{}"},
	{"validatingwebhookconfigurations.admissionregistration.k8s.io", "webhooks[]",
	 "timeoutSeconds", "10"},
	{"validatingwebhookconfigurations.admissionregistration.k8s.io",
	 "webhooks[].clientConfig.service", "port", "443"},
	{"validatingwebhookconfigurations.admissionregistration.k8s.io", "webhooks[].rules[]",
	 "scope", "\"*\""},
	{"mutatingwebhookconfigurations.admissionregistration.k8s.io", "webhooks[]",
	 "failurePolicy", "\"Fail\""},
	{"mutatingwebhookconfigurations.admissionregistration.k8s.io", "webhooks[]", "matchPolicy",
	 "\"Equivalent\""},
	{"mutatingwebhookconfigurations.admissionregistration.k8s.io", "webhooks[]",
	 "namespaceSelector", "{}"},
	{"mutatingwebhookconfigurations.admissionregistration.k8s.io", "webhooks[]",
	 "objectSelector", "{}"},
	{"mutatingwebhookconfigurations.admissionregistration.k8s.io", "webhooks[]",
	 "reinvocationPolicy", "\"Never\""},
	{"mutatingwebhookconfigurations.admissionregistration.k8s.io", "webhooks[]",
	 "timeoutSeconds", "10"},
	{"mutatingwebhookconfigurations.admissionregistration.k8s.io",
	 "webhooks[].clientConfig.service", "port", "443"},
	{"mutatingwebhookconfigurations.admissionregistration.k8s.io", "webhooks[].rules[]",
	 "scope", "\"*\""},
};

/* Defaults inside a pod spec, wherever it stands. */
static const DefaultRow pod_rows[] = {
	{NULL, "", "dnsPolicy", "\"ClusterFirst\""},
	{NULL, "", "restartPolicy", "\"Always\""},
	{NULL, "", "schedulerName", "\"default-scheduler\""},
	{NULL, "", "securityContext", "{}"},
	{NULL, "", "terminationGracePeriodSeconds", "30"},
	{NULL, "volumes[].secret", "defaultMode", "420"},
	{NULL, "volumes[].configMap", "defaultMode", "420"},
	{NULL, "volumes[].downwardAPI", "defaultMode", "420"},
	{NULL, "volumes[].projected", "defaultMode", "420"},
	{NULL, "volumes[].projected.sources[].serviceAccountToken", "expirationSeconds", "3600"},
	{NULL, "volumes[].hostPath", "type", "\"\""},
	{NULL, "volumes[].ephemeral.volumeClaimTemplate.spec", "volumeMode", "\"Filesystem\""},
	{NULL, "volumes[].downwardAPI.items[].fieldRef", "apiVersion", "\"v1\""},
	{NULL, "volumes[].projected.sources[].downwardAPI.items[].fieldRef", "apiVersion",
	 "\"v1\""},
};

static const DefaultRow container_rows[] = {
	{NULL, "", "terminationMessagePath", "\"/dev/termination-log\""},
	{NULL, "", "terminationMessagePolicy", "\"File\""},
	{NULL, "", "resources", "{}"},
	{NULL, "ports[]", "protocol", "\"TCP\""},
	{NULL, "env[].valueFrom.fieldRef", "apiVersion", "\"v1\""},
	{NULL, "livenessProbe", "timeoutSeconds", "1"},
	{NULL, "livenessProbe", "periodSeconds", "10"},
	{NULL, "livenessProbe", "successThreshold", "1"},
	{NULL, "livenessProbe", "failureThreshold", "3"},
	{NULL, "livenessProbe.httpGet", "path", "\"/\""},
	{NULL, "livenessProbe.httpGet", "scheme", "\"HTTP\""},
	{NULL, "readinessProbe", "timeoutSeconds", "1"},
	{NULL, "readinessProbe", "periodSeconds", "10"},
	{NULL, "readinessProbe", "successThreshold", "1"},
	{NULL, "readinessProbe", "failureThreshold", "3"},
	{NULL, "readinessProbe.httpGet", "path", "\"/\""},
	{NULL, "readinessProbe.httpGet", "scheme", "\"HTTP\""},
	{NULL, "startupProbe", "timeoutSeconds", "1"},
	{NULL, "startupProbe", "periodSeconds", "10"},
	{NULL, "startupProbe", "successThreshold", "1"},
	{NULL, "startupProbe", "failureThreshold", "3"},
	{NULL, "startupProbe.httpGet", "path", "\"/\""},
	{NULL, "startupProbe.httpGet", "scheme", "\"HTTP\""},
	{NULL, "lifecycle.postStart.httpGet", "path", "\"/\""},
	{NULL, "lifecycle.postStart.httpGet", "scheme", "\"HTTP\""},
	{NULL, "lifecycle.preStop.httpGet", "path", "\"/\""},
	{NULL, "lifecycle.preStop.httpGet", "scheme", "\"HTTP\""},
};

/* A member that is a text in upstream's struct, and no pointer, is absent when it is empty. */
static bool is_absent(const json_t *object, const char *member)
{
	const json_t *value = json_object_get(object, member);
	return !value || (strcmp(member, "apiGroup") == 0 && cstr_eq(json_string_value(value), ""));
}

static void put(json_t *object, const char *member, const char *json)
{
	if (json_is_object(object) && is_absent(object, member))
		json_object_set_new(object, member, json_loads(json, JSON_DECODE_ANY, NULL));
}

static void apply_at(json_t *node, Str path, const DefaultRow *row)
{
	if (path.len == 0) {
		put(node, row->member, row->json);
		return;
	}
	Str head, rest;
	str_cut(path, '.', &head, &rest);
	bool each = str_ends(head, STR("[]"));
	autofree char *key = str_dup(each ? str_slice(head, 0, head.len - 2) : head);
	json_t *child = json_object_get(node, key);
	if (!each) {
		apply_at(child, rest, row);
		return;
	}
	for (size_t i = 0; i < json_array_size(child); i++)
		apply_at(json_array_get(child, i), rest, row);
}

static void apply_rows(const DefaultRow *table, size_t count, const char *resource, json_t *node)
{
	for (size_t i = 0; i < count; i++)
		if (!resource || strcmp(table[i].resource, resource) == 0)
			apply_at(node, str_of(table[i].path), &table[i]);
}

static bool wants_latest(const char *image)
{
	const char *slash = strrchr(image, '/');
	const char *tail = slash ? slash : image;
	const char *colon = strrchr(tail, ':');
	if (strchr(tail, '@'))
		return false;
	return !colon || strcmp(colon, ":latest") == 0;
}

/* Pods, not templates: requests follow limits. */
static void default_requests(json_t *container)
{
	json_t *limits = json_at(container, "resources", "limits", NULL);
	const char *key;
	json_t *value;
	json_object_foreach(limits, key, value)
	{
		json_t *requests = json_make_at(container, "resources", "requests", NULL);
		if (!json_object_get(requests, key))
			json_object_set(requests, key, value);
	}
}

static void default_containers(json_t *spec, const char *list_name, bool pod)
{
	json_t *list = json_list(spec, list_name);
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *container = json_array_get(list, i);
		apply_rows(container_rows, COUNT(container_rows), NULL, container);
		bool latest = wants_latest(json_text_or(container, "image", ""));
		put(container, "imagePullPolicy", latest ? "\"Always\"" : "\"IfNotPresent\"");
		if (pod)
			default_requests(container);
	}
}

static void default_volumes(json_t *spec)
{
	json_t *list = json_list(spec, "volumes");
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *volume = json_array_get(list, i);
		if (json_object_size(volume) == 1 && json_text(volume, "name"))
			put(volume, "emptyDir", "{}");
	}
}

static void default_pod_spec(json_t *spec, bool pod)
{
	if (!json_is_object(spec))
		return;
	apply_rows(pod_rows, COUNT(pod_rows), NULL, spec);
	if (pod)
		put(spec, "enableServiceLinks", "true");
	default_containers(spec, "containers", pod);
	default_containers(spec, "initContainers", pod);
	default_containers(spec, "ephemeralContainers", pod);
	default_volumes(spec);
	/* The old name of serviceAccountName is kept in step. */
	const char *account = json_text(spec, "serviceAccountName");
	const char *alias = json_text(spec, "serviceAccount");
	if (account)
		json_put_text(spec, "serviceAccount", account);
	else if (alias)
		json_put_text(spec, "serviceAccountName", alias);
}

static void default_template(json_t *object)
{
	json_t *spec = json_at(object, "spec", "template", "spec", NULL);
	default_pod_spec(spec, false);
}

/* The oldest of its like takes selector and labels from its template. */
static void default_replication_controller(json_t *object)
{
	json_t *spec = json_map(object, "spec");
	json_t *labels = json_at(spec, "template", "metadata", "labels", NULL);
	if (json_object_size(labels) > 0 && json_object_size(json_map(spec, "selector")) == 0)
		json_object_set_new(spec, "selector", json_deep_copy(labels));
	json_t *meta = json_make_at(object, "metadata", NULL);
	if (json_object_size(labels) > 0 && json_object_size(json_map(meta, "labels")) == 0)
		json_object_set_new(meta, "labels", json_deep_copy(labels));
	if (json_int(spec, "minReadySeconds", 1) == 0)
		json_object_del(spec, "minReadySeconds");
	default_template(object);
}

static void default_cron_job(json_t *object)
{
	json_t *job = json_at(object, "spec", "jobTemplate", "spec", NULL);
	default_pod_spec(json_at(job, "template", "spec", NULL), false);
}

static void default_rolling_update(json_t *object, const char *strategy, const char *surge,
				   const char *unavailable, const char *partition)
{
	json_t *node = json_at(object, "spec", strategy, NULL);
	if (!cstr_eq(json_text(node, "type"), "RollingUpdate"))
		return;
	json_t *rolling = json_make_at(node, "rollingUpdate", NULL);
	if (surge)
		put(rolling, "maxSurge", surge);
	if (unavailable)
		put(rolling, "maxUnavailable", unavailable);
	if (partition)
		put(rolling, "partition", partition);
}

/* Go's types write a port that nobody has set as 0. */
static bool is_no_port(const json_t *port)
{
	return !port || (json_is_integer(port) && json_integer_value(port) == 0) ||
	       (json_is_string(port) && json_string_length(port) == 0);
}

static void default_service(json_t *object)
{
	json_t *spec = json_make_at(object, "spec", NULL);
	const char *type = json_text_or(spec, "type", "ClusterIP");
	json_t *ports = json_list(spec, "ports");
	for (size_t i = 0; i < json_array_size(ports); i++) {
		json_t *port = json_array_get(ports, i);
		json_t *number = json_object_get(port, "port");
		if (number && is_no_port(json_object_get(port, "targetPort")))
			json_object_set(port, "targetPort", number);
	}
	bool outward = strcmp(type, "NodePort") == 0 || strcmp(type, "LoadBalancer") == 0;
	if (outward || json_array_size(json_list(spec, "externalIPs")) > 0)
		put(spec, "externalTrafficPolicy", "\"Cluster\"");
	if (cstr_eq(json_text(spec, "sessionAffinity"), "ClientIP"))
		put(json_make_at(spec, "sessionAffinityConfig", "clientIP", NULL), "timeoutSeconds",
		    "10800");
	else
		json_object_del(spec, "sessionAffinityConfig");
	if (strcmp(type, "LoadBalancer") == 0)
		put(spec, "allocateLoadBalancerNodePorts", "true");
	if (strcmp(type, "ExternalName") != 0)
		put(spec, "internalTrafficPolicy", "\"Cluster\"");
}

static void default_secret(json_t *object)
{
	json_t *plain = json_map(object, "stringData");
	const char *key;
	json_t *value;
	json_object_foreach(plain, key, value)
	{
		autofree char *coded =
			base64_encode(json_string_value(value), json_string_length(value));
		json_put_text(json_make_at(object, "data", NULL), key, coded);
	}
	json_object_del(object, "stringData");
}

static void default_job(json_t *object)
{
	json_t *spec = json_map(object, "spec");
	bool none = !json_object_get(spec, "completions") && !json_object_get(spec, "parallelism");
	if (none) {
		put(spec, "completions", "1");
		put(spec, "parallelism", "1");
	} else {
		put(spec, "parallelism", "1");
	}
	default_template(object);
}

static void default_network_policy(json_t *object)
{
	json_t *spec = json_map(object, "spec");
	if (!spec || json_object_get(spec, "policyTypes"))
		return;
	bool egress = json_array_size(json_list(spec, "egress")) > 0;
	put(spec, "policyTypes", egress ? "[\"Ingress\",\"Egress\"]" : "[\"Ingress\"]");
}

static void default_behavior(json_t *behavior)
{
	static const char percent[] = "[{\"type\":\"Percent\",\"value\":100,\"periodSeconds\":15}]";
	static const char both[] = "[{\"type\":\"Pods\",\"value\":4,\"periodSeconds\":15},"
				   "{\"type\":\"Percent\",\"value\":100,\"periodSeconds\":15}]";
	if (!behavior)
		return;
	json_t *up = json_make_at(behavior, "scaleUp", NULL);
	json_t *down = json_make_at(behavior, "scaleDown", NULL);
	put(up, "stabilizationWindowSeconds", "0");
	put(up, "selectPolicy", "\"Max\"");
	put(up, "policies", both);
	put(down, "selectPolicy", "\"Max\"");
	put(down, "policies", percent);
}

static void default_hpa(json_t *object)
{
	put(json_map(object, "spec"), "metrics",
	    "[{\"type\":\"Resource\",\"resource\":{\"name\":\"cpu\",\"target\":{\"type\":"
	    "\"Utilization\",\"averageUtilization\":80}}}]");
	default_behavior(json_at(object, "spec", "behavior", NULL));
}

static void default_subjects(json_t *object)
{
	json_t *list = json_list(object, "subjects");
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *subject = json_array_get(list, i);
		bool account = cstr_eq(json_text(subject, "kind"), "ServiceAccount");
		if (!account)
			put(subject, "apiGroup", "\"rbac.authorization.k8s.io\"");
	}
}

static void default_deployment(json_t *object)
{
	default_template(object);
	default_rolling_update(object, "strategy", "\"25%\"", "\"25%\"", NULL);
}

static void default_stateful_set(json_t *object)
{
	default_template(object);
	json_t *strategy = json_at(object, "spec", "updateStrategy", NULL);
	/* A type without details stays without. */
	if (cstr_empty(json_text(strategy, "type"))) {
		json_put_text(strategy, "type", "RollingUpdate");
		json_make_at(strategy, "rollingUpdate", NULL);
	}
	if (json_map(strategy, "rollingUpdate"))
		default_rolling_update(object, "updateStrategy", NULL, NULL, "0");
}

static void default_daemon_set(json_t *object)
{
	put(json_make_at(object, "metadata", "annotations", NULL),
	    "deprecated.daemonset.template.generation", "\"0\"");
	default_template(object);
	default_rolling_update(object, "updateStrategy", "0", "1", NULL);
}

static void default_pod(json_t *object)
{
	default_pod_spec(json_map(object, "spec"), true);
}

static void default_pod_template(json_t *object)
{
	default_pod_spec(json_at(object, "template", "spec", NULL), false);
}

/* A Job without labels gets those of its template. */
static void default_job_of_its_own(json_t *object)
{
	default_job(object);
	json_t *labels = json_at(object, "spec", "template", "metadata", "labels", NULL);
	json_t *meta = json_make_at(object, "metadata", NULL);
	if (json_object_size(labels) && !json_object_size(json_map(meta, "labels")))
		json_object_set_new(meta, "labels", json_deep_copy(labels));
}

static void default_namespace(json_t *object)
{
	const char *name = json_text(json_map(object, "metadata"), "name");
	if (!cstr_empty(name))
		json_put_text(json_make_at(object, "metadata", "labels", NULL),
			      "kubernetes.io/metadata.name", name);
}

/* What `to` does not have of `from`, which may be NULL. */
static void fill_amounts(json_t *item, const char *to, const char *from)
{
	const char *name;
	json_t *amount;
	json_t *amounts = json_map(item, from);
	if (json_object_size(amounts) == 0)
		return;
	json_t *filled = json_make_at(item, to, NULL);
	json_object_foreach(amounts, name, amount)
	{
		if (!json_object_get(filled, name))
			json_object_set(filled, name, amount);
	}
}

static void default_limits(json_t *object)
{
	json_t *limits = json_at(object, "spec", "limits", NULL);
	for (size_t i = 0; i < json_array_size(limits); i++) {
		json_t *item = json_array_get(limits, i);
		if (!cstr_eq(json_text(item, "type"), "Container"))
			continue;
		fill_amounts(item, "default", "max");
		fill_amounts(item, "defaultRequest", "default");
		fill_amounts(item, "defaultRequest", "min");
	}
}

static const struct {
	const char *resource;
	void (*apply)(json_t *object);
} functions[] = {
	{"limitranges", default_limits},
	{"deployments.apps", default_deployment},
	{"replicasets.apps", default_template},
	{"replicationcontrollers", default_replication_controller},
	{"statefulsets.apps", default_stateful_set},
	{"daemonsets.apps", default_daemon_set},
	{"jobs.batch", default_job_of_its_own},
	{"namespaces", default_namespace},
	{"cronjobs.batch", default_cron_job},
	{"pods", default_pod},
	{"podtemplates", default_pod_template},
	{"services", default_service},
	{"secrets", default_secret},
	{"networkpolicies.networking.k8s.io", default_network_policy},
	{"horizontalpodautoscalers.autoscaling", default_hpa},
	{"rolebindings.rbac.authorization.k8s.io", default_subjects},
	{"clusterrolebindings.rbac.authorization.k8s.io", default_subjects},
};

void defaults_apply(const Resource *resource, json_t *object)
{
	apply_rows(rows, COUNT(rows), resource->key, object);
	for (size_t i = 0; i < COUNT(functions); i++)
		if (strcmp(functions[i].resource, resource->key) == 0)
			functions[i].apply(object);
}
