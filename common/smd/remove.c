/* Taking items out of a value: what prune is made of (facts 3.4, step 4). */
#include "smd/smd_internal.h"

static bool is_member(const PathNode *node)
{
	return node && node->member;
}

/* The walk's constants. */
typedef struct {
	Arena *arena;
	Emptied emptied;
} Removal;

static json_t *kept(Removal run, TypeRef ref, json_t *value, const PathNode *node)
{
	if (!node || !node->below)
		return json_incref(value);
	return smd_remove(run.arena, ref, value, node->below, run.emptied);
}

static json_t *remove_from_list(Removal run, const ListType *list, json_t *value,
				const PathSet *items)
{
	json_t *out = json_array();
	for (size_t i = 0; i < json_array_size(value); i++) {
		json_t *item = json_array_get(value, i);
		PathElement element;
		bool bad = smd_element_of_item(run.arena, list, item, &element) != NULL;
		const PathNode *node = bad ? NULL : smd_set_find(items, &element);
		if (!is_member(node))
			json_array_append_new(out, kept(run, list->items, item, node));
	}
	return out;
}

static bool is_empty(const json_t *value)
{
	return !json_object_size(value) && !json_array_size(value);
}

/* A field that was emptied and has a default: null asks for it, as upstream's null does. */
static bool wants_default(Removal run, const MapType *map, const char *key, const json_t *before,
			  const json_t *after)
{
	const StructField *field = smd_field(map, key);
	return run.emptied == EMPTIED_STAYS_OR_DEFAULTS && field && field->fallback &&
	       !is_empty(before) && is_empty(after);
}

static json_t *remove_from_map(Removal run, const MapType *map, json_t *value, const PathSet *items)
{
	json_t *out = json_object();
	const char *key;
	json_t *child;
	json_object_foreach(value, key, child)
	{
		PathElement element = smd_element_field(key);
		const PathNode *node = smd_set_find(items, &element);
		if (is_member(node))
			continue;
		json_t *left = kept(run, smd_field_type(map, key), child, node);
		if (wants_default(run, map, key, child, left)) {
			json_decref(left);
			left = json_null();
		}
		json_object_set_new_nocheck(out, key, left);
	}
	return out;
}

/* Upstream's walk keeps no value for the emptied, nor for atomics with items to remove. While
 * pruning looks for what to remove that matters (null is a member, an empty list is not); the final
 * object keeps empty lists and maps, as newer upstream does: null would be refused by many schemas,
 * but for those with a default, which it brings back (A37).
 */
json_t *smd_remove(Arena *arena, TypeRef ref, json_t *value, PathSet *items, Emptied emptied)
{
	Removal run = {arena, emptied};
	Atom atom = smd_deduce(smd_resolve(ref), value);
	autojson json_t *out = NULL;
	if (atom.map && !atom.map_atomic && json_is_object(value))
		out = remove_from_map(run, atom.map, value, items);
	else if (!atom.map && atom.scalar)
		return json_incref(value);
	else if (!atom.map && atom.list && !atom.list_atomic && json_is_array(value))
		out = remove_from_list(run, atom.list, value, items);
	bool is_null = !out || (is_empty(out) && emptied == EMPTIED_IS_NULL);
	return is_null ? json_null() : steal(&out);
}
