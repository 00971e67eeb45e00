/*
 * What changed from one value to another: fields added, removed, modified (facts 3.3). A value that
 * stands on one side only counts with all that is below it.
 */
#include <stdlib.h>

#include "smd/smd_internal.h"

/* What comparing one pair of values says about its own path, and about those below. */
typedef struct {
	bool added;
	bool removed;
	bool modified;
	Comparison below;
} Delta;

static void compare(Arena *arena, TypeRef ref, json_t *lhs, json_t *rhs, Delta *out);

static void put(Arena *arena, Comparison *to, PathElement element, const Delta *delta)
{
	smd_set_add(arena, &to->added, element, delta->added, delta->below.added);
	smd_set_add(arena, &to->removed, element, delta->removed, delta->below.removed);
	smd_set_add(arena, &to->modified, element, delta->modified, delta->below.modified);
}

static void seal(Arena *arena, Comparison *comparison)
{
	smd_set_seal(arena, comparison->added);
	smd_set_seal(arena, comparison->removed);
	smd_set_seal(arena, comparison->modified);
}

static void compare_leaf(const json_t *lhs, const json_t *rhs, Delta *out)
{
	if (!lhs)
		out->added = true;
	else if (!rhs)
		out->removed = true;
	else if (!smd_value_same(lhs, rhs))
		out->modified = true;
}

/* --- lists --- */

/* One item of either side. */
typedef struct {
	PathElement element;
	bool right;
	size_t index;
	json_t *value;
} Item;

static int item_compare(const void *a, const void *b)
{
	const Item *left = a;
	const Item *right = b;
	int order = smd_element_compare(&left->element, &right->element);
	if (order)
		return order;
	if (left->right != right->right)
		return left->right ? 1 : -1;
	return (left->index > right->index) - (left->index < right->index);
}

static size_t collect(Arena *arena, const ListType *list, const json_t *value, bool right,
		      Item *items)
{
	size_t count = 0;
	for (size_t i = 0; i < json_array_size(value); i++) {
		Item item = {.right = right, .index = i, .value = json_array_get(value, i)};
		if (!smd_element_of_item(arena, list, item.value, &item.element))
			items[count++] = item;
	}
	return count;
}

static bool duplicates_same(const Item *left, size_t left_count, const Item *right,
			    size_t right_count)
{
	if (left_count != right_count)
		return false;
	for (size_t i = 0; i < left_count; i++) {
		if (!smd_value_same(left[i].value, right[i].value))
			return false;
	}
	return true;
}

/* Items of one element: `left` of the old list, then `right` of the new one. Duplicates of one side
 * count as one atomic thing. */
static Delta compare_items(Arena *arena, const ListType *list, const Item *items, size_t left,
			   size_t right)
{
	Delta delta = {0};
	json_t *lhs = left ? items[0].value : NULL;
	json_t *rhs = right ? items[left].value : NULL;
	if (left <= 1 && right <= 1) {
		compare(arena, list->items, lhs, rhs, &delta);
	} else if (left >= 2 && right >= 2) {
		delta.modified = !duplicates_same(items, left, items + left, right);
	} else if (left >= 2) {
		if (rhs)
			compare(arena, list->items, NULL, rhs, &delta);
		delta.removed = true;
	} else {
		if (lhs)
			compare(arena, list->items, lhs, NULL, &delta);
		delta.added = true;
	}
	return delta;
}

static void compare_list(Arena *arena, const ListType *list, json_t *lhs, json_t *rhs,
			 Comparison *out)
{
	size_t room = json_array_size(lhs) + json_array_size(rhs);
	autofree Item *items = mem_zalloc(room + 1, sizeof(*items));
	size_t count = collect(arena, list, lhs, false, items);
	count += collect(arena, list, rhs, true, items + count);
	qsort(items, count, sizeof(*items), item_compare);
	size_t at = 0;
	while (at < count) {
		size_t left = 0;
		size_t right = 0;
		while (at + left + right < count &&
		       !smd_element_compare(&items[at].element,
					    &items[at + left + right].element)) {
			if (items[at + left + right].right)
				right++;
			else
				left++;
		}
		Delta delta = compare_items(arena, list, items + at, left, right);
		put(arena, out, items[at].element, &delta);
		at += left + right;
	}
}

/* --- maps --- */

static void compare_map(Arena *arena, const MapType *map, json_t *lhs, json_t *rhs, Comparison *out)
{
	const char *key;
	json_t *value;
	json_object_foreach(lhs, key, value)
	{
		Delta delta = {0};
		compare(arena, smd_field_type(map, key), value, json_object_get(rhs, key), &delta);
		put(arena, out, smd_element_field(key), &delta);
	}
	json_object_foreach(rhs, key, value)
	{
		Delta delta = {0};
		if (json_object_get(lhs, key))
			continue;
		compare(arena, smd_field_type(map, key), NULL, value, &delta);
		put(arena, out, smd_element_field(key), &delta);
	}
	seal(arena, out);
}

/* --- values --- */

static json_t *only(json_t *value, json_type type)
{
	return value && json_typeof(value) == type ? value : NULL;
}

/* True when the pair was compared as a whole. Empty against empty or null keeps its difference. */
static bool compare_as(Arena *arena, Atom atom, json_t *lhs, json_t *rhs, Delta *out)
{
	json_t *left = only(lhs, atom.map ? JSON_OBJECT : JSON_ARRAY);
	json_t *right = only(rhs, atom.map ? JSON_OBJECT : JSON_ARRAY);
	size_t size = atom.map ? json_object_size(left) + json_object_size(right)
			       : json_array_size(left) + json_array_size(right);
	bool atomic = atom.map ? atom.map_atomic : atom.scalar || atom.list_atomic;
	if (atomic || !size) {
		compare_leaf(lhs, rhs, out);
		return true;
	}
	if (atom.map)
		compare_map(arena, atom.map, left, right, &out->below);
	else if (atom.list)
		compare_list(arena, atom.list, left, right, &out->below);
	return false;
}

static void union_below(Arena *arena, Comparison *to, const Comparison *from)
{
	to->added = smd_set_union(arena, to->added, from->added);
	to->removed = smd_set_union(arena, to->removed, from->removed);
	to->modified = smd_set_union(arena, to->modified, from->modified);
}

/* lhs and rhs: NULL when absent; not both. A value whose type changed counts as either type. */
static void compare(Arena *arena, TypeRef ref, json_t *lhs, json_t *rhs, Delta *out)
{
	if (lhs == rhs)
		return;
	Atom atom = smd_resolve(ref);
	Atom left = smd_deduce(atom, lhs);
	Atom right = smd_deduce(atom, rhs);
	if (lhs && rhs && !smd_atom_same(&left, &right)) {
		Delta as_left = {0};
		compare_as(arena, left, lhs, rhs, &as_left);
		compare_as(arena, right, lhs, rhs, out);
		out->modified |= as_left.modified;
		union_below(arena, &out->below, &as_left.below);
		return;
	}
	if (compare_as(arena, rhs ? right : left, lhs, rhs, out))
		return;
	out->added |= !lhs;
	out->removed |= !rhs;
}

Comparison smd_compare(Arena *arena, TypeRef ref, json_t *lhs, json_t *rhs)
{
	Delta delta = {0};
	if (lhs && rhs && lhs != rhs)
		compare(arena, ref, lhs, rhs, &delta);
	return delta.below;
}
