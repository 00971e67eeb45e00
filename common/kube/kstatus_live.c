#include "kube/kstatus_live.h"

#include "data/selector.h"

/* The pods that spec.selector selects. Owned; NULL when that cannot be known. */
static json_t *pods_of(KubeClient *client, const json_t *object)
{
	autoerror Error unsaid = {0};
	autoselector Selector *selector =
		selector_of_json(json_at(object, "spec", "selector", NULL), &unsaid);
	if (!selector || selector_is_empty(selector))
		return NULL;
	autofree char *text = selector_format(selector);
	return kube_do(client,
		       &(KubeRequest){.verb = KUBE_LIST,
				      .api_version = "v1",
				      .kind = "Pod",
				      .ns = object_namespace(object),
				      .label_selector = text,
				      .from_cache = true},
		       &unsaid);
}

KstatusCode kstatus_live(KubeClient *client, const json_t *object)
{
	KstatusCode code = kstatus_of(object, NULL);
	if (code != KSTATUS_IN_PROGRESS || !kstatus_asks_pods(object))
		return code;
	autojson json_t *pods = pods_of(client, object);
	return kstatus_pods_failed(json_list(pods, "items")) ? KSTATUS_FAILED : code;
}
