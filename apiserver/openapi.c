/*
 * OpenAPI v3 as far as kubectl reads it (kube-api.md 2.7): per group version its schemas with their
 * kinds, and a patch operation per kind that tells query parameters and patch types.
 */
#include <string.h>

#include "base/mem.h"
#include "discovery.h"
#include "schema_builtin.h"
#include "server.h"

static char *path_of(const Resource *resource)
{
	return mem_printf("%s/%s", *resource->group ? "apis" : "api", resource->api_version);
}

void openapi_reply_index(Request *request)
{
	autojson json_t *paths = json_object();
	unsigned long generation = catalog_generation(request->server->catalog);
	Vec resources = {0};
	catalog_list(request->server->catalog, &resources);
	for (size_t i = 0; i < resources.len; i++) {
		autofree char *path = path_of(resources.items[i]);
		autofree char *url = mem_printf("/openapi/v3/%s?hash=%lu", path, generation);
		json_object_set_new(paths, path, json_pack("{s:s}", "serverRelativeURL", url));
	}
	catalog_list_free(&resources);
	autojson json_t *document = json_pack("{s:O}", "paths", paths);
	request_reply_json(request, 200, document);
}

static json_t *gvk(const Resource *resource)
{
	return json_pack("{s:s,s:s,s:s}", "group", resource->group, "kind", resource->kind,
			 "version", resource->version);
}

static json_t *parameter(const char *name, const char *type)
{
	return json_pack("{s:s,s:s,s:{s:s}}", "name", name, "in", "query", "schema", "type", type);
}

static json_t *patch_operation(const Resource *resource)
{
	static const char *const media[] = {
		"application/apply-patch+yaml", "application/json-patch+json",
		"application/merge-patch+json", "application/strategic-merge-patch+json"};
	json_t *content = json_object();
	size_t count = COUNT(media) - (resource_has(resource, KIND_CUSTOM) ? 1 : 0);
	for (size_t i = 0; i < count; i++)
		json_object_set_new(content, media[i],
				    json_pack("{s:{s:s}}", "schema", "type", "object"));
	return json_pack("{s:s,s:o,s:[o,o,o,o],s:{s:o,s:b},s:{}}", "x-kubernetes-action", "patch",
			 "x-kubernetes-group-version-kind", gvk(resource), "parameters",
			 parameter("dryRun", "string"), parameter("fieldManager", "string"),
			 parameter("fieldValidation", "string"), parameter("force", "boolean"),
			 "requestBody", "content", content, "required", 1, "responses");
}

static json_t *custom_schema(const Resource *resource)
{
	json_t *schema = resource->schema ? schema_with_metadata(resource->schema)
					  : json_pack("{s:s,s:b}", "type", "object",
						      "x-kubernetes-preserve-unknown-fields", 1);
	json_object_set_new(schema, "x-kubernetes-group-version-kind",
			    json_pack("[o]", gvk(resource)));
	return schema;
}

static void add_resource(Request *request, const Resource *resource, json_t *paths, json_t *schemas)
{
	Definitions *definitions = catalog_definitions(request->server->catalog);
	bool custom = resource_has(resource, KIND_CUSTOM);
	autojson json_t *closure = definitions_closure(definitions, custom ? SCHEMA_OBJECT_META
									   : resource->definition);
	json_object_update_missing(schemas, closure);
	if (custom)
		json_object_set_new(schemas, resource->definition, custom_schema(resource));
	bool namespaced = resource_has(resource, KIND_NAMESPACED);
	autofree char *base = path_of(resource);
	autofree char *path =
		mem_printf("/%s%s/%s/{name}", base, namespaced ? "/namespaces/{namespace}" : "",
			   resource->plural);
	json_object_set_new(paths, path, json_pack("{s:o}", "patch", patch_operation(resource)));
}

bool openapi_reply_group_version(Request *request, const char *rest, Status *status)
{
	autojson json_t *paths = json_object();
	autojson json_t *schemas = json_object();
	Vec resources = {0};
	catalog_list(request->server->catalog, &resources);
	for (size_t i = 0; i < resources.len; i++) {
		const Resource *resource = resources.items[i];
		autofree char *path = path_of(resource);
		if (strcmp(path, rest) == 0 && resource->definition)
			add_resource(request, resource, paths, schemas);
	}
	catalog_list_free(&resources);
	if (json_object_size(paths) == 0)
		return status_no_resource(status);
	autojson json_t *document = json_pack("{s:s,s:{s:s,s:s},s:O,s:{s:O}}", "openapi", "3.0.0",
					      "info", "title", "Kubernetes", "version", "v1.34.4",
					      "paths", paths, "components", "schemas", schemas);
	request_reply_json(request, 200, document);
	return true;
}

/* What v2 could say v3 says. kubectl still asks for it where v3 does not know a kind, such as a
 * List, and gives up when there is none; of a kind that it does not name, kubectl checks nothing.
 * The protobuf form is Document{1 swagger, 2 info{1 title, 2 version}}. */
void openapi_reply_v2(Request *request)
{
	static const char form[] = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
	static const char document[] = "\n\0032.0\022\025\n\nKubernetes\022\av1.34.4";
	const char *accept = httpd_header(request->http, "Accept");
	if (accept && strstr(accept, "proto-openapi")) {
		httpd_reply(request->http, 200, form, document, sizeof(document) - 1);
		return;
	}
	autojson json_t *plain =
		json_pack("{s:s,s:{s:s,s:s},s:{},s:{}}", "swagger", "2.0", "info", "title",
			  "Kubernetes", "version", "v1.34.4", "paths", "definitions");
	request_reply_json(request, 200, plain);
}
