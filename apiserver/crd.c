/* CRDs: what is filled in when one is written, and the resources that an established one serves.
 * Names are settled with the write (crd_names.c): one server, so there is no controller to wait
 * for. */
#include "crd_internal.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cel_rules.h"
#include "object.h"
#include "schema.h"

static char *lower_copy(const char *text)
{
	char *out = mem_strdup(text);
	for (char *c = out; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return out;
}

static void default_names(json_t *names)
{
	const char *kind = json_text_or(names, "kind", "");
	if (!json_text(names, "singular")) {
		autofree char *singular = lower_copy(kind);
		json_put_text(names, "singular", singular);
	}
	if (!json_text(names, "listKind")) {
		autofree char *list = mem_printf("%sList", kind);
		json_put_text(names, "listKind", list);
	}
}

static const char *storage_version(const json_t *versions)
{
	for (size_t i = 0; i < json_array_size(versions); i++)
		if (json_flag(json_array_get(versions, i), "storage", false))
			return json_text_or(json_array_get(versions, i), "name", "");
	return "";
}

static json_t *stored_versions(const json_t *crd)
{
	json_t *stored = json_copy(json_at(crd, "status", "storedVersions", NULL));
	if (!stored)
		stored = json_array();
	const char *name = storage_version(json_at(crd, "spec", "versions", NULL));
	bool known = !*name;
	for (size_t k = 0; k < json_array_size(stored) && !known; k++)
		known = cstr_eq(json_string_value(json_array_get(stored, k)), name);
	if (!known)
		json_array_append_new(stored, json_string(name));
	return stored;
}

void crd_default(json_t *crd)
{
	json_t *spec = json_make_at(crd, "spec", NULL);
	default_names(json_make_at(spec, "names", NULL));
	if (!json_map(spec, "conversion"))
		json_object_set_new(spec, "conversion", json_pack("{s:s}", "strategy", "None"));
}

void crd_prepare(Catalog *catalog, json_t *crd)
{
	crd_default(crd);
	/* Shared with the stored state until now. */
	json_t *status = json_deep_copy(json_map(crd, "status"));
	json_object_set_new(crd, "status", status ? status : json_object());
	crd_accept_names(catalog, crd);
	json_object_set_new(json_map(crd, "status"), "storedVersions", stored_versions(crd));
}

static char **string_list(const json_t *list)
{
	size_t count = json_array_size(list);
	char **out = mem_zalloc(count + 1, sizeof(*out));
	for (size_t i = 0, k = 0; i < count; i++) {
		const char *text = json_string_value(json_array_get(list, i));
		if (text)
			out[k++] = mem_strdup(text);
	}
	return out;
}

static void fill_names(Resource *resource, const json_t *crd)
{
	const json_t *spec = json_map(crd, "spec");
	const json_t *names = json_at(crd, "status", "acceptedNames", NULL);
	resource->group = mem_strdup(json_text_or(spec, "group", ""));
	resource->kind = mem_strdup(json_text_or(names, "kind", ""));
	resource->list_kind = mem_strdup(json_text_or(names, "listKind", ""));
	resource->plural = mem_strdup(json_text_or(names, "plural", ""));
	resource->singular = mem_strdup(json_text_or(names, "singular", ""));
	resource->key = mem_printf("%s.%s", resource->plural, resource->group);
	resource->store_key = mem_strdup(resource->key);
	resource->short_names = string_list(json_list(names, "shortNames"));
	resource->categories = string_list(json_list(names, "categories"));
	resource->flags = KIND_CUSTOM | KIND_GENERATION;
	if (cstr_eq(json_text(spec, "scope"), "Namespaced"))
		resource->flags |= KIND_NAMESPACED;
}

/* "io.fluxcd.toolkit.source.v1.GitRepository": the group's parts turned round. */
static char *definition_name(const Resource *resource)
{
	autobuf Buf out = {0};
	const char *end = resource->group + strlen(resource->group);
	while (end > resource->group) {
		const char *start = end;
		while (start > resource->group && start[-1] != '.')
			start--;
		buf_append(&out, start, (size_t)(end - start));
		buf_putc(&out, '.');
		end = start > resource->group ? start - 1 : start;
	}
	buf_printf(&out, "%s.%s", resource->version, resource->kind);
	return buf_steal(&out);
}

/* The version to be used instead, or NULL. */
static const char *newer_version(const json_t *versions, const char *than)
{
	const char *newest = NULL;
	for (size_t i = 0; i < json_array_size(versions); i++) {
		const json_t *version = json_array_get(versions, i);
		const char *name = json_text_or(version, "name", "");
		if (json_flag(version, "served", false) &&
		    !json_flag(version, "deprecated", false) &&
		    resource_version_rank(name) > resource_version_rank(newest ? newest : than))
			newest = name;
	}
	return newest;
}

static char *deprecation_of(const Resource *resource, const json_t *spec, const json_t *version)
{
	const char *text = json_text(version, "deprecationWarning");
	if (!json_flag(version, "deprecated", false))
		return NULL;
	if (text)
		return mem_strdup(text);
	const char *newer = newer_version(json_list(spec, "versions"), resource->version);
	if (!newer)
		return mem_printf("%s %s is deprecated", resource->api_version, resource->kind);
	return mem_printf("%s %s is deprecated; use %s/%s %s", resource->api_version,
			  resource->kind, resource->group, newer, resource->kind);
}

static Resource *version_resource(const json_t *crd, const json_t *version)
{
	const json_t *spec = json_map(crd, "spec");
	const json_t *stored = json_list(json_map(crd, "status"), "storedVersions");
	Resource *resource = resource_new();
	fill_names(resource, crd);
	resource->version = mem_strdup(json_text_or(version, "name", ""));
	resource->api_version = mem_printf("%s/%s", resource->group, resource->version);
	resource->storage = json_flag(version, "storage", false);
	resource->uniform = resource->storage && json_array_size(stored) <= 1;
	resource->storage_version =
		mem_printf("%s/%s", resource->group, storage_version(json_list(spec, "versions")));
	resource->definition = definition_name(resource);
	resource->deprecation = deprecation_of(resource, spec, version);
	if (!json_flag(version, "served", false))
		resource->flags |= KIND_UNSERVED;
	if (object_is_deleting(crd))
		resource->flags |= KIND_ENDING;
	const json_t *parts = json_map(version, "subresources");
	if (json_map(parts, "status"))
		resource->flags |= KIND_STATUS;
	if (json_map(parts, "scale")) {
		resource->flags |= KIND_SCALE;
		resource->scale = json_incref(json_map(parts, "scale"));
	}
	resource->schema = json_incref(json_at(version, "schema", "openAPIV3Schema", NULL));
	if (schema_has_rules(resource->schema))
		resource->rules = cel_rules_new(resource->schema);
	resource->columns = json_incref(json_list(version, "additionalPrinterColumns"));
	resource->selectable = json_incref(json_list(version, "selectableFields"));
	return resource;
}

void crd_resources(const json_t *crd, Vec *out)
{
	const json_t *versions = json_list(json_map(crd, "spec"), "versions");
	for (size_t i = 0; i < json_array_size(versions) && crd_is_established(crd); i++) {
		const json_t *version = json_array_get(versions, i);
		if (json_flag(version, "served", false) || json_flag(version, "storage", false))
			vec_push(out, version_resource(crd, version));
	}
}

/* Rules see only values of the shape that their types promise. */
static bool blocks_rules(const FieldErrors *errors)
{
	static const char *const blocking[] = {"FieldValueNotSupported", "FieldValueRequired",
					       "FieldValueTooLong", "FieldValueTooMany",
					       "FieldValueTypeInvalid"};
	for (size_t i = 0; i < json_array_size(errors->causes); i++) {
		const char *reason = json_text_or(json_array_get(errors->causes, i), "reason", "");
		for (size_t k = 0; k < COUNT(blocking); k++) {
			if (strcmp(reason, blocking[k]) == 0)
				return true;
		}
	}
	return false;
}

/* What the scale subresource points at must be a count (A32). */
static void validate_scale(const Resource *resource, const json_t *object, FieldErrors *errors)
{
	static const char *const members[] = {"specReplicasPath", "statusReplicasPath"};
	for (size_t i = 0; resource->scale && i < COUNT(members); i++) {
		const char *path = json_text_or(resource->scale, members[i], "");
		const json_t *value = *path == '.' ? object_at(object, path + 1) : NULL;
		if (json_is_string(value))
			field_error(
				errors, "Invalid value", path,
				"0: %s accessor error: %s is of the type string, expected int64",
				path, json_string_value(value));
		if (!json_is_integer(value))
			continue;
		json_int_t count = json_integer_value(value);
		if (count < 0)
			field_error(errors, "Invalid value", path,
				    "%lld: should be a non-negative integer", (long long)count);
		else if (count > INT32_MAX)
			field_error(errors, "Invalid value", path,
				    "%lld: should be less than or equal to %d", (long long)count,
				    INT32_MAX);
	}
}

void crd_validate_object(const Resource *resource, const json_t *object, const json_t *old,
			 FieldErrors *errors)
{
	autojson json_t *schema = json_copy(resource->schema);
	/* Metadata has its own rules. */
	json_t *properties = json_copy(json_map(schema, "properties"));
	if (properties) {
		json_object_del(properties, "metadata");
		json_object_set_new(schema, "properties", properties);
	}
	schema_validate(schema, object, old, "", errors);
	/* A duplicate that was stored may stay. */
	autofielderrors FieldErrors before = {0};
	schema_check_unique(schema, old, "", &before);
	if (!before.causes)
		schema_check_unique(schema, object, "", errors);
	validate_scale(resource, object, errors);
	if (!resource->rules)
		return;
	if (!blocks_rules(errors))
		cel_rules_check(resource->rules, object, old, errors);
	else
		field_error(errors, "Invalid value", "<nil>",
			    "null: some validation rules were not checked because the object was "
			    "invalid; correct the existing errors to complete validation");
}
