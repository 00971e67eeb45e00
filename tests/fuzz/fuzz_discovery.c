/*
 * What a server says that it serves, one group-version (APIResourceList), the versions of a group
 * (APIGroup) or all at once (APIGroupDiscoveryList): no crash, nothing that a path cannot hold, no
 * entry twice.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "kube/client_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Made once: it never asks. */
static KubeClient *client(void)
{
	static KubeClient *made;
	autoerror Error err = {0};
	KubeConfig config = {.server = (char *)(uintptr_t) "http://127.0.0.1:9"};
	if (!made)
		made = kube_client_new(loop_new(&err), &config, "fuzz", &err);
	if (!made)
		abort();
	return made;
}

static void look_up(const json_t *document)
{
	size_t i;
	json_t *item;
	KubeResource resource;
	unsigned generation = discovery_generation(client());
	if (discovery_learn(client(), "v1", "", document, generation, &resource))
		abort();
	json_array_foreach(json_list(document, "resources"), i, item)
	{
		const char *kind = json_text(item, "kind");
		if (kind && discovery_known(client(), "v1", kind, &resource) &&
		    (!*resource.plural || strchr(resource.plural, '/')))
			abort();
	}
	if (discovery_learn(client(), "v1", "Pod", NULL, generation, &resource))
		abort();
}

static void list_all(const json_t *document)
{
	automap Map *seen = map_new(NULL);
	autostrings Vec apis = {0};
	capabilities_add_groups(seen, &apis, document);
	if (apis.len != map_len(seen))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	enum { TEXT_MAX = 1 << 16 };
	autoerror Error err = {0};
	autojson json_t *document = json_parse((const char *)bytes, size, TEXT_MAX, &err);
	if (!document)
		return 0;
	look_up(document);
	list_all(document);
	return 0;
}
