#include "kube/kstatus.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"

typedef struct {
	KstatusCode code;
	const char *why; /* static, or borrowed from the object */
} Verdict;

typedef Verdict KindRule(const json_t *object);

static Verdict current(void)
{
	return (Verdict){KSTATUS_CURRENT, "Resource is current"};
}

static Verdict progress(const char *why)
{
	return (Verdict){KSTATUS_IN_PROGRESS, why};
}

static Verdict failed(const char *why)
{
	return (Verdict){KSTATUS_FAILED, why};
}

const char *kstatus_name(KstatusCode code)
{
	static const char *const names[] = {
		[KSTATUS_IN_PROGRESS] = "InProgress", [KSTATUS_CURRENT] = "Current",
		[KSTATUS_FAILED] = "Failed",	      [KSTATUS_TERMINATING] = "Terminating",
		[KSTATUS_NOT_FOUND] = "NotFound",     [KSTATUS_UNKNOWN] = "Unknown",
	};
	return (size_t)code < COUNT(names) ? names[code] : "Unknown";
}

static bool is(const json_t *object, const char *type, const char *status)
{
	return cstr_eq(object_condition_status(object, type), status);
}

static const char *reason(const json_t *object, const char *type)
{
	return json_text_or(object_condition(object, type), "reason", "");
}

static int64_t spec_replicas(const json_t *object)
{
	return json_int(json_map(object, "spec"), "replicas", 1);
}

static int64_t counted(const json_t *object, const char *key)
{
	return json_int(json_map(object, "status"), key, 0);
}

static Verdict deployment(const json_t *object)
{
	int64_t wanted = spec_replicas(object), updated = counted(object, "updatedReplicas");
	bool has_deadline = json_object_get(json_map(object, "spec"), "progressDeadlineSeconds");
	if (cstr_eq(reason(object, "Progressing"), "ProgressDeadlineExceeded"))
		return failed("Progress deadline exceeded");
	if (counted(object, "replicas") != wanted)
		return progress("Replicas are being made or removed");
	if (updated < wanted || counted(object, "readyReplicas") < wanted)
		return progress("Not all replicas are updated and ready");
	if (counted(object, "availableReplicas") < updated)
		return progress("Not all replicas are available");
	if (has_deadline && !(is(object, "Progressing", "True") &&
			      cstr_eq(reason(object, "Progressing"), "NewReplicaSetAvailable")))
		return progress("The new ReplicaSet is not available");
	return is(object, "Available", "True") ? current() : progress("Deployment is not available");
}

static Verdict stateful_set(const json_t *object)
{
	const json_t *spec = json_map(object, "spec"), *status = json_map(object, "status");
	const json_t *strategy = json_map(spec, "updateStrategy");
	if (cstr_eq(json_text(strategy, "type"), "OnDelete"))
		return current();
	int64_t wanted = spec_replicas(object);
	if (counted(object, "replicas") != wanted)
		return progress("Replicas are being made or removed");
	if (counted(object, "readyReplicas") < wanted)
		return progress("Not all replicas are ready");
	int64_t partition = json_int(json_map(strategy, "rollingUpdate"), "partition", 0);
	if (partition > 0)
		return counted(object, "updatedReplicas") >= wanted - partition
			       ? current()
			       : progress("The partitioned roll-out goes on");
	if (counted(object, "currentReplicas") < wanted)
		return progress("Not all replicas are current");
	return cstr_eq(json_text(status, "currentRevision"), json_text(status, "updateRevision"))
		       ? current()
		       : progress("The update is being rolled out");
}

static Verdict replica_set(const json_t *object)
{
	int64_t wanted = spec_replicas(object);
	if (is(object, "ReplicaFailure", "True"))
		return progress("A replica failed");
	bool done = counted(object, "fullyLabeledReplicas") >= wanted &&
		    counted(object, "availableReplicas") >= wanted &&
		    counted(object, "readyReplicas") >= wanted &&
		    counted(object, "replicas") <= wanted;
	return done ? current() : progress("Not all replicas are ready");
}

static Verdict daemon_set(const json_t *object)
{
	const json_t *status = json_map(object, "status");
	if (!json_object_get(status, "observedGeneration"))
		return progress("No status yet");
	int64_t wanted = counted(object, "desiredNumberScheduled");
	bool done = counted(object, "currentNumberScheduled") >= wanted &&
		    counted(object, "updatedNumberScheduled") >= wanted &&
		    counted(object, "numberAvailable") >= wanted &&
		    counted(object, "numberReady") >= wanted;
	return done ? current() : progress("Not all nodes run it");
}

/* A running Job is not Current, unlike in older rules (K82). */
static Verdict job(const json_t *object)
{
	if (is(object, "Complete", "True"))
		return current();
	if (is(object, "Failed", "True"))
		return failed("Job failed");
	if (json_flag(json_map(object, "spec"), "suspend", false))
		return current();
	return progress("Job is running");
}

static bool crash_loops(const json_t *object)
{
	size_t i;
	json_t *container;
	json_array_foreach(json_at(object, "status", "containerStatuses", NULL), i, container)
	{
		if (cstr_eq(json_text_at(container, "state", "waiting", "reason", NULL),
			    "CrashLoopBackOff"))
			return true;
	}
	return false;
}

static bool is_unschedulable(const json_t *object)
{
	enum { PATIENCE_MS = 15000 };
	int64_t created;
	return is(object, "PodScheduled", "False") &&
	       cstr_eq(reason(object, "PodScheduled"), "Unschedulable") &&
	       clock_parse(json_text_or(json_map(object, "metadata"), "creationTimestamp", ""),
			   &created) &&
	       clock_wall_ms() - created > PATIENCE_MS;
}

static Verdict pod(const json_t *object)
{
	const char *phase = json_text_or(json_map(object, "status"), "phase", "");
	if (cstr_eq(phase, "Succeeded") || cstr_eq(phase, "Failed"))
		return current();
	if (cstr_eq(phase, "Running") && is(object, "Ready", "True"))
		return current();
	if (crash_loops(object))
		return failed("A container crashes again and again");
	if (is_unschedulable(object))
		return failed("Pod cannot be scheduled");
	return progress("Pod is not ready");
}

static Verdict claim(const json_t *object)
{
	return cstr_eq(json_text(json_map(object, "status"), "phase"), "Bound")
		       ? current()
		       : progress("Claim is not bound");
}

static Verdict service(const json_t *object)
{
	const json_t *spec = json_map(object, "spec");
	bool balanced = cstr_eq(json_text(spec, "type"), "LoadBalancer");
	return balanced && cstr_empty(json_text(spec, "clusterIP")) ? progress("No clusterIP yet")
								    : current();
}

static Verdict definition(const json_t *object)
{
	if (is(object, "NamesAccepted", "False"))
		return failed("Names are not accepted");
	if (is(object, "Established", "False") &&
	    !cstr_eq(reason(object, "Established"), "Installing"))
		return failed("Definition is not established");
	return is(object, "Established", "True") ? current() : progress("Definition is installing");
}

static Verdict always(const json_t *object)
{
	(void)object;
	return current();
}

static const struct {
	const char *group, *kind;
	KindRule *rule;
} rules[] = {
	{"apps", "Deployment", deployment},
	{"apps", "StatefulSet", stateful_set},
	{"apps", "ReplicaSet", replica_set},
	{"apps", "DaemonSet", daemon_set},
	{"batch", "Job", job},
	{"batch", "CronJob", always},
	{"", "Pod", pod},
	{"", "PersistentVolumeClaim", claim},
	{"", "Service", service},
	{"", "Secret", always},
	{"", "ConfigMap", always},
	{"policy", "PodDisruptionBudget", always},
	{"apiextensions.k8s.io", "CustomResourceDefinition", definition},
};

static KindRule *rule_of(const json_t *object)
{
	autofree char *group = api_group(object_api_version(object));
	for (size_t i = 0; i < COUNT(rules); i++)
		if (cstr_eq(rules[i].group, group) && cstr_eq(rules[i].kind, object_kind(object)))
			return rules[i].rule;
	return NULL;
}

/* kustomize-controller.md 7 "Generic order". */
static Verdict judge(const json_t *object)
{
	const json_t *status = json_map(object, "status");
	if (object_is_deleting(object))
		return (Verdict){KSTATUS_TERMINATING, "Resource scheduled for deletion"};
	if (json_object_get(status, "observedGeneration") &&
	    json_int(status, "observedGeneration", 0) != object_generation(object))
		return progress("The latest generation is not observed yet");
	if (is(object, "Reconciling", "True"))
		return progress(json_text_or(object_condition(object, "Reconciling"), "message", ""));
	if (is(object, "Stalled", "True"))
		return failed(json_text_or(object_condition(object, "Stalled"), "message", ""));
	KindRule *rule = rule_of(object);
	if (rule)
		return rule(object);
	const json_t *ready = object_condition(object, "Ready");
	if (!ready || is(object, "Ready", "True"))
		return current();
	return progress(json_text_or(ready, "message", ""));
}

KstatusCode kstatus_of(const json_t *object, char **out_message)
{
	Verdict verdict = judge(object);
	if (out_message)
		*out_message = mem_strdup(verdict.why);
	return verdict.code;
}
