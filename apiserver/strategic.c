/*
 * Strategic merge: objects merge by member; lists merge by x-kubernetes-patch-merge-key where the
 * schema's patch strategy says merge, and are replaced where it does not.
 */
#include "strategic.h"

#include <string.h>

#include "base/mem.h"
#include "schema.h"

static const char order_prefix[] = "$setElementOrder/";
static const char delete_prefix[] = "$deleteFromPrimitiveList/";

/* Finding an item by its key looks at all: more of them in one patch would be hours of work. */
enum { ITEMS_MAX = 5000 };

typedef struct {
	Definitions *definitions;
	Status *status;
} Merge;

static bool merge_object(Merge *merge, const json_t *schema, json_t *target, const json_t *patch);

/* The member's own schema node, which carries the strategy; NULL when unknown. */
static const json_t *member_node(Merge *merge, const json_t *schema, const char *key)
{
	schema = schema ? definitions_resolve(merge->definitions, schema) : NULL;
	return schema_member(schema, key);
}

static bool has_strategy(const json_t *node, const char *word)
{
	return strstr(json_text_or(node, "x-kubernetes-patch-strategy", ""), word) != NULL;
}

static bool has_directive(const json_t *value)
{
	return json_object_get(value, "$patch") != NULL;
}

/* The patch's value for places where there is nothing to merge with: without nulls, and without
 * maps that hold a directive, whichever it is. Owned. */
static json_t *plain(const json_t *patch)
{
	if (json_is_array(patch)) {
		json_t *out = json_array();
		for (size_t i = 0; i < json_array_size(patch); i++) {
			const json_t *item = json_array_get(patch, i);
			if (!has_directive(item))
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
		if (*key != '$' && !json_is_null(member) && !has_directive(member))
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

static size_t find_like(const json_t *list, const char *key, const json_t *item)
{
	return key ? find_item(list, key, json_object_get(item, key)) : find_scalar(list, item);
}

/*
 * Sorts `target`: items that `order` names stand as there; each of the others before the first of
 * those that stood behind it in `before`, the list as it was.
 */
static void arrange(const json_t *node, json_t *target, const json_t *before, const json_t *order)
{
	const char *key = json_text(node, "x-kubernetes-patch-merge-key");
	autojson json_t *named = json_array();
	autojson json_t *others = json_copy(target);
	for (size_t i = 0; i < json_array_size(order); i++) {
		size_t at = find_like(others, key, json_array_get(order, i));
		if (at == SIZE_MAX)
			continue;
		json_array_append(named, json_array_get(others, at));
		json_array_remove(others, at);
	}
	json_array_clear(target);
	size_t next = 0;
	for (size_t i = 0; i < json_array_size(named); i++) {
		json_t *item = json_array_get(named, i);
		size_t place = find_like(before, key, item);
		while (place != SIZE_MAX && next < json_array_size(others) &&
		       find_like(before, key, json_array_get(others, next)) < place)
			json_array_append(target, json_array_get(others, next++));
		json_array_append(target, item);
	}
	while (next < json_array_size(others))
		json_array_append(target, json_array_get(others, next++));
}

static bool no_merge_key(Merge *merge, const char *key)
{
	return status_set(merge->status, 500, NULL,
			  "map: map[] does not contain declared merge key: %s", key);
}

/* One item of the patch, without directive, into a list keyed by `key`. */
static bool merge_item(Merge *merge, const json_t *node, json_t *target, const char *key,
		       json_t *item)
{
	const json_t *identity = json_object_get(item, key);
	if (!json_is_object(item))
		return status_bad_request(merge->status, "an item of a list of maps is no map");
	if (!identity)
		return no_merge_key(merge, key);
	size_t at = find_item(target, key, identity);
	if (at == SIZE_MAX)
		return json_array_append_new(target, json_deep_copy(item)) == 0;
	return merge_object(merge, json_map(node, "items"), json_array_get(target, at), item);
}

/* Items with directives first: one `replace` empties the list for the others. */
static bool list_directives(Merge *merge, json_t *target, const char *key, const json_t *patch)
{
	bool replace = false;
	for (size_t i = 0; i < json_array_size(patch); i++) {
		const json_t *item = json_array_get(patch, i);
		const char *directive = json_text_or(item, "$patch", "");
		const json_t *identity = key ? json_object_get(item, key) : NULL;
		if (!has_directive(item) || strcmp(directive, "delete") == 0) {
			size_t at = has_directive(item) && identity
					    ? find_item(target, key, identity)
					    : SIZE_MAX;
			if (has_directive(item) && !identity)
				return no_merge_key(merge, key ? key : "");
			if (at != SIZE_MAX)
				json_array_remove(target, at);
			continue;
		}
		if (strcmp(directive, "merge") == 0)
			return status_set(merge->status, 500, NULL,
					  "merging lists cannot yet be specified in the patch");
		if (strcmp(directive, "replace") != 0)
			return status_set(merge->status, 500, NULL, "unknown patch type: %s in map",
					  directive);
		replace = true;
	}
	if (replace)
		json_array_clear(target);
	return true;
}

/* `order`: the patch's $setElementOrder of this list, or NULL. */
static bool merge_list(Merge *merge, const json_t *node, json_t *target, const json_t *patch,
		       const json_t *order)
{
	const char *key = json_text(node, "x-kubernetes-patch-merge-key");
	if (json_array_size(patch) > ITEMS_MAX)
		return status_set(merge->status, 413, "RequestEntityTooLarge",
				  "a strategic merge patch may name %d items of a list, got %zu",
				  ITEMS_MAX, json_array_size(patch));
	autojson json_t *before = json_copy(target);
	if (!list_directives(merge, target, key, patch))
		return false;
	for (size_t i = 0; i < json_array_size(patch); i++) {
		json_t *item = json_array_get(patch, i);
		if (has_directive(item))
			continue;
		if (key && !merge_item(merge, node, target, key, item))
			return false;
		if (!key && find_scalar(target, item) == SIZE_MAX)
			json_array_append(target, item);
	}
	arrange(node, target, before, order ? order : patch);
	return true;
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
		/* With a list of the same name merge_member() looks at the order. */
		if (before || !cstr_starts(key, order_prefix))
			continue;
		const char *name = key + strlen(order_prefix);
		json_t *list = json_object_get(patch, name) ? NULL : json_list(target, name);
		autojson json_t *old = json_copy(list);
		if (list)
			arrange(member_node(merge, schema, name), list, old, value);
	}
}

static bool merge_member(Merge *merge, const json_t *schema, json_t *target, const char *key,
			 json_t *value, const json_t *patch)
{
	if (json_is_null(value)) {
		json_object_del(target, key);
		return true;
	}
	const json_t *node = member_node(merge, schema, key);
	json_t *old = json_object_get(target, key);
	autofree char *order_key = mem_printf("%s%s", order_prefix, key);
	bool both_lists = json_is_array(old) && json_is_array(value);
	bool both_maps = json_is_object(old) && json_is_object(value);
	if (both_lists && node && has_strategy(node, "merge"))
		return merge_list(merge, node, old, value, json_object_get(patch, order_key));
	if (both_maps && !(node && has_strategy(node, "replace")))
		return merge_object(merge, node, old, value);
	/* A list or map that is replaced is taken as it is, one that is new without directives. */
	if (has_directive(value) && !both_maps)
		json_object_del(target, key);
	else
		json_object_set_new(target, key,
				    both_lists || both_maps ? json_deep_copy(value) : plain(value));
	return true;
}

static bool merge_object(Merge *merge, const json_t *schema, json_t *target, const json_t *patch)
{
	const char *directive = json_text_or(patch, "$patch", "");
	bool replace = strcmp(directive, "replace") == 0;
	if (has_directive(patch) && !replace && strcmp(directive, "delete") != 0)
		return status_set(merge->status, 500, NULL, "unknown patch type: %s in map",
				  directive);
	if (has_directive(patch)) {
		json_object_clear(target);
		if (replace)
			json_object_update(target, (json_t *)(uintptr_t)patch);
		json_object_del(target, "$patch");
		return true;
	}
	apply_directives(merge, schema, target, patch, true);
	const char *key;
	json_t *value;
	json_t *members = (json_t *)(uintptr_t)patch;
	json_object_foreach(members, key, value)
	{
		if (*key != '$' && !merge_member(merge, schema, target, key, value, patch))
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
