/*
 * Which kinds a group version has: GET /apis/G/V on first need. A kind that is not found is looked for
 * again, at most once in a while, because a CRD may have come meanwhile.
 */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "kube/client_internal.h"

enum { LOOK_AGAIN_MS = 2000 };

typedef struct {
	Map *kinds; /* kind -> KubeResource *, plural owned */
	int64_t read_ms;
} GroupVersion;

static void free_resource(void *value)
{
	KubeResource *resource = value;
	free((char *)(uintptr_t)resource->plural);
	free(resource);
}

void discovery_free(void *value)
{
	GroupVersion *group = value;
	map_free(group->kinds);
	free(group);
}

static char *group_path(const char *api_version)
{
	return mem_printf("/%s/%s", strchr(api_version, '/') ? "apis" : "api", api_version);
}

static json_t *get_json(KubeClient *client, const char *path, Error *err)
{
	autofree char *url = mem_printf("%s%s", client->server, path);
	char **headers = kube_headers(client, "application/json", NULL);
	autohttpresponse HttpResponse response = {0};
	bool ok = httpc_do(client->http,
			   &(HttpRequest){.url = url,
					  .headers = (const char *const *)headers,
					  .timeout_ms = KUBE_TIMEOUT_MS,
					  .max_body = KUBE_REPLY_MAX},
			   &response, err);
	kube_headers_free(headers);
	if (!ok)
		return NULL;
	client_count(client, "GET", response.status);
	if (response.status >= 400) {
		status_to_error(response.status, &response, err);
		return NULL;
	}
	return json_parse(buf_text(&response.body), response.body.len, KUBE_REPLY_MAX, err);
}

static GroupVersion *parse_group(const json_t *list)
{
	GroupVersion *group = mem_zalloc(1, sizeof(*group));
	group->kinds = map_new(free_resource);
	group->read_ms = clock_mono_ms();
	size_t i;
	json_t *item;
	json_array_foreach(json_list(list, "resources"), i, item)
	{
		const char *name = json_text_or(item, "name", ""), *kind = json_text(item, "kind");
		if (!kind || strchr(name, '/'))
			continue;
		KubeResource *resource = mem_zalloc(1, sizeof(*resource));
		resource->plural = mem_strdup(name);
		resource->namespaced = json_flag(item, "namespaced", false);
		map_put(group->kinds, kind, resource);
	}
	return group;
}

/* Reads the group version from the server; a group that is not there is remembered as empty. */
static bool read_group(KubeClient *client, const char *api_version, Error *err)
{
	autofree char *path = group_path(api_version);
	autoerror Error cause = {0};
	autojson json_t *list = get_json(client, path, &cause);
	if (!list && cause.code != ERR_NOT_FOUND) {
		err_move(err, &cause);
		return err_wrap(err, "discovery of %s", api_version);
	}
	GroupVersion *group = parse_group(list);
	pthread_mutex_lock(&client->shared->lock);
	GroupVersion *old = map_get(client->shared->groups, api_version);
	if (old) {
		/* Callers hold borrowed plurals: kinds known already keep their entry. */
		size_t at = 0;
		const char *kind;
		void *value;
		while (map_next(group->kinds, &at, &kind, &value))
			if (!map_has(old->kinds, kind))
				map_put(old->kinds, kind, map_take(group->kinds, kind));
		old->read_ms = group->read_ms;
		discovery_free(group);
	} else {
		map_put(client->shared->groups, api_version, group);
	}
	pthread_mutex_unlock(&client->shared->lock);
	return true;
}

/* True when the kind is known; *out_stale tells whether asking again may help. */
static bool find(KubeClient *client, const char *api_version, const char *kind, KubeResource *out,
		 bool *out_stale)
{
	pthread_mutex_lock(&client->shared->lock);
	const GroupVersion *group = map_get(client->shared->groups, api_version);
	const KubeResource *resource = group ? map_get(group->kinds, kind) : NULL;
	if (resource)
		*out = *resource;
	*out_stale = !group || clock_mono_ms() - group->read_ms > LOOK_AGAIN_MS;
	pthread_mutex_unlock(&client->shared->lock);
	return resource != NULL;
}

bool kube_resource(KubeClient *client, const char *api_version, const char *kind, KubeResource *out,
		   Error *err)
{
	bool stale;
	if (find(client, api_version, kind, out, &stale))
		return true;
	if (stale && !read_group(client, api_version, err))
		return false;
	if (find(client, api_version, kind, out, &stale))
		return true;
	return err_set(err, ERR_NOT_FOUND, "no matches for kind \"%s\" in version \"%s\"", kind,
		       api_version);
}

void kube_discovery_invalidate(KubeClient *client)
{
	pthread_mutex_lock(&client->shared->lock);
	size_t at = 0;
	const char *name;
	void *value;
	while (map_next(client->shared->groups, &at, &name, &value))
		((GroupVersion *)value)->read_ms -= LOOK_AGAIN_MS + 1;
	pthread_mutex_unlock(&client->shared->lock);
}

char *kube_preferred_version(KubeClient *client, const char *group, const char *kind, Error *err)
{
	KubeResource resource;
	if (!*group)
		return kube_resource(client, "v1", kind, &resource, err) ? mem_strdup("v1") : NULL;
	autofree char *path = mem_printf("/apis/%s", group);
	autojson json_t *document = get_json(client, path, err);
	size_t i;
	json_t *item;
	json_array_foreach(json_list(document, "versions"), i, item)
	{
		autoerror Error ignored = {0};
		const char *full = json_text_or(item, "groupVersion", "");
		if (kube_resource(client, full, kind, &resource, &ignored))
			return mem_strdup(api_version_only(full));
	}
	return document ? err_null(err, ERR_NOT_FOUND, "no matches for kind \"%s\" in group \"%s\"",
				   kind, group)
			: NULL;
}

char *kube_path(KubeClient *client, const char *api_version, const char *kind, const char *ns,
		const char *name, const char *subresource, Error *err)
{
	KubeResource resource;
	if (!kube_resource(client, api_version, kind, &resource, err))
		return NULL;
	autofree char *base = group_path(api_version);
	Buf path = {0};
	buf_puts(&path, base);
	if (resource.namespaced && !cstr_empty(ns))
		buf_printf(&path, "/namespaces/%s", ns);
	buf_printf(&path, "/%s", resource.plural);
	if (!cstr_empty(name))
		buf_printf(&path, "/%s", name);
	if (subresource)
		buf_printf(&path, "/%s", subresource);
	return buf_steal(&path);
}
