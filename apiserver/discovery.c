/* Discovery documents, made from the catalog at each request: they are small and clients cache
 * them. */
#include "discovery.h"

#include <string.h>

#include "base/mem.h"
#include "data/digest.h"
#include "discovery_verbs.h"
#include "server.h"

static const char aggregated_type[] =
	"application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
static const char aggregated_beta_type[] =
	"application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList";

static json_t *string_array(char *const *texts)
{
	json_t *list = json_array();
	for (size_t i = 0; texts && texts[i]; i++)
		json_array_append_new(list, json_string(texts[i]));
	return list;
}

static void put_nonempty(json_t *object, const char *key, json_t *take_list)
{
	if (json_array_size(take_list) > 0)
		json_object_set(object, key, take_list);
	json_decref(take_list);
}

static json_t *response_kind(const char *group, const char *version, const char *kind)
{
	return json_pack("{s:s,s:s,s:s}", "group", group, "version", version, "kind", kind);
}

static json_t *aggregated_resource(const Resource *resource)
{
	json_t *out = json_object();
	json_put_text(out, "resource", resource->plural);
	/* Of built-in kinds, unless they are another group's, only the kind is said. */
	bool custom = resource_has(resource, KIND_CUSTOM);
	json_object_set_new(out, "responseKind",
			    response_kind(custom ? resource->group : "",
					  custom ? resource->version : "", resource->kind));
	json_put_text(out, "scope",
		      resource_has(resource, KIND_NAMESPACED) ? "Namespaced" : "Cluster");
	json_put_text(out, "singularResource", resource->singular);
	json_object_set_new(out, "verbs", discovery_verbs(resource));
	put_nonempty(out, "shortNames", string_array(resource->short_names));
	put_nonempty(out, "categories", string_array(resource->categories));
	autojson json_t *parts = discovery_subresources(resource);
	json_t *subresources = json_array();
	for (size_t i = 0; i < json_array_size(parts); i++) {
		const json_t *part = json_array_get(parts, i);
		json_t *entry = json_object();
		const char *group = json_text_or(part, "group", "");
		const char *version = json_text_or(part, "version", "");
		bool own = !custom && strcmp(group, resource->group) == 0 &&
			   strcmp(version, resource->version) == 0;
		json_put_text(entry, "subresource", json_text(part, "name"));
		json_object_set_new(entry, "responseKind",
				    response_kind(own ? "" : group, own ? "" : version,
						  json_text_or(part, "kind", "")));
		json_object_set(entry, "verbs", json_list(part, "verbs"));
		json_array_append_new(subresources, entry);
	}
	put_nonempty(out, "subresources", subresources);
	return out;
}

/* The array member whose text member `key` (or metadata.name) is `value`; appended when absent. */
static json_t *find_or_add(json_t *list, const char *key, const char *value, bool group)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *item = json_array_get(list, i);
		const json_t *holder = group ? json_map(item, "metadata") : item;
		if (strcmp(json_text_or(holder, key, ""), value) == 0)
			return item;
	}
	json_t *item = json_object();
	json_t *holder = group ? json_make_at(item, "metadata", NULL) : item;
	if (*value)
		json_put_text(holder, key, value);
	json_array_append_new(list, item);
	return item;
}

static json_t *aggregated(Catalog *catalog, bool core)
{
	json_t *items = json_array();
	Vec resources = {0};
	catalog_list(catalog, &resources);
	for (size_t i = 0; i < resources.len; i++) {
		const Resource *resource = resources.items[i];
		if ((*resource->group == '\0') != core)
			continue;
		json_t *group = find_or_add(items, "name", resource->group, true);
		if (!json_list(group, "versions"))
			json_object_set_new(group, "versions", json_array());
		json_t *version = find_or_add(json_list(group, "versions"), "version",
					      resource->version, false);
		if (!json_list(version, "resources")) {
			json_object_set_new(version, "resources", json_array());
			json_put_text(version, "freshness", "Current");
		}
		json_array_append_new(json_list(version, "resources"),
				      aggregated_resource(resource));
	}
	catalog_list_free(&resources);
	return items;
}

static void reply_aggregated(Request *request, bool core, bool beta)
{
	autojson json_t *document = json_object();
	json_put_text(document, "kind", "APIGroupDiscoveryList");
	json_put_text(document, "apiVersion",
		      beta ? "apidiscovery.k8s.io/v2beta1" : "apidiscovery.k8s.io/v2");
	json_make_at(document, "metadata", NULL);
	json_object_set_new(document, "items", aggregated(request->server->catalog, core));
	char *text = json_dump(document);
	char digest[DIGEST_TEXT_SIZE];
	digest_hex(DIGEST_SHA256, text, strlen(text), digest);
	autofree char *etag = mem_printf("\"%s\"", digest);
	httpd_set_header(request->http, "ETag", etag);
	httpd_set_header(request->http, "Vary", "Accept");
	const char *known = httpd_header(request->http, "If-None-Match");
	const char *type = beta ? aggregated_beta_type : aggregated_type;
	if (known && strcmp(known, etag) == 0) {
		free(text);
		httpd_reply(request->http, 304, NULL, "", 0);
		return;
	}
	httpd_reply_take(request->http, 200, type, text, strlen(text));
}

static json_t *group_version(const Resource *resource)
{
	return json_pack("{s:s,s:s}", "groupVersion", resource->api_version, "version",
			 resource->version);
}

/* APIGroups, or the one named (NULL: all). */
static json_t *legacy_groups(Catalog *catalog, const char *only)
{
	json_t *groups = json_array();
	Vec resources = {0};
	catalog_list(catalog, &resources);
	for (size_t i = 0; i < resources.len; i++) {
		const Resource *resource = resources.items[i];
		if (*resource->group == '\0' || (only && strcmp(only, resource->group) != 0))
			continue;
		json_t *group = find_or_add(groups, "name", resource->group, false);
		if (!json_list(group, "versions")) {
			json_object_set_new(group, "versions", json_array());
			json_object_set_new(group, "preferredVersion", group_version(resource));
		}
		json_t *versions = json_list(group, "versions");
		const json_t *last = json_array_get(versions, json_array_size(versions) - 1);
		if (strcmp(json_text_or(last, "version", ""), resource->version) != 0)
			json_array_append_new(versions, group_version(resource));
	}
	catalog_list_free(&resources);
	return groups;
}

static void reply_legacy(Request *request, bool core)
{
	autojson json_t *document = NULL;
	if (core)
		document = json_pack("{s:s,s:[s],s:[{s:s,s:s}]}", "kind", "APIVersions", "versions",
				     "v1", "serverAddressByClientCIDRs", "clientCIDR", "0.0.0.0/0",
				     "serverAddress", request->server->url);
	else
		document = json_pack("{s:s,s:s,s:o}", "kind", "APIGroupList", "apiVersion", "v1",
				     "groups", legacy_groups(request->server->catalog, NULL));
	request_reply_json(request, 200, document);
}

void discovery_reply_root(Request *request, bool core)
{
	const char *accept = httpd_header(request->http, "Accept");
	Str rest = str_of(accept);
	Str clause;
	while (str_next(&rest, ',', &clause)) {
		bool asked = str_find(clause, STR("as=APIGroupDiscoveryList")) >= 0 &&
			     str_find(clause, STR("profile=")) < 0;
		if (!asked && str_find(clause, STR("as=")) < 0)
			break;
		bool beta = str_find(clause, STR("v=v2beta1")) >= 0;
		if (asked && (beta || str_find(clause, STR("v=v2")) >= 0)) {
			reply_aggregated(request, core, beta);
			return;
		}
	}
	reply_legacy(request, core);
}

bool discovery_reply_group(Request *request, const char *group, Status *status)
{
	autojson json_t *groups = legacy_groups(request->server->catalog, group);
	json_t *found = json_array_get(groups, 0);
	if (!found)
		return status_no_resource(status);
	json_put_text(found, "kind", "APIGroup");
	json_put_text(found, "apiVersion", "v1");
	request_reply_json(request, 200, found);
	return true;
}

static void add_legacy_resource(json_t *list, const Resource *resource)
{
	bool namespaced = resource_has(resource, KIND_NAMESPACED);
	json_t *out = json_pack("{s:s,s:s,s:b,s:s,s:o}", "name", resource->plural, "singularName",
				resource->singular, "namespaced", namespaced, "kind",
				resource->kind, "verbs", discovery_verbs(resource));
	put_nonempty(out, "shortNames", string_array(resource->short_names));
	put_nonempty(out, "categories", string_array(resource->categories));
	json_array_append_new(list, out);
	autojson json_t *parts = discovery_subresources(resource);
	for (size_t i = 0; i < json_array_size(parts); i++) {
		const json_t *part = json_array_get(parts, i);
		autofree char *name =
			mem_printf("%s/%s", resource->plural, json_text_or(part, "name", ""));
		json_t *entry =
			json_pack("{s:s,s:s,s:b,s:s,s:O}", "name", name, "singularName", "",
				  "namespaced", namespaced, "kind", json_text_or(part, "kind", ""),
				  "verbs", json_list(part, "verbs"));
		bool other = strcmp(json_text_or(part, "group", ""), resource->group) != 0;
		json_put_text(entry, "group", other ? json_text(part, "group") : NULL);
		json_put_text(entry, "version", other ? json_text(part, "version") : NULL);
		json_array_append_new(list, entry);
	}
}

bool discovery_reply_version(Request *request, const char *group, const char *version,
			     Status *status)
{
	autojson json_t *list = json_array();
	Vec resources = {0};
	catalog_list(request->server->catalog, &resources);
	for (size_t i = 0; i < resources.len; i++) {
		const Resource *resource = resources.items[i];
		if (strcmp(resource->group, group) == 0 && strcmp(resource->version, version) == 0)
			add_legacy_resource(list, resource);
	}
	catalog_list_free(&resources);
	if (json_array_size(list) == 0)
		return status_no_resource(status);
	autofree char *name = *group ? mem_printf("%s/%s", group, version) : mem_strdup(version);
	autojson json_t *document =
		json_pack("{s:s,s:s,s:s,s:O}", "kind", "APIResourceList", "apiVersion", "v1",
			  "groupVersion", name, "resources", list);
	request_reply_json(request, 200, document);
	return true;
}
