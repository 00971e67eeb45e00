/* Health of what runs pods. Counters that are absent are 0, spec.replicas is 1. */
#include "base/clock.h"
#include "kube/kstatus_internal.h"

enum { SCHEDULE_WINDOW_MS = 15000 };

/* One comparison of a rule: `have` must reach `want`. */
typedef struct {
	const char *what;
	int64_t have, want;
} Step;

static KstatusCode waiting(Buf *why, const char *text)
{
	buf_puts(why, text);
	return KSTATUS_IN_PROGRESS;
}

static KstatusCode current(Buf *why, const char *text)
{
	buf_puts(why, text);
	return KSTATUS_CURRENT;
}

/* Says the first step that is not reached. */
static bool reached(const Step *steps, size_t count, Buf *why)
{
	for (size_t i = 0; i < count; i++) {
		if (steps[i].have >= steps[i].want)
			continue;
		buf_printf(why, "%s: %lld/%lld", steps[i].what, (long long)steps[i].have,
			   (long long)steps[i].want);
		return false;
	}
	return true;
}

static int64_t counter(const json_t *object, const char *key)
{
	return json_int(json_map(object, "status"), key, 0);
}

static int64_t wanted(const json_t *object)
{
	return json_int(json_map(object, "spec"), "replicas", 1);
}

/* Why pods cannot be made: a quota, an account that is not there. */
static void say_replica_failure(const json_t *object, Buf *why)
{
	const json_t *condition = object_condition(object, "ReplicaFailure");
	if (kstatus_condition_is(object, "ReplicaFailure", "True"))
		buf_printf(why, ": %s", json_text_or(condition, "message", ""));
}

KstatusCode kstatus_deployment(const json_t *object, Buf *why)
{
	const json_t *progressing = object_condition(object, "Progressing");
	const char *reason = json_text_or(progressing, "reason", "");
	int64_t want = wanted(object), replicas = counter(object, "replicas");
	int64_t updated = counter(object, "updatedReplicas");
	if (cstr_eq(reason, "ProgressDeadlineExceeded")) {
		buf_puts(why, "progress deadline exceeded");
		return KSTATUS_FAILED;
	}
	const Step steps[] = {
		{"replicas", replicas, want},
		{"updated", updated, want},
		{"pending termination", want, replicas},
		{"available", counter(object, "availableReplicas"), updated},
		{"ready", counter(object, "readyReplicas"), want},
	};
	if (!reached(steps, COUNT(steps), why)) {
		say_replica_failure(object, why);
		return KSTATUS_IN_PROGRESS;
	}
	bool has_deadline = json_at(object, "spec", "progressDeadlineSeconds", NULL) != NULL;
	if (has_deadline && !(cstr_eq(json_text(progressing, "status"), "True") &&
			      cstr_eq(reason, "NewReplicaSetAvailable")))
		return waiting(why, "the new ReplicaSet is not available");
	if (!kstatus_condition_is(object, "Available", "True"))
		return waiting(why, "not available");
	return current(why, "available");
}

KstatusCode kstatus_stateful_set(const json_t *object, Buf *why)
{
	const json_t *strategy = json_at(object, "spec", "updateStrategy", NULL);
	const json_t *rolling = json_map(strategy, "rollingUpdate");
	const json_t *status = json_map(object, "status");
	int64_t want = wanted(object), replicas = counter(object, "replicas");
	if (cstr_eq(json_text(strategy, "type"), "OnDelete"))
		return current(why, "update strategy is OnDelete");
	const Step steps[] = {
		{"replicas", replicas, want},
		{"ready", counter(object, "readyReplicas"), want},
		{"pending termination", want, replicas},
	};
	if (!reached(steps, COUNT(steps), why))
		return KSTATUS_IN_PROGRESS;
	if (json_object_get(rolling, "partition")) {
		const Step partition = {"updated", counter(object, "updatedReplicas"),
					want - json_int(rolling, "partition", 0)};
		return reached(&partition, 1, why) ? current(why, "partition rolled out")
						   : KSTATUS_IN_PROGRESS;
	}
	const Step last = {"current", counter(object, "currentReplicas"), want};
	if (!reached(&last, 1, why))
		return KSTATUS_IN_PROGRESS;
	if (!cstr_eq(json_text(status, "currentRevision"), json_text(status, "updateRevision")))
		return waiting(why, "the update has not reached all");
	return current(why, "all replicas are ready");
}

KstatusCode kstatus_replica_set(const json_t *object, Buf *why)
{
	int64_t want = wanted(object);
	if (kstatus_condition_is(object, "ReplicaFailure", "True")) {
		buf_puts(why, "a replica failed");
		say_replica_failure(object, why);
		return KSTATUS_IN_PROGRESS;
	}
	const Step steps[] = {
		{"labelled", counter(object, "fullyLabeledReplicas"), want},
		{"available", counter(object, "availableReplicas"), want},
		{"ready", counter(object, "readyReplicas"), want},
		{"pending termination", want, counter(object, "replicas")},
	};
	return reached(steps, COUNT(steps), why) ? current(why, "all replicas are ready")
						 : KSTATUS_IN_PROGRESS;
}

KstatusCode kstatus_daemon_set(const json_t *object, Buf *why)
{
	const json_t *status = json_map(object, "status");
	int64_t want = json_int(status, "desiredNumberScheduled", -1);
	if (!json_object_get(status, "observedGeneration"))
		return waiting(why, "not observed yet");
	if (want < 0)
		return waiting(why, "no desired number yet");
	const Step steps[] = {
		{"scheduled", counter(object, "currentNumberScheduled"), want},
		{"updated", counter(object, "updatedNumberScheduled"), want},
		{"available", counter(object, "numberAvailable"), want},
		{"ready", counter(object, "numberReady"), want},
	};
	return reached(steps, COUNT(steps), why) ? current(why, "all pods are ready")
						 : KSTATUS_IN_PROGRESS;
}

KstatusCode kstatus_job(const json_t *object, Buf *why)
{
	/* What the Job says of itself may be of the time before it was resumed. */
	if (json_flag(json_map(object, "spec"), "suspend", false))
		return current(why, "suspended");
	if (kstatus_condition_is(object, "Complete", "True"))
		return current(why, "complete");
	if (kstatus_condition_is(object, "Failed", "True")) {
		const json_t *failed = object_condition(object, "Failed");
		const char *message = json_text_or(failed, "message", "");
		buf_printf(why, "%s%s%s", json_text_or(failed, "reason", "failed"),
			   *message ? ": " : "", message);
		return KSTATUS_FAILED;
	}
	return waiting(why, "running");
}

/* --- Pod --- */

static bool has_crash_loop(const json_t *object, Buf *why)
{
	size_t i;
	json_t *item;
	json_array_foreach(json_list(json_map(object, "status"), "containerStatuses"), i, item)
	{
		const char *name = json_text(item, "name");
		const char *reason = json_text_at(item, "state", "waiting", "reason", NULL);
		if (!name || !cstr_eq(reason, "CrashLoopBackOff"))
			continue;
		buf_printf(why, "container %s crashes again and again", name);
		return true;
	}
	return false;
}

static bool lacks_node(const json_t *pod)
{
	const json_t *scheduled = object_condition(pod, "PodScheduled");
	return cstr_eq(json_text(scheduled, "status"), "False") &&
	       cstr_eq(json_text(scheduled, "reason"), "Unschedulable");
}

static bool is_unschedulable(const json_t *object)
{
	const char *created = json_text_at(object, "metadata", "creationTimestamp", NULL);
	int64_t created_ms = 0;
	if (!lacks_node(object))
		return false;
	return !created || !clock_parse(created, &created_ms) ||
	       clock_wall_ms() - created_ms > SCHEDULE_WINDOW_MS;
}

bool kstatus_pods_failed(const json_t *pods)
{
	size_t i;
	json_t *pod;
	json_array_foreach(pods, i, pod)
	{
		if (!lacks_node(pod) && kstatus_of(pod, NULL) == KSTATUS_FAILED)
			return true;
	}
	return false;
}

KstatusCode kstatus_pod(const json_t *object, Buf *why)
{
	const char *phase = json_text_or(json_map(object, "status"), "phase", "");
	if (cstr_eq(phase, "Succeeded"))
		return current(why, "completed");
	if (cstr_eq(phase, "Failed"))
		return current(why, "completed with a failure");
	if (cstr_eq(phase, "Running") && kstatus_condition_is(object, "Ready", "True"))
		return current(why, "ready");
	if (cstr_eq(phase, "Running") && has_crash_loop(object, why))
		return KSTATUS_FAILED;
	if (cstr_eq(phase, "Pending") && is_unschedulable(object)) {
		buf_puts(why, "cannot be scheduled");
		return KSTATUS_FAILED;
	}
	buf_printf(why, "phase is %s", phase[0] ? phase : "not known yet");
	return KSTATUS_IN_PROGRESS;
}
