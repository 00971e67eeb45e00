/*
 * The rules of a definition's openAPIV3Schema besides those of its structure (apiextensions
 * validation.go): what each part may say, and that defaults fit. Depth is bounded by the parser's
 * limit. Rules over defaults (x-kubernetes-validations) are not evaluated here: a default that
 * breaks one is refused with the first object.
 */
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cel_rules.h"
#include "crd_internal.h"
#include "schema.h"

/* A part of the schema on the way down. */
typedef struct {
	const json_t *schema;
	const char *path;
	bool root, in_meta;
	const char *no_defaults; /* why there may be none; NULL: they may be */
} Part;

static void tell(const Part *part, FieldErrors *errors, const char *type, const char *member,
		 const char *why)
{
	autofree char *where = schema_path_key(part->path, member);
	field_error(errors, type, where, "%s", why);
}

static void refuse(const Part *part, FieldErrors *errors, const char *member, const json_t *given,
		   const char *why)
{
	crd_refuse(errors, part->path, member, given, why);
}

static bool is_listed(const char *text, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(*list, text) == 0)
			return true;
	return false;
}

/* `list` ends with NULL. */
static void check_choice(const Part *part, const char *member, const char *const *list,
			 FieldErrors *errors)
{
	const char *given = json_text_or(part->schema, member, "");
	if (!*given || is_listed(given, list))
		return;
	autobuf Buf known = {0};
	for (size_t i = 0; list[i]; i++)
		buf_printf(&known, "%s\"%s\"", i ? ", " : "", list[i]);
	autofree char *shown = json_dump_go(json_object_get(part->schema, member));
	autofree char *why = mem_printf("%s: supported values: %s", shown, buf_text(&known));
	tell(part, errors, "Unsupported value", member, why);
}

/* What OpenAPI knows and definitions may not use. */
static void check_unsupported(const Part *part, FieldErrors *errors)
{
	static const char *const members[] = {"id",	     "additionalItems", "patternProperties",
					      "definitions", "dependencies",	"$ref"};
	const json_t *schema = part->schema;
	for (size_t i = 0; i < COUNT(members); i++) {
		autofree char *why = mem_printf("%s is not supported", members[i]);
		if (json_object_get(schema, members[i]))
			tell(part, errors, "Forbidden", members[i], why);
	}
	if (json_list(schema, "items"))
		tell(part, errors, "Forbidden", "items",
		     "items must be a schema object and not an array");
	if (json_flag(schema, "uniqueItems", false))
		tell(part, errors, "Forbidden", "uniqueItems",
		     "uniqueItems cannot be set to true since the runtime complexity becomes "
		     "quadratic");
	const json_t *more = json_object_get(schema, "additionalProperties");
	if (more && !json_is_true(more) && json_object_size(json_map(schema, "properties")) > 0)
		tell(part, errors, "Forbidden", "additionalProperties",
		     "additionalProperties and properties are mutual exclusive");
	const json_t *keeps = json_object_get(schema, "x-kubernetes-preserve-unknown-fields");
	if (json_is_false(keeps))
		refuse(part, errors, "x-kubernetes-preserve-unknown-fields", keeps,
		       "must be true or undefined");
	if (part->in_meta && json_flag(schema, "x-kubernetes-embedded-resource", false))
		tell(part, errors, "Forbidden", "x-kubernetes-embedded-resource",
		     "must not be used inside of resource meta");
}

static void check_words(const Part *part, FieldErrors *errors)
{
	static const char *const types[] = {"array",  "boolean", "integer", "number",
					    "object", "string",	 NULL};
	static const char *const maps[] = {"atomic", "granular", NULL};
	static const char *const lists[] = {"atomic", "set", "map", NULL};
	check_choice(part, "type", types, errors);
	check_choice(part, "x-kubernetes-map-type", maps, errors);
	check_choice(part, "x-kubernetes-list-type", lists, errors);
	if (cstr_eq(json_text(part->schema, "type"), "null"))
		tell(part, errors, "Forbidden", "type",
		     "type cannot be set to null, use nullable as an alternative");
	const json_t *fallback = json_object_get(part->schema, "default");
	autofree char *why =
		mem_printf("must not be set %s", part->no_defaults ? part->no_defaults : "");
	if (fallback && !json_is_null(fallback) && part->no_defaults)
		tell(part, errors, "Forbidden", "default", why);
}

/* The type that x-kubernetes-map-type and x-kubernetes-list-type ask for. */
static bool check_typed(const Part *part, const char *extension, const char *wanted,
			FieldErrors *errors)
{
	const char *type = json_text_or(part->schema, "type", "");
	if (!json_text(part->schema, extension) || strcmp(type, wanted) == 0)
		return true;
	autofree char *why = mem_printf("must be %s if %s is specified", wanted, extension);
	if (*type)
		refuse(part, errors, "type", json_object_get(part->schema, "type"), why);
	else
		tell(part, errors, "Required value", "type", why);
	return false;
}

/* Items of a set are compared as a whole. */
static void check_set(const Part *part, const json_t *items, FieldErrors *errors)
{
	const char *type = json_text_or(items, "type", "");
	bool list = strcmp(type, "array") == 0;
	const char *member = list ? "x-kubernetes-list-type" : "x-kubernetes-map-type";
	const char *how = json_text(items, member);
	autofree char *where = mem_printf("items.%s", member);
	if (list ? how && strcmp(how, "atomic") != 0
		 : strcmp(type, "object") == 0 && !cstr_eq(how, "atomic")) {
		autojson json_t *none = json_null();
		const json_t *given = json_object_get(items, "x-kubernetes-list-type");
		refuse(part, errors, where, given ? given : none,
		       "must be atomic as item of a list with x-kubernetes-list-type=set");
	}
}

static bool is_required(const json_t *items, const char *key)
{
	const json_t *required = json_list(items, "required");
	for (size_t i = 0; i < json_array_size(required); i++)
		if (cstr_eq(json_string_value(json_array_get(required, i)), key))
			return true;
	return false;
}

static void check_key(const Part *part, const json_t *items, const char *key, FieldErrors *errors)
{
	static const char keys[] = "x-kubernetes-list-map-keys";
	const json_t *property = json_object_get(json_map(items, "properties"), key);
	const char *type = json_text_or(property, "type", "");
	autofree char *where = mem_printf("items.properties[%s]", key);
	autofree char *type_path = schema_path_key(where, "type");
	autofree char *default_path = schema_path_key(where, "default");
	autofree char *null_path = schema_path_key(where, "nullable");
	if (!property) {
		refuse(part, errors, keys, json_object_get(part->schema, keys),
		       "entries must all be names of item properties");
		return;
	}
	if (strcmp(type, "array") == 0 || strcmp(type, "object") == 0)
		refuse(part, errors, type_path, json_object_get(items, "type"),
		       "must be a scalar type if parent array's x-kubernetes-list-type is map");
	if (!is_required(items, key) && !json_object_get(property, "default"))
		tell(part, errors, "Required value", default_path,
		     "this property is in x-kubernetes-list-map-keys, so it must have a default or "
		     "be a required property");
	if (json_flag(property, "nullable", false))
		tell(part, errors, "Forbidden", null_path,
		     "this property is in x-kubernetes-list-map-keys, so it cannot be nullable");
}

static void check_keys(const Part *part, const json_t *items, FieldErrors *errors)
{
	static const char member[] = "x-kubernetes-list-map-keys";
	const json_t *keys = json_list(part->schema, member);
	autojson json_t *seen = json_object();
	for (size_t i = 0; i < json_array_size(keys); i++) {
		const char *key = json_string_value(json_array_get(keys, i));
		if (!key)
			continue;
		check_key(part, items, key, errors);
		if (json_object_get(seen, key))
			refuse(part, errors, member, keys, "must not contain duplicate entries");
		json_object_set_new(seen, key, json_true());
	}
}

static void check_map(const Part *part, const json_t *items, FieldErrors *errors)
{
	if (json_array_size(json_list(part->schema, "x-kubernetes-list-map-keys")) == 0)
		tell(part, errors, "Required value", "x-kubernetes-list-map-keys",
		     "must not be empty if x-kubernetes-list-type is map");
	if (!json_object_get(part->schema, "items"))
		tell(part, errors, "Required value", "items",
		     "must have a schema if x-kubernetes-list-type is map");
	if (!items)
		return;
	if (cstr_eq(json_text(items, "type"), "object"))
		check_keys(part, items, errors);
	else
		refuse(part, errors, "items.type", json_object_get(items, "type"),
		       "must be object if parent array's x-kubernetes-list-type is map");
}

static void check_lists(const Part *part, FieldErrors *errors)
{
	const json_t *items = json_map(part->schema, "items");
	const char *how = json_text_or(part->schema, "x-kubernetes-list-type", "");
	bool map = strcmp(how, "map") == 0, set = strcmp(how, "set") == 0;
	check_typed(part, "x-kubernetes-map-type", "object", errors);
	bool list = check_typed(part, "x-kubernetes-list-type", "array", errors);
	static const char keyed[] = "must be map if x-kubernetes-list-map-keys is non-empty";
	bool keys = json_array_size(json_list(part->schema, "x-kubernetes-list-map-keys")) > 0;
	if (keys && !*how)
		tell(part, errors, "Required value", "x-kubernetes-list-type", keyed);
	else if (keys && !map)
		refuse(part, errors, "x-kubernetes-list-type",
		       json_object_get(part->schema, "x-kubernetes-list-type"), keyed);
	if (list && set && items)
		check_set(part, items, errors);
	if (map)
		check_map(part, items, errors);
	autofree char *null_why =
		mem_printf("cannot be nullable when x-kubernetes-list-type is %s", how);
	if ((map || set) && json_flag(items, "nullable", false))
		tell(part, errors, "Forbidden", "items.nullable", null_why);
}

static void check_part(const Part *part, FieldErrors *errors);

static void check_below(const Part *part, const json_t *schema, const char *path,
			FieldErrors *errors)
{
	if (schema)
		check_part(&(Part){schema, path, false, part->in_meta, part->no_defaults}, errors);
}

static void check_properties(const Part *part, FieldErrors *errors)
{
	bool embedded = json_flag(part->schema, "x-kubernetes-embedded-resource", false);
	const char *key;
	json_t *child;
	json_object_foreach(json_map(part->schema, "properties"), key, child)
	{
		static const char *const meta[] = {"metadata", "kind", "apiVersion", NULL};
		bool own = (part->root || embedded) && is_listed(key, meta);
		autofree char *why = mem_printf("in top-level %s", key);
		autofree char *where = crd_property_path(part->path, key);
		Part below = {child, where, false, part->in_meta || own,
			      own && part->root ? why : part->no_defaults};
		check_part(&below, errors);
	}
}

static void check_part(const Part *part, FieldErrors *errors)
{
	static const char *const junctors[] = {"allOf", "oneOf", "anyOf"};
	const json_t *schema = part->schema;
	check_words(part, errors);
	check_unsupported(part, errors);
	autofree char *more_path = schema_path_key(part->path, "additionalProperties");
	autofree char *not_path = schema_path_key(part->path, "not");
	autofree char *items_path = schema_path_key(part->path, "items");
	Part more = *part;
	if (part->in_meta)
		more.no_defaults = "inside additionalProperties applying to object metadata";
	check_below(&more, json_map(schema, "additionalProperties"), more_path, errors);
	check_properties(part, errors);
	check_below(part, json_map(schema, "not"), not_path, errors);
	for (size_t i = 0; i < COUNT(junctors); i++) {
		const json_t *list = json_list(schema, junctors[i]);
		for (size_t k = 0; k < json_array_size(list); k++) {
			autofree char *where = crd_choice_path(part->path, junctors[i], k);
			check_below(part, json_array_get(list, k), where, errors);
		}
	}
	check_below(part, json_map(schema, "items"), items_path, errors);
	check_lists(part, errors);
}

/* --- defaults --- */

/* A default as a value of its schema; texts name members from the default on. */
static void check_default(const json_t *schema, const json_t *fallback, const char *path,
			  FieldErrors *errors)
{
	autofree char *where = schema_path_key(path, "default");
	autojson json_t *pruned = json_deep_copy(fallback);
	schema_prune(NULL, schema, pruned, NULL);
	if (!json_equal(pruned, json_borrow(fallback)))
		crd_refuse(errors, path, "default", fallback, "must not have unknown fields");
	autofielderrors FieldErrors found = {0};
	schema_validate(schema, fallback, NULL, "", &found);
	for (size_t i = 0; i < json_array_size(found.causes); i++) {
		json_t *cause = json_array_get(found.causes, i);
		const char *field = json_text_or(cause, "field", "");
		autofree char *full = *field ? schema_path_key(where, field) : mem_strdup(where);
		json_put_text(cause, "field", full);
		field_error_add(errors, cause);
	}
}

/* Not those of additionalProperties: upstream does not follow them. */
static void check_defaults(const json_t *schema, const char *path, FieldErrors *errors)
{
	const json_t *fallback = json_object_get(schema, "default");
	if (fallback && !json_is_null(fallback))
		check_default(schema, fallback, path, errors);
	autofree char *items_path = schema_path_key(path, "items");
	if (json_map(schema, "items"))
		check_defaults(json_map(schema, "items"), items_path, errors);
	const char *key;
	json_t *child;
	json_object_foreach(json_map(schema, "properties"), key, child)
	{
		autofree char *where = crd_property_path(path, key);
		check_defaults(child, where, errors);
	}
}

/* --- the root --- */

/* With a status subresource the root is taken apart: what it says must not be lost by that. */
static void check_root(const json_t *schema, const char *path, FieldErrors *errors)
{
	static const char *const allowed[] = {"description",
					      "type",
					      "format",
					      "title",
					      "maximum",
					      "minimum",
					      "minItems",
					      "exclusiveMaximum",
					      "maxLength",
					      "exclusiveMinimum",
					      "minLength",
					      "pattern",
					      "maxItems",
					      "required",
					      "uniqueItems",
					      "multipleOf",
					      "items",
					      "properties",
					      "example",
					      "externalDocs",
					      "x-kubernetes-preserve-unknown-fields",
					      "x-kubernetes-validations",
					      NULL};
	const char *type = json_text_or(schema, "type", "");
	if (*type && strcmp(type, "object") != 0)
		crd_refuse(errors, path, "type", json_object_get(schema, "type"),
			   "only \"object\" is allowed as the type at the root of the schema if "
			   "the status subresource is enabled");
	const char *key;
	json_t *value;
	json_object_foreach(json_borrow(schema), key, value)
	{
		if (is_listed(key, allowed) || json_is_null(value) || json_is_false(value))
			continue;
		field_error(errors, "Invalid value", path,
			    "only [Description Type Format Title Maximum ExclusiveMaximum Minimum "
			    "ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems "
			    "UniqueItems MultipleOf Required Items Properties ExternalDocs Example "
			    "XPreserveUnknownFields XValidations] fields are allowed at the root "
			    "of the schema if the status subresource is enabled");
		return;
	}
}

void crd_check_schema(const json_t *schema, bool status, const char *path, FieldErrors *errors)
{
	autofielderrors FieldErrors found = {0};
	if (status)
		check_root(schema, path, errors);
	if (json_flag(schema, "nullable", false)) {
		autofree char *where = schema_path_key(path, "nullable");
		field_error(errors, "Forbidden", where, "nullable cannot be true at the root");
	}
	bool structural = crd_is_convertible(schema);
	if (structural)
		crd_check_structure(schema, path, &found);
	if (structural && !found.causes)
		check_defaults(schema, path, &found);
	structural = structural && !found.causes;
	for (size_t i = 0; i < json_array_size(found.causes); i++)
		field_error_add(errors, json_array_get(found.causes, i));
	autofielderrors FieldErrors parts = {0};
	check_part(&(Part){schema, path, true, false, NULL}, &parts);
	if (schema_has_rules(schema))
		cel_rules_check_definition(schema, structural, false, path, &parts);
	for (size_t i = 0; i < json_array_size(parts.causes); i++)
		field_error_add(errors, json_array_get(parts.causes, i));
}
