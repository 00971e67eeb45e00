/*
 * Structural schemas (apiextensions-apiserver, pkg/apiserver/schema/validation.go and complete.go).
 * Such a schema says of each value which type it has, in one place; what stands inside of allOf,
 * anyOf, oneOf and not may only narrow it. Depth is bounded by the parser's limit.
 */
#include "crd_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "data/regex.h"
#include "schema.h"

typedef enum { LEVEL_ROOT, LEVEL_ITEM, LEVEL_FIELD } Level;

static const char *const junctors[] = {"anyOf", "allOf", "oneOf"};

char *crd_property_path(const char *path, const char *key)
{
	return mem_printf("%s.properties[%s]", path, key);
}

char *crd_choice_path(const char *path, const char *list, size_t index)
{
	return mem_printf("%s.%s[%zu]", path, list, index);
}

void crd_refuse(FieldErrors *errors, const char *path, const char *member, const json_t *given,
		const char *why)
{
	autofree char *where = schema_path_key(path, member);
	autofree char *shown = given ? json_dump_go(given) : mem_strdup("\"\"");
	field_error(errors, "Invalid value", where, "%s: %s", shown, why);
}

static void tell(FieldErrors *errors, const char *type, const char *path, const char *member,
		 const char *why)
{
	autofree char *where = schema_path_key(path, member);
	field_error(errors, type, where, "%s", why);
}

static bool is_flagged(const json_t *schema, const char *key)
{
	return json_flag(schema, key, false);
}

bool crd_is_convertible(const json_t *schema)
{
	static const char *const unsupported[] = {
		"id",	       "$schema",	    "$ref",	      "dependencies",
		"definitions", "patternProperties", "additionalItems"};
	if (!schema)
		return true;
	const json_t *keeps = json_object_get(schema, "x-kubernetes-preserve-unknown-fields");
	bool fits = !json_list(schema, "items") && !json_is_false(keeps);
	for (size_t i = 0; i < COUNT(unsupported); i++)
		fits &= !json_object_get(schema, unsupported[i]);
	const char *key;
	json_t *child;
	json_object_foreach(json_map(schema, "properties"), key, child) fits &=
		crd_is_convertible(child);
	for (size_t i = 0; i < COUNT(junctors); i++) {
		const json_t *list = json_list(schema, junctors[i]);
		for (size_t k = 0; k < json_array_size(list); k++)
			fits &= crd_is_convertible(json_array_get(list, k));
	}
	static const char *const single[] = {"items", "additionalProperties", "not"};
	for (size_t i = 0; i < COUNT(single); i++)
		fits &= crd_is_convertible(json_map(schema, single[i]));
	return fits;
}

static void check_pattern(const json_t *schema, const char *path, FieldErrors *errors)
{
	const char *pattern = json_text_or(schema, "pattern", "");
	autoerror Error err = {0};
	autoregex Regex *regex = *pattern ? regex_new(pattern, REGEX_SEARCH, &err) : NULL;
	if (regex || !*pattern)
		return;
	autofree char *why =
		mem_printf("must be a valid regular expression, but isn't: %s", err_text(&err));
	crd_refuse(errors, path, "pattern", json_object_get(schema, "pattern"), why);
}

static void check_nested(const json_t *schema, bool either, const char *path, FieldErrors *errors);

/* `either`, `first_either`: the anyOf (of the first allOf) is what spells out "integer or string".
 */
static void check_value(const json_t *schema, bool either, bool first_either, const char *path,
			FieldErrors *errors)
{
	for (size_t i = 0; i < COUNT(junctors); i++) {
		const json_t *list = json_list(schema, junctors[i]);
		if (either && strcmp(junctors[i], "anyOf") == 0)
			continue;
		for (size_t k = 0; k < json_array_size(list); k++) {
			bool first = first_either && k == 0 && strcmp(junctors[i], "allOf") == 0;
			autofree char *where = crd_choice_path(path, junctors[i], k);
			check_nested(json_array_get(list, k), first, where, errors);
		}
	}
	autofree char *not_path = schema_path_key(path, "not");
	check_nested(json_map(schema, "not"), false, not_path, errors);
	check_pattern(schema, path, errors);
}

/* Whether a member says anything: zeros are as good as absent. */
static bool is_set(const json_t *value)
{
	return value && !json_is_null(value) && !json_is_false(value) &&
	       !(json_is_string(value) && json_string_length(value) == 0) &&
	       !(json_is_array(value) && json_array_size(value) == 0);
}

static void check_forbidden(const json_t *schema, const char *path, FieldErrors *errors)
{
	static const struct {
		const char *member, *why;
	} rows[] = {
		{"type", "must be empty to be structural"},
		{"additionalProperties", "must be undefined to be structural"},
		{"title", "must be empty to be structural"},
		{"description", "must be empty to be structural"},
		{"nullable", "must be false to be structural"},
		{"x-kubernetes-preserve-unknown-fields", "must be false to be structural"},
		{"x-kubernetes-embedded-resource", "must be false to be structural"},
		{"x-kubernetes-int-or-string", "must be false to be structural"},
		{"x-kubernetes-list-map-keys", "must be empty to be structural"},
		{"x-kubernetes-list-type", "must be undefined to be structural"},
		{"x-kubernetes-map-type", "must be undefined to be structural"},
		{"x-kubernetes-validations", "must be empty to be structural"},
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		if (is_set(json_object_get(schema, rows[i].member)))
			tell(errors, "Forbidden", path, rows[i].member, rows[i].why);
	const json_t *fallback = json_object_get(schema, "default");
	if (fallback && !json_is_null(fallback))
		tell(errors, "Forbidden", path, "default", "must be undefined to be structural");
	if (json_object_get(json_map(schema, "properties"), "metadata"))
		tell(errors, "Forbidden", path, "properties[metadata]",
		     "must not be specified in a nested context");
}

static void check_nested(const json_t *schema, bool either, const char *path, FieldErrors *errors)
{
	if (!schema)
		return;
	check_value(schema, either, false, path, errors);
	autofree char *items_path = schema_path_key(path, "items");
	check_nested(json_map(schema, "items"), false, items_path, errors);
	const char *key;
	json_t *child;
	json_object_foreach(json_map(schema, "properties"), key, child)
	{
		autofree char *where = crd_property_path(path, key);
		check_nested(child, false, where, errors);
	}
	check_forbidden(schema, path, errors);
}

static bool is_either(const json_t *any)
{
	autojson json_t *either = json_pack("[{s:s},{s:s}]", "type", "integer", "type", "string");
	return any && json_equal(json_borrow(any), either);
}

static void check_type(const json_t *schema, Level level, const char *path, FieldErrors *errors)
{
	static const char *const needed[] = {
		[LEVEL_ROOT] = "must not be empty at the root",
		[LEVEL_ITEM] = "must not be empty for specified array items",
		[LEVEL_FIELD] = "must not be empty for specified object fields",
	};
	const char *type = json_text_or(schema, "type", "");
	bool embedded = is_flagged(schema, "x-kubernetes-embedded-resource");
	bool open = is_flagged(schema, "x-kubernetes-int-or-string") ||
		    is_flagged(schema, "x-kubernetes-preserve-unknown-fields");
	static const char object[] = "must be object if x-kubernetes-embedded-resource is true";
	if (embedded && !*type)
		tell(errors, "Required value", path, "type", object);
	else if (embedded && strcmp(type, "object") != 0)
		crd_refuse(errors, path, "type", json_object_get(schema, "type"), object);
	else if (!*type && !open)
		tell(errors, "Required value", path, "type", needed[level]);
	if (level == LEVEL_ROOT && *type && strcmp(type, "object") != 0)
		crd_refuse(errors, path, "type", json_object_get(schema, "type"),
			   "must be object at the root");
	if (strcmp(type, "array") == 0 && !json_map(schema, "items"))
		tell(errors, "Required value", path, "items", "must be specified");
}

static void check_extensions(const json_t *schema, Level level, const char *path,
			     FieldErrors *errors)
{
	static const char *const alone[] = {"x-kubernetes-preserve-unknown-fields",
					    "x-kubernetes-embedded-resource"};
	bool either = is_flagged(schema, "x-kubernetes-int-or-string");
	for (size_t i = 0; either && i < COUNT(alone); i++)
		if (is_flagged(schema, alone[i]))
			crd_refuse(errors, path, alone[i], json_object_get(schema, alone[i]),
				   "must be false if x-kubernetes-int-or-string is true");
	bool embedded = is_flagged(schema, "x-kubernetes-embedded-resource");
	bool more = json_object_get(schema, "additionalProperties") != NULL;
	if (more && level == LEVEL_ROOT)
		tell(errors, "Forbidden", path, "additionalProperties",
		     "must not be used at the root");
	if (more && embedded)
		tell(errors, "Forbidden", path, "additionalProperties",
		     "must not be used if x-kubernetes-embedded-resource is set");
	if (embedded && !is_flagged(schema, "x-kubernetes-preserve-unknown-fields") &&
	    json_object_size(json_map(schema, "properties")) == 0)
		tell(errors, "Required value", path, "properties",
		     "must not be empty if x-kubernetes-embedded-resource is true without "
		     "x-kubernetes-preserve-unknown-fields");
}

/* Metadata is the server's own: a root may only narrow an object's name. */
static void check_metadata(const json_t *metadata, const char *path, FieldErrors *errors)
{
	static const char *const free_members[] = {"type", "default", "properties"};
	autojson json_t *rest = json_copy(json_borrow(metadata));
	autojson json_t *named = json_copy(json_map(metadata, "properties"));
	for (size_t i = 0; i < COUNT(free_members); i++)
		json_object_del(rest, free_members[i]);
	json_object_del(named, "name");
	json_object_del(named, "generateName");
	if (json_object_size(rest) > 0 || json_object_size(named) > 0)
		field_error(errors, "Forbidden", path,
			    "must not specify anything other than name and generateName, but "
			    "metadata is implicitly specified");
}

static void check_identity(const json_t *schema, Level level, const char *path, FieldErrors *errors)
{
	static const char *const rows[][3] = {{"kind", "string", "must be string"},
					      {"apiVersion", "string", "must be string"},
					      {"metadata", "object", "must be object"}};
	bool checked = level == LEVEL_ROOT || is_flagged(schema, "x-kubernetes-embedded-resource");
	for (size_t i = 0; checked && i < COUNT(rows); i++) {
		const json_t *part = json_object_get(json_map(schema, "properties"), rows[i][0]);
		autofree char *where = crd_property_path(path, rows[i][0]);
		if (part && strcmp(json_text_or(part, "type", ""), rows[i][1]) != 0)
			crd_refuse(errors, where, "type", json_object_get(part, "type"),
				   rows[i][2]);
	}
	const json_t *metadata = json_object_get(json_map(schema, "properties"), "metadata");
	autofree char *metadata_path = crd_property_path(path, "metadata");
	if (metadata && level == LEVEL_ROOT)
		check_metadata(metadata, metadata_path, errors);
}

static void check_level(const json_t *schema, Level level, const char *path, FieldErrors *errors)
{
	if (!schema)
		return;
	autofree char *items_path = schema_path_key(path, "items");
	autofree char *more_path = schema_path_key(path, "additionalProperties");
	check_level(json_map(schema, "items"), LEVEL_ITEM, items_path, errors);
	check_level(json_map(schema, "additionalProperties"), LEVEL_FIELD, more_path, errors);
	const char *key;
	json_t *child;
	json_object_foreach(json_map(schema, "properties"), key, child)
	{
		autofree char *where = crd_property_path(path, key);
		check_level(child, LEVEL_FIELD, where, errors);
	}
	check_extensions(schema, level, path, errors);
	const json_t *first = json_array_get(json_list(schema, "allOf"), 0);
	check_value(schema, is_either(json_list(schema, "anyOf")),
		    is_either(json_list(first, "anyOf")), path, errors);
	check_type(schema, level, path, errors);
	check_identity(schema, level, path, errors);
}

/* --- what is narrowed must be there --- */

typedef struct {
	const json_t *schema; /* of the value itself; NULL when there is none */
	const char *path;
} Place;

static void check_complete(const json_t *nested, Place place, const char *path, bool outermost,
			   FieldErrors *errors);

static void complete_choices(const json_t *nested, Place place, const char *path,
			     FieldErrors *errors)
{
	autofree char *not_path = schema_path_key(path, "not");
	check_complete(json_map(nested, "not"), place, not_path, false, errors);
	for (size_t i = 0; i < COUNT(junctors); i++) {
		const json_t *list = json_list(nested, junctors[i]);
		for (size_t k = 0; k < json_array_size(list); k++) {
			autofree char *where = crd_choice_path(path, junctors[i], k);
			check_complete(json_array_get(list, k), place, where, false, errors);
		}
	}
}

static void check_complete(const json_t *nested, Place place, const char *path, bool outermost,
			   FieldErrors *errors)
{
	if (!nested)
		return;
	if (!place.schema) {
		field_error(errors, "Required value", place.path, "because it is defined in %s",
			    path);
		return;
	}
	complete_choices(nested, place, path, errors);
	if (outermost)
		return;
	autofree char *items_place = schema_path_key(place.path, "items");
	autofree char *items_path = schema_path_key(path, "items");
	check_complete(json_map(nested, "items"),
		       (Place){json_map(place.schema, "items"), items_place}, items_path, false,
		       errors);
	const char *key;
	json_t *child;
	json_object_foreach(json_map(nested, "properties"), key, child)
	{
		autofree char *where = crd_property_path(place.path, key);
		autofree char *from = crd_property_path(path, key);
		const json_t *named = json_object_get(json_map(place.schema, "properties"), key);
		check_complete(child, (Place){named, where}, from, false, errors);
	}
}

static int compare_causes(const void *a, const void *b)
{
	const json_t *one = a, *other = b;
	autofree char *left = mem_printf("%s: %s", json_text_or(one, "field", ""),
					 json_text_or(one, "message", ""));
	autofree char *right = mem_printf("%s: %s", json_text_or(other, "field", ""),
					  json_text_or(other, "message", ""));
	return strcmp(left, right);
}

void crd_check_structure(const json_t *schema, const char *path, FieldErrors *errors)
{
	autofielderrors FieldErrors found = {0};
	check_level(schema, LEVEL_ROOT, path, &found);
	check_complete(schema, (Place){schema, path}, path, true, &found);
	autovec Vec causes = {0};
	for (size_t i = 0; i < json_array_size(found.causes); i++)
		vec_push(&causes, json_array_get(found.causes, i));
	vec_sort(&causes, compare_causes);
	for (size_t i = 0; i < causes.len; i++)
		field_error_add(errors, causes.items[i]);
}
