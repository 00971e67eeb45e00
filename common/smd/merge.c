/*
 * live + config (facts 3.4, step 2): scalars and atomics are replaced, maps united, associative
 * lists merged by key in config's order with live-only items keeping their relative place. Nothing
 * is removed here. Results share parts with both inputs, which stay unchanged: what config does not
 * change is live's own part, so that comparing the two afterwards ends at once.
 */
#include "smd/smd_internal.h"

static json_t *merge(Arena *arena, TypeRef ref, json_t *lhs, json_t *rhs);

static json_t *borrow(json_t *value)
{
	return json_incref(value);
}

static void put_field(json_t *out, const char *key, json_t *take_value)
{
	if (take_value)
		json_object_set_new_nocheck(out, key, take_value);
}

/* lhs itself where the result holds just what lhs does; takes the result. */
static json_t *own_map(json_t *lhs, json_t *take_out)
{
	void *theirs = json_object_iter(lhs);
	void *ours = json_object_iter(take_out);
	while (theirs && ours && json_object_iter_value(theirs) == json_object_iter_value(ours)) {
		theirs = json_object_iter_next(lhs, theirs);
		ours = json_object_iter_next(take_out, ours);
	}
	if (!lhs || theirs || ours)
		return take_out;
	json_decref(take_out);
	return json_incref(lhs);
}

static json_t *own_list(json_t *lhs, json_t *take_out)
{
	size_t count = json_array_size(take_out);
	bool own = lhs && json_array_size(lhs) == count;
	for (size_t i = 0; own && i < count; i++)
		own = json_array_get(lhs, i) == json_array_get(take_out, i);
	if (!own)
		return take_out;
	json_decref(take_out);
	return json_incref(lhs);
}

/* What replaces lhs as a whole; 1 is no 1.0 here. */
static json_t *replace(json_t *lhs, json_t *rhs)
{
	bool same = json_typeof(lhs) == json_typeof(rhs) && !json_is_object(rhs) &&
		    !json_is_array(rhs) && smd_value_same(lhs, rhs);
	return borrow(same ? lhs : rhs);
}

static json_t *merge_map(Arena *arena, const MapType *map, json_t *lhs, json_t *rhs)
{
	json_t *out = json_object();
	const char *key;
	json_t *value;
	json_object_foreach(lhs, key, value) put_field(
		out, key, merge(arena, smd_field_type(map, key), value, json_object_get(rhs, key)));
	json_object_foreach(rhs, key, value)
	{
		if (!json_object_get(lhs, key))
			put_field(out, key, borrow(value));
	}
	return out;
}

/* --- lists --- */

enum { NONE = -1 };

typedef struct {
	PathElement element;
	json_t *value;
	long match;	/* index of the first item of the other side with this element, or NONE */
	bool duplicate; /* not the only one of its side */
	bool merged;
} Item;

typedef struct {
	Item *items;
	size_t len;
} Side;

static Side side_of(Arena *arena, const ListType *list, const json_t *value)
{
	size_t count = json_array_size(value);
	Side side = {.items = arena_alloc(arena, (count + 1) * sizeof(Item))};
	for (size_t i = 0; i < count; i++) {
		Item *item = &side.items[side.len];
		item->value = json_array_get(value, i);
		item->match = NONE;
		side.len += !smd_element_of_item(arena, list, item->value, &item->element);
	}
	return side;
}

typedef struct {
	const Item *item;
	size_t index;
} Ranked;

static int ranked_compare(const void *a, const void *b)
{
	const Ranked *left = a;
	const Ranked *right = b;
	int order = smd_element_compare(&left->item->element, &right->item->element);
	return order ? order : (left->index > right->index) - (left->index < right->index);
}

static Ranked *ranked(Arena *arena, const Side *side)
{
	Ranked *out = arena_alloc(arena, (side->len + 1) * sizeof(*out));
	for (size_t i = 0; i < side->len; i++)
		out[i] = (Ranked){&side->items[i], i};
	qsort(out, side->len, sizeof(*out), ranked_compare);
	return out;
}

/* The first of equals at or after `at`, and how many there are. */
static size_t run_length(const Ranked *items, size_t len, size_t at)
{
	size_t end = at + 1;
	while (end < len &&
	       !smd_element_compare(&items[at].item->element, &items[end].item->element))
		end++;
	return end - at;
}

static void pair(Side *lhs, Side *rhs, const Ranked *left, size_t count, const Ranked *right)
{
	rhs->items[right->index].match = (long)left->index;
	rhs->items[right->index].duplicate = count > 1;
	for (size_t i = 0; i < count; i++)
		lhs->items[left[i].index].match = (long)right->index;
}

/* Finds for each item its partner. rhs has no duplicates: config was validated. */
static void match_sides(Arena *arena, Side *lhs, Side *rhs)
{
	const Ranked *left = ranked(arena, lhs);
	const Ranked *right = ranked(arena, rhs);
	size_t i = 0;
	size_t j = 0;
	while (i < lhs->len && j < rhs->len) {
		int order = smd_element_compare(&left[i].item->element, &right[j].item->element);
		size_t count = run_length(left, lhs->len, i);
		if (order == 0)
			pair(lhs, rhs, &left[i], count, &right[j]);
		i += order <= 0 ? count : 0;
		j += order >= 0;
	}
}

/* The next item of rhs, from `from`, that lhs has too; rhs->len for none. */
static size_t next_shared(const Side *rhs, size_t from)
{
	while (from < rhs->len && rhs->items[from].match == NONE)
		from++;
	return from;
}

/* Duplicates of live are not merged with config's item: it replaces the first of them. */
static void take_right(Arena *arena, const ListType *list, const Side *lhs, Item *item, json_t *out)
{
	json_t *partner = item->match == NONE ? NULL : lhs->items[item->match].value;
	item->merged = true;
	json_array_append_new(out, item->duplicate
					   ? borrow(item->value)
					   : merge(arena, list->items, partner, item->value));
}

/* Upstream's order: walk both; a shared item that config wants later is passed over. */
static json_t *merge_list(Arena *arena, const ListType *list, json_t *lhs_list, json_t *rhs_list)
{
	Side lhs = side_of(arena, list, lhs_list);
	Side rhs = side_of(arena, list, rhs_list);
	match_sides(arena, &lhs, &rhs);
	json_t *out = json_array();
	size_t l = 0;
	size_t r = 0;
	size_t shared = next_shared(&rhs, 0);
	while (l < lhs.len || r < rhs.len) {
		long match = l < lhs.len ? lhs.items[l].match : NONE;
		if (l < lhs.len && match == NONE) {
			json_array_append(out, lhs.items[l++].value);
			continue;
		}
		bool both = l < lhs.len && r < rhs.len;
		if (both && (size_t)match != r && shared < rhs.len && (size_t)match != shared) {
			l++;
			continue;
		}
		bool in_step = both && (size_t)match == r;
		if (l < lhs.len && (in_step || rhs.items[match].merged))
			l++;
		if (r < rhs.len) {
			take_right(arena, list, &lhs, &rhs.items[r], out);
			if (in_step || shared == r)
				shared = next_shared(&rhs, shared + (shared < rhs.len));
			r++;
		}
	}
	return out;
}

/* --- values --- */

static json_t *only(json_t *value, json_type type)
{
	return value && json_typeof(value) == type ? value : NULL;
}

static json_t *merge(Arena *arena, TypeRef ref, json_t *lhs, json_t *rhs)
{
	if (!rhs || !lhs)
		return borrow(rhs ? rhs : lhs);
	Atom atom = smd_deduce(smd_resolve(ref), rhs);
	if (atom.map && !atom.map_atomic) {
		json_t *left = only(lhs, JSON_OBJECT);
		json_t *right = only(rhs, JSON_OBJECT);
		bool any = json_object_size(left) || json_object_size(right);
		return any ? own_map(left, merge_map(arena, atom.map, left, right)) : borrow(rhs);
	}
	if (!atom.map && !atom.scalar && atom.list && !atom.list_atomic) {
		json_t *left = only(lhs, JSON_ARRAY);
		json_t *right = only(rhs, JSON_ARRAY);
		bool any = json_array_size(left) || json_array_size(right);
		return any ? own_list(left, merge_list(arena, atom.list, left, right))
			   : borrow(rhs);
	}
	return replace(lhs, rhs);
}

json_t *smd_merge(Arena *arena, TypeRef ref, json_t *lhs, json_t *rhs)
{
	return merge(arena, ref, lhs, rhs);
}
