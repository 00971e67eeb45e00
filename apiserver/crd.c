/* CRDs. Names are accepted at once: one server, one writer, so there is no controller to wait for.
 */
#include "crd.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/regex.h"
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

static json_t *condition(const char *type, const char *reason, const char *message, const char *now)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:s}", "lastTransitionTime", now, "message", message,
			 "reason", reason, "status", "True", "type", type);
}

static json_t *stored_versions(const json_t *crd)
{
	json_t *stored = json_copy(json_at(crd, "status", "storedVersions", NULL));
	if (!stored)
		stored = json_array();
	json_t *versions = json_at(crd, "spec", "versions", NULL);
	for (size_t i = 0; i < json_array_size(versions); i++) {
		const json_t *version = json_array_get(versions, i);
		const char *name = json_text_or(version, "name", "");
		bool known = !json_flag(version, "storage", false);
		for (size_t k = 0; k < json_array_size(stored) && !known; k++)
			known = cstr_eq(json_string_value(json_array_get(stored, k)), name);
		if (!known)
			json_array_append_new(stored, json_string(name));
	}
	return stored;
}

void crd_prepare(json_t *crd)
{
	json_t *spec = json_make_at(crd, "spec", NULL);
	default_names(json_make_at(spec, "names", NULL));
	if (!json_map(spec, "conversion"))
		json_object_set_new(spec, "conversion", json_pack("{s:s}", "strategy", "None"));
	autojson json_t *old = json_deep_copy(json_map(crd, "status"));
	json_t *status = json_object();
	json_object_set(status, "acceptedNames", json_map(spec, "names"));
	json_t *conditions = json_list(old, "conditions");
	if (json_array_size(conditions) > 0) {
		json_object_set(status, "conditions", conditions);
	} else {
		char now[CLOCK_TEXT_SIZE];
		clock_format(clock_wall_ms(), now);
		json_object_set_new(
			status, "conditions",
			json_pack("[o,o]",
				  condition("NamesAccepted", "NoConflicts", "no conflicts found",
					    now),
				  condition("Established", "InitialNamesAccepted",
					    "the initial names have been accepted", now)));
	}
	json_object_set_new(status, "storedVersions", stored_versions(crd));
	json_object_set_new(crd, "status", status);
}

static void validate_patterns(const json_t *schema, const char *path, FieldErrors *errors)
{
	const char *pattern = json_text(schema, "pattern");
	autoerror Error err = {0};
	autoregex Regex *regex = pattern ? regex_new(pattern, REGEX_SEARCH, &err) : NULL;
	autofree char *pattern_path = schema_path_key(path, "pattern");
	if (pattern && !regex)
		field_error(errors, "Invalid value", pattern_path,
			    "\"%s\": must be a valid regular expression, but isn't: %s", pattern,
			    err_text(&err));
	const char *key;
	json_t *child;
	json_t *members = json_map(schema, "properties");
	json_object_foreach(members, key, child)
	{
		autofree char *child_path = mem_printf("%s.properties[%s]", path, key);
		validate_patterns(child, child_path, errors);
	}
	autofree char *items_path = schema_path_key(path, "items");
	if (json_map(schema, "items"))
		validate_patterns(json_map(schema, "items"), items_path, errors);
}

/* A schema that all versions share is told of once. */
static void validate_rules(const json_t *versions, FieldErrors *errors)
{
	const json_t *first =
		json_at(json_array_get(versions, 0), "schema", "openAPIV3Schema", NULL);
	bool shared = true;
	for (size_t i = 1; i < json_array_size(versions); i++) {
		const json_t *other =
			json_at(json_array_get(versions, i), "schema", "openAPIV3Schema", NULL);
		shared &= first && other && json_equal(json_borrow(first), json_borrow(other));
	}
	for (size_t i = 0; i < (shared ? 1 : json_array_size(versions)); i++) {
		const json_t *schema =
			json_at(json_array_get(versions, i), "schema", "openAPIV3Schema", NULL);
		autofree char *path =
			shared ? mem_strdup("spec.validation.openAPIV3Schema")
			       : mem_printf("spec.versions[%zu].schema.openAPIV3Schema", i);
		if (schema && schema_has_rules(schema))
			cel_rules_check_definition(schema, path, errors);
	}
}

static void validate_versions(const json_t *versions, FieldErrors *errors)
{
	size_t storage = 0;
	for (size_t i = 0; i < json_array_size(versions); i++) {
		const json_t *version = json_array_get(versions, i);
		storage += json_flag(version, "storage", false);
		const json_t *schema = json_at(version, "schema", "openAPIV3Schema", NULL);
		autofree char *path = mem_printf("spec.versions[%zu].schema.openAPIV3Schema", i);
		if (!schema)
			field_error(errors, "Required value", path, "schemas are required");
		if (!schema)
			continue;
		validate_patterns(schema, path, errors);
	}
	validate_rules(versions, errors);
	if (storage != 1)
		field_error(errors, "Invalid value", "spec.versions",
			    "must have exactly one version marked as storage version");
}

static bool has_version(const json_t *versions, const char *name)
{
	for (size_t i = 0; i < json_array_size(versions); i++)
		if (cstr_eq(json_text(json_array_get(versions, i), "name"), name))
			return true;
	return false;
}

/* Objects may still be stored with them. */
static void validate_stored(const json_t *crd, FieldErrors *errors)
{
	const json_t *versions = json_list(json_map(crd, "spec"), "versions");
	const json_t *stored = json_list(json_map(crd, "status"), "storedVersions");
	for (size_t i = 0; i < json_array_size(stored); i++) {
		const char *name = json_string_value(json_array_get(stored, i));
		autofree char *path = mem_printf("status.storedVersions[%zu]", i);
		if (name && !has_version(versions, name))
			field_error(errors, "Invalid value", path,
				    "\"%s\": missing from spec.versions; %s was previously a "
				    "storage version, and must remain in spec.versions until a "
				    "storage migration ensures no data remains persisted in %s and "
				    "removes %s from status.storedVersions",
				    name, name, name, name);
	}
}

void crd_validate(const json_t *crd, bool created, FieldErrors *errors)
{
	const json_t *spec = json_map(crd, "spec");
	const json_t *names = json_map(spec, "names");
	const char *plural = json_text_or(names, "plural", "");
	const char *group = json_text_or(spec, "group", "");
	autofree char *name = mem_printf("%s.%s", plural, group);
	const char *given = json_text_or(json_map(crd, "metadata"), "name", "");
	if (created && strcmp(name, given) != 0)
		field_error(errors, "Invalid value", "metadata.name",
			    "\"%s\": must be spec.names.plural+\".\"+spec.group", given);
	if (!*group)
		field_error(errors, "Required value", "spec.group", "%s", "");
	else if (!strchr(group, '.'))
		field_error(errors, "Invalid value", "spec.group",
			    "\"%s\": should be a domain with at least one dot", group);
	if (!*json_text_or(names, "kind", ""))
		field_error(errors, "Required value", "spec.names.kind", "%s", "");
	const char *scope = json_text_or(spec, "scope", "");
	if (!*scope)
		field_error(errors, "Required value", "spec.scope", "%s", "");
	else if (strcmp(scope, "Namespaced") != 0 && strcmp(scope, "Cluster") != 0)
		field_error(errors, "Unsupported value", "spec.scope",
			    "\"%s\": supported values: \"Cluster\", \"Namespaced\"", scope);
	const char *strategy = json_text_or(json_map(spec, "conversion"), "strategy", "None");
	if (strcmp(strategy, "None") != 0 && strcmp(strategy, "Webhook") != 0)
		field_error(errors, "Unsupported value", "spec.conversion.strategy",
			    "\"%s\": supported values: \"None\", \"Webhook\"", strategy);
	validate_versions(json_list(spec, "versions"), errors);
	validate_stored(crd, errors);
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

static const char *storage_version(const json_t *versions)
{
	for (size_t i = 0; i < json_array_size(versions); i++)
		if (json_flag(json_array_get(versions, i), "storage", false))
			return json_text_or(json_array_get(versions, i), "name", "");
	return "";
}

static void fill_names(Resource *resource, const json_t *spec)
{
	const json_t *names = json_map(spec, "names");
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

static Resource *version_resource(const json_t *crd, const json_t *version)
{
	const json_t *spec = json_map(crd, "spec");
	const json_t *stored = json_list(json_map(crd, "status"), "storedVersions");
	Resource *resource = resource_new();
	fill_names(resource, spec);
	resource->version = mem_strdup(json_text_or(version, "name", ""));
	resource->api_version = mem_printf("%s/%s", resource->group, resource->version);
	resource->storage = json_flag(version, "storage", false);
	resource->uniform = resource->storage && json_array_size(stored) <= 1;
	resource->storage_version =
		mem_printf("%s/%s", resource->group, storage_version(json_list(spec, "versions")));
	resource->definition = definition_name(resource);
	if (!json_flag(version, "served", false))
		resource->flags |= KIND_UNSERVED;
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
	for (size_t i = 0; i < json_array_size(versions); i++) {
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
