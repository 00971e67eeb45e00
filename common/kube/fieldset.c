/*
 * fieldsV1 (kube-api.md 3.1) as data: a hash that key order does not change, and the union of two
 * sets. A node `{}` is a member; a node with children is a member only when it has "." among them.
 */
#include "kube/fieldset.h"

#include <string.h>

#include "base/str.h"

static const char first_apply[] = "before-first-apply";

/* --- hash: FNV-1a of texts, mixed; members of an object are summed, so order does not count --- */

static uint64_t hash_bytes(const char *bytes, size_t len)
{
	uint64_t hash = 0xcbf29ce484222325u;
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001b3u;
	return hash;
}

/* The finaliser of splitmix64. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

/* Depth is bounded by the JSON parser's limit. Other than objects nothing occurs in fieldsV1. */
static uint64_t hash_fields(const json_t *fields)
{
	uint64_t sum = 0x9e3779b97f4a7c15u;
	const char *key;
	json_t *value;
	json_object_foreach(json_borrow(fields), key, value)
	{
		sum += mix(hash_bytes(key, strlen(key)) + 3 * mix(hash_fields(value)));
	}
	return mix(sum);
}

/* --- entries --- */

static bool is_main(const json_t *entry)
{
	return cstr_empty(json_text(entry, "subresource"));
}

static bool is_by(const json_t *entry, const char *manager, const char *operation)
{
	return is_main(entry) && cstr_eq(json_text(entry, "manager"), manager) &&
	       cstr_eq(json_text(entry, "operation"), operation);
}

static json_t *entries_of(const json_t *object)
{
	return json_list(json_map(object, "metadata"), "managedFields");
}

static bool is_taken_over(const json_t *entry, const char *manager, const char *const *prefixes)
{
	const char *name = json_text_or(entry, "manager", "");
	if (!is_main(entry))
		return false;
	if (cstr_eq(name, first_apply) || is_by(entry, manager, "Update"))
		return true;
	for (; *prefixes; prefixes++)
		if (!cstr_empty(*prefixes) && cstr_starts(name, *prefixes))
			return true;
	return false;
}

void fieldset_summary(const json_t *object, const char *manager, const char *const *prefixes,
		      FieldsetSummary *out)
{
	*out = (FieldsetSummary){0};
	size_t i;
	json_t *entry;
	json_array_foreach(entries_of(object), i, entry)
	{
		if (is_by(entry, manager, "Apply"))
			out->hash = hash_fields(json_map(entry, "fieldsV1")) | 1;
		else if (is_taken_over(entry, manager, prefixes))
			out->to_take_over = true;
	}
}

/* --- takeover --- */

static bool has_children(const json_t *node)
{
	return json_object_size(node) > 0;
}

static void unite(json_t *into, const json_t *from);

static void unite_child(json_t *into, const char *key, json_t *from)
{
	json_t *mine = json_object_get(into, key);
	if (!mine) {
		json_object_set_new(into, key, json_deep_copy(from));
		return;
	}
	/* A bare member united with a node of children stays a member. */
	if (json_is_object(mine) && has_children(mine) != has_children(from))
		json_object_set_new(mine, ".", json_object());
	unite(mine, from);
}

static void unite(json_t *into, const json_t *from)
{
	const char *key;
	json_t *value;
	json_object_foreach(json_borrow(from), key, value)
	{
		unite_child(into, key, value);
	}
}

/* Adds an entry's fields to *own, which is made from the first one when there is none yet. */
static void take_over(json_t **own, const json_t *entry, const char *manager)
{
	if (!*own) {
		*own = json_deep_copy(entry);
		json_put_text(*own, "manager", manager);
		json_put_text(*own, "operation", "Apply");
		return;
	}
	unite(json_make_at(*own, "fieldsV1", NULL), json_map(entry, "fieldsV1"));
}

static json_t *own_apply_entry(const json_t *object, const char *manager)
{
	json_t *found = NULL, *entry;
	size_t i;
	json_array_foreach(entries_of(object), i, entry)
	{
		if (is_by(entry, manager, "Apply"))
			found = entry;
	}
	return found;
}

static json_t *patch_of(const json_t *live, json_t *take_entries)
{
	return json_pack("[{s:s,s:s,s:s},{s:s,s:s,s:o}]", "op", "test", "path",
			 "/metadata/resourceVersion", "value", object_resource_version(live), "op",
			 "replace", "path", "/metadata/managedFields", "value", take_entries);
}

json_t *fieldset_takeover_patch(const json_t *live, const char *manager,
				const char *const *prefixes)
{
	const json_t *own_live = own_apply_entry(live, manager);
	autojson json_t *own = own_live ? json_deep_copy(own_live) : NULL;
	autojson json_t *entries = json_array();
	bool changed = false;
	size_t i;
	json_t *entry;
	json_array_foreach(entries_of(live), i, entry)
	{
		if (entry == own_live)
			continue;
		if (!is_taken_over(entry, manager, prefixes)) {
			json_array_append(entries, entry);
			continue;
		}
		take_over(&own, entry, manager);
		changed = true;
	}
	if (!changed)
		return NULL;
	json_array_append_new(entries, steal(&own));
	return patch_of(live, steal(&entries));
}

/* --- what leaves with a takeover --- */

const char *fieldset_item_key(const json_t *fields, const json_t *item)
{
	enum { MAX_KEY = 1 << 16 };
	const char *key;
	json_t *child;
	json_object_foreach(json_borrow(fields), key, child)
	{
		autoerror Error ignored = {0};
		if (!cstr_starts(key, "k:"))
			continue;
		autojson json_t *wanted = json_parse(key + 2, strlen(key + 2), MAX_KEY, &ignored);
		const char *name;
		json_t *value;
		bool same = json_is_object(wanted);
		json_object_foreach(wanted, name, value)
		{
			same = same && json_equal(json_object_get(item, name), value);
		}
		if (same)
			return key;
	}
	return NULL;
}

static void drop_left(json_t *value, const json_t *taken, const json_t *kept);

/* Whether the whole node goes: it is a member, and nobody keeps it or anything below it. */
static bool leaves_whole(const json_t *taken, const json_t *kept)
{
	return !kept && (!has_children(taken) || json_object_get(taken, "."));
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the server's JSON. */
static void drop_from_map(json_t *map, const json_t *taken, const json_t *kept)
{
	const char *key;
	json_t *child;
	json_object_foreach(json_borrow(taken), key, child)
	{
		const json_t *kept_child = json_object_get(kept, key);
		if (!cstr_starts(key, "f:"))
			continue;
		if (leaves_whole(child, kept_child))
			json_object_del(map, key + 2);
		else
			drop_left(json_object_get(map, key + 2), child, kept_child);
	}
}

/* NOLINTNEXTLINE(misc-no-recursion): see above. */
static void drop_from_list(json_t *list, const json_t *taken, const json_t *kept)
{
	for (size_t i = json_array_size(list); i-- > 0;) {
		json_t *item = json_array_get(list, i);
		const char *key = fieldset_item_key(taken, item);
		if (!key)
			continue;
		const json_t *child = json_object_get(taken, key);
		const json_t *kept_child = json_object_get(kept, key);
		if (leaves_whole(child, kept_child))
			json_array_remove(list, i);
		else
			drop_left(item, child, kept_child);
	}
}

/* NOLINTNEXTLINE(misc-no-recursion): see above. */
static void drop_left(json_t *value, const json_t *taken, const json_t *kept)
{
	if (json_is_object(value))
		drop_from_map(value, taken, kept);
	else if (json_is_array(value))
		drop_from_list(value, taken, kept);
}

void fieldset_drop_left(json_t *object, const json_t *reply, const char *manager,
			const char *const *prefixes)
{
	autojson json_t *taken = json_object(), *kept = json_object();
	size_t i;
	json_t *entry;
	json_array_foreach(entries_of(reply), i, entry)
	{
		bool own = is_by(entry, manager, "Apply");
		bool goes = !own && is_taken_over(entry, manager, prefixes);
		unite(goes ? taken : kept, json_map(entry, "fieldsV1"));
	}
	drop_left(object, taken, kept);
}
