/* Ids of objects in an inventory: "NAMESPACE_NAME_GROUP_KIND" (kustomize-controller.md 1 "id"). */
#ifndef DELIVERY_INVENTORY_H
#define DELIVERY_INVENTORY_H

#include "data/json.h"

/* Owned. */
char *inventory_id(const json_t *object);

/* Texts owned. */
typedef struct {
	char *ns, *name, *group, *kind;
} InventoryId;

/* False when the text is no id. */
bool inventory_id_parse(const char *text, InventoryId *out);
void inventory_id_dispose(InventoryId *id);
#define autoinventoryid __attribute__((cleanup(inventory_id_dispose)))

#endif
