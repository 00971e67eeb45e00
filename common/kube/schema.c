/* Pruning by OpenAPI v3. A reference stands as {"$ref"} or, with a default beside it, as
 * {"allOf": [{"$ref"}]}. Depth is bounded by the object's own, which the JSON parser limits. */
#include "kube/schema.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "data/api_groups.h"
#include "kube/client_internal.h"

static const char ref_prefix[] = "#/components/schemas/";

bool kube_is_builtin(const char *api_version)
{
	autofree char *group = api_group(api_version);
	return api_group_origin(str_of(group)) == API_GROUP_CLIENT;
}

json_t *kube_openapi(KubeClient *client, const char *api_version, Error *err)
{
	autofree char *path = discovery_path(api_version);
	autofree char *url = mem_printf("/openapi/v3%s", path);
	json_t *document = batch_get(client, url, NULL, 0, err);
	return document ? document : err_wrap_null(err, "the schema of %s", api_version);
}

/* Follows references; NULL when one leads nowhere. */
static const json_t *resolve(const json_t *schemas, const json_t *schema)
{
	enum { MAX_HOPS = 8 };
	for (int hop = 0; schema && hop < MAX_HOPS; hop++) {
		const json_t *all = json_list(schema, "allOf");
		const char *ref = json_text(
			json_array_size(all) == 1 ? json_array_get(all, 0) : schema, "$ref");
		if (!ref)
			return schema;
		if (!cstr_starts(ref, ref_prefix))
			return NULL;
		schema = json_map(schemas, ref + strlen(ref_prefix));
	}
	return NULL;
}

static void prune_value(const json_t *schemas, const json_t *schema, json_t *value);

static void prune_fields(const json_t *schemas, const json_t *schema, json_t *object)
{
	const json_t *known = json_map(schema, "properties");
	const json_t *others = json_map(schema, "additionalProperties");
	bool open = !known || json_object_get(schema, "additionalProperties") ||
		    json_flag(schema, "x-kubernetes-preserve-unknown-fields", false);
	const char *key;
	json_t *field;
	void *next;
	json_object_foreach_safe(object, next, key, field)
	{
		const json_t *declared = known ? json_object_get(known, key) : NULL;
		if (!declared && !open)
			json_object_del(object, key);
		else
			prune_value(schemas, declared ? declared : others, field);
	}
}

static void prune_value(const json_t *schemas, const json_t *schema, json_t *value)
{
	schema = resolve(schemas, schema);
	if (!schema)
		return;
	if (json_is_object(value)) {
		prune_fields(schemas, schema, value);
		return;
	}
	size_t i;
	json_t *item;
	json_array_foreach(value, i, item)
	{
		prune_value(schemas, json_map(schema, "items"), item);
	}
}

static bool is_of_kind(const json_t *schema, const char *group, const char *version,
		       const char *kind)
{
	size_t i;
	json_t *gvk;
	json_array_foreach(json_list(schema, "x-kubernetes-group-version-kind"), i, gvk)
	{
		if (cstr_eq(json_text_or(gvk, "group", ""), group) &&
		    cstr_eq(json_text(gvk, "version"), version) &&
		    cstr_eq(json_text(gvk, "kind"), kind))
			return true;
	}
	return false;
}

bool schema_prune(const json_t *document, json_t *object)
{
	const json_t *schemas = json_at(document, "components", "schemas", NULL);
	autofree char *group = api_group(object_api_version(object));
	const char *version = api_version_only(object_api_version(object)), *name;
	json_t *schema;
	json_object_foreach(json_borrow(schemas), name, schema)
	{
		if (!is_of_kind(schema, group, version, object_kind(object)))
			continue;
		prune_value(schemas, schema, object);
		return true;
	}
	return false;
}
