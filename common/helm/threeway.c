/*
 * The rules are those of k8s.io/apimachinery's strategicpatch, with its order of merged lists; the
 * result is computed here and not by the server, which then gets an ordinary merge patch.
 */
#include "helm/threeway.h"

#include <string.h>

#include "base/vec.h"
#include "data/api_groups.h"

typedef enum {
	MERGE = 1,   /* a list by key, or without one as a set */
	RETAIN = 2,  /* what a changed item does not name goes */
	REPLACE = 4, /* a map as a whole */
} RuleFlags;

/* Fields that are no plain map and no list to be replaced, by their own and their parent's name. */
typedef struct {
	const char *parent, *field; /* parent NULL: any */
	const char *key;	    /* of a list's items; NULL: a set */
	const char *kind;	    /* NULL: any */
	unsigned flags;
} Rule;

static const Rule rules[] = {
	{"metadata", "ownerReferences", "uid", NULL, MERGE},
	{"metadata", "finalizers", NULL, NULL, MERGE},
	{"status", "conditions", "type", NULL, MERGE},
	{"spec", "containers", "name", NULL, MERGE},
	{"spec", "initContainers", "name", NULL, MERGE},
	{"spec", "ephemeralContainers", "name", NULL, MERGE},
	{"spec", "volumes", "name", NULL, MERGE | RETAIN},
	{"spec", "resourceClaims", "name", NULL, MERGE | RETAIN},
	{"spec", "imagePullSecrets", "name", NULL, MERGE},
	{"spec", "schedulingGates", "name", NULL, MERGE},
	{"spec", "hostAliases", "ip", NULL, MERGE},
	{"spec", "topologySpreadConstraints", "topologyKey", NULL, MERGE},
	{"spec", "podCIDRs", NULL, "Node", MERGE},
	{"spec", "drivers", "name", "CSINode", MERGE},
	{"spec", "ports", "port", "Service", MERGE},
	{"spec", "strategy", NULL, "Deployment", RETAIN},
	{"spec", "selector", NULL, "PodDisruptionBudget", REPLACE},
	{"spec", "matchConditions", "name", NULL, MERGE},
	{"spec", "variables", "name", NULL, MERGE},
	{"webhooks", "matchConditions", "name", NULL, MERGE},
	{"", "webhooks", "name", NULL, MERGE},
	{"", "secrets", "name", "ServiceAccount", MERGE},
	{"", "conditions", "type", "ComponentStatus", MERGE},
	{"containers", "env", "name", NULL, MERGE},
	{"containers", "ports", "containerPort", NULL, MERGE},
	{"containers", "volumeMounts", "mountPath", NULL, MERGE},
	{"containers", "volumeDevices", "devicePath", NULL, MERGE},
	{"initContainers", "env", "name", NULL, MERGE},
	{"initContainers", "ports", "containerPort", NULL, MERGE},
	{"initContainers", "volumeMounts", "mountPath", NULL, MERGE},
	{"initContainers", "volumeDevices", "devicePath", NULL, MERGE},
	{"ephemeralContainers", "env", "name", NULL, MERGE},
	{"ephemeralContainers", "ports", "containerPort", NULL, MERGE},
	{"ephemeralContainers", "volumeMounts", "mountPath", NULL, MERGE},
	{"ephemeralContainers", "volumeDevices", "devicePath", NULL, MERGE},
	{NULL, "x-kubernetes-validations", "rule", "CustomResourceDefinition", MERGE},
};

bool helm_is_strategic(const char *api_version, const char *kind)
{
	const char *slash = strchr(api_version, '/');
	bool old_definition = strcmp(api_version, "apiextensions.k8s.io/v1beta1") == 0 &&
			      strcmp(kind, "CustomResourceDefinition") == 0;
	if (!slash || old_definition)
		return !old_definition;
	Str group = str_sized(api_version, (size_t)(slash - api_version));
	return api_group_origin(group) != API_GROUP_FOREIGN;
}

/* --- merging --- */

typedef struct {
	const char *kind; /* NULL: no lists are merged */
	Error *err;
} Merge;

/* The same place in the three objects; original and live may be NULL. */
typedef struct {
	const json_t *original, *modified, *live;
} Three;

static const Rule *rule_of(const Merge *merge, const char *parent, const char *field)
{
	for (size_t i = 0; merge->kind && i < COUNT(rules); i++) {
		const Rule *rule = &rules[i];
		if (strcmp(rule->field, field) == 0 &&
		    (!rule->parent || strcmp(rule->parent, parent) == 0) &&
		    (!rule->kind || strcmp(rule->kind, merge->kind) == 0))
			return rule;
	}
	return NULL;
}

static json_t *merge_maps(Merge *merge, const char *name, Three three, bool retain);

static json_t *copy_of(const json_t *value)
{
	return json_deep_copy(value);
}

/* --- lists --- */

static bool is_same_item(const Rule *rule, const json_t *a, const json_t *b)
{
	return rule->key ? json_same(json_object_get(a, rule->key), json_object_get(b, rule->key))
			 : json_same(a, b);
}

/* The place of an item of the same key that comes as the n-th of its key in `list`; -1: none. */
static ptrdiff_t find_item(const Rule *rule, const json_t *list, const json_t *item, size_t nth)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (is_same_item(rule, json_array_get(list, i), item) && nth-- == 0)
			return (ptrdiff_t)i;
	return -1;
}

/* How many of the same key come before. */
static size_t rank_of(const Rule *rule, const json_t *list, size_t index)
{
	size_t rank = 0;
	for (size_t i = 0; i < index; i++)
		rank += is_same_item(rule, json_array_get(list, i), json_array_get(list, index));
	return rank;
}

static const json_t *item_at(const json_t *list, ptrdiff_t index)
{
	return index < 0 ? NULL : json_array_get(list, (size_t)index);
}

/* The first that lacks its key is told. */
static bool has_keys(const Merge *merge, const Rule *rule, const json_t *list)
{
	for (size_t i = 0; rule->key && i < json_array_size(list); i++) {
		if (json_object_get(json_array_get(list, i), rule->key))
			continue;
		if (!err_is_set(merge->err))
			err_set(merge->err, ERR_INVALID,
				"map: an item of %s does not contain declared merge key: %s",
				rule->field, rule->key);
		return false;
	}
	return true;
}

/* Items of the live list that the new manifest does not have, and the old one had not. */
static json_t *others_of(const Rule *rule, Three three)
{
	json_t *others = json_array();
	for (size_t i = 0; i < json_array_size(three.live); i++) {
		json_t *item = json_array_get(three.live, i);
		size_t rank = rank_of(rule, three.live, i);
		if (find_item(rule, three.modified, item, rank) < 0 &&
		    find_item(rule, three.original, item, rank) < 0)
			json_array_append(others, item);
	}
	return others;
}

/* The new manifest's items, merged with those that are live. */
static json_t *own_items(Merge *merge, const Rule *rule, Three three)
{
	json_t *items = json_array();
	for (size_t i = 0; i < json_array_size(three.modified); i++) {
		json_t *item = json_array_get(three.modified, i);
		size_t rank = rank_of(rule, three.modified, i);
		ptrdiff_t live = find_item(rule, three.live, item, rank);
		ptrdiff_t original = find_item(rule, three.original, item, rank);
		Three below = {item_at(three.original, original), item, item_at(three.live, live)};
		json_array_append_new(
			items, rule->key && json_is_object(item)
				       ? merge_maps(merge, rule->field, below, rule->flags & RETAIN)
				       : copy_of(item));
	}
	return items;
}

/* By what the merged list is ordered: the live list, but that in the places of deleted items the
 * first new ones count, as upstream appends them to the list that it orders by. */
static json_t *order_of(const Rule *rule, const json_t *others, const json_t *own,
			const json_t *live)
{
	json_t *order = json_array();
	size_t room = json_array_size(live);
	for (size_t i = 0; i < room; i++) {
		json_t *item = json_array_get(live, i);
		if (find_item(rule, others, item, 0) >= 0 || find_item(rule, own, item, 0) >= 0)
			json_array_append(order, item);
	}
	for (size_t i = 0; rule->key && i < json_array_size(own) && json_array_size(order) < room;
	     i++)
		if (find_item(rule, order, json_array_get(own, i), 0) < 0)
			json_array_append(order, json_array_get(own, i));
	return order;
}

/* Items of others find their place before the first of our own that is behind them. */
static json_t *interleave(const Rule *rule, const json_t *others, const json_t *own,
			  const json_t *live)
{
	autojson json_t *order = order_of(rule, others, own, live);
	json_t *list = json_array();
	size_t i = 0, j = 0;
	while (i < json_array_size(others) || j < json_array_size(own)) {
		json_t *left = json_array_get(others, i), *right = json_array_get(own, j);
		ptrdiff_t before = left ? find_item(rule, order, left, 0) : -1;
		ptrdiff_t behind = right ? find_item(rule, order, right, 0) : -1;
		bool take_left = !right || (left && behind >= 0 && before < behind);
		json_array_append(list, take_left ? left : right);
		i += take_left;
		j += !take_left;
	}
	return list;
}

static bool has_all(const Rule *rule, const json_t *list, const json_t *items)
{
	for (size_t i = 0; i < json_array_size(items); i++)
		if (find_item(rule, list, json_array_get(items, i), 0) < 0)
			return false;
	return true;
}

static bool is_sorted(const json_t *texts)
{
	for (size_t i = 1; i < json_array_size(texts); i++) {
		const char *before = json_string_value(json_array_get(texts, i - 1));
		const char *text = json_string_value(json_array_get(texts, i));
		if (!before || !text || strcmp(before, text) > 0)
			return false;
	}
	return true;
}

/* A set that gets nothing and loses nothing keeps its order, where the manifest has it sorted:
 * upstream compares it with the live one sorted. */
static bool is_same_set(const Rule *rule, Three three)
{
	return !rule->key && json_array_size(three.live) == json_array_size(three.modified) &&
	       is_sorted(three.modified) && has_all(rule, three.live, three.modified) &&
	       has_all(rule, three.modified, three.original);
}

static json_t *merge_lists(Merge *merge, const Rule *rule, Three three)
{
	if (!has_keys(merge, rule, three.modified) || !has_keys(merge, rule, three.live) ||
	    !has_keys(merge, rule, three.original))
		return NULL;
	if (is_same_set(rule, three))
		return copy_of(three.live);
	autojson json_t *others = others_of(rule, three);
	autojson json_t *own = own_items(merge, rule, three);
	return interleave(rule, others, own, three.live);
}

/* --- values --- */

static json_t *merge_value(Merge *merge, const char *parent, const char *name, Three three)
{
	const Rule *rule = rule_of(merge, parent, name);
	bool lists = json_is_array(three.modified) && json_is_array(three.live);
	bool maps = json_is_object(three.modified) && json_is_object(three.live);
	if (rule && (rule->flags & MERGE) && lists) {
		if (!json_is_array(three.original))
			three.original = NULL;
		return merge_lists(merge, rule, three);
	}
	if (maps && !(rule && (rule->flags & REPLACE)))
		return merge_maps(merge, name, three, rule && (rule->flags & RETAIN));
	return copy_of(three.modified);
}

/* What a changed object with retained keys does not name is gone. */
static void drop_unnamed(json_t *result, const json_t *modified)
{
	const char *key;
	json_t *value;
	void *next;
	json_object_foreach_safe(result, next, key, value)
	{
		if (!json_object_get(modified, key))
			json_object_del(result, key);
	}
}

static void drop_removed(json_t *result, Three three)
{
	const char *key;
	json_t *value;
	json_object_foreach(json_borrow(three.original), key, value)
	{
		if (!json_object_get(three.modified, key))
			json_object_del(result, key);
	}
}

static json_t *merge_maps(Merge *merge, const char *name, Three three, bool retain)
{
	const char *key;
	json_t *value;
	json_t *result = three.live ? json_copy(json_borrow(three.live)) : json_object();
	if (!json_is_object(three.original))
		three.original = NULL;
	drop_removed(result, three);
	json_object_foreach(json_borrow(three.modified), key, value)
	{
		Three below = {json_object_get(three.original, key), value,
			       json_object_get(three.live, key)};
		json_t *merged = merge_value(merge, name, key, below);
		if (!merged || json_is_null(merged)) {
			json_object_del(result, key);
			json_decref(merged);
		} else {
			json_object_set_new(result, key, merged);
		}
	}
	if (retain && three.live && !json_same(result, three.live))
		drop_unnamed(result, three.modified);
	return result;
}

json_t *helm_merge_strategic(const json_t *original, const json_t *modified, const json_t *live,
			     Error *err)
{
	Merge merge = {.kind = json_text_or(modified, "kind", ""), .err = err};
	json_t *result = merge_maps(&merge, "", (Three){original, modified, live}, false);
	if (!err_is_set(err))
		return result;
	json_decref(result);
	return NULL;
}

json_t *helm_merge_plain(const json_t *original, const json_t *modified, const json_t *live)
{
	Merge merge = {0};
	return merge_maps(&merge, "", (Three){original, modified, live}, false);
}
