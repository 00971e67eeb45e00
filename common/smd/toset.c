/* Which fields a value mentions (facts 3.3): what an applier owns. */
#include "smd/smd_internal.h"

/* What one value adds to the set of its parent. */
typedef struct {
	bool member;
	PathSet *below;
} Owned;

static Owned owned_by(Arena *arena, TypeRef ref, json_t *value);

static void add_item(Arena *arena, const ListType *list, json_t *item, PathSet **out)
{
	PathElement element;
	if (smd_element_of_item(arena, list, item, &element))
		return;
	Owned owned = owned_by(arena, list->items, item);
	smd_set_add(arena, out, element, true, owned.below);
}

static int node_compare(const void *a, const void *b)
{
	return smd_element_compare(&((const PathNode *)a)->element,
				   &((const PathNode *)b)->element);
}

/* Live lists may hold duplicates: owned as one, without what is below. */
static PathSet *without_duplicates(Arena *arena, PathSet *items)
{
	qsort(items->nodes, items->len, sizeof(*items->nodes), node_compare);
	PathSet *out = NULL;
	size_t i = 0;
	while (i < items->len) {
		size_t end = i + 1;
		while (end < items->len && !node_compare(&items->nodes[i], &items->nodes[end]))
			end++;
		smd_set_add(arena, &out, items->nodes[i].element, true,
			    end - i > 1 ? NULL : items->nodes[i].below);
		i = end;
	}
	return out;
}

static Owned owned_by_list(Arena *arena, const ListType *list, json_t *value)
{
	PathSet *items = NULL;
	for (size_t i = 0; i < json_array_size(value); i++)
		add_item(arena, list, json_array_get(value, i), &items);
	if (items && !items->sorted)
		items = without_duplicates(arena, items);
	return (Owned){.below = items};
}

static bool is_empty(const json_t *value)
{
	return json_is_null(value) || (json_is_object(value) && !json_object_size(value));
}

static Owned owned_by_map(Arena *arena, const MapType *map, json_t *value)
{
	Owned out = {0};
	const char *key;
	json_t *child;
	json_object_foreach(value, key, child)
	{
		const StructField *field = smd_field(map, key);
		Owned owned = owned_by(arena, field ? field->type : map->values, child);
		smd_set_add(arena, &out.below, smd_element_field(key),
			    owned.member || !field || is_empty(child), owned.below);
	}
	smd_set_seal(arena, out.below);
	return out;
}

static Owned owned_by(Arena *arena, TypeRef ref, json_t *value)
{
	Atom atom = smd_deduce(smd_resolve(ref), value);
	Owned leaf = {.member = true};
	if (atom.map)
		return atom.map_atomic ? leaf : owned_by_map(arena, atom.map, value);
	if (atom.scalar)
		return leaf;
	if (!atom.list)
		return (Owned){0};
	return atom.list_atomic ? leaf : owned_by_list(arena, atom.list, value);
}

PathSet *smd_to_set(Arena *arena, TypeRef ref, json_t *value)
{
	return owned_by(arena, ref, value).below;
}
