/* Reading types: resolving references, narrowing to what a value is, finding fields. */
#include <stdlib.h>

#include "smd/smd_internal.h"

TypeRef smd_root(const SmdSchema *schema)
{
	return schema ? schema->root : (TypeRef){.type = &smd_type_deduced};
}

Atom smd_resolve(TypeRef ref)
{
	if (!ref.type)
		return (Atom){0};
	const SmdType *type = ref.type;
	Atom atom = {.scalar = type->scalar, .list = type->list, .map = type->map};
	atom.list_atomic = type->list && type->list->atomic;
	atom.map_atomic = type->map && type->map->atomic;
	if (!ref.overridden)
		return atom;
	if (type->map)
		atom.map_atomic = ref.atomic;
	else
		atom.list_atomic = ref.atomic;
	return atom;
}

Atom smd_deduce(Atom atom, const json_t *value)
{
	bool is_scalar = json_is_string(value) || json_is_number(value) || json_is_boolean(value);
	if (is_scalar && atom.scalar)
		return (Atom){.scalar = atom.scalar};
	if (json_is_array(value) && atom.list)
		return (Atom){.list = atom.list, .list_atomic = atom.list_atomic};
	if (json_is_object(value) && atom.map)
		return (Atom){.map = atom.map, .map_atomic = atom.map_atomic};
	return atom;
}

bool smd_atom_same(const Atom *a, const Atom *b)
{
	return a->scalar == b->scalar && a->list == b->list && a->map == b->map;
}

static int name_compare(const void *name, const void *field)
{
	return strcmp(name, ((const StructField *)field)->name);
}

const StructField *smd_field(const MapType *map, const char *name)
{
	if (!map->field_count)
		return NULL;
	return bsearch(name, map->fields, map->field_count, sizeof(*map->fields), name_compare);
}

TypeRef smd_field_type(const MapType *map, const char *name)
{
	const StructField *field = smd_field(map, name);
	return field ? field->type : map->values;
}
