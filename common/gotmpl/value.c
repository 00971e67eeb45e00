#include "gotmpl/value.h"

#include <string.h>

/*
 * Types are a table: their names, kinds and elements. Maps are arrays sorted by key, which is the
 * order that Go's templates range over them and print them.
 */

typedef struct {
	const char *name, *kind_name;
	GoKind kind;
	GoType element;
} TypeRow;

static const TypeRow types[GO_TYPE_COUNT] = {
	[GO_NIL] = {"<nil>", "invalid", GO_KIND_INVALID, GO_NIL},
	[GO_BOOL] = {"bool", "bool", GO_KIND_BOOL, GO_NIL},
	[GO_INT] = {"int", "int", GO_KIND_INT, GO_NIL},
	[GO_INT64] = {"int64", "int64", GO_KIND_INT, GO_NIL},
	[GO_UINT8] = {"uint8", "uint8", GO_KIND_UINT, GO_NIL},
	[GO_UINT32] = {"uint32", "uint32", GO_KIND_UINT, GO_NIL},
	[GO_UINT64] = {"uint64", "uint64", GO_KIND_UINT, GO_NIL},
	[GO_FLOAT64] = {"float64", "float64", GO_KIND_FLOAT, GO_NIL},
	[GO_COMPLEX128] = {"complex128", "complex128", GO_KIND_COMPLEX, GO_NIL},
	[GO_STRING] = {"string", "string", GO_KIND_STRING, GO_NIL},
	[GO_LIST] = {"[]interface {}", "slice", GO_KIND_SLICE, GO_NIL},
	[GO_STRINGS] = {"[]string", "slice", GO_KIND_SLICE, GO_STRING},
	[GO_INTS] = {"[]int", "slice", GO_KIND_SLICE, GO_INT},
	[GO_LISTS] = {"[][]interface {}", "slice", GO_KIND_SLICE, GO_LIST},
	[GO_BYTES] = {"[]uint8", "slice", GO_KIND_SLICE, GO_UINT8},
	[GO_VERSIONS] = {"common.VersionSet", "slice", GO_KIND_SLICE, GO_STRING},
	[GO_MAP] = {"map[string]interface {}", "map", GO_KIND_MAP, GO_NIL},
	[GO_STRING_MAP] = {"map[string]string", "map", GO_KIND_MAP, GO_STRING},
	[GO_VALUES] = {"common.Values", "map", GO_KIND_MAP, GO_NIL},
	[GO_FILES] = {"engine.files", "map", GO_KIND_MAP, GO_BYTES},
	[GO_TIME] = {"time.Time", "struct", GO_KIND_STRUCT, GO_NIL},
	[GO_STRUCT] = {"struct", "struct", GO_KIND_STRUCT, GO_NIL},
};

const char *go_type_name(GoValue value)
{
	return value.type == GO_STRUCT ? value.record->type->name : types[value.type].name;
}

const char *go_static_type(GoValue value)
{
	return value.boxed ? "interface {}" : go_type_name(value);
}

GoKind go_kind(GoValue value)
{
	if (value.type == GO_STRUCT && value.record->type->pointer)
		return GO_KIND_PTR;
	return types[value.type].kind;
}

const char *go_kind_name(GoValue value)
{
	return go_kind(value) == GO_KIND_PTR ? "ptr" : types[value.type].kind_name;
}

GoType go_element_type(GoType type)
{
	return types[type].element;
}

GoValue go_zero(GoType type)
{
	GoValue zero = {.type = type, .boxed = type == GO_NIL};
	if (type == GO_STRING || type == GO_BYTES)
		zero.text = STR("");
	return zero;
}

bool go_is_list(GoValue value)
{
	return types[value.type].kind == GO_KIND_SLICE;
}

bool go_is_map(GoValue value)
{
	return types[value.type].kind == GO_KIND_MAP;
}

GoList *go_list_new(Arena *arena, GoType type, size_t len)
{
	GoList *list = arena_alloc(arena, sizeof(*list));
	list->type = type;
	list->len = len;
	list->items = len ? arena_alloc(arena, len * sizeof(GoValue)) : NULL;
	return list;
}

GoValue go_list(GoList *list)
{
	return (GoValue){.type = list->type, .list = list};
}

static void load_list(Arena *arena, GoList *list)
{
	if (!list->source)
		return;
	size_t index;
	json_t *item;
	list->items = arena_alloc(arena, (list->len + 1) * sizeof(GoValue));
	json_array_foreach(json_borrow(list->source), index, item) list->items[index] =
		go_from_json(arena, item);
	list->source = NULL;
}

GoValue go_item(Arena *arena, GoValue list, size_t index)
{
	if (list.type == GO_BYTES || list.type == GO_STRING)
		return (GoValue){.type = GO_UINT8, .natural = (unsigned char)list.text.ptr[index]};
	load_list(arena, list.list);
	GoValue item = list.list->items[index];
	item.boxed = list.type == GO_LIST;
	return item;
}

size_t go_len(GoValue value)
{
	if (value.type == GO_STRING || value.type == GO_BYTES)
		return value.text.len;
	if (go_is_list(value))
		return value.list ? value.list->len : 0;
	if (!go_is_map(value) || !value.map)
		return 0;
	return value.map->source ? json_object_size(value.map->source) : value.map->len;
}

GoMap *go_map_new(Arena *arena, GoType type)
{
	GoMap *map = arena_alloc(arena, sizeof(*map));
	map->type = type;
	return map;
}

GoValue go_map(GoMap *map)
{
	return (GoValue){.type = map->type, .map = map};
}

int go_compare_str(Str a, Str b)
{
	int order = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);
	if (order != 0)
		return order;
	return a.len < b.len ? -1 : a.len > b.len;
}

/* Index of the key, or where it would stand. */
static bool find_member(const GoMap *map, Str key, size_t *at)
{
	size_t low = 0, high = map->len;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = go_compare_str(map->members[middle].key, key);
		if (order == 0) {
			*at = middle;
			return true;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*at = low;
	return false;
}

static int compare_members(const void *a, const void *b)
{
	return go_compare_str(((const GoMember *)a)->key, ((const GoMember *)b)->key);
}

void go_map_load(Arena *arena, GoMap *map)
{
	if (!map->source)
		return;
	json_t *source = json_borrow(map->source);
	map->source = NULL;
	map->cap = json_object_size(source);
	map->members = arena_alloc(arena, (map->cap + 1) * sizeof(GoMember));
	for (void *at = json_object_iter(source); at; at = json_object_iter_next(source, at)) {
		GoMember *member = &map->members[map->len++];
		member->key = str_sized(json_object_iter_key(at), json_object_iter_key_len(at));
		member->value = go_from_json(arena, json_object_iter_value(at));
	}
	qsort(map->members, map->len, sizeof(GoMember), compare_members);
}

bool go_map_get(Arena *arena, GoMap *map, Str key, GoValue *out)
{
	size_t at;
	if (!map)
		return false;
	go_map_load(arena, map);
	if (!find_member(map, key, &at))
		return false;
	*out = map->members[at].value;
	return true;
}

static void grow_map(Arena *arena, GoMap *map)
{
	if (map->len < map->cap)
		return;
	map->cap = map->cap ? map->cap * 2 : 4;
	GoMember *members = arena_alloc(arena, map->cap * sizeof(GoMember));
	if (map->len > 0)
		memcpy(members, map->members, map->len * sizeof(GoMember));
	map->members = members;
}

void go_map_put(Arena *arena, GoMap *map, Str key, GoValue value)
{
	size_t at;
	go_map_load(arena, map);
	value.boxed = false;
	if (find_member(map, key, &at)) {
		map->members[at].value = value;
		return;
	}
	grow_map(arena, map);
	memmove(&map->members[at + 1], &map->members[at], (map->len - at) * sizeof(GoMember));
	map->members[at] = (GoMember){key, value};
	map->len++;
}

void go_map_remove(Arena *arena, GoMap *map, Str key)
{
	size_t at;
	go_map_load(arena, map);
	if (!find_member(map, key, &at))
		return;
	memmove(&map->members[at], &map->members[at + 1], (map->len - at - 1) * sizeof(GoMember));
	map->len--;
}

static GoValue map_of_json(Arena *arena, const json_t *tree)
{
	GoMap *map = go_map_new(arena, GO_MAP);
	map->source = tree;
	return go_map(map);
}

static GoValue list_of_json(Arena *arena, const json_t *tree)
{
	GoList *list = go_list_new(arena, GO_LIST, 0);
	list->len = json_array_size(tree);
	list->source = tree;
	return go_list(list);
}

GoValue go_from_json(Arena *arena, const json_t *tree)
{
	if (!tree)
		return go_nil();
	switch (json_typeof(tree)) {
	case JSON_OBJECT:
		return map_of_json(arena, tree);
	case JSON_ARRAY:
		return list_of_json(arena, tree);
	case JSON_STRING:
		return go_text(str_sized(json_string_value(tree), json_string_length(tree)));
	case JSON_INTEGER:
		return go_int64(json_integer_value(tree));
	case JSON_REAL:
		return go_real(json_real_value(tree));
	case JSON_TRUE:
	case JSON_FALSE:
		return go_bool(json_is_true(tree));
	case JSON_NULL:
		break;
	}
	return go_nil();
}

static json_t *with_reals(json_t *tree)
{
	size_t index;
	json_t *item;
	const char *key;
	void *next;
	if (json_is_integer(tree))
		return json_real((double)json_integer_value(tree));
	if (json_is_array(tree)) {
		json_array_foreach(tree, index, item)
			json_array_set_new(tree, index, with_reals(item));
	} else if (json_is_object(tree)) {
		json_object_foreach_safe(tree, next, key, item)
			json_object_set_new_nocheck(tree, key, with_reals(item));
	}
	return json_incref(tree);
}

static void drop_json(void *tree)
{
	json_decref(tree);
}

GoValue go_from_json_reals(Arena *arena, json_t *tree)
{
	json_t *reals = with_reals(tree);
	arena_defer(arena, drop_json, reals);
	return go_from_json(arena, reals);
}

bool go_truth(GoValue value)
{
	switch (types[value.type].kind) {
	case GO_KIND_INVALID:
		return false;
	case GO_KIND_BOOL:
		return value.flag;
	case GO_KIND_INT:
		return value.integer != 0;
	case GO_KIND_UINT:
		return value.natural != 0;
	case GO_KIND_FLOAT:
		return value.real < 0 || value.real > 0 || value.real != value.real;
	case GO_KIND_COMPLEX:
		return value.complex[0] < 0 || value.complex[0] > 0 || value.complex[1] < 0 ||
		       value.complex[1] > 0;
	case GO_KIND_STRING:
	case GO_KIND_SLICE:
	case GO_KIND_MAP:
		return go_len(value) > 0;
	case GO_KIND_STRUCT:
	case GO_KIND_PTR:
		return true;
	}
	return false;
}

static bool lists_equal(Arena *arena, GoValue a, GoValue b)
{
	if (a.type == GO_BYTES)
		return str_eq(a.text, b.text);
	if (a.list == b.list)
		return true;
	if (!a.list != !b.list || a.list->len != b.list->len)
		return false;
	for (size_t i = 0; i < a.list->len; i++)
		if (!go_deep_equal(arena, go_item(arena, a, i), go_item(arena, b, i)))
			return false;
	return true;
}

static bool maps_equal(Arena *arena, GoMap *a, GoMap *b)
{
	if (a == b)
		return true;
	if (!a != !b)
		return false;
	go_map_load(arena, a);
	go_map_load(arena, b);
	if (a->len != b->len)
		return false;
	for (size_t i = 0; i < a->len; i++) {
		if (!str_eq(a->members[i].key, b->members[i].key) ||
		    !go_deep_equal(arena, a->members[i].value, b->members[i].value))
			return false;
	}
	return true;
}

static bool records_equal(Arena *arena, const GoStruct *a, const GoStruct *b)
{
	if (a == b)
		return true;
	if (a->type != b->type)
		return false;
	for (size_t i = 0; a->type->fields && a->type->fields[i]; i++)
		if (!go_deep_equal(arena, a->fields[i], b->fields[i]))
			return false;
	return true;
}

static bool doubles_equal(double a, double b)
{
	return a <= b && a >= b;
}

static bool scalars_equal(GoValue a, GoValue b)
{
	switch (types[a.type].kind) {
	case GO_KIND_BOOL:
		return a.flag == b.flag;
	case GO_KIND_INT:
		return a.integer == b.integer;
	case GO_KIND_UINT:
		return a.natural == b.natural;
	case GO_KIND_FLOAT:
		return doubles_equal(a.real, b.real);
	case GO_KIND_COMPLEX:
		return doubles_equal(a.complex[0], b.complex[0]) &&
		       doubles_equal(a.complex[1], b.complex[1]);
	case GO_KIND_STRING:
		return str_eq(a.text, b.text);
	case GO_KIND_INVALID:
	case GO_KIND_SLICE:
	case GO_KIND_MAP:
	case GO_KIND_STRUCT:
	case GO_KIND_PTR:
		break;
	}
	return true;
}

bool go_deep_equal(Arena *arena, GoValue a, GoValue b)
{
	if (a.type != b.type)
		return false;
	if (go_is_list(a))
		return lists_equal(arena, a, b);
	if (go_is_map(a))
		return maps_equal(arena, a.map, b.map);
	if (a.type == GO_STRUCT)
		return records_equal(arena, a.record, b.record);
	if (a.type == GO_TIME)
		return a.time->seconds == b.time->seconds && a.time->nanos == b.time->nanos;
	return scalars_equal(a, b);
}

GoStruct *go_struct_new(Arena *arena, const GoStructType *type)
{
	size_t count = 0;
	while (type->fields && type->fields[count])
		count++;
	GoStruct *record = arena_alloc(arena, sizeof(*record));
	record->type = type;
	record->fields = arena_alloc(arena, (count + 1) * sizeof(GoValue));
	return record;
}

GoValue *go_struct_field(const GoStruct *record, Str name)
{
	for (size_t i = 0; record->type->fields && record->type->fields[i]; i++)
		if (str_eq(str_of(record->type->fields[i]), name))
			return &record->fields[i];
	return NULL;
}
