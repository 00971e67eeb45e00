#include "kube/fieldset.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"

/* FNV-1a: stable between processes, and nobody gains by a collision with his own object. */
static uint64_t hash_bytes(uint64_t hash, const char *text)
{
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
	return (hash ^ 0xff) * UINT64_C(1099511628211);
}

/* Member hashes are added up, so that the order of keys does not count. */
static uint64_t hash_fields(const json_t *fields)
{
	uint64_t sum = UINT64_C(14695981039346656037);
	const char *key;
	json_t *value;
	json_object_foreach(json_borrow(fields), key, value)
	{
		uint64_t member = hash_bytes(UINT64_C(14695981039346656037), key);
		uint64_t below = json_is_object(value) ? hash_fields(value) : 0;
		sum += (member ^ (below * UINT64_C(0x9e3779b97f4a7c15))) * UINT64_C(1099511628211);
	}
	return sum;
}

static bool is_own(const json_t *entry, const char *manager)
{
	return cstr_eq(json_text(entry, "manager"), manager) &&
	       cstr_eq(json_text(entry, "operation"), "Apply") && !json_text(entry, "subresource");
}

static bool is_kubectl(const json_t *entry)
{
	const char *manager = json_text_or(entry, "manager", "");
	return !json_text(entry, "subresource") && (cstr_starts(manager, "kubectl") ||
						    cstr_eq(manager, "before-first-apply"));
}

void fieldset_summary(const json_t *object, const char *manager, FieldsetSummary *out)
{
	*out = (FieldsetSummary){0};
	size_t i;
	json_t *entry;
	json_array_foreach(json_at(object, "metadata", "managedFields", NULL), i, entry)
	{
		if (is_own(entry, manager))
			out->hash = hash_fields(json_map(entry, "fieldsV1")) | 1;
		else if (is_kubectl(entry))
			out->kubectl_wrote = true;
	}
}

static void unite(json_t *into, const json_t *from)
{
	const char *key;
	json_t *value;
	json_object_foreach(json_borrow(from), key, value)
	{
		json_t *mine = json_object_get(into, key);
		if (json_is_object(mine) && json_is_object(value))
			unite(mine, value);
		else
			json_object_set_new(into, key, json_deep_copy(value));
	}
}

static bool is_taken_over(const json_t *entry, const char *manager, const char *const *prefixes)
{
	const char *name = json_text_or(entry, "manager", "");
	if (json_text(entry, "subresource"))
		return false;
	if (cstr_eq(name, "before-first-apply"))
		return true;
	if (cstr_eq(name, manager) && cstr_eq(json_text(entry, "operation"), "Update"))
		return true;
	for (; *prefixes; prefixes++)
		if (cstr_starts(name, *prefixes))
			return true;
	return false;
}

json_t *fieldset_takeover_patch(const json_t *live, const char *manager, const char *const *prefixes)
{
	autojson json_t *kept = json_array();
	json_t *own = NULL;
	autovec Vec taken = {0};
	size_t i;
	json_t *entry;
	json_array_foreach(json_at(live, "metadata", "managedFields", NULL), i, entry)
	{
		if (is_own(entry, manager))
			own = entry;
		else if (is_taken_over(entry, manager, prefixes))
			vec_push(&taken, entry);
		else
			json_array_append(kept, entry);
	}
	if (!taken.len)
		return NULL;
	json_t *merged = json_deep_copy(own ? own : taken.items[0]);
	json_put_text(merged, "manager", manager);
	json_put_text(merged, "operation", "Apply");
	for (i = 0; i < taken.len; i++)
		unite(json_make_at(merged, "fieldsV1", NULL), json_map(taken.items[i], "fieldsV1"));
	json_array_append_new(kept, merged);
	/* The resourceVersion in the patch is a lock: nobody has written since we looked. */
	return json_pack("[{s:s,s:s,s:O},{s:s,s:s,s:s}]", "op", "replace", "path",
			 "/metadata/managedFields", "value", kept, "op", "replace", "path",
			 "/metadata/resourceVersion", "value", object_resource_version(live));
}
