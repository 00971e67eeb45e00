#include "kube/kstatus_live.h"

#include "base/mem.h"
#include "data/selector.h"

/* The pods that spec.selector selects, as text; owned, NULL when that cannot be known. */
static char *pods_selector(const json_t *object)
{
	autoerror Error unsaid = {0};
	autoselector Selector *selector =
		selector_of_json(json_at(object, "spec", "selector", NULL), &unsaid);
	return selector && !selector_is_empty(selector) ? selector_format(selector) : NULL;
}

typedef struct {
	KubeRequest *requests;
	KubeReply *replies;
	char **selectors;
	size_t *places; /* of whom each is about */
	size_t len;
} Lists;

static void lists_dispose(Lists *lists)
{
	for (size_t i = 0; i < lists->len; i++) {
		kube_reply_dispose(&lists->replies[i]);
		free(lists->selectors[i]);
	}
	free(lists->requests);
	free(lists->replies);
	free(lists->selectors);
	free(lists->places);
}

static void ask_for_pods(Lists *lists, const json_t *object, size_t place)
{
	char *selector = pods_selector(object);
	if (!selector)
		return;
	lists->selectors[lists->len] = selector;
	lists->places[lists->len] = place;
	lists->requests[lists->len++] = (KubeRequest){.verb = KUBE_LIST,
						      .api_version = "v1",
						      .kind = "Pod",
						      .ns = object_namespace(object),
						      .label_selector = selector,
						      .from_cache = true};
}

void kstatus_live_all(KubeClient *client, const json_t *const *objects, KstatusCode *out,
		      size_t count)
{
	__attribute__((cleanup(lists_dispose)))
	Lists lists = {.requests = mem_zalloc(count, sizeof(*lists.requests)),
		       .replies = mem_zalloc(count, sizeof(*lists.replies)),
		       .selectors = mem_zalloc(count, sizeof(*lists.selectors)),
		       .places = mem_zalloc(count, sizeof(*lists.places))};
	for (size_t i = 0; i < count; i++) {
		out[i] = kstatus_of(objects[i], NULL);
		if (out[i] == KSTATUS_IN_PROGRESS && kstatus_asks_pods(objects[i]))
			ask_for_pods(&lists, objects[i], i);
	}
	if (!lists.len)
		return;
	kube_do_all(client, lists.requests, lists.replies, lists.len);
	for (size_t i = 0; i < lists.len; i++)
		if (kstatus_pods_failed(json_list(lists.replies[i].object, "items")))
			out[lists.places[i]] = KSTATUS_FAILED;
}

KstatusCode kstatus_live(KubeClient *client, const json_t *object)
{
	KstatusCode code;
	kstatus_live_all(client, &object, &code, 1);
	return code;
}
