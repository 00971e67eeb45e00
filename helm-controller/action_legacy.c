/* Readiness as Helm 3 has it (helm-engine.md 14, "Legacy wait"): what kinds of their own rules say;
 * anything else is ready at once. */
#include "action_internal.h"

#include <inttypes.h>
#include <math.h>

#include "base/mem.h"

static KstatusCode ready_if(bool ready)
{
	return ready ? KSTATUS_CURRENT : KSTATUS_IN_PROGRESS;
}

static const json_t *spec_of(const json_t *object)
{
	return json_map(object, "spec");
}

static const json_t *status_of(const json_t *object)
{
	return json_map(object, "status");
}

static bool is_observed(const json_t *object)
{
	return json_int(status_of(object), "observedGeneration", 0) == object_generation(object);
}

static bool has_condition(const json_t *object, const char *type, const char *status)
{
	return cstr_eq(object_condition_status(object, type), status);
}

/* "25%" or 3 of `total`, fractions away from or towards zero. */
static int64_t share_of(const json_t *value, int64_t total, int64_t fallback, bool up)
{
	const char *text = json_string_value(value);
	if (json_is_integer(value))
		return json_integer_value(value);
	if (!text || !cstr_ends(text, "%"))
		return fallback;
	double share = strtod(text, NULL) * (double)total / 100;
	return (int64_t)(up ? ceil(share) : floor(share));
}

/* --- what needs other objects --- */

static void put_expression(const json_t *row, Buf *out)
{
	size_t i;
	json_t *value;
	const char *key = json_text_or(row, "key", ""), *name = json_text_or(row, "operator", "");
	if (cstr_eq(name, "Exists") || cstr_eq(name, "DoesNotExist")) {
		buf_printf(out, "%s%s%s", out->len ? "," : "", *name == 'D' ? "!" : "", key);
		return;
	}
	buf_printf(out, "%s%s %s (", out->len ? "," : "", key,
		   cstr_eq(name, "In") ? "in" : "notin");
	json_array_foreach(json_list(row, "values"), i, value)
		buf_printf(out, "%s%s", i ? "," : "", json_string_value(value));
	buf_putc(out, ')');
}

static void put_labels(const json_t *labels, Buf *out)
{
	const char *key;
	json_t *value;
	json_object_foreach(json_borrow(labels), key, value)
		buf_printf(out, "%s%s=%s", out->len ? "," : "", key,
			   json_is_string(value) ? json_string_value(value) : "");
}

static void put_selector(const json_t *object, Buf *out)
{
	size_t i;
	json_t *row;
	const json_t *selector = json_map(spec_of(object), "selector");
	if (cstr_eq(object_kind(object), "ReplicationController")) {
		put_labels(selector, out);
		return;
	}
	put_labels(json_map(selector, "matchLabels"), out);
	json_array_foreach(json_list(selector, "matchExpressions"), i, row)
		put_expression(row, out);
}

/* Objects that an object selects; NULL: none can be told. Owned. */
static json_t *selected_by(const Action *action, const json_t *object, const char *api_version,
			   const char *kind)
{
	autobuf Buf selector = {0};
	autoerror Error unsaid = {0};
	put_selector(object, &selector);
	if (!selector.len)
		return NULL;
	return kube_do(action->target->client,
		       &(KubeRequest){.verb = KUBE_LIST,
				      .api_version = api_version,
				      .kind = kind,
				      .ns = object_namespace(object),
				      .label_selector = buf_text(&selector)},
		       &unsaid);
}

/* The set of replicas that a Deployment has last made: of its revision. */
static const json_t *newest_set(const json_t *deployment, const json_t *list)
{
	static const char revision[] = "deployment.kubernetes.io/revision";
	const char *wanted = object_annotation(deployment, revision);
	size_t i;
	json_t *set;
	json_array_foreach(json_list(list, "items"), i, set)
	{
		if (wanted && cstr_eq(object_annotation(set, revision), wanted))
			return set;
	}
	return NULL;
}

static KstatusCode deployment_ready(const Action *action, const json_t *object)
{
	const json_t *spec = spec_of(object);
	if (json_flag(spec, "paused", false))
		return KSTATUS_CURRENT;
	autojson json_t *list = selected_by(action, object, "apps/v1", "ReplicaSet");
	const json_t *set = newest_set(object, list);
	if (!set || !is_observed(set) || !is_observed(object))
		return KSTATUS_IN_PROGRESS;
	int64_t replicas = json_int(spec, "replicas", 1);
	const json_t *rolling = json_at(spec, "strategy", "rollingUpdate", NULL);
	const json_t *allowed = json_object_get(rolling, "maxUnavailable");
	bool rolls = !cstr_eq(json_text_at(spec, "strategy", "type", NULL), "Recreate");
	int64_t missing = rolls ? share_of(allowed, replicas, 0, false) : 0;
	return ready_if(json_int(status_of(set), "readyReplicas", 0) >= replicas - missing);
}

static KstatusCode pods_ready(const Action *action, const json_t *object)
{
	size_t i;
	json_t *pod;
	if (!is_observed(object))
		return KSTATUS_IN_PROGRESS;
	autojson json_t *list = selected_by(action, object, "v1", "Pod");
	if (!list)
		return KSTATUS_IN_PROGRESS;
	json_array_foreach(json_list(list, "items"), i, pod)
	{
		if (!has_condition(pod, "Ready", "True"))
			return KSTATUS_IN_PROGRESS;
	}
	return KSTATUS_CURRENT;
}

/* --- what tells of itself --- */

static KstatusCode pod_ready(const Action *action, const json_t *object)
{
	(void)action;
	return ready_if(has_condition(object, "Ready", "True"));
}

static KstatusCode job_ready(const Action *action, const json_t *object)
{
	const json_t *spec = spec_of(object), *status = status_of(object);
	if (action->input.options.disable_wait_for_jobs)
		return KSTATUS_CURRENT;
	if (json_int(status, "failed", 0) > json_int(spec, "backoffLimit", 6))
		return KSTATUS_FAILED;
	return ready_if(!json_object_get(spec, "completions") ||
			json_int(status, "succeeded", 0) >= json_int(spec, "completions", 1));
}

static KstatusCode claim_ready(const Action *action, const json_t *object)
{
	(void)action;
	return ready_if(cstr_eq(json_text(status_of(object), "phase"), "Bound"));
}

static KstatusCode service_ready(const Action *action, const json_t *object)
{
	const json_t *spec = spec_of(object);
	const char *type = json_text_or(spec, "type", "ClusterIP");
	(void)action;
	if (cstr_eq(type, "ExternalName"))
		return KSTATUS_CURRENT;
	if (cstr_empty(json_text(spec, "clusterIP")))
		return KSTATUS_IN_PROGRESS;
	bool balanced = !cstr_eq(type, "LoadBalancer") ||
			json_array_size(json_list(spec, "externalIPs")) ||
			json_array_size(json_at(object, "status", "loadBalancer", "ingress", NULL));
	return ready_if(balanced);
}

static bool rolls_out(const json_t *object)
{
	const char *type = json_text_at(spec_of(object), "updateStrategy", "type", NULL);
	return cstr_eq(type ? type : "RollingUpdate", "RollingUpdate");
}

static KstatusCode daemons_ready(const Action *action, const json_t *object)
{
	const json_t *status = status_of(object);
	const json_t *rolling = json_at(spec_of(object), "updateStrategy", "rollingUpdate", NULL);
	(void)action;
	if (!is_observed(object))
		return KSTATUS_IN_PROGRESS;
	if (!rolls_out(object))
		return KSTATUS_CURRENT;
	int64_t desired = json_int(status, "desiredNumberScheduled", 0);
	int64_t missing =
		share_of(json_object_get(rolling, "maxUnavailable"), desired, desired, true);
	return ready_if(json_int(status, "updatedNumberScheduled", 0) == desired &&
			json_int(status, "numberReady", 0) >= desired - missing);
}

static KstatusCode stateful_ready(const Action *action, const json_t *object)
{
	const json_t *spec = spec_of(object), *status = status_of(object);
	const json_t *rolling = json_at(spec, "updateStrategy", "rollingUpdate", NULL);
	(void)action;
	if (!is_observed(object))
		return KSTATUS_IN_PROGRESS;
	if (!rolls_out(object))
		return KSTATUS_CURRENT;
	int64_t partition = json_int(rolling, "partition", 0);
	int64_t replicas = json_int(spec, "replicas", 1);
	bool same =
		cstr_eq(json_text(status, "currentRevision"), json_text(status, "updateRevision"));
	return ready_if(json_int(status, "updatedReplicas", 0) >= replicas - partition &&
			json_int(status, "readyReplicas", 0) == replicas &&
			(partition > 0 || same));
}

/* A name that is taken stays so: other definitions' objects may go on. */
static KstatusCode definition_ready(const Action *action, const json_t *object)
{
	(void)action;
	return ready_if(has_condition(object, "Established", "True") ||
			has_condition(object, "NamesAccepted", "False"));
}

typedef struct {
	const char *kind, *api_version;
	KstatusCode (*ready)(const Action *action, const json_t *object);
} LegacyRule;

static const LegacyRule rules[] = {
	{"Pod", "v1", pod_ready},
	{"Job", "batch/v1", job_ready},
	{"Deployment", "apps/v1", deployment_ready},
	{"DaemonSet", "apps/v1", daemons_ready},
	{"StatefulSet", "apps/v1", stateful_ready},
	{"ReplicaSet", "apps/v1", pods_ready},
	{"ReplicationController", "v1", pods_ready},
	{"PersistentVolumeClaim", "v1", claim_ready},
	{"Service", "v1", service_ready},
	{"CustomResourceDefinition", "apiextensions.k8s.io/v1", definition_ready},
};

KstatusCode legacy_status(const Action *action, const json_t *object)
{
	for (size_t i = 0; i < COUNT(rules); i++)
		if (cstr_eq(rules[i].kind, object_kind(object)) &&
		    cstr_eq(rules[i].api_version, object_api_version(object)))
			return rules[i].ready(action, object);
	return KSTATUS_CURRENT;
}
