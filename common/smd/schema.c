/*
 * OpenAPI v3 schemas as compact, immutable types. Named definitions are built once each and may
 * refer to themselves; everything lives in the schema's arena and may be read by any thread.
 */
#include <stdlib.h>

#include "base/map.h"
#include "smd/smd_internal.h"

/* ObjectMeta's merge rules, for CRDs that leave metadata open and documents without definitions. */
#define OBJECT_META "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
static const char object_meta_text[] =
	"{\"type\":\"object\",\"properties\":{"
	"\"annotations\":{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}},"
	"\"creationTimestamp\":{\"type\":\"string\",\"format\":\"date-time\"},"
	"\"deletionGracePeriodSeconds\":{\"type\":\"integer\"},"
	"\"deletionTimestamp\":{\"type\":\"string\",\"format\":\"date-time\"},"
	"\"finalizers\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},"
	"\"x-kubernetes-list-type\":\"set\"},"
	"\"generateName\":{\"type\":\"string\"},\"generation\":{\"type\":\"integer\"},"
	"\"labels\":{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}},"
	"\"managedFields\":{\"type\":\"array\",\"items\":{\"type\":\"object\"}},"
	"\"name\":{\"type\":\"string\"},\"namespace\":{\"type\":\"string\"},"
	"\"ownerReferences\":{\"type\":\"array\",\"x-kubernetes-list-type\":\"map\","
	"\"x-kubernetes-list-map-keys\":[\"uid\"],\"items\":{\"type\":\"object\","
	"\"x-kubernetes-map-type\":\"atomic\",\"properties\":{"
	"\"apiVersion\":{\"type\":\"string\",\"default\":\"\"},"
	"\"blockOwnerDeletion\":{\"type\":\"boolean\"},\"controller\":{\"type\":\"boolean\"},"
	"\"kind\":{\"type\":\"string\",\"default\":\"\"},"
	"\"name\":{\"type\":\"string\",\"default\":\"\"},"
	"\"uid\":{\"type\":\"string\",\"default\":\"\"}}}},"
	"\"resourceVersion\":{\"type\":\"string\"},\"selfLink\":{\"type\":\"string\"},"
	"\"uid\":{\"type\":\"string\"}}}";

static const MapType untyped_map = {.atomic = true, .values = {.type = &smd_type_untyped}};
static const ListType untyped_list = {.atomic = true, .items = {.type = &smd_type_untyped}};
static const MapType deduced_map = {.values = {.type = &smd_type_deduced}};
const SmdType smd_type_untyped = {SCALAR_ANY, &untyped_list, &untyped_map, false};
const SmdType smd_type_deduced = {SCALAR_ANY, &untyped_list, &deduced_map, false};
static const SmdType any_scalar = {.scalar = SCALAR_ANY};
static const SmdType string_scalar = {.scalar = SCALAR_STRING};

typedef struct {
	Arena *arena;
	const json_t *definitions;
	Map *named; /* SmdType by definition name, borrowed from the arena */
	json_t *object_meta;
	Error *err;
} Builder;

/* Flags that an inline schema hands to those below it. */
typedef struct {
	bool preserve; /* x-kubernetes-preserve-unknown-fields seen above */
	size_t depth;
} Scope;

static TypeRef build_ref(Builder *builder, const json_t *schema, Scope scope);
static bool build_type(Builder *builder, const json_t *schema, Scope scope, SmdType *out);

static bool flag(const json_t *schema, const char *key)
{
	return json_is_true(json_object_get(schema, key));
}

static const char *text_of(const json_t *schema, const char *key)
{
	const char *text = json_string_value(json_object_get(schema, key));
	return text ? text : "";
}

/* The definition name that a $ref, or an allOf around a single one, ends in; "" for none. */
static const char *ref_name(const json_t *schema)
{
	const char *ref = text_of(schema, "$ref");
	const json_t *all = json_object_get(schema, "allOf");
	if (!*ref && json_array_size(all) == 1)
		ref = text_of(json_array_get(all, 0), "$ref");
	const char *slash = strrchr(ref, '/');
	return slash ? slash + 1 : ref;
}

/* --- lists --- */

static bool read_keys(Builder *builder, const json_t *keys, ListType *list)
{
	size_t count = json_array_size(keys);
	if (!count)
		return err_set(builder->err, ERR_INVALID, "list of type map has no map keys");
	list->keys = arena_alloc(builder->arena, count * sizeof(*list->keys));
	for (size_t i = 0; i < count; i++) {
		const char *key = json_string_value(json_array_get(keys, i));
		if (!key)
			return err_set(builder->err, ERR_INVALID, "list map key is no string");
		list->keys[list->key_count++] = arena_strdup(builder->arena, key);
	}
	return true;
}

/* Older schemas say it with the strategic merge extensions. */
static bool read_patch_strategy(Builder *builder, const json_t *schema, ListType *list)
{
	const char *strategy = text_of(schema, "x-kubernetes-patch-strategy");
	list->atomic = !cstr_starts(strategy, "merge");
	const json_t *key = json_object_get(schema, "x-kubernetes-patch-merge-key");
	if (list->atomic || !key)
		return true;
	autojson json_t *keys = json_array();
	json_array_append(keys, smd_readable(key));
	return read_keys(builder, keys, list);
}

static bool read_list_type(Builder *builder, const json_t *schema, ListType *list)
{
	const char *type = text_of(schema, "x-kubernetes-list-type");
	if (!*type)
		return read_patch_strategy(builder, schema, list);
	list->atomic = cstr_eq(type, "atomic");
	if (list->atomic || cstr_eq(type, "set"))
		return true;
	if (!cstr_eq(type, "map"))
		return err_set(builder->err, ERR_INVALID, "unknown list type %.32s", type);
	return read_keys(builder, json_object_get(schema, "x-kubernetes-list-map-keys"), list);
}

static bool build_list(Builder *builder, const json_t *schema, Scope scope, SmdType *out)
{
	ListType *list = arena_alloc(builder->arena, sizeof(*list));
	if (!read_list_type(builder, schema, list))
		return false;
	const json_t *items = json_object_get(schema, "items");
	list->items =
		items ? build_ref(builder, items, scope) : (TypeRef){.type = &smd_type_untyped};
	out->list = list;
	return list->items.type != NULL;
}

/* --- maps --- */

static int field_compare(const void *a, const void *b)
{
	return strcmp(((const StructField *)a)->name, ((const StructField *)b)->name);
}

static bool is_required(const json_t *schema, const char *name)
{
	const json_t *required = json_object_get(schema, "required");
	for (size_t i = 0; i < json_array_size(required); i++) {
		if (cstr_eq(json_string_value(json_array_get(required, i)), name))
			return true;
	}
	return false;
}

/* An embedded object has type and object metadata whatever the CRD says of them. */
static bool add_embedded(Builder *builder, Scope scope, MapType *map)
{
	static const char *const names[] = {"apiVersion", "kind", "metadata"};
	for (size_t i = 0; i < COUNT(names); i++) {
		size_t at = 0;
		while (at < map->field_count && !cstr_eq(map->fields[at].name, names[i]))
			at++;
		map->field_count += at == map->field_count;
		StructField *field = &map->fields[at];
		*field = (StructField){.name = names[i], .type = {.type = &string_scalar}};
		if (i == 2)
			field->type = build_ref(builder, builder->object_meta, scope);
		if (!field->type.type)
			return false;
	}
	return true;
}

static bool build_fields(Builder *builder, const json_t *schema, Scope scope, MapType *map)
{
	const json_t *properties = json_object_get(schema, "properties");
	size_t room = json_object_size(properties) + 3; /* add_embedded */
	map->fields = arena_alloc(builder->arena, room * sizeof(*map->fields));
	const char *name;
	json_t *member;
	json_object_foreach(smd_readable(properties), name, member)
	{
		StructField *field = &map->fields[map->field_count++];
		json_t *fallback = json_object_get(member, "default");
		field->name = arena_strdup(builder->arena, name);
		field->type = build_ref(builder, member, scope);
		field->required = is_required(schema, name);
		field->fallback = smd_keep(builder->arena, json_deep_copy(fallback));
		if (!field->type.type)
			return err_wrap(builder->err, "%.64s", name);
	}
	if (flag(schema, "x-kubernetes-embedded-resource") && !add_embedded(builder, scope, map))
		return false;
	qsort(map->fields, map->field_count, sizeof(*map->fields), field_compare);
	return true;
}

/* What keys may hold that are no field: additionalProperties, or anything in an open object. */
static bool build_values(Builder *builder, const json_t *schema, Scope scope, MapType *map)
{
	const json_t *additional = json_object_get(schema, "additionalProperties");
	bool open = scope.preserve || json_object_size(json_object_get(schema, "properties")) == 0;
	if (additional ? json_is_true(additional) : open)
		map->values.type = &smd_type_deduced;
	if (!json_is_object(additional))
		return true;
	map->values = build_ref(builder, additional, scope);
	return map->values.type != NULL;
}

static bool build_map(Builder *builder, const json_t *schema, Scope scope, SmdType *out)
{
	const char *type = text_of(schema, "x-kubernetes-map-type");
	if (*type && !cstr_eq(type, "atomic") && !cstr_eq(type, "granular"))
		return err_set(builder->err, ERR_INVALID, "unknown map type %.32s", type);
	MapType *map = arena_alloc(builder->arena, sizeof(*map));
	map->atomic = cstr_eq(type, "atomic");
	out->map = map;
	return build_fields(builder, schema, scope, map) &&
	       build_values(builder, schema, scope, map);
}

/* --- types --- */

typedef struct {
	const char *name;
	Scalar scalar;
} ScalarName;

static const ScalarName scalars[] = {
	{"integer", SCALAR_NUMERIC},
	{"number", SCALAR_NUMERIC},
	{"boolean", SCALAR_BOOLEAN},
	{"string", SCALAR_STRING},
};

static bool build_scalar(Builder *builder, const json_t *schema, const char *type, SmdType *out)
{
	for (size_t i = 0; i < COUNT(scalars); i++) {
		if (!cstr_eq(scalars[i].name, type))
			continue;
		const char *format = text_of(schema, "format");
		bool formatted =
			scalars[i].scalar == SCALAR_STRING && *format && !cstr_eq(format, "byte");
		out->scalar = formatted ? SCALAR_ANY : scalars[i].scalar;
		return true;
	}
	return err_set(builder->err, ERR_INVALID, "unknown type %.32s", type);
}

static bool build_type(Builder *builder, const json_t *schema, Scope scope, SmdType *out)
{
	if (++scope.depth > SMD_MAX_SCHEMA_DEPTH)
		return err_set(builder->err, ERR_LIMIT, "schema is nested too deeply");
	scope.preserve |= flag(schema, "x-kubernetes-preserve-unknown-fields");
	const char *type = text_of(schema, "type");
	if (cstr_eq(type, "object"))
		return build_map(builder, schema, scope, out);
	if (cstr_eq(type, "array"))
		return build_list(builder, schema, scope, out);
	if (*type)
		return build_scalar(builder, schema, type, out);
	out->scalar = SCALAR_ANY; /* no type: anything, as int-or-string has it */
	return build_list(builder, schema, scope, out) && build_map(builder, schema, scope, out);
}

static const json_t *find_definition(const Builder *builder, const char *name)
{
	const json_t *found = json_object_get(builder->definitions, name);
	if (!found && cstr_eq(name, OBJECT_META))
		return builder->object_meta;
	return found;
}

/* Types whose Go form marshals itself, so that their schema says too little. */
static const SmdType *special_type(const char *name)
{
	if (cstr_eq(name, "io.k8s.apimachinery.pkg.api.resource.Quantity"))
		return &any_scalar;
	if (cstr_eq(name, "io.k8s.apimachinery.pkg.runtime.RawExtension"))
		return &smd_type_untyped;
	return NULL;
}

/* A definition is entered before it is built, so that it may refer to itself. */
static const SmdType *named_type(Builder *builder, const char *name, size_t depth)
{
	const SmdType *type = special_type(name);
	if (!type)
		type = map_get(builder->named, name);
	if (type)
		return type;
	const json_t *definition = find_definition(builder, name);
	if (!definition)
		return err_null(builder->err, ERR_INVALID, "no definition %.128s", name);
	if (depth > SMD_MAX_SCHEMA_DEPTH)
		return err_null(builder->err, ERR_LIMIT, "schema is nested too deeply");
	if (*ref_name(definition) && !json_object_get(definition, "type"))
		return named_type(builder, ref_name(definition), depth + 1);
	SmdType *built = arena_alloc(builder->arena, sizeof(*built));
	map_put(builder->named, name, built);
	if (!build_type(builder, definition, (Scope){.depth = depth}, built))
		return err_wrap_null(builder->err, "%.128s", name);
	return built;
}

static TypeRef build_ref(Builder *builder, const json_t *schema, Scope scope)
{
	TypeRef none = {0};
	const char *name = ref_name(schema);
	if (*name) {
		const char *map_type = text_of(schema, "x-kubernetes-map-type");
		return (TypeRef){.type = named_type(builder, name, scope.depth + 1),
				 .overridden = *map_type != '\0',
				 .atomic = cstr_eq(map_type, "atomic")};
	}
	SmdType *type = arena_alloc(builder->arena, sizeof(*type));
	type->inlined = true;
	return build_type(builder, schema, scope, type) ? (TypeRef){.type = type} : none;
}

/* --- the zero struct --- */

static bool is_zero_scalar(const json_t *value)
{
	return json_is_false(value) || (json_is_string(value) && !json_string_length(value)) ||
	       (json_is_number(value) && json_number_value(value) == 0.0);
}

/* By-value members are those with `default: {}`, members without omitempty those required. */
static json_t *zero_of(TypeRef ref, size_t depth)
{
	Atom atom = smd_resolve(ref);
	json_t *out = json_object();
	for (size_t i = 0; atom.map && depth && i < atom.map->field_count; i++) {
		const StructField *field = &atom.map->fields[i];
		const json_t *fallback = field->fallback;
		if (json_is_object(fallback))
			json_object_set_new(out, field->name, zero_of(field->type, depth - 1));
		else if (is_zero_scalar(fallback))
			json_object_set_new(out, field->name, json_deep_copy(fallback));
		else if (field->required)
			json_object_set_new(out, field->name, json_null());
	}
	return out;
}

/* --- public --- */

/* CRDs leave metadata open or out; the API server closes it. */
static json_t *with_object_meta(const json_t *openapi)
{
	if (!json_object_size(json_object_get(openapi, "properties")))
		return json_incref(smd_readable(openapi));
	json_t *copy = json_copy(smd_readable(openapi));
	const json_t *metadata = json_object_get(json_object_get(copy, "properties"), "metadata");
	bool closed =
		*ref_name(metadata) || json_object_size(json_object_get(metadata, "properties"));
	if (!closed || !metadata)
		json_object_set_new(copy, "x-kubernetes-embedded-resource", json_true());
	return copy;
}

static SmdSchema *schema_build(const json_t *openapi, const json_t *definitions, Error *err)
{
	autoarena Arena *arena = arena_new();
	automap Map *named = map_new(NULL);
	autojson json_t *object_meta = json_loads(object_meta_text, 0, NULL);
	Builder builder = {arena, definitions, named, object_meta, err};
	const char *name = ref_name(openapi);
	if (*name)
		openapi = find_definition(&builder, name);
	if (!json_is_object(openapi))
		return err_null(err, ERR_INVALID, "schema is no object");
	autojson json_t *whole = with_object_meta(openapi);
	TypeRef root = build_ref(&builder, whole, (Scope){0});
	if (!root.type)
		return err_wrap_null(err, "schema");
	SmdSchema *schema = mem_zalloc(1, sizeof(*schema));
	schema->root = root;
	schema->arena = steal(&arena);
	return schema;
}

SmdSchema *smd_schema_new(const json_t *openapi, const json_t *definitions, Error *err)
{
	SmdSchema *schema = schema_build(openapi, definitions, err);
	if (schema)
		schema->zero = smd_keep(schema->arena, json_object());
	return schema;
}

SmdSchema *smd_schema_new_builtin(const json_t *openapi, const json_t *definitions, Error *err)
{
	enum { ZERO_DEPTH = 16 };
	SmdSchema *schema = schema_build(openapi, definitions, err);
	if (!schema)
		return NULL;
	schema->builtin = true;
	schema->zero = smd_keep(schema->arena, zero_of(schema->root, ZERO_DEPTH));
	return schema;
}

void smd_schema_free(SmdSchema *schema)
{
	if (!schema)
		return;
	arena_free(schema->arena);
	free(schema);
}
