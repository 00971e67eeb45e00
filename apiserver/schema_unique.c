/*
 * Uniqueness in lists of x-kubernetes-list-type set and map: a pass of its own behind the other
 * checks, as on a real server, whose order of causes users see. The second of equal items is told,
 * further ones are not. Depth is bounded by the parser's limit on the object.
 */
#include <string.h>

#include "schema.h"

/* The part of an item that must be unique: itself, or its keys' values. Owned. */
static json_t *item_identity(const json_t *schema, const json_t *item)
{
	const json_t *keys = json_list(schema, "x-kubernetes-list-map-keys");
	if (!keys)
		return json_incref((json_t *)(uintptr_t)item);
	json_t *identity = json_object();
	for (size_t i = 0; i < json_array_size(keys); i++) {
		const char *key = json_string_value(json_array_get(keys, i));
		json_t *part = json_object_get(item, key);
		if (part)
			json_object_set(identity, key, part);
	}
	return identity;
}

/* Items that cannot have keys; the first one ends the check of the list. */
static bool are_objects(const json_t *value, const char *path, FieldErrors *errors)
{
	for (size_t i = 0; i < json_array_size(value); i++) {
		const json_t *item = json_array_get(value, i);
		if (json_is_object(item) || json_is_null(item))
			continue;
		autofree char *item_path = schema_path_index(path, i);
		autofree char *shown = json_dumps(item, JSON_ENCODE_ANY | JSON_COMPACT);
		field_error(errors, "Invalid value", item_path,
			    "%s: must be an object for an array of list-type map", shown);
		return false;
	}
	return true;
}

static void check_list(const json_t *schema, const json_t *value, const char *path,
		       FieldErrors *errors)
{
	const char *type = json_text_or(schema, "x-kubernetes-list-type", "atomic");
	if (strcmp(type, "atomic") == 0)
		return;
	if (strcmp(type, "map") == 0 && !are_objects(value, path, errors))
		return;
	autojson json_t *seen = json_object();
	for (size_t i = 0; i < json_array_size(value); i++) {
		autojson json_t *identity = item_identity(schema, json_array_get(value, i));
		autofree char *text = json_dump_sorted(identity);
		json_int_t count = json_integer_value(json_object_get(seen, text));
		autofree char *item_path = schema_path_index(path, i);
		if (count == 1)
			field_error(errors, "Duplicate value", item_path, "%s", text);
		json_object_set_new(seen, text, json_integer(count + 1));
	}
}

void schema_check_unique(const json_t *schema, const json_t *value, const char *path,
			 FieldErrors *errors)
{
	const char *key;
	json_t *member;
	json_t *members = json_is_object(value) ? (json_t *)(uintptr_t)value : NULL;
	json_object_foreach(members, key, member)
	{
		const json_t *child = schema_member(schema, key);
		autofree char *child_path = schema_path_key(path, key);
		if (child)
			schema_check_unique(child, member, child_path, errors);
	}
	if (!json_is_array(value))
		return;
	check_list(schema, value, path, errors);
	const json_t *items = json_map(schema, "items");
	for (size_t i = 0; items && i < json_array_size(value); i++) {
		autofree char *item_path = schema_path_index(path, i);
		schema_check_unique(items, json_array_get(value, i), item_path, errors);
	}
}
