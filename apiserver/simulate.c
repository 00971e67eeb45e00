/*
 * --simulate=workloads: no node runs anything, but status says what a cluster's controllers would
 * come to: rollouts finish, Jobs complete, Pods run. Status only: a Deployment gets no ReplicaSet
 * and no Pods. Each kind is a function from the object to its status; what equals the status at
 * hand is not written, so the work ends. kube-api.md 5.
 */
#include "simulate.h"

#include <string.h>

#include "base/mem.h"
#include "data/digest.h"
#include "object.h"
#include "write.h"

/* On an object: "hold" leaves its status alone, "fail" lets it fail. */
static const char annotation[] = "sluice.dev/simulate";

static const char *wish(const json_t *object)
{
	return json_text_or(json_at(object, "metadata", "annotations", NULL), annotation, "");
}

static void put_int(json_t *status, const char *key, int64_t value)
{
	json_object_set_new(status, key, json_integer(value));
}

static const json_t *old_condition(const json_t *object, const char *type)
{
	json_t *list = json_list(json_map(object, "status"), "conditions");
	for (size_t i = 0; i < json_array_size(list); i++)
		if (cstr_eq(json_text(json_array_get(list, i), "type"), type))
			return json_array_get(list, i);
	return NULL;
}

/* A condition; its times stay while it stays true or false. */
static void put_condition(json_t *status, const json_t *object, const char *type, bool holds,
			  const char *reason, const char *probe_key)
{
	const char *value = holds ? "True" : "False";
	const json_t *old = old_condition(object, type);
	bool same = cstr_eq(json_text(old, "status"), value);
	autofree char *now = object_now();
	json_t *condition = json_pack("{s:s,s:s}", "type", type, "status", value);
	json_put_text(condition, "lastTransitionTime",
		      same ? json_text_or(old, "lastTransitionTime", now) : now);
	json_put_text(condition, "reason", reason);
	json_put_text(condition, probe_key, same ? json_text_or(old, probe_key, now) : now);
	if (!json_list(status, "conditions"))
		json_object_set_new(status, "conditions", json_array());
	json_array_append_new(json_list(status, "conditions"), condition);
}

static void put_counts(json_t *status, const char *const *keys, int64_t count)
{
	for (; *keys; keys++)
		put_int(status, *keys, count);
}

static json_t *deployment_status(const json_t *object)
{
	static const char *const counts[] = {"replicas", "updatedReplicas", NULL};
	static const char *const ready[] = {"readyReplicas", "availableReplicas", NULL};
	int64_t replicas = json_int(json_map(object, "spec"), "replicas", 1);
	bool fails = strcmp(wish(object), "fail") == 0;
	json_t *status = json_object();
	put_counts(status, counts, replicas);
	put_counts(status, ready, fails ? 0 : replicas);
	put_condition(status, object, "Available", !fails,
		      fails ? "MinimumReplicasUnavailable" : "MinimumReplicasAvailable",
		      "lastUpdateTime");
	put_condition(status, object, "Progressing", !fails,
		      fails ? "ProgressDeadlineExceeded" : "NewReplicaSetAvailable",
		      "lastUpdateTime");
	return status;
}

static json_t *replica_set_status(const json_t *object)
{
	static const char *const counts[] = {"replicas", "fullyLabeledReplicas", "readyReplicas",
					     "availableReplicas", NULL};
	json_t *status = json_object();
	put_counts(status, counts, json_int(json_map(object, "spec"), "replicas", 1));
	return status;
}

/* NAME-HASH of the template, as revisions are called. */
static char *revision_of(const json_t *object)
{
	autofree char *text = json_dump_sorted(json_map(json_map(object, "spec"), "template"));
	char hex[DIGEST_TEXT_SIZE];
	digest_hex(DIGEST_SHA256, text, strlen(text), hex);
	return mem_printf("%s-%.10s", object_name(object), hex);
}

static json_t *stateful_set_status(const json_t *object)
{
	static const char *const counts[] = {"replicas",	  "readyReplicas",
					     "currentReplicas",	  "updatedReplicas",
					     "availableReplicas", NULL};
	autofree char *revision = revision_of(object);
	json_t *status = json_object();
	put_counts(status, counts, json_int(json_map(object, "spec"), "replicas", 1));
	json_put_text(status, "currentRevision", revision);
	json_put_text(status, "updateRevision", revision);
	return status;
}

/* One node. */
static json_t *daemon_set_status(const json_t *object)
{
	static const char *const counts[] = {
		"currentNumberScheduled", "desiredNumberScheduled", "numberReady",
		"updatedNumberScheduled", "numberAvailable",	    NULL};
	(void)object;
	json_t *status = json_pack("{s:i}", "numberMisscheduled", 0);
	put_counts(status, counts, 1);
	return status;
}

static json_t *job_status(const json_t *object)
{
	const json_t *spec = json_map(object, "spec");
	const json_t *old = json_map(object, "status");
	bool fails = strcmp(wish(object), "fail") == 0;
	autofree char *now = object_now();
	json_t *status = json_pack("{s:{},s:i}", "uncountedTerminatedPods", "ready", 0);
	if (json_flag(spec, "suspend", false))
		return status;
	json_put_text(status, "startTime", json_text_or(old, "startTime", now));
	put_int(status, fails ? "failed" : "succeeded",
		fails ? json_int(spec, "backoffLimit", 6) + 1 : json_int(spec, "completions", 1));
	put_int(status, "terminating", 0);
	if (!fails)
		json_put_text(status, "completionTime", json_text_or(old, "completionTime", now));
	const char *reason = fails ? "BackoffLimitExceeded" : "CompletionsReached";
	put_condition(status, object, fails ? "FailureTarget" : "SuccessCriteriaMet", true, reason,
		      "lastProbeTime");
	put_condition(status, object, fails ? "Failed" : "Complete", true, reason, "lastProbeTime");
	return status;
}

static json_t *pod_status(const json_t *object)
{
	static const char *const types[] = {"PodReadyToStartContainers", "Initialized", "Ready",
					    "ContainersReady", "PodScheduled"};
	const json_t *old = json_map(object, "status");
	bool fails = strcmp(wish(object), "fail") == 0;
	autofree char *now = object_now();
	json_t *status = json_pack("{s:s,s:s}", "phase", fails ? "Failed" : "Running", "qosClass",
				   json_text_or(old, "qosClass", "BestEffort"));
	json_put_text(status, "startTime", json_text_or(old, "startTime", now));
	for (size_t i = 0; i < COUNT(types); i++)
		put_condition(status, object, types[i], !fails, NULL, "lastTransitionTime");
	return status;
}

static const struct {
	const char *resource;
	json_t *(*status)(const json_t *object);
	bool counts; /* status has observedGeneration */
} kinds[] = {
	{"deployments.apps", deployment_status, true},
	{"replicasets.apps", replica_set_status, true},
	{"statefulsets.apps", stateful_set_status, true},
	{"daemonsets.apps", daemon_set_status, true},
	{"jobs.batch", job_status, false},
	{"pods", pod_status, false},
};

bool simulate_wants(const ApiServer *server, const char *resource)
{
	if (server->simulate != SIMULATE_WORKLOADS)
		return false;
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (strcmp(kinds[i].resource, resource) == 0)
			return true;
	return false;
}

static bool write_status(Collector *collector, const Subject *subject, json_t *status)
{
	autoinner Request request = {0};
	write_inner_request(collector->server, subject->resource, object_ns(subject->live),
			    object_name(subject->live), &request);
	free(request.path.subresource);
	request.path.subresource = mem_strdup("status");
	autojson json_t *next = json_deep_copy(subject->live);
	json_object_set(next, "status", status);
	autowritten Written written = {0};
	autostatus Status refused = {0};
	return write_update(&request, subject->live, next, false, &written, &refused);
}

static void simulate_kind(Collector *collector, size_t kind, const Change *change)
{
	autosubject Subject subject = {0};
	if (!collector_subject(collector, change->resource, change->ns, change->name, &subject) ||
	    object_is_deleting(subject.live) || strcmp(wish(subject.live), "hold") == 0)
		return;
	autojson json_t *status = kinds[kind].status(subject.live);
	int64_t generation = json_int(json_map(subject.live, "metadata"), "generation", 1);
	if (kinds[kind].counts)
		put_int(status, "observedGeneration", generation);
	/* A lost race is made good at the change that won it. */
	if (!json_same(json_map(subject.live, "status"), status))
		write_status(collector, &subject, status);
}

void simulate_change(Collector *collector, const Change *change)
{
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (strcmp(kinds[i].resource, change->resource) == 0)
			simulate_kind(collector, i, change);
}
