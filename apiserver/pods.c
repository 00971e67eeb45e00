#include "pods.h"

#include <string.h>

#include "base/mem.h"
#include "object.h"
#include "server.h"

enum { NODE_SECONDS = 300 }; /* that a Pod stays on a node which is not ready */

/* Classes that every server has. */
static const struct {
	const char *name;
	json_int_t value;
} system_classes[] = {
	{"system-cluster-critical", 2000000000},
	{"system-node-critical", 2000001000},
};

static json_t *priority_class(Request *request, const char *name)
{
	for (size_t i = 0; i < COUNT(system_classes); i++)
		if (strcmp(system_classes[i].name, name) == 0)
			return json_pack("{s:I}", "value", system_classes[i].value);
	autoerror Error ignored = {0};
	StoreKey key = {"priorityclasses.scheduling.k8s.io", "", name};
	return store_get(request->server->store, &key, &ignored);
}

static void put_text(json_t *spec, const char *member, const char *text)
{
	if (!json_object_get(spec, member))
		json_put_text(spec, member, text);
}

static bool set_priority(Request *request, json_t *pod, Status *status)
{
	json_t *spec = json_map(pod, "spec");
	const char *name = json_text_or(spec, "priorityClassName", "");
	autojson json_t *class = *name ? priority_class(request, name) : NULL;
	if (*name && !class) {
		autofree char *why = mem_printf("no PriorityClass with name %s was found", name);
		return status_forbidden(status, request->resource, object_name(pod), why);
	}
	if (!json_object_get(spec, "priority"))
		json_object_set_new(spec, "priority", json_integer(json_int(class, "value", 0)));
	put_text(spec, "preemptionPolicy",
		 json_text_or(class, "preemptionPolicy", "PreemptLowerPriority"));
	return true;
}

/* Whether a toleration of the Pod's is for the taint already. */
static bool is_tolerated(const json_t *tolerations, const char *key)
{
	size_t i;
	json_t *toleration;
	json_array_foreach(tolerations, i, toleration)
	{
		const char *own = json_text_or(toleration, "key", "");
		const char *effect = json_text_or(toleration, "effect", "");
		if ((!*own || strcmp(own, key) == 0) &&
		    (!*effect || strcmp(effect, "NoExecute") == 0))
			return true;
	}
	return false;
}

static void add_tolerations(json_t *pod)
{
	static const char *const taints[] = {"node.kubernetes.io/not-ready",
					     "node.kubernetes.io/unreachable"};
	json_t *spec = json_map(pod, "spec");
	autojson json_t *list = json_copy(json_list(spec, "tolerations"));
	if (!list)
		list = json_array();
	for (size_t i = 0; i < COUNT(taints); i++)
		if (!is_tolerated(list, taints[i]))
			json_array_append_new(list,
					      json_pack("{s:s,s:s,s:s,s:i}", "effect", "NoExecute",
							"key", taints[i], "operator", "Exists",
							"tolerationSeconds", NODE_SECONDS));
	json_object_set(spec, "tolerations", list);
}

/* How sure a Pod may be of its resources: counted are CPU and memory (component-helpers, qos.go).
 */
typedef struct {
	bool any;  /* one is asked for */
	bool full; /* all are limited, and asked for as limited */
} Quality;

static void count_container(const json_t *container, Quality *quality)
{
	static const char *const names[] = {"cpu", "memory"};
	for (size_t i = 0; i < COUNT(names); i++) {
		const char *limit =
			json_text(json_at(container, "resources", "limits", NULL), names[i]);
		const char *asked =
			json_text(json_at(container, "resources", "requests", NULL), names[i]);
		bool limited = limit && strcmp(limit, "0") != 0;
		quality->any |= limited || (asked && strcmp(asked, "0") != 0);
		quality->full &= limited && cstr_eq(asked, limit);
	}
}

static const char *quality_of(const json_t *pod)
{
	static const char *const lists[] = {"containers", "initContainers"};
	Quality quality = {false, true};
	for (size_t i = 0; i < COUNT(lists); i++) {
		const json_t *list = json_at(pod, "spec", lists[i], NULL);
		for (size_t k = 0; k < json_array_size(list); k++)
			count_container(json_array_get(list, k), &quality);
	}
	if (!quality.any)
		return "BestEffort";
	return quality.full ? "Guaranteed" : "Burstable";
}

bool pods_create(Request *request, json_t *pod, Status *status)
{
	json_object_set_new(
		pod, "status",
		json_pack("{s:s,s:s}", "phase", "Pending", "qosClass", quality_of(pod)));
	if (!json_map(pod, "spec"))
		return true; /* the validation tells */
	json_object_set_new(pod, "spec", json_copy(json_map(pod, "spec")));
	add_tolerations(pod);
	return set_priority(request, pod, status);
}

void pods_update(json_t *pod, const json_t *live)
{
	static const char *const kept[] = {"priority", "preemptionPolicy"};
	const json_t *live_spec = json_map(live, "spec");
	if (!json_map(pod, "spec"))
		return;
	json_object_set_new(pod, "spec", json_copy(json_map(pod, "spec")));
	json_t *spec = json_map(pod, "spec");
	for (size_t i = 0; i < COUNT(kept); i++)
		if (!json_object_get(spec, kept[i]) && json_object_get(live_spec, kept[i]))
			json_object_set(spec, kept[i], json_object_get(live_spec, kept[i]));
	add_tolerations(pod);
}
