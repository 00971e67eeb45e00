/* Whether an Alert wants an event (notification.md 4). */
#include <string.h>

#include "base/mem.h"
#include "data/regex.h"
#include "data/selector.h"
#include "internal.h"

typedef struct {
	Manager *manager;
	const json_t *alert, *event, *object;
	ProblemFn *problem;
	void *arg;
} Match;

static void tell(const Match *match, const char *reason, const char *what, const Error *err)
{
	autofree char *message = mem_printf("%s: %s", what, err_text(err));
	match->problem(match->arg, match->alert, reason, message);
}

/* The labels of the involved object as it is now (N18, N19). */
static bool labels_match(const Match *match, const json_t *source)
{
	const json_t *wanted = json_map(source, "matchLabels");
	if (!json_object_size(wanted))
		return true;
	autoerror Error err = {0};
	autojson json_t *live = kube_do(
		manager_client(match->manager),
		&(KubeRequest){.verb = KUBE_GET,
			       .api_version = json_text_or(match->object, "apiVersion", "v1"),
			       .kind = json_text_or(match->object, "kind", ""),
			       .ns = json_text_or(match->object, "namespace", ""),
			       .name = json_text_or(match->object, "name", ""),
			       .metadata_only = true,
			       .timeout_ms = EVENT_READ_MS},
		&err);
	if (!live) {
		tell(match, "SourceFetchFailed", "error fetching the event's object", &err);
		return false;
	}
	autojson json_t *spec = json_pack("{s:O}", "matchLabels", wanted);
	autoselector Selector *selector = selector_of_json(spec, &err);
	if (!selector) {
		tell(match, "InvalidConfig", "matchLabels", &err);
		return false;
	}
	return selector_matches(selector, json_at(live, "metadata", "labels", NULL));
}

static bool source_matches(const Match *match, const json_t *source)
{
	const char *own_ns = object_namespace(match->alert);
	const char *name = json_text_or(source, "name", "");
	if (!cstr_eq(json_text(source, "kind"), json_text(match->object, "kind")) ||
	    !cstr_eq(json_text_or(source, "namespace", own_ns),
		     json_text(match->object, "namespace")))
		return false;
	if (!cstr_eq(name, "*") && !cstr_eq(name, json_text(match->object, "name")))
		return false;
	return labels_match(match, source);
}

static bool severity_matches(const Match *match)
{
	const char *wanted = json_text_or(json_map(match->alert, "spec"), "eventSeverity", "info");
	return cstr_eq(wanted, "info") || cstr_eq(wanted, json_text(match->event, "severity"));
}

/* True when one of the expressions matches the message; bad ones are told and skipped (N21). */
static bool any_expression(const Match *match, const json_t *list)
{
	const char *message = json_text_or(match->event, "message", "");
	size_t i;
	json_t *item;
	json_array_foreach((json_t *)(uintptr_t)list, i, item)
	{
		autoerror Error err = {0};
		const char *pattern = json_string_value(item);
		autoregex Regex *regex = regex_new(pattern ? pattern : "", REGEX_SEARCH, &err);
		if (!regex)
			tell(match, "InvalidConfig", "failed to compile regex", &err);
		else if (regex_matches(regex, message, strlen(message)))
			return true;
	}
	return false;
}

static bool message_matches(const Match *match)
{
	const json_t *spec = json_map(match->alert, "spec");
	const json_t *inclusion = json_list(spec, "inclusionList");
	if (json_array_size(inclusion) && !any_expression(match, inclusion))
		return false;
	return !any_expression(match, json_list(spec, "exclusionList"));
}

bool alert_matches(Manager *manager, const json_t *alert, const json_t *event, ProblemFn *problem,
		   void *arg)
{
	const json_t *spec = json_map(alert, "spec");
	Match match = {.manager = manager,
		       .alert = alert,
		       .event = event,
		       .object = json_map(event, "involvedObject"),
		       .problem = problem,
		       .arg = arg};
	if (json_flag(spec, "suspend", false) || !severity_matches(&match))
		return false;
	size_t i;
	json_t *source;
	bool wanted = false;
	json_array_foreach(json_list(spec, "eventSources"), i, source)
	{
		if (source_matches(&match, source)) {
			wanted = true;
			break;
		}
	}
	return wanted && message_matches(&match);
}
