/* Why objects are not what is waited for: noted at each look, with what pods say in the end. */
#include "action_internal.h"

#include "kube/why.h"

void why_note(const Action *action, Resource *resource)
{
	free(resource->why);
	resource->why = resource->live ? health_exprs_why(action->input.exprs, resource->live,
							  resource->code)
				       : NULL;
}

void why_ask_pods(const Action *action, Resources *resources, bool failed)
{
	size_t asked = 0;
	for (size_t i = 0; i < resources->len && asked < WHY_ASKED_MAX; i++) {
		Resource *resource = &resources->items[i];
		bool such = failed ? resource->code == KSTATUS_FAILED
				   : resource->code == KSTATUS_IN_PROGRESS;
		if (!such)
			continue;
		asked++;
		autofree char *before = resource->why;
		resource->why = why_with_pods(action->target->client, resource->object, before);
	}
}
