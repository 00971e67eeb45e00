#include "kube/pod_trouble.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/visible.h"

enum { TEXT_MAX = 300 };

/* Reasons of a container that is on its way. */
static bool is_beginning(const char *reason)
{
	return cstr_empty(reason) || cstr_eq(reason, "ContainerCreating") ||
	       cstr_eq(reason, "PodInitializing");
}

static bool ended_badly(const json_t *state, const char *name, Buf *out)
{
	const json_t *ended = json_map(state, "terminated");
	int64_t code = json_int(ended, "exitCode", 0);
	if (!code)
		return false;
	buf_printf(out, "container %s: %s: it ended with code %lld", name,
		   json_text_or(ended, "reason", "Error"), (long long)code);
	return true;
}

static bool container_trouble(const json_t *container, Buf *out)
{
	const char *name = json_text_or(container, "name", "");
	const json_t *state = json_map(container, "state");
	const json_t *waiting = json_map(state, "waiting");
	const char *reason = json_text(waiting, "reason"), *said = json_text(waiting, "message");
	if (ended_badly(state, name, out))
		return true;
	if (is_beginning(reason))
		return false;
	/* Of one that is started again and again it says why it ended, more than when it will be.
	 */
	if (cstr_eq(reason, "CrashLoopBackOff") &&
	    ended_badly(json_map(container, "lastState"), name, out))
		return true;
	autofree char *why = visible_text(said, TEXT_MAX);
	buf_printf(out, "container %s: %s%s%s", name, reason, cstr_empty(why) ? "" : ": ",
		   why ? why : "");
	return true;
}

static bool first_trouble(const json_t *status, const char *key, Buf *out)
{
	size_t i;
	json_t *container;
	json_array_foreach(json_list(status, key), i, container)
	{
		if (container_trouble(container, out))
			return true;
	}
	return false;
}

/* One that runs, though its readiness probe fails. */
static bool is_not_ready(const json_t *status, Buf *out)
{
	size_t i;
	json_t *container;
	json_array_foreach(json_list(status, "containerStatuses"), i, container)
	{
		if (!json_map(json_map(container, "state"), "running") ||
		    json_flag(container, "ready", true))
			continue;
		buf_printf(out, "container %s: it runs, but is not ready",
			   json_text_or(container, "name", ""));
		return true;
	}
	return false;
}

static bool has_no_node(const json_t *pod, Buf *out)
{
	const json_t *scheduled = object_condition(pod, "PodScheduled");
	if (!cstr_eq(json_text(scheduled, "status"), "False"))
		return false;
	autofree char *why = visible_text(json_text_or(scheduled, "message", ""), TEXT_MAX);
	buf_printf(out, "%s: %s", json_text_or(scheduled, "reason", "Unschedulable"), why);
	return true;
}

char *pod_trouble(const json_t *pod)
{
	autobuf Buf out = {0};
	const json_t *status = json_map(pod, "status");
	if (cstr_eq(json_text(status, "phase"), "Succeeded"))
		return NULL;
	bool found = has_no_node(pod, &out) ||
		     first_trouble(status, "initContainerStatuses", &out) ||
		     first_trouble(status, "containerStatuses", &out) || is_not_ready(status, &out);
	return found ? buf_steal(&out) : NULL;
}

char *pods_trouble(const json_t *pods)
{
	size_t i;
	json_t *pod;
	json_array_foreach(pods, i, pod)
	{
		autofree char *trouble = object_is_deleting(pod) ? NULL : pod_trouble(pod);
		if (trouble)
			return mem_printf("Pod %s: %s", object_name(pod), trouble);
	}
	return NULL;
}
