/*
 * Pruning, defaults and the decode rules of built-in kinds (kube-api.md 2.6, 3.7). All three walk
 * the same way: members by name, else additionalProperties, items for lists.
 */
#include "schema.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "data/quantity.h"

char *schema_path_key(const char *parent, const char *key)
{
	return *parent ? mem_printf("%s.%s", parent, key) : mem_strdup(key);
}

char *schema_path_index(const char *parent, size_t index)
{
	return mem_printf("%s[%zu]", parent, index);
}

const char *schema_type_name(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return "object";
	case JSON_ARRAY:
		return "array";
	case JSON_STRING:
		return "string";
	case JSON_INTEGER:
		return "integer";
	case JSON_REAL:
		return "number";
	case JSON_TRUE:
	case JSON_FALSE:
		return "boolean";
	case JSON_NULL:
	default:
		return "null";
	}
}

/* The schema of a member; NULL when the schema does not name it. `*out_keep`: unknown but kept. */
static const json_t *member_schema(const json_t *schema, const char *key, bool *out_keep)
{
	*out_keep = json_flag(schema, "x-kubernetes-preserve-unknown-fields", false);
	const json_t *named = json_object_get(json_map(schema, "properties"), key);
	if (named)
		return named;
	const json_t *more = json_object_get(schema, "additionalProperties");
	if (json_is_object(more))
		return more;
	if (json_is_true(more))
		*out_keep = true;
	bool embedded = json_flag(schema, "x-kubernetes-embedded-resource", false);
	if (embedded && (strcmp(key, "apiVersion") == 0 || strcmp(key, "kind") == 0 ||
			 strcmp(key, "metadata") == 0))
		*out_keep = true;
	return NULL;
}

typedef struct {
	Definitions *definitions;
	json_t *unknown;
} Pruning;

static void prune(Pruning *pruning, const json_t *schema, json_t *value, const char *path);

static void prune_object(Pruning *pruning, const json_t *schema, json_t *value, const char *path)
{
	const char *key;
	json_t *member;
	void *next;
	json_object_foreach_safe(value, next, key, member)
	{
		bool keep;
		const json_t *child = member_schema(schema, key, &keep);
		autofree char *child_path = schema_path_key(path, key);
		if (child)
			prune(pruning, child, member, child_path);
		if (child || keep)
			continue;
		if (pruning->unknown)
			json_array_append_new(pruning->unknown, json_string(child_path));
		json_object_del(value, key);
	}
}

static void prune(Pruning *pruning, const json_t *schema, json_t *value, const char *path)
{
	schema = definitions_resolve(pruning->definitions, schema);
	if (!schema)
		return;
	if (json_is_object(value)) {
		prune_object(pruning, schema, value, path);
		return;
	}
	const json_t *items = json_map(schema, "items");
	for (size_t i = 0; items && i < json_array_size(value); i++) {
		autofree char *item_path = schema_path_index(path, i);
		prune(pruning, items, json_array_get(value, i), item_path);
	}
}

void schema_prune(Definitions *definitions, const json_t *schema, json_t *value, json_t *unknown)
{
	Pruning pruning = {definitions, unknown};
	prune(&pruning, schema, value, "");
}

/* A null that may not stay: absent afterwards, so that a default can take its place (2.6). */
static void drop_nulls(const json_t *schema, json_t *value)
{
	const char *key;
	json_t *member;
	void *next;
	json_object_foreach_safe(value, next, key, member)
	{
		bool keep;
		const json_t *child =
			json_is_null(member) ? member_schema(schema, key, &keep) : NULL;
		if (child && !json_flag(child, "nullable", false))
			json_object_del(value, key);
	}
}

static void default_object(Definitions *definitions, const json_t *schema, json_t *value)
{
	drop_nulls(schema, value);
	const char *key;
	json_t *child;
	json_t *members = json_map(schema, "properties");
	json_object_foreach(members, key, child)
	{
		const json_t *fallback = json_object_get(child, "default");
		if (fallback && !json_object_get(value, key))
			json_object_set_new(value, key, json_deep_copy(fallback));
	}
	json_t *member;
	json_object_foreach(value, key, member)
	{
		bool keep;
		const json_t *named = member_schema(schema, key, &keep);
		if (named)
			schema_default(definitions, named, member);
	}
}

void schema_default(Definitions *definitions, const json_t *schema, json_t *value)
{
	schema = definitions_resolve(definitions, schema);
	if (!schema)
		return;
	if (json_is_object(value))
		default_object(definitions, schema, value);
	const json_t *items = json_map(schema, "items");
	for (size_t i = 0; items && i < json_array_size(value); i++)
		schema_default(definitions, items, json_array_get(value, i));
}

/* The Go type and JSON type of a breach; NULL want when the value fits. */
static const char *go_type_wanted(const json_t *schema, const json_t *value)
{
	const char *type = json_text_or(schema, "type", "");
	bool quantity = cstr_eq(json_text(schema, "format"), "quantity");
	if (strcmp(type, "string") == 0 && !json_is_string(value))
		return quantity && json_is_number(value) ? NULL : "string";
	if (strcmp(type, "integer") == 0 && !json_is_integer(value))
		return "int32";
	if (strcmp(type, "boolean") == 0 && !json_is_boolean(value))
		return "bool";
	if (strcmp(type, "array") == 0 && !json_is_array(value))
		return "[]";
	if (strcmp(type, "object") == 0 && !json_is_object(value))
		return "map";
	return NULL;
}

static const char *go_json_name(const json_t *value)
{
	if (json_is_number(value))
		return "number";
	return json_is_boolean(value) ? "bool" : schema_type_name(value);
}

static json_t *quantity_of(const json_t *value)
{
	autofree char *number = json_is_string(value) ? mem_strdup(json_string_value(value))
						      : json_dumps(value, JSON_ENCODE_ANY);
	autofree char *canonical = quantity_canonical(number);
	return canonical ? json_string(canonical) : NULL;
}

typedef struct {
	Definitions *definitions;
	TypeBreach *breach;
	const char *owner; /* the struct under way; NULL at the root */
} Decoding;

static bool decode(Decoding *decoding, const json_t *schema, json_t *value, const char *path);

/* An optional list or map that is empty vanishes in Go's encoding (omitempty). Structs stay. */
static bool vanishes(const json_t *schema, const json_t *parent, const char *key,
		     const json_t *member)
{
	if (json_is_null(member))
		return true;
	json_t *required = json_list(parent, "required");
	for (size_t i = 0; i < json_array_size(required); i++)
		if (cstr_eq(json_string_value(json_array_get(required, i)), key))
			return false;
	bool list = cstr_eq(json_text(schema, "type"), "array");
	if (json_is_array(member))
		return list && json_array_size(member) == 0;
	return json_is_object(member) && json_object_size(member) == 0 &&
	       json_object_get(schema, "additionalProperties");
}

static bool decode_member(Decoding *decoding, const json_t *schema, json_t *value, const char *key,
			  const char *path)
{
	bool keep;
	const json_t *given = member_schema(schema, key, &keep);
	json_t *member = json_object_get(value, key);
	if (!given)
		return true;
	const json_t *child = definitions_resolve(decoding->definitions, given);
	if (!child || vanishes(child, schema, key, member)) {
		json_object_del(value, key);
		return true;
	}
	bool named = json_object_get(json_map(schema, "properties"), key) != NULL;
	autofree char *child_path = named ? schema_path_key(path, key) : mem_strdup(path);
	if (!decode(decoding, given, member, child_path))
		return false;
	json_t *canonical =
		cstr_eq(json_text(child, "format"), "quantity") ? quantity_of(member) : NULL;
	if (canonical)
		json_object_set_new(value, key, canonical);
	return true;
}

static bool decode_object(Decoding *decoding, const json_t *schema, json_t *value, const char *path)
{
	const char *key;
	json_t *member;
	void *next;
	json_object_foreach_safe(value, next, key, member)
	{
		if (!decode_member(decoding, schema, value, key, path))
			return false;
	}
	return true;
}

/* "DeploymentSpec" of a reference to io.k8s.api.apps.v1.DeploymentSpec; NULL of anything else. */
static const char *struct_name(const json_t *schema)
{
	const char *ref = json_text(schema, "$ref");
	const char *dot = ref ? strrchr(ref, '.') : NULL;
	return dot ? dot + 1 : NULL;
}

static bool decode(Decoding *decoding, const json_t *schema, json_t *value, const char *path)
{
	const char *name = struct_name(schema);
	schema = definitions_resolve(decoding->definitions, schema);
	if (!schema)
		return true;
	const char *want = go_type_wanted(schema, value);
	if (want) {
		*decoding->breach =
			(TypeBreach){mem_strdup(path), decoding->owner, want, go_json_name(value)};
		return false;
	}
	if (json_is_object(value)) {
		const char *owner = decoding->owner;
		decoding->owner = name ? name : owner;
		bool fits = decode_object(decoding, schema, value, path);
		decoding->owner = owner;
		return fits;
	}
	const json_t *items = json_map(schema, "items");
	for (size_t i = 0; items && i < json_array_size(value); i++)
		if (!json_is_null(json_array_get(value, i)) &&
		    !decode(decoding, items, json_array_get(value, i), path))
			return false;
	return true;
}

bool schema_decode(Definitions *definitions, const json_t *schema, json_t *value,
		   TypeBreach *out_breach)
{
	Decoding decoding = {definitions, out_breach, NULL};
	return decode(&decoding, schema, value, "");
}
