/* The inventory in status: which objects a Kustomization has applied (facts 1 "id"). */
#include "internal.h"

#include <string.h>

#include "base/mem.h"

/* RBAC names may hold ":", which the id cannot; the four kinds write it as "__" (K69). */
static bool is_rbac(const char *kind)
{
	static const char *const kinds[] = {"Role", "ClusterRole", "RoleBinding",
					    "ClusterRoleBinding"};
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (cstr_eq(kinds[i], kind))
			return true;
	return false;
}

static void put_replaced(Buf *out, const char *text, const char *from, const char *to)
{
	for (const char *hit; (hit = strstr(text, from)); text = hit + strlen(from)) {
		buf_append(out, text, (size_t)(hit - text));
		buf_puts(out, to);
	}
	buf_puts(out, text);
}

char *inventory_id(const json_t *object)
{
	autofree char *group = api_group(object_api_version(object));
	const char *kind = object_kind(object);
	Buf out = {0};
	buf_printf(&out, "%s_", object_namespace(object));
	if (is_rbac(kind))
		put_replaced(&out, object_name(object), ":", "__");
	else
		buf_puts(&out, object_name(object));
	buf_printf(&out, "_%s_%s", group, kind);
	return buf_steal(&out);
}

void inventory_id_dispose(InventoryId *id)
{
	free(id->ns);
	free(id->name);
	free(id->group);
	free(id->kind);
	*id = (InventoryId){0};
}

/* Namespace to the first "_", kind after the last, group before it; the name is what is left, with
 * "__" as ":". */
bool inventory_id_parse(const char *text, InventoryId *out)
{
	const char *name = strchr(text, '_'), *kind = strrchr(text, '_');
	if (!name || !kind || kind <= name)
		return false;
	const char *group = kind;
	while (group > name + 1 && group[-1] != '_')
		group--;
	if (group <= name + 1)
		return false;
	out->ns = mem_strndup(text, (size_t)(name - text));
	out->kind = mem_strdup(kind + 1);
	out->group = mem_strndup(group, (size_t)(kind - group));
	autofree char *raw = mem_strndup(name + 1, (size_t)(group - 1 - (name + 1)));
	Buf decoded = {0};
	put_replaced(&decoded, raw, "__", ":");
	out->name = buf_steal(&decoded);
	return true;
}

json_t *inventory_of_items(const ItemSet *set)
{
	json_t *entries = json_array();
	for (size_t i = 0; i < set->len; i++) {
		const Item *item = &set->items[i];
		autofree char *id = inventory_id(item->object);
		json_t *entry = json_object();
		json_put_text(entry, "id", id);
		json_put_text(entry, "v", api_version_only(object_api_version(item->object)));
		json_array_append_new(entries, entry);
	}
	json_t *inventory = json_object();
	json_object_set_new(inventory, "entries", entries);
	return inventory;
}

Map *inventory_ids(const json_t *inventory)
{
	Map *ids = map_new(NULL);
	size_t i;
	json_t *entry;
	json_array_foreach(json_list(inventory, "entries"), i, entry)
	{
		map_put(ids, json_text_or(entry, "id", ""), NULL);
	}
	return ids;
}

json_t *inventory_difference(const json_t *old, const json_t *now)
{
	automap Map *present = inventory_ids(now);
	json_t *gone = json_array();
	size_t i;
	json_t *entry;
	json_array_foreach(json_list(old, "entries"), i, entry)
	{
		if (!map_has(present, json_text_or(entry, "id", "")))
			json_array_append(gone, entry);
	}
	return gone;
}
