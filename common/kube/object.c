/* Reads of Kubernetes objects: what is absent or of another type is "" or 0 or NULL. */
#include "kube/object.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"

static const char *metadata_text(const json_t *object, const char *key)
{
	return json_text_or(json_map(object, "metadata"), key, "");
}

const char *object_api_version(const json_t *object)
{
	return json_text_or(object, "apiVersion", "");
}

const char *object_kind(const json_t *object)
{
	return json_text_or(object, "kind", "");
}

const char *object_name(const json_t *object)
{
	return metadata_text(object, "name");
}

const char *object_namespace(const json_t *object)
{
	return metadata_text(object, "namespace");
}

const char *object_uid(const json_t *object)
{
	return metadata_text(object, "uid");
}

const char *object_resource_version(const json_t *object)
{
	return metadata_text(object, "resourceVersion");
}

uint64_t object_version(const json_t *object)
{
	return strtoull(object_resource_version(object), NULL, 10);
}

int64_t object_generation(const json_t *object)
{
	return json_int(json_map(object, "metadata"), "generation", 0);
}

bool object_is_deleting(const json_t *object)
{
	return metadata_text(object, "deletionTimestamp")[0] != '\0';
}

const char *object_label(const json_t *object, const char *key)
{
	return json_text_at(object, "metadata", "labels", key, NULL);
}

const char *object_annotation(const json_t *object, const char *key)
{
	return json_text_at(object, "metadata", "annotations", key, NULL);
}

bool object_says(const json_t *object, const char *key, const char *value)
{
	const char *label = object_label(object, key), *annotation = object_annotation(object, key);
	return (label && strcasecmp(label, value) == 0) ||
	       (annotation && strcasecmp(annotation, value) == 0);
}

bool object_has_finalizer(const json_t *object, const char *finalizer)
{
	size_t i;
	json_t *item;
	json_array_foreach(json_list(json_map(object, "metadata"), "finalizers"), i, item)
	{
		if (cstr_eq(json_string_value(item), finalizer))
			return true;
	}
	return false;
}

char *api_group(const char *api_version)
{
	Str group, version;
	return str_cut(str_of(api_version), '/', &group, &version) ? str_dup(group)
								   : mem_strdup("");
}

const char *api_version_only(const char *api_version)
{
	const char *slash = strchr(api_version, '/');
	return slash ? slash + 1 : api_version;
}

bool api_is_of(const char *api_version, const char *group)
{
	size_t len = strlen(group);
	return len ? strncmp(api_version, group, len) == 0 && api_version[len] == '/'
		   : !strchr(api_version, '/');
}

bool object_is_of(const json_t *object, const char *group, const char *kind)
{
	return cstr_eq(object_kind(object), kind) && api_is_of(object_api_version(object), group);
}

bool object_is_definition(const json_t *object)
{
	return object_is_of(object, "apiextensions.k8s.io", "CustomResourceDefinition");
}

char *object_id(const json_t *object)
{
	const char *ns = object_namespace(object);
	return mem_printf("%s/%s%s%s", object_kind(object), ns, ns[0] ? "/" : "",
			  object_name(object));
}

json_t *object_condition(const json_t *object, const char *type)
{
	size_t i;
	json_t *item;
	json_array_foreach(json_list(json_map(object, "status"), "conditions"), i, item)
	{
		if (cstr_eq(json_text(item, "type"), type))
			return item;
	}
	return NULL;
}

const char *object_condition_status(const json_t *object, const char *type)
{
	return json_text(object_condition(object, type), "status");
}
