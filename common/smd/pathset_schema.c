/* Operations on sets of paths that look at the schema: prune's named fields, changes of list types.
 */
#include "smd/smd_internal.h"

/* The type below one element, or none. */
static TypeRef type_below(Atom atom, const PathElement *element)
{
	if (element->kind == ELEMENT_FIELD && atom.map)
		return smd_field_type(atom.map, element->field);
	if (element->kind == ELEMENT_KEY && atom.list)
		return atom.list->items;
	return (TypeRef){0};
}

PathSet *smd_set_with_named_fields(Arena *arena, PathSet *set, TypeRef ref)
{
	Atom atom = smd_resolve(ref);
	PathSet *out = NULL;
	for (size_t i = 0; set && i < set->len; i++) {
		const PathNode *node = &set->nodes[i];
		bool named = node->element.kind == ELEMENT_FIELD && node->below && atom.map &&
			     smd_field(atom.map, node->element.field);
		TypeRef below = type_below(atom, &node->element);
		smd_set_add(arena, &out, node->element, node->member || named,
			    smd_set_with_named_fields(arena, node->below, below));
	}
	return out;
}

/* A free-form map of deduced values knows neither atomic nor granular: its sets stay. */
static bool is_deduced_map(const MapType *map)
{
	const SmdType *values = map->values.type;
	return !map->field_count && values &&
	       (values == &smd_type_deduced || (values->inlined && values->scalar == SCALAR_ANY));
}

static bool now_atomic(const PathNode *node, TypeRef ref)
{
	Atom atom = smd_resolve(ref);
	if (!node->below || (atom.map && is_deduced_map(atom.map)))
		return false;
	if (atom.map)
		return atom.map_atomic;
	return atom.scalar == SCALAR_NONE && atom.list && atom.list_atomic;
}

/* Whether a set of this type is left alone. */
static bool is_settled(const PathSet *set, Atom atom)
{
	return !set || (atom.map && is_deduced_map(atom.map)) || (!atom.map && atom.scalar);
}

static TypeRef type_of_node(Atom atom, const PathNode *node)
{
	if (!atom.map)
		return atom.list ? atom.list->items : (TypeRef){0};
	return node->element.kind == ELEMENT_FIELD ? smd_field_type(atom.map, node->element.field)
						   : atom.map->values;
}

/* Nothing in it became atomic: so it is, but for the day on which a definition changes. */
static bool is_current(const PathSet *set, TypeRef ref)
{
	Atom atom = smd_resolve(ref);
	if (is_settled(set, atom))
		return true;
	for (size_t i = 0; i < set->len; i++) {
		const PathNode *node = &set->nodes[i];
		TypeRef below = node->below ? type_of_node(atom, node) : (TypeRef){0};
		if (below.type && (now_atomic(node, below) || !is_current(node->below, below)))
			return false;
	}
	return true;
}

static PathSet *reconcile(Arena *arena, PathSet *set, TypeRef ref)
{
	Atom atom = smd_resolve(ref);
	if (is_settled(set, atom))
		return set;
	PathSet *out = NULL;
	for (size_t i = 0; i < set->len; i++) {
		const PathNode *node = &set->nodes[i];
		TypeRef below = type_of_node(atom, node);
		bool atomic = below.type && now_atomic(node, below);
		PathSet *kept =
			below.type && !atomic ? reconcile(arena, node->below, below) : node->below;
		smd_set_add(arena, &out, node->element, node->member || atomic,
			    atomic ? NULL : kept);
	}
	return out;
}

PathSet *smd_set_reconcile(Arena *arena, PathSet *set, TypeRef ref)
{
	return is_current(set, ref) ? set : reconcile(arena, set, ref);
}
