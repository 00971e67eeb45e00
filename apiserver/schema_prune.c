/*
 * Pruning and defaults (kube-api.md 2.6, 3.7). Both walk the same way, as decoding
 * (schema_decode.c) does: members by name, else additionalProperties, items for lists.
 */
#include "schema.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

char *schema_path_key(const char *parent, const char *key)
{
	/* By hand: a walk makes one for each member, and printf takes its time. */
	size_t above = strlen(parent), len = strlen(key);
	if (above == 0)
		return mem_strndup(key, len);
	char *path = mem_alloc(above + len + 2);
	memcpy(path, parent, above);
	path[above] = '.';
	memcpy(path + above + 1, key, len + 1);
	return path;
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

const json_t *schema_member(const json_t *schema, const char *key)
{
	const json_t *named = json_object_get(json_map(schema, "properties"), key);
	return named ? named : json_map(schema, "additionalProperties");
}

/* Whether a member that the schema does not name stays all the same. */
static bool keeps_unknown(const json_t *schema, const char *key)
{
	if (json_flag(schema, "x-kubernetes-preserve-unknown-fields", false) ||
	    json_flag(schema, "additionalProperties", false))
		return true;
	return json_flag(schema, "x-kubernetes-embedded-resource", false) &&
	       (strcmp(key, "apiVersion") == 0 || strcmp(key, "kind") == 0 ||
		strcmp(key, "metadata") == 0);
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
		const json_t *child = schema_member(schema, key);
		autofree char *child_path = schema_path_key(path, key);
		if (child)
			prune(pruning, child, member, child_path);
		if (child || keeps_unknown(schema, key))
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
		const json_t *child = json_is_null(member) ? schema_member(schema, key) : NULL;
		if (child && !json_flag(child, "nullable", false))
			json_object_del(value, key);
	}
}

static void fill_members(const json_t *schema, json_t *value)
{
	const char *key;
	json_t *child;
	json_t *known = json_map(schema, SCHEMA_DEFAULTED);
	json_t *members = known ? known : json_map(schema, "properties");
	json_object_foreach(members, key, child)
	{
		const json_t *fallback = known ? child : json_object_get(child, "default");
		if (fallback && !json_object_get(value, key))
			json_object_set_new(value, key, json_deep_copy(fallback));
	}
}

static void default_object(Definitions *definitions, const json_t *schema, json_t *value)
{
	drop_nulls(schema, value);
	fill_members(schema, value);
	const char *key;
	json_t *member;
	json_object_foreach(value, key, member)
	{
		bool inner = json_is_object(member) || json_is_array(member);
		const json_t *named = inner ? schema_member(schema, key) : NULL;
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
	const json_t *items = json_is_array(value) ? json_map(schema, "items") : NULL;
	for (size_t i = 0; items && i < json_array_size(value); i++)
		schema_default(definitions, items, json_array_get(value, i));
}
