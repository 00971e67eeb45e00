/*
 * Health of one object from its own fields (kustomize-controller.md 7): first what holds for every
 * kind, then the kind's rule, then the Ready condition. A Job's rule is upstream's own and comes
 * before all: one that is complete stays so while it is deleted. What needs other objects (a
 * StatefulSet's pods) is in kstatus_live.c.
 */
#include "kube/kstatus_internal.h"

const char *kstatus_name(KstatusCode code)
{
	static const char *const names[] = {
		[KSTATUS_IN_PROGRESS] = "InProgress", [KSTATUS_CURRENT] = "Current",
		[KSTATUS_FAILED] = "Failed",	      [KSTATUS_TERMINATING] = "Terminating",
		[KSTATUS_NOT_FOUND] = "NotFound",     [KSTATUS_UNKNOWN] = "Unknown",
	};
	return (size_t)code < COUNT(names) ? names[code] : "Unknown";
}

bool kstatus_condition_is(const json_t *object, const char *type, const char *status)
{
	return cstr_eq(object_condition_status(object, type), status);
}

/* --- kinds with a rule of a few lines --- */

static KstatusCode always_current(const json_t *object, Buf *why)
{
	buf_printf(why, "%s exists", object_kind(object));
	return KSTATUS_CURRENT;
}

static KstatusCode claim(const json_t *object, Buf *why)
{
	const char *phase = json_text_or(json_map(object, "status"), "phase", "unknown");
	buf_printf(why, "phase is %s", phase);
	return cstr_eq(phase, "Bound") ? KSTATUS_CURRENT : KSTATUS_IN_PROGRESS;
}

static KstatusCode service(const json_t *object, Buf *why)
{
	const json_t *spec = json_map(object, "spec");
	if (cstr_eq(json_text(spec, "type"), "LoadBalancer") &&
	    cstr_empty(json_text(spec, "clusterIP"))) {
		buf_puts(why, "no clusterIP yet");
		return KSTATUS_IN_PROGRESS;
	}
	return always_current(object, why);
}

static KstatusCode crd(const json_t *object, Buf *why)
{
	const json_t *established = object_condition(object, "Established");
	if (kstatus_condition_is(object, "NamesAccepted", "False")) {
		buf_puts(why, "names not accepted: ");
		buf_puts(why,
			 json_text_or(object_condition(object, "NamesAccepted"), "message", ""));
		return KSTATUS_FAILED;
	}
	if (cstr_eq(json_text(established, "status"), "True")) {
		buf_puts(why, "established");
		return KSTATUS_CURRENT;
	}
	if (cstr_eq(json_text(established, "status"), "False") &&
	    !cstr_eq(json_text(established, "reason"), "Installing")) {
		buf_printf(why, "not established: %s", json_text_or(established, "message", ""));
		return KSTATUS_FAILED;
	}
	buf_puts(why, "being installed");
	return KSTATUS_IN_PROGRESS;
}

static const struct {
	const char *group, *kind;
	KstatusRule *rule;
} rows[] = {
	{"apps", "Deployment", kstatus_deployment},
	{"apps", "StatefulSet", kstatus_stateful_set},
	{"apps", "ReplicaSet", kstatus_replica_set},
	{"apps", "DaemonSet", kstatus_daemon_set},
	{"batch", "Job", kstatus_job},
	{"batch", "CronJob", always_current},
	{"", "Pod", kstatus_pod},
	{"", "PersistentVolumeClaim", claim},
	{"", "Service", service},
	{"", "Secret", always_current},
	{"", "ConfigMap", always_current},
	{"policy", "PodDisruptionBudget", always_current},
	{"apiextensions.k8s.io", "CustomResourceDefinition", crd},
};

bool kstatus_asks_pods(const json_t *object)
{
	return object_is_of(object, "apps", "StatefulSet") ||
	       object_is_of(object, "apps", "ReplicaSet");
}

static KstatusRule *rule_of(const json_t *object)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		if (object_is_of(object, rows[i].group, rows[i].kind))
			return rows[i].rule;
	return NULL;
}

/* --- what holds for every kind --- */

static KstatusCode from_condition(const json_t *object, const char *type, KstatusCode code,
				  Buf *why)
{
	const json_t *condition = object_condition(object, type);
	const char *said = json_text_or(condition, "message", "");
	if (cstr_empty(said))
		said = json_text_or(condition, "reason", "");
	buf_printf(why, "%s is %s%s%s", type, json_text_or(condition, "status", "unknown"),
		   *said ? ": " : "", said);
	return code;
}

/* Whichever of the two the object lists first. */
static KstatusCode by_standard_condition(const json_t *object, Buf *why)
{
	size_t i;
	json_t *condition;
	json_array_foreach(json_list(json_map(object, "status"), "conditions"), i, condition)
	{
		const char *type = json_text(condition, "type");
		if (!cstr_eq(json_text(condition, "status"), "True"))
			continue;
		if (cstr_eq(type, "Reconciling"))
			return from_condition(object, type, KSTATUS_IN_PROGRESS, why);
		if (cstr_eq(type, "Stalled"))
			return from_condition(object, type, KSTATUS_FAILED, why);
	}
	return KSTATUS_UNKNOWN;
}

/* Who holds it. */
static void say_finalizers(const json_t *object, Buf *why)
{
	size_t i;
	json_t *finalizer;
	json_array_foreach(json_list(json_map(object, "metadata"), "finalizers"), i, finalizer)
		buf_printf(why, "%s%s", i ? ", " : ", held by finalizers: ",
			   json_string_value(finalizer) ? json_string_value(finalizer) : "");
}

/* KSTATUS_UNKNOWN when nothing here decides. */
static KstatusCode generic(const json_t *object, Buf *why)
{
	const json_t *observed = json_at(object, "status", "observedGeneration", NULL);
	int64_t seen = json_int(json_map(object, "status"), "observedGeneration", 0);
	if (object_is_deleting(object)) {
		buf_puts(why, "being deleted");
		say_finalizers(object, why);
		return KSTATUS_TERMINATING;
	}
	/* Kinds without generations have nothing to observe. */
	if (json_is_number(observed) && json_at(object, "metadata", "generation", NULL) &&
	    seen != object_generation(object)) {
		buf_printf(why, "generation %lld, observed %lld",
			   (long long)object_generation(object), (long long)seen);
		return KSTATUS_IN_PROGRESS;
	}
	return by_standard_condition(object, why);
}

static KstatusCode by_ready(const json_t *object, Buf *why)
{
	const char *ready = object_condition_status(object, "Ready");
	if (!ready)
		return always_current(object, why);
	return from_condition(object, "Ready",
			      cstr_eq(ready, "True") ? KSTATUS_CURRENT : KSTATUS_IN_PROGRESS, why);
}

KstatusCode kstatus_of(const json_t *object, char **out_message)
{
	autobuf Buf why = {0};
	KstatusRule *rule = rule_of(object);
	KstatusCode code = rule == kstatus_job ? KSTATUS_UNKNOWN : generic(object, &why);
	if (code == KSTATUS_UNKNOWN)
		code = rule ? rule(object, &why) : by_ready(object, &why);
	if (out_message)
		*out_message = buf_steal(&why);
	return code;
}
