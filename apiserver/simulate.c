/*
 * --simulate=workloads: no node runs anything, but status says what a cluster's controllers would
 * come to: rollouts finish, Jobs complete, Pods run. Status only: a Deployment gets no ReplicaSet
 * and no Pods. Each kind is a function from the object to its status; what equals the status at
 * hand is not written, so the work ends. kube-api.md 5.
 */
#include "simulate.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/digest.h"
#include "data/duration.h"
#include "object.h"
#include "write.h"

/* On an object: "hold" leaves its status alone, "fail" lets it fail; how long its status takes. */
static const char annotation[] = "sluice.dev/simulate";
static const char delay_annotation[] = "sluice.dev/simulate-delay";

/* A change whose status is to follow. */
typedef struct {
	int64_t generation, due_ms;
} Waiting;

static const char *wish(const json_t *object)
{
	return json_text_or(json_at(object, "metadata", "annotations", NULL), annotation, "");
}

static bool is_failing(const json_t *object)
{
	return strcmp(wish(object), "fail") == 0;
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

/* NAME-HASH of the template, as revisions are called. */
static char *revision_of(const json_t *object)
{
	autofree char *text = json_dump_sorted(json_map(json_map(object, "spec"), "template"));
	char hex[DIGEST_TEXT_SIZE];
	digest_hex(DIGEST_SHA256, text, strlen(text), hex);
	return mem_printf("%s-%.10s", object_name(object), hex);
}

/* What the real controllers say beside a reason. */
static const struct {
	const char *reason, *before, *behind;
	bool names_revision; /* between the two */
} messages[] = {
	{"MinimumReplicasAvailable", "Deployment has minimum availability.", "", false},
	{"MinimumReplicasUnavailable", "Deployment does not have minimum availability.", "", false},
	{"NewReplicaSetAvailable", "ReplicaSet \"", "\" has successfully progressed.", true},
	{"ProgressDeadlineExceeded", "ReplicaSet \"", "\" has timed out progressing.", true},
	{"CompletionsReached", "Reached expected number of succeeded pods", "", false},
	{"BackoffLimitExceeded", "Job has reached the specified backoff limit", "", false},
};

static void put_messages(json_t *status, const json_t *object)
{
	json_t *conditions = json_list(status, "conditions");
	for (size_t i = 0; i < json_array_size(conditions) * COUNT(messages); i++) {
		json_t *condition = json_array_get(conditions, i / COUNT(messages));
		size_t row = i % COUNT(messages);
		if (!cstr_eq(json_text(condition, "reason"), messages[row].reason))
			continue;
		autofree char *revision =
			messages[row].names_revision ? revision_of(object) : mem_strdup("");
		autofree char *text =
			mem_printf("%s%s%s", messages[row].before, revision, messages[row].behind);
		json_put_text(condition, "message", text);
	}
}

static json_t *deployment_status(const json_t *object)
{
	static const char *const counts[] = {"replicas", "updatedReplicas", NULL};
	static const char *const ready[] = {"readyReplicas", "availableReplicas", NULL};
	int64_t replicas = json_int(json_map(object, "spec"), "replicas", 1);
	bool fails = is_failing(object);
	json_t *status = json_object();
	put_counts(status, counts, replicas);
	put_counts(status, ready, fails ? 0 : replicas);
	put_condition(status, object, "Available", !fails,
		      fails ? "MinimumReplicasUnavailable" : "MinimumReplicasAvailable",
		      "lastUpdateTime");
	put_condition(status, object, "Progressing", !fails,
		      fails ? "ProgressDeadlineExceeded" : "NewReplicaSetAvailable",
		      "lastUpdateTime");
	put_messages(status, object);
	return status;
}

static json_t *replica_set_status(const json_t *object)
{
	static const char *const counts[] = {"replicas", "fullyLabeledReplicas", NULL};
	static const char *const ready[] = {"readyReplicas", "availableReplicas", NULL};
	int64_t replicas = json_int(json_map(object, "spec"), "replicas", 1);
	json_t *status = json_object();
	put_counts(status, counts, replicas);
	put_counts(status, ready, is_failing(object) ? 0 : replicas);
	return status;
}

static json_t *stateful_set_status(const json_t *object)
{
	static const char *const counts[] = {"replicas", "currentReplicas", "updatedReplicas",
					     NULL};
	static const char *const ready[] = {"readyReplicas", "availableReplicas", NULL};
	int64_t replicas = json_int(json_map(object, "spec"), "replicas", 1);
	autofree char *revision = revision_of(object);
	json_t *status = json_object();
	put_counts(status, counts, replicas);
	put_counts(status, ready, is_failing(object) ? 0 : replicas);
	json_put_text(status, "currentRevision", revision);
	json_put_text(status, "updateRevision", revision);
	put_int(status, "collisionCount", 0);
	return status;
}

/* One node. */
static json_t *daemon_set_status(const json_t *object)
{
	static const char *const counts[] = {"currentNumberScheduled", "desiredNumberScheduled",
					     "updatedNumberScheduled", NULL};
	static const char *const ready[] = {"numberReady", "numberAvailable", NULL};
	json_t *status = json_pack("{s:i}", "numberMisscheduled", 0);
	put_counts(status, counts, 1);
	put_counts(status, ready, is_failing(object) ? 0 : 1);
	return status;
}

static json_t *job_status(const json_t *object)
{
	const json_t *spec = json_map(object, "spec");
	const json_t *old = json_map(object, "status");
	bool fails = is_failing(object);
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
	put_messages(status, object);
	return status;
}

static json_t *pod_status(const json_t *object)
{
	static const char *const types[] = {"PodReadyToStartContainers", "Initialized", "Ready",
					    "ContainersReady", "PodScheduled"};
	const json_t *old = json_map(object, "status");
	bool fails = is_failing(object);
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

static char *waiting_key(const char *resource, const char *ns, const char *name)
{
	return mem_printf("%s|%s|%s", resource, ns, name);
}

/* Whether the status of this generation has to wait, and from when on it has waited. */
static bool must_wait(Collector *collector, const char *key, const json_t *object)
{
	const json_t *notes = json_at(object, "metadata", "annotations", NULL);
	int64_t delay_ms = duration_ms_or(json_text(notes, delay_annotation),
					  collector->server->simulate_delay_ms);
	int64_t generation = json_int(json_map(object, "metadata"), "generation", 1);
	Waiting *waiting = map_get(collector->waiting, key);
	if (delay_ms <= 0)
		return false;
	if (waiting && waiting->generation == generation)
		return clock_mono_ms() < waiting->due_ms;
	waiting = mem_zalloc(1, sizeof(*waiting));
	*waiting = (Waiting){generation, clock_mono_ms() + delay_ms};
	map_put(collector->waiting, key, waiting);
	return true;
}

static void simulate_kind(Collector *collector, size_t kind, const char *ns, const char *name)
{
	autosubject Subject subject = {0};
	autofree char *key = waiting_key(kinds[kind].resource, ns, name);
	bool there = collector_subject(collector, kinds[kind].resource, ns, name, &subject) &&
		     !object_is_deleting(subject.live) && strcmp(wish(subject.live), "hold") != 0;
	autojson json_t *status = there ? kinds[kind].status(subject.live) : NULL;
	if (there && kinds[kind].counts)
		put_int(status, "observedGeneration",
			json_int(json_map(subject.live, "metadata"), "generation", 1));
	bool done = !there || json_same(json_map(subject.live, "status"), status);
	if (!done && must_wait(collector, key, subject.live))
		return;
	map_remove(collector->waiting, key);
	/* A lost race is made good at the change that won it. */
	if (!done)
		write_status(collector, &subject, status);
}

static void simulate(Collector *collector, const char *resource, const char *ns, const char *name)
{
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (strcmp(kinds[i].resource, resource) == 0)
			simulate_kind(collector, i, ns, name);
}

void simulate_change(Collector *collector, const Change *change)
{
	simulate(collector, change->resource, change->ns, change->name);
}

static void simulate_key(Collector *collector, const char *key)
{
	Str resource, rest, ns, name;
	if (!str_cut(str_of(key), '|', &resource, &rest) || !str_cut(rest, '|', &ns, &name))
		return;
	autofree char *resource_text = str_dup(resource);
	autofree char *ns_text = str_dup(ns);
	autofree char *name_text = str_dup(name);
	simulate(collector, resource_text, ns_text, name_text);
}

int64_t simulate_due(Collector *collector)
{
	int64_t next_ms = INT64_MAX, now = clock_mono_ms();
	autostrings Vec due = {0};
	size_t at = 0;
	const char *key;
	void *value;
	while (map_next(collector->waiting, &at, &key, &value)) {
		const Waiting *waiting = value;
		if (waiting->due_ms <= now)
			vec_push(&due, mem_strdup(key));
		else if (waiting->due_ms < next_ms)
			next_ms = waiting->due_ms;
	}
	for (size_t i = 0; i < due.len; i++)
		simulate_key(collector, due.items[i]);
	return next_ms;
}
