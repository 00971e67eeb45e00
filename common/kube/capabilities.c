/*
 * Three requests, where the server tells all groups at once (apidiscovery.k8s.io/v2); an older one
 * is asked for each group-version.
 */
#include "kube/capabilities.h"

#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "kube/client_internal.h"

enum { MAX_AGE_MS = 30000, MAX_APIS = 100000 };

static const char aggregated[] =
	"application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

struct KubeCapabilities {
	atomic_uint references;
	char *version;
	Vec apis; /* owned texts */
	int64_t read_ms;
	unsigned generation; /* of discovery */
};

void kube_capabilities_unref(KubeCapabilities *capabilities)
{
	if (!capabilities || atomic_fetch_sub(&capabilities->references, 1) != 1)
		return;
	free(capabilities->version);
	vec_dispose_strings(&capabilities->apis);
	free(capabilities);
}

const char *kube_capabilities_version(const KubeCapabilities *capabilities)
{
	return capabilities->version;
}

const Vec *kube_capabilities_apis(const KubeCapabilities *capabilities)
{
	return &capabilities->apis;
}

/* --- reading --- */

/* A kind can be of several resources. */
static void add_api(Map *seen, Vec *out, char *take_text)
{
	autofree char *text = take_text;
	if (map_has(seen, text) || out->len >= MAX_APIS)
		return;
	map_put(seen, text, NULL);
	vec_push(out, steal(&text));
}

static void add_kind(Map *seen, Vec *out, const char *api_version, const char *kind)
{
	if (!cstr_empty(kind))
		add_api(seen, out, mem_printf("%s/%s", api_version, kind));
}

static void add_resources(Map *seen, Vec *out, const char *api_version, const json_t *resources)
{
	size_t i, j;
	json_t *resource, *sub;
	json_array_foreach(json_borrow(resources), i, resource)
	{
		add_kind(seen, out, api_version,
			 json_text_at(resource, "responseKind", "kind", NULL));
		json_array_foreach(json_list(resource, "subresources"), j, sub) add_kind(
			seen, out, api_version, json_text_at(sub, "responseKind", "kind", NULL));
	}
}

void capabilities_add_groups(Map *seen, Vec *out, const json_t *list)
{
	size_t i, j;
	json_t *group, *version;
	json_array_foreach(json_list(list, "items"), i, group)
	{
		const char *name = object_name(group);
		json_array_foreach(json_list(group, "versions"), j, version)
		{
			autofree char *api_version =
				mem_printf("%s%s%s", name, *name ? "/" : "",
					   json_text_or(version, "version", ""));
			add_api(seen, out, mem_strdup(api_version));
			add_resources(seen, out, api_version, json_list(version, "resources"));
		}
	}
}

/* --- servers that do not aggregate --- */

static void ask_version(KubeClient *client, Map *seen, Vec *out, const char *api_version)
{
	size_t i;
	json_t *resource;
	autoerror Error unsaid = {0};
	autofree char *path = discovery_path(api_version);
	autojson json_t *list = batch_get(client->root, path, NULL, 0, &unsaid);
	add_api(seen, out, mem_strdup(api_version));
	json_array_foreach(json_list(list, "resources"), i, resource)
		add_kind(seen, out, api_version, json_text(resource, "kind"));
}

static void ask_versions(KubeClient *client, Map *seen, Vec *out, const json_t *list)
{
	size_t i, j;
	json_t *group, *version;
	json_array_foreach(json_list(list, "versions"), i, version)
		ask_version(client, seen, out, json_string_value(version));
	json_array_foreach(json_list(list, "groups"), i, group)
	{
		json_array_foreach(json_list(group, "versions"), j, version)
			ask_version(client, seen, out, json_text_or(version, "groupVersion", ""));
	}
}

static bool ask_path(KubeClient *client, const char *path, Map *seen, Vec *out, Error *err)
{
	autojson json_t *list = batch_get(client->root, path, aggregated, 0, err);
	if (!list)
		return false;
	if (json_list(list, "items"))
		capabilities_add_groups(seen, out, list);
	else
		ask_versions(client, seen, out, list);
	return true;
}

static KubeCapabilities *ask(KubeClient *client, Error *err)
{
	autokubecapabilities KubeCapabilities *result = mem_zalloc(1, sizeof(*result));
	automap Map *seen = map_new(NULL);
	atomic_init(&result->references, 1);
	result->generation = discovery_generation(client);
	result->read_ms = clock_mono_ms();
	autojson json_t *version = batch_get(client->root, "/version", NULL, 0, err);
	if (!version)
		return err_wrap_null(err, "could not get server version from Kubernetes");
	result->version = mem_strdup(json_text_or(version, "gitVersion", ""));
	if (!ask_path(client, "/api", seen, &result->apis, err) ||
	    !ask_path(client, "/apis", seen, &result->apis, err))
		return err_wrap_null(err, "could not get apiVersions from Kubernetes");
	return steal(&result);
}

/* --- sharing --- */

static KubeCapabilities *known(KubeClient *root)
{
	unsigned generation = discovery_generation(root);
	KubeCapabilities *found = NULL;
	pthread_mutex_lock(&root->lock);
	KubeCapabilities *kept = root->capabilities;
	if (kept && kept->generation == generation &&
	    clock_mono_ms() - kept->read_ms < MAX_AGE_MS) {
		atomic_fetch_add(&kept->references, 1);
		found = kept;
	}
	pthread_mutex_unlock(&root->lock);
	return found;
}

/* Two that ask at once each read; one result is kept. */
KubeCapabilities *kube_capabilities(KubeClient *client, Error *err)
{
	KubeClient *root = client->root;
	KubeCapabilities *result = known(root);
	if (result)
		return result;
	result = ask(client, err);
	if (!result)
		return NULL;
	atomic_fetch_add(&result->references, 1);
	pthread_mutex_lock(&root->lock);
	KubeCapabilities *old = root->capabilities;
	root->capabilities = result;
	pthread_mutex_unlock(&root->lock);
	kube_capabilities_unref(old);
	return result;
}
