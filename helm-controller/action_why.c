/* Why objects are not what is waited for, for people: what they say themselves, and in the end what
 * their pods say. */
#include "action_internal.h"

#include "base/mem.h"
#include "base/visible.h"
#include "data/selector.h"
#include "kube/pod_trouble.h"

enum {
	WHY_MAX = 500,
	ASKED_MAX = 3, /* objects whose pods are listed */
	PODS_MAX = 50, /* of each of them */
};

void why_note(Resource *resource)
{
	autofree char *said = NULL;
	free(resource->why);
	resource->why = NULL;
	/* A wait may judge otherwise than kstatus, whose reason is none then. */
	if (resource->live && kstatus_of(resource->live, &said) == resource->code)
		resource->why = visible_text(said, WHY_MAX);
}

/* Of its pods; owned, NULL for what has none. */
static char *selector_of(const json_t *object)
{
	autoerror Error unsaid = {0};
	if (object_is_of(object, "batch", "Job"))
		return mem_printf("job-name=%s", object_name(object));
	if (!object_is_of(object, "apps", "Deployment") &&
	    !object_is_of(object, "apps", "DaemonSet") && !kstatus_asks_pods(object))
		return NULL;
	autoselector Selector *selector =
		selector_of_json(json_at(object, "spec", "selector", NULL), &unsaid);
	return selector && !selector_is_empty(selector) ? selector_format(selector) : NULL;
}

/* Owned; NULL: nothing is to be told, or may be read. */
static char *trouble_of_pods(const Action *action, const json_t *object)
{
	autoerror Error unsaid = {0};
	if (object_is_of(object, "", "Pod")) {
		autojson json_t *pod =
			kube_get(action->target->client, "v1", "Pod", object_namespace(object),
				 object_name(object), &unsaid);
		return pod ? pod_trouble(pod) : NULL;
	}
	autofree char *selector = selector_of(object);
	if (!selector)
		return NULL;
	const KubeRequest request = {.verb = KUBE_LIST,
				     .api_version = "v1",
				     .kind = "Pod",
				     .ns = object_namespace(object),
				     .label_selector = selector};
	autojson json_t *pods = kube_list_some(action->target->client, &request, PODS_MAX, &unsaid);
	return pods_trouble(json_list(pods, "items"));
}

void why_ask_pods(const Action *action, Resources *resources, bool failed)
{
	size_t asked = 0;
	for (size_t i = 0; i < resources->len && asked < ASKED_MAX; i++) {
		Resource *resource = &resources->items[i];
		bool such = failed ? resource->code == KSTATUS_FAILED
				   : resource->code == KSTATUS_IN_PROGRESS;
		if (!such)
			continue;
		asked++;
		autofree char *trouble = trouble_of_pods(action, resource->object);
		if (!trouble)
			continue;
		autofree char *before = resource->why;
		resource->why = before ? mem_printf("%s: %s", before, trouble) : steal(&trouble);
	}
}
