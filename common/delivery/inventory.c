#include "delivery/inventory.h"

#include <string.h>

#include "base/mem.h"
#include "kube/object.h"

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
