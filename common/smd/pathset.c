/*
 * Sets of paths as a trie with sorted children. A set is a value: every operation makes new nodes
 * and shares the subtrees that stay the same, so nothing is ever copied deeply or freed before the
 * arena.
 */
#include <stdlib.h>

#include "smd/smd_internal.h"

static int node_compare(const void *a, const void *b)
{
	return smd_element_compare(&((const PathNode *)a)->element,
				   &((const PathNode *)b)->element);
}

static void node_push(Arena *arena, PathSet *set, PathNode node)
{
	if (set->len == set->cap) {
		size_t cap = set->cap ? set->cap * 2 : 4;
		PathNode *grown = arena_alloc(arena, cap * sizeof(*grown));
		if (set->len)
			memcpy(grown, set->nodes, set->len * sizeof(*grown));
		set->nodes = grown;
		set->cap = cap;
	}
	set->nodes[set->len++] = node;
}

void smd_set_add(Arena *arena, PathSet **set, PathElement element, bool member, PathSet *below)
{
	if (!member && smd_set_empty(below))
		return;
	if (!*set) {
		*set = arena_alloc(arena, sizeof(**set));
		(*set)->sorted = true;
	}
	PathSet *to = *set;
	if (to->len && smd_element_compare(&to->nodes[to->len - 1].element, &element) >= 0)
		to->sorted = false;
	node_push(arena, to, (PathNode){element, member, smd_set_empty(below) ? NULL : below});
}

void smd_set_seal(Arena *arena, PathSet *set)
{
	if (!set || set->sorted)
		return;
	qsort(set->nodes, set->len, sizeof(*set->nodes), node_compare);
	size_t kept = 0;
	for (size_t i = 1; i < set->len; i++) {
		PathNode *last = &set->nodes[kept];
		const PathNode *next = &set->nodes[i];
		if (smd_element_compare(&last->element, &next->element)) {
			set->nodes[++kept] = *next;
			continue;
		}
		last->member |= next->member;
		last->below = smd_set_union(arena, last->below, next->below);
	}
	set->len = kept + 1;
	set->sorted = true;
}

PathSet *smd_set_with_fields(Arena *arena, PathSet *set, const char *const *names)
{
	PathSet *path = NULL;
	size_t count = 0;
	while (names[count])
		count++;
	for (size_t i = count; i > 0; i--) {
		PathSet *upper = NULL;
		smd_set_add(arena, &upper, smd_element_field(names[i - 1]), i == count, path);
		path = upper;
	}
	return smd_set_union(arena, set, path);
}

const PathNode *smd_set_find(const PathSet *set, const PathElement *element)
{
	if (!set || !set->len)
		return NULL;
	PathNode wanted = {.element = *element};
	return bsearch(&wanted, set->nodes, set->len, sizeof(*set->nodes), node_compare);
}

/* Empty nodes are never added, so a set with nodes has members. */
bool smd_set_empty(const PathSet *set)
{
	return !set || !set->len;
}

bool smd_set_same(const PathSet *a, const PathSet *b)
{
	if (a == b || (smd_set_empty(a) && smd_set_empty(b)))
		return true;
	if (!a || !b || a->len != b->len)
		return false;
	for (size_t i = 0; i < a->len; i++) {
		const PathNode *left = &a->nodes[i];
		const PathNode *right = &b->nodes[i];
		if (left->member != right->member ||
		    smd_element_compare(&left->element, &right->element) ||
		    !smd_set_same(left->below, right->below))
			return false;
	}
	return true;
}

PathSet *smd_set_union(Arena *arena, PathSet *a, PathSet *b)
{
	if (smd_set_empty(a) || a == b)
		return b;
	if (smd_set_empty(b))
		return a;
	PathSet *out = NULL;
	size_t i = 0;
	size_t j = 0;
	while (i < a->len && j < b->len) {
		const PathNode *left = &a->nodes[i];
		const PathNode *right = &b->nodes[j];
		int order = smd_element_compare(&left->element, &right->element);
		const PathNode *first = order <= 0 ? left : right;
		PathNode node = *first;
		if (order == 0) {
			node.member = left->member || right->member;
			node.below = smd_set_union(arena, left->below, right->below);
		}
		smd_set_add(arena, &out, node.element, node.member, node.below);
		i += order <= 0;
		j += order >= 0;
	}
	for (; i < a->len; i++)
		smd_set_add(arena, &out, a->nodes[i].element, a->nodes[i].member,
			    a->nodes[i].below);
	for (; j < b->len; j++)
		smd_set_add(arena, &out, b->nodes[j].element, b->nodes[j].member,
			    b->nodes[j].below);
	return out;
}

PathSet *smd_set_intersection(Arena *arena, PathSet *a, PathSet *b)
{
	PathSet *out = NULL;
	size_t i = 0;
	size_t j = 0;
	while (a && b && i < a->len && j < b->len) {
		const PathNode *left = &a->nodes[i];
		const PathNode *right = &b->nodes[j];
		int order = smd_element_compare(&left->element, &right->element);
		if (order == 0)
			smd_set_add(arena, &out, left->element, left->member && right->member,
				    smd_set_intersection(arena, left->below, right->below));
		i += order <= 0;
		j += order >= 0;
	}
	return out;
}

/* What is left of one node of a; `trees`: a member of b takes all below with it. */
static void keep_difference(Arena *arena, PathSet **out, const PathNode *left,
			    const PathNode *right, bool trees)
{
	if (!right) {
		smd_set_add(arena, out, left->element, left->member, left->below);
		return;
	}
	if (trees && right->member)
		return;
	PathSet *below = trees ? smd_set_subtract_trees(arena, left->below, right->below)
			       : smd_set_difference(arena, left->below, right->below);
	smd_set_add(arena, out, left->element, left->member && !right->member, below);
}

static PathSet *difference(Arena *arena, PathSet *a, PathSet *b, bool trees)
{
	if (smd_set_empty(a) || smd_set_empty(b))
		return a;
	PathSet *out = NULL;
	size_t j = 0;
	for (size_t i = 0; i < a->len; i++) {
		int order = 1;
		while (j < b->len && (order = smd_element_compare(&b->nodes[j].element,
								  &a->nodes[i].element)) < 0)
			j++;
		bool shared = j < b->len && order == 0;
		keep_difference(arena, &out, &a->nodes[i], shared ? &b->nodes[j] : NULL, trees);
	}
	return out;
}

PathSet *smd_set_difference(Arena *arena, PathSet *a, PathSet *b)
{
	return difference(arena, a, b, false);
}

PathSet *smd_set_subtract_trees(Arena *arena, PathSet *a, PathSet *b)
{
	return difference(arena, a, b, true);
}

/* Members come before what is below them and their neighbours. */
static void visit_below(const PathSet *set, Buf *path, PathVisit visit, void *context)
{
	size_t len = path->len;
	for (size_t i = 0; set && i < 2 * set->len; i++) {
		const PathNode *node = &set->nodes[i % set->len];
		bool members = i < set->len;
		smd_element_print(&node->element, path);
		if (members && node->member)
			visit(context, buf_text(path));
		if (!members)
			visit_below(node->below, path, visit, context);
		path->len = len;
		path->ptr[len] = '\0';
	}
}

void smd_set_each(const PathSet *set, PathVisit visit, void *context)
{
	autobuf Buf path = {0};
	buf_reserve(&path, 64);
	visit_below(set, &path, visit, context);
}
