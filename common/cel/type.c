/* Types: the simple ones are static, the rest lives in an arena. */
#include <string.h>

#include "base/mem.h"
#include "cel/cel_internal.h"

#define SIMPLE(k) [k] = {.kind = (k)}

static const CelType simple[CEL_KINDS] = {
	SIMPLE(CEL_DYN),
	SIMPLE(CEL_ERROR),
	SIMPLE(CEL_NULL),
	SIMPLE(CEL_BOOL),
	SIMPLE(CEL_INT),
	SIMPLE(CEL_UINT),
	SIMPLE(CEL_DOUBLE),
	SIMPLE(CEL_STRING),
	SIMPLE(CEL_BYTES),
	SIMPLE(CEL_TIMESTAMP),
	SIMPLE(CEL_DURATION),
	[CEL_LIST] = {.kind = CEL_LIST, .first = &simple[CEL_DYN]},
	[CEL_MAP] = {.kind = CEL_MAP, .first = &simple[CEL_DYN], .second = &simple[CEL_DYN]},
	SIMPLE(CEL_OBJECT),
	SIMPLE(CEL_TYPE),
	[CEL_OPTIONAL] = {.kind = CEL_OPTIONAL, .first = &simple[CEL_DYN]},
	SIMPLE(CEL_QUANTITY),
	SIMPLE(CEL_IP),
	SIMPLE(CEL_CIDR),
	SIMPLE(CEL_URL),
	SIMPLE(CEL_SEMVER),
	SIMPLE(CEL_FORMAT),
	SIMPLE(CEL_PARAM),
};

/* What type() and messages call them. */
static const char *const names[CEL_KINDS] = {
	[CEL_DYN] = "dyn",
	[CEL_ERROR] = "!error!",
	[CEL_NULL] = "null_type",
	[CEL_BOOL] = "bool",
	[CEL_INT] = "int",
	[CEL_UINT] = "uint",
	[CEL_DOUBLE] = "double",
	[CEL_STRING] = "string",
	[CEL_BYTES] = "bytes",
	[CEL_TIMESTAMP] = "google.protobuf.Timestamp",
	[CEL_DURATION] = "google.protobuf.Duration",
	[CEL_LIST] = "list",
	[CEL_MAP] = "map",
	[CEL_OBJECT] = "object",
	[CEL_TYPE] = "type",
	[CEL_OPTIONAL] = "optional_type",
	[CEL_QUANTITY] = "kubernetes.Quantity",
	[CEL_IP] = "net.IP",
	[CEL_CIDR] = "net.CIDR",
	[CEL_URL] = "kubernetes.URL",
	[CEL_SEMVER] = "kubernetes.Semver",
	[CEL_FORMAT] = "kubernetes.NamedFormat",
	[CEL_PARAM] = "_var",
};

const CelType *cel_type(CelKind kind)
{
	return &simple[kind];
}

const char *cel_type_name(const CelType *type)
{
	return type->name ? type->name : names[type->kind];
}

const CelType *cel_type_named(const char *name)
{
	for (CelKind kind = CEL_NULL; kind < CEL_PARAM; kind++)
		if (kind != CEL_OBJECT && strcmp(names[kind], name) == 0)
			return &simple[kind];
	return NULL;
}

CelType *cel_type_make(Arena *arena, CelKind kind, const CelType *first, const CelType *second)
{
	CelType *type = arena_alloc(arena, sizeof(*type));
	type->kind = kind;
	type->first = first;
	type->second = second;
	return type;
}

const CelType *cel_type_list(CelEnv *env, const CelType *items)
{
	return cel_type_make(env->arena, CEL_LIST, items, NULL);
}

const CelType *cel_type_list_set(CelEnv *env, const CelType *items)
{
	CelType *type = cel_type_make(env->arena, CEL_LIST, items, NULL);
	type->is_set = true;
	return type;
}

const CelType *cel_type_list_map(CelEnv *env, const CelType *items, const json_t *keys)
{
	size_t count = json_array_size(keys);
	CelType *type = cel_type_make(env->arena, CEL_LIST, items, NULL);
	const char **copies = arena_alloc(env->arena, (count + 1) * sizeof(*copies));
	for (size_t i = 0; i < count; i++) {
		const char *name = json_string_value(json_array_get(keys, i));
		if (name)
			copies[type->key_count++] = arena_strdup(env->arena, name);
	}
	type->keys = copies;
	return type;
}

const CelType *cel_type_optional(CelEnv *env, const CelType *type)
{
	return cel_type_make(env->arena, CEL_OPTIONAL, type, NULL);
}

const CelType *cel_type_sized(CelEnv *env, const CelType *type, uint64_t max)
{
	if (!(env->flags & CEL_COSTS))
		return type;
	CelType *sized = arena_alloc(env->arena, sizeof(*sized));
	*sized = *type;
	sized->max_size = max;
	return sized;
}

const CelType *cel_type_map(CelEnv *env, const CelType *values)
{
	return cel_type_make(env->arena, CEL_MAP, cel_type(CEL_STRING), values);
}

static void free_map(void *map)
{
	map_free(map);
}

CelType *cel_type_object(CelEnv *env, const char *name)
{
	CelType *type = cel_type_make(env->arena, CEL_OBJECT, NULL, NULL);
	type->name = arena_strdup(env->arena, name);
	type->fields = map_new(NULL);
	arena_defer(env->arena, free_map, type->fields);
	return type;
}

void cel_type_add_field(CelEnv *env, CelType *object, const char *name, const char *member,
			const CelType *type)
{
	CelField *field = arena_alloc(env->arena, sizeof(*field));
	field->name = arena_strdup(env->arena, name);
	field->member = arena_strdup(env->arena, member);
	field->type = type;
	map_put(object->fields, name, field);
}

const CelField *cel_type_field(const CelType *type, const char *name)
{
	return type->fields ? map_get(type->fields, name) : NULL;
}

const CelField *cel_type_member(const CelType *type, const char *member)
{
	size_t at = 0;
	const char *name;
	void *value;
	while (type->fields && map_next(type->fields, &at, &name, &value))
		if (strcmp(((CelField *)value)->member, member) == 0)
			return value;
	return NULL;
}

static void write_type(const CelType *type, bool brief, Buf *out)
{
	if (type->kind == CEL_PARAM)
		buf_printf(out, "_var%u", type->param);
	else if (brief && type->kind == CEL_NULL)
		buf_puts(out, "null");
	else if (brief && (type->kind == CEL_TIMESTAMP || type->kind == CEL_DURATION))
		buf_puts(out, type->kind == CEL_TIMESTAMP ? "timestamp" : "duration");
	else
		buf_puts(out, cel_type_name(type));
	if (!type->first)
		return;
	buf_putc(out, '(');
	write_type(type->first, brief, out);
	if (type->second) {
		buf_puts(out, ", ");
		write_type(type->second, brief, out);
	}
	buf_putc(out, ')');
}

void cel_type_text(const CelType *type, Buf *out)
{
	write_type(type, true, out);
}

void cel_type_full_text(const CelType *type, Buf *out)
{
	write_type(type, false, out);
}

static bool same_or_none(const CelType *a, const CelType *b)
{
	return a == b || (a && b && cel_type_same(a, b));
}

bool cel_type_same(const CelType *a, const CelType *b)
{
	if (a == b)
		return true;
	if (a->kind != b->kind)
		return false;
	if (a->kind == CEL_PARAM)
		return a->param == b->param;
	if (a->kind == CEL_OBJECT)
		return strcmp(cel_type_name(a), cel_type_name(b)) == 0;
	return same_or_none(a->first, b->first) && same_or_none(a->second, b->second);
}
