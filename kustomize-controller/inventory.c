/* The inventory in status: which objects a Kustomization has applied (facts 1 "id"). */
#include "internal.h"

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
