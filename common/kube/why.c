/* Why objects are not what is waited for, for people: what they say themselves, and in the end what
 * their pods say. */
#include "kube/why.h"

#include <string.h>

#include "base/mem.h"
#include "base/visible.h"
#include "data/selector.h"
#include "kube/pod_trouble.h"

enum { PODS_MAX = 50 }; /* that are listed of an object */

/* --- what an object says itself --- */

/* Nothing where its message is in `out` already: some controllers write one into several. */
static void put_condition(const json_t *object, const char *type, Buf *out)
{
	const json_t *condition = object_condition(object, type);
	const char *said = json_text_or(condition, "message", "");
	if (cstr_empty(said))
		said = json_text_or(condition, "reason", "");
	if (!cstr_empty(said) && !strstr(buf_text(out), said))
		buf_printf(out, "%s%s is %s: %s", out->len ? ": " : "", type,
			   json_text_or(condition, "status", "unknown"), said);
}

static void put_standard_conditions(const json_t *object, Buf *out)
{
	bool stalled = cstr_eq(object_condition_status(object, "Stalled"), "True");
	bool ready = cstr_eq(object_condition_status(object, "Ready"), "True");
	if (stalled || !ready)
		put_condition(object, stalled ? "Stalled" : "Ready", out);
}

static char *bounded(const Buf *text)
{
	return text->len ? visible_text(buf_text(text), WHY_TEXT_MAX) : NULL;
}

char *why_of_conditions(const json_t *object)
{
	autobuf Buf out = {0};
	put_standard_conditions(object, &out);
	return bounded(&out);
}

char *why_of(const json_t *object, KstatusCode code)
{
	autofree char *said = NULL;
	autobuf Buf out = {0};
	/* A wait may judge otherwise than kstatus, whose reason is none then. */
	if (kstatus_of(object, &said) == code)
		buf_puts(&out, said);
	/* Who is at work says so, and in Ready what came of the last try. */
	if (!out.len || cstr_eq(object_condition_status(object, "Reconciling"), "True"))
		put_standard_conditions(object, &out);
	return bounded(&out);
}

/* --- what its pods say --- */

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
static char *trouble_of_pods(KubeClient *client, const json_t *object)
{
	autoerror Error unsaid = {0};
	KubeRequest request = {.verb = KUBE_GET,
			       .api_version = "v1",
			       .kind = "Pod",
			       .ns = object_namespace(object),
			       .name = object_name(object),
			       .timeout_ms = WHY_TIMEOUT_MS};
	if (object_is_of(object, "", "Pod")) {
		autojson json_t *pod = kube_do(client, &request, &unsaid);
		return pod ? pod_trouble(pod) : NULL;
	}
	autofree char *selector = selector_of(object);
	if (!selector)
		return NULL;
	request.verb = KUBE_LIST;
	request.name = NULL;
	request.label_selector = selector;
	autojson json_t *pods = kube_list_some(client, &request, PODS_MAX, &unsaid);
	return pods_trouble(json_list(pods, "items"));
}

char *why_with_pods(KubeClient *client, const json_t *object, const char *said)
{
	autofree char *trouble = trouble_of_pods(client, object);
	if (!trouble)
		return mem_strdup(said);
	return cstr_empty(said) ? steal(&trouble) : mem_printf("%s: %s", said, trouble);
}
