/*
 * Strategic merge: objects merge by member; lists merge by x-kubernetes-patch-merge-key where the
 * schema's patch strategy says merge, and are replaced where it does not.
 */
#include "strategic.h"

#include <string.h>

#include "base/mem.h"

static const char order_prefix[] = "$setElementOrder/";
static const char delete_prefix[] = "$deleteFromPrimitiveList/";

typedef struct {
	Definitions *definitions;
	Status *status;
} Merge;

static bool merge_object(Merge *merge, const json_t *schema, json_t *target, const json_t *patch);

/* The member's own schema node, which carries the strategy; NULL when unknown. */
static const json_t *member_node(Merge *merge, const json_t *schema, const char *key)
{
	schema = schema ? definitions_resolve(merge->definitions, schema) : NULL;
	const json_t *named = json_object_get(json_map(schema, "properties"), key);
	return named ? named : json_map(schema, "additionalProperties");
}

static bool has_strategy(const json_t *node, const char *word)
{
	return strstr(json_text_or(node, "x-kubernetes-patch-strategy", ""), word) != NULL;
}

/* The patch's value without directives, for places where there is nothing to merge with. */
static json_t *plain(const json_t *patch)
{
	if (json_is_array(patch)) {
		json_t *out = json_array();
		for (size_t i = 0; i < json_array_size(patch); i++) {
			const json_t *item = json_array_get(patch, i);
			if (!cstr_eq(json_text(item, "$patch"), "delete"))
				json_array_append_new(out, plain(item));
		}
		return out;
	}
	if (!json_is_object(patch))
		return json_deep_copy(patch);
	json_t *out = json_object();
	const char *key;
	json_t *member;
	json_t *members = (json_t *)(uintptr_t)patch;
	json_object_foreach(members, key, member)
	{
		if (*key != '$' && !json_is_null(member))
			json_object_set_new(out, key, plain(member));
	}
	return out;
}

static size_t find_item(const json_t *list, const char *key, const json_t *wanted)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *value = json_object_get(json_array_get(list, i), key);
		if (value && json_same(value, wanted))
			return i;
	}
	return SIZE_MAX;
}

static size_t find_scalar(const json_t *list, const json_t *wanted)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (json_same(json_array_get(list, i), wanted))
			return i;
	return SIZE_MAX;
}

/* One item of the patch into a list keyed by `key`. */
static bool merge_item(Merge *merge, const json_t *node, json_t *target, const char *key,
		       const json_t *item)
{
	const json_t *identity = json_object_get(item, key);
	if (!json_is_object(item))
		return status_bad_request(merge->status, "an item of a list of maps is no map");
	if (!identity)
		return status_set(merge->status, 500, NULL,
				  "map: map[] does not contain declared merge key: %s", key);
	size_t at = find_item(target, key, identity);
	const char *directive = json_text_or(item, "$patch", "");
	if (strcmp(directive, "delete") == 0) {
		if (at != SIZE_MAX)
			json_array_remove(target, at);
		return true;
	}
	if (at == SIZE_MAX || strcmp(directive, "replace") == 0) {
		json_t *value = plain(item);
		return (at == SIZE_MAX ? json_array_append_new(target, value)
				       : json_array_set_new(target, at, value)) == 0;
	}
	return merge_object(merge, json_map(node, "items"), json_array_get(target, at), item);
}

static bool is_replace_item(const json_t *item)
{
	return cstr_eq(json_text(item, "$patch"), "replace") && json_object_size(item) == 1;
}

static bool merge_list(Merge *merge, const json_t *node, json_t *target, const json_t *patch)
{
	const char *key = json_text(node, "x-kubernetes-patch-merge-key");
	for (size_t i = 0; i < json_array_size(patch); i++)
		if (is_replace_item(json_array_get(patch, i)))
			json_array_clear(target);
	for (size_t i = 0; i < json_array_size(patch); i++) {
		json_t *item = json_array_get(patch, i);
		if (is_replace_item(item))
			continue;
		if (key && !merge_item(merge, node, target, key, item))
			return false;
		if (!key && find_scalar(target, item) == SIZE_MAX)
			json_array_append(target, item);
	}
	return true;
}

/* Sorts `target` so that items named in `order` stand as there; others keep their relative place
 * behind the item that they followed. */
static void reorder(const json_t *node, json_t *target, const json_t *order)
{
	const char *key = json_text(node, "x-kubernetes-patch-merge-key");
	autojson json_t *rest = json_copy(target);
	json_array_clear(target);
	for (size_t i = 0; i < json_array_size(order); i++) {
		const json_t *wanted = json_array_get(order, i);
		size_t at = key ? find_item(rest, key, json_object_get(wanted, key))
				: find_scalar(rest, wanted);
		if (at == SIZE_MAX)
			continue;
		/* Items of the server's that stood before this one come first. */
		json_array_append(target, json_array_get(rest, at));
		json_array_remove(rest, at);
	}
	json_array_extend(target, rest);
}

static void delete_scalars(json_t *target, const json_t *gone)
{
	for (size_t i = 0; i < json_array_size(gone); i++) {
		size_t at = find_scalar(target, json_array_get(gone, i));
		if (at != SIZE_MAX)
			json_array_remove(target, at);
	}
}

static void retain_keys(json_t *target, const json_t *kept)
{
	const char *key;
	json_t *member;
	void *next;
	json_object_foreach_safe(target, next, key, member)
	{
		bool keep = false;
		for (size_t i = 0; i < json_array_size(kept); i++)
			keep = keep || cstr_eq(json_string_value(json_array_get(kept, i)), key);
		if (!keep)
			json_object_del(target, key);
	}
}

static void apply_directives(Merge *merge, const json_t *schema, json_t *target,
			     const json_t *patch, bool before)
{
	const char *key;
	json_t *value;
	json_t *members = (json_t *)(uintptr_t)patch;
	json_object_foreach(members, key, value)
	{
		if (before && strcmp(key, "$retainKeys") == 0)
			retain_keys(target, value);
		if (before && cstr_starts(key, delete_prefix))
			delete_scalars(json_list(target, key + strlen(delete_prefix)), value);
		if (before || !cstr_starts(key, order_prefix))
			continue;
		const char *name = key + strlen(order_prefix);
		json_t *list = json_list(target, name);
		if (list)
			reorder(member_node(merge, schema, name), list, value);
	}
}

static bool merge_member(Merge *merge, const json_t *schema, json_t *target, const char *key,
			 json_t *value)
{
	if (json_is_null(value)) {
		json_object_del(target, key);
		return true;
	}
	const json_t *node = member_node(merge, schema, key);
	json_t *old = json_object_get(target, key);
	bool both_lists = json_is_array(old) && json_is_array(value);
	bool both_maps = json_is_object(old) && json_is_object(value);
	if (both_lists && node && has_strategy(node, "merge"))
		return merge_list(merge, node, old, value);
	if (both_maps && !(node && has_strategy(node, "replace")))
		return merge_object(merge, node, old, value);
	json_object_set_new(target, key, plain(value));
	return true;
}

static bool merge_object(Merge *merge, const json_t *schema, json_t *target, const json_t *patch)
{
	const char *directive = json_text_or(patch, "$patch", "");
	if (strcmp(directive, "replace") == 0 || strcmp(directive, "delete") == 0) {
		json_object_clear(target);
		if (strcmp(directive, "delete") == 0)
			return true;
	} else if (*directive && strcmp(directive, "merge") != 0) {
		return status_bad_request(merge->status, "unknown patch type: %s", directive);
	}
	apply_directives(merge, schema, target, patch, true);
	const char *key;
	json_t *value;
	json_t *members = (json_t *)(uintptr_t)patch;
	json_object_foreach(members, key, value)
	{
		if (*key != '$' && !merge_member(merge, schema, target, key, value))
			return false;
	}
	apply_directives(merge, schema, target, patch, false);
	return true;
}

bool strategic_apply(Definitions *definitions, const char *definition, json_t *object,
		     const json_t *patch, Status *status)
{
	Merge merge = {definitions, status};
	autojson json_t *schema = definition ? schema_builtin_ref(definition) : NULL;
	return merge_object(&merge, schema, object, patch);
}
