/*
 * Values: made from JSON as they are looked at, lists and maps that grow in the arena of the run.
 * Memory is counted: past its limit the run stops.
 */
#include <stdarg.h>
#include <string.h>

#include "base/mem.h"
#include "cel/cel_internal.h"
#include "data/base64.h"

enum { INDEXED_MAP_MIN = 9 };

bool cel_is_error(const CelValue *value)
{
	return value->kind == CEL_ERROR;
}

CelValue cel_error(CelRun *run, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	autofree char *text = mem_vprintf(format, args);
	va_end(args);
	return (CelValue){.kind = CEL_ERROR, .text = str_of(arena_strdup(run->arena, text))};
}

CelValue cel_no_overload(CelRun *run)
{
	return cel_error(run, "no such overload");
}

void *cel_alloc(CelRun *run, size_t size)
{
	if (run->stopped)
		return NULL;
	if (size > run->memory_max || arena_size(run->arena) > run->memory_max - size) {
		run->stopped = true;
		run->stop_text = "operation cancelled: memory limit exceeded";
		return NULL;
	}
	return arena_alloc(run->arena, size);
}

CelValue cel_text_value(CelRun *run, const char *text, size_t len)
{
	char *copy = cel_alloc(run, len + 1);
	if (!copy)
		return cel_error(run, "memory limit exceeded");
	if (len > 0)
		memcpy(copy, text, len);
	return (CelValue){.kind = CEL_STRING, .text = str_sized(copy, len)};
}

size_t cel_text_length(Str text)
{
	size_t count = 0;
	for (size_t i = 0; i < text.len; i++)
		count += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
	return count;
}

static CelValue list_of_json(CelRun *run, const json_t *json, const CelType *type)
{
	CelList *list = cel_alloc(run, sizeof(*list));
	if (!list)
		return cel_error(run, "memory limit exceeded");
	list->json = json;
	list->len = json_array_size(json);
	list->type = type;
	return (CelValue){.kind = CEL_LIST, .list = list};
}

static CelValue map_of_json(CelRun *run, const json_t *json, const CelType *type)
{
	CelMap *map = cel_alloc(run, sizeof(*map));
	if (!map)
		return cel_error(run, "memory limit exceeded");
	map->json = json_borrow(json);
	map->len = json_object_size(json);
	map->type = type;
	return (CelValue){.kind = type->kind == CEL_OBJECT ? CEL_OBJECT : CEL_MAP, .map = map};
}

/* A string that the schema's format makes something else (common/values.go). */
static CelValue value_of_text(CelRun *run, const json_t *json, const CelType *type)
{
	Str text = str_sized(json_string_value(json), json_string_length(json));
	CelValue value = {.kind = CEL_STRING, .text = text};
	if (type->kind == CEL_TIMESTAMP) {
		value.kind = CEL_TIMESTAMP;
		if (!cel_time_parse(text, &value.time))
			return cel_error(run, "invalid timestamp %.*s", (int)text.len, text.ptr);
	}
	if (type->kind == CEL_DURATION) {
		value.kind = CEL_DURATION;
		if (!cel_duration_parse(text, &value.integer))
			return cel_error(run, "invalid duration %.*s", (int)text.len, text.ptr);
	}
	if (type->kind == CEL_BYTES) {
		autobuf Buf bytes = {0};
		autoerror Error err = {0};
		if (!base64_decode(text.ptr, text.len, &bytes, &err))
			return cel_error(run, "invalid byte %.*s", (int)text.len, text.ptr);
		value = cel_text_value(run, buf_text(&bytes), bytes.len);
		value.kind = cel_is_error(&value) ? CEL_ERROR : CEL_BYTES;
	}
	return value;
}

CelValue cel_value_of_json(CelRun *run, const json_t *json, const CelType *type)
{
	switch (json_typeof(json)) {
	case JSON_OBJECT:
		return map_of_json(run, json,
				   type->kind == CEL_MAP || type->kind == CEL_OBJECT
					   ? type
					   : cel_type(CEL_MAP));
	case JSON_ARRAY:
		return list_of_json(run, json, type->kind == CEL_LIST ? type : cel_type(CEL_LIST));
	case JSON_STRING:
		return value_of_text(run, json, type);
	case JSON_INTEGER:
		return type->kind == CEL_DOUBLE ? cel_double((double)json_integer_value(json))
						: cel_int(json_integer_value(json));
	case JSON_REAL:
		return cel_double(json_real_value(json));
	case JSON_TRUE:
	case JSON_FALSE:
		return cel_bool(json_is_true(json));
	case JSON_NULL:
	default:
		return cel_null();
	}
}

CelValue cel_list_new(CelRun *run, size_t cap)
{
	CelList *list = cel_alloc(run, sizeof(*list));
	if (!list)
		return cel_error(run, "memory limit exceeded");
	list->type = cel_type(CEL_LIST);
	if (cap > 0)
		list->items = cel_alloc(run, cap * sizeof(*list->items));
	list->cap = list->items ? cap : 0;
	return (CelValue){.kind = CEL_LIST, .list = list};
}

bool cel_list_add(CelRun *run, CelList *list, CelValue item)
{
	if (list->len == list->cap) {
		size_t cap = list->cap ? list->cap * 2 : 4;
		CelValue *items = cel_alloc(run, cap * sizeof(*items));
		if (!items)
			return false;
		if (list->len > 0)
			memcpy(items, list->items, list->len * sizeof(*items));
		list->items = items;
		list->cap = cap;
	}
	list->items[list->len++] = item;
	return true;
}

CelValue cel_list_at(CelRun *run, const CelList *list, size_t index)
{
	if (!list->json)
		return list->items[index];
	return cel_value_of_json(run, json_array_get(list->json, index), list->type->first);
}

CelValue cel_map_new(CelRun *run)
{
	CelMap *map = cel_alloc(run, sizeof(*map));
	if (!map)
		return cel_error(run, "memory limit exceeded");
	map->type = cel_type(CEL_MAP);
	return (CelValue){.kind = CEL_MAP, .map = map};
}

static void map_index(CelMap *map, size_t entry)
{
	size_t at = cel_hash(&map->keys[entry]) & (map->slot_count - 1);
	while (map->slots[at])
		at = (at + 1) & (map->slot_count - 1);
	map->slots[at] = (uint32_t)entry + 1;
}

static bool map_grow(CelRun *run, CelMap *map)
{
	size_t cap = map->cap ? map->cap * 2 : 8;
	CelValue *keys = cel_alloc(run, cap * sizeof(*keys));
	CelValue *values = cel_alloc(run, cap * sizeof(*values));
	if (!keys || !values)
		return false;
	if (map->len > 0) {
		memcpy(keys, map->keys, map->len * sizeof(*keys));
		memcpy(values, map->values, map->len * sizeof(*values));
	}
	map->keys = keys;
	map->values = values;
	map->cap = cap;
	if (cap < INDEXED_MAP_MIN)
		return true;
	map->slots = cel_alloc(run, 2 * cap * sizeof(*map->slots));
	if (!map->slots)
		return false;
	map->slot_count = 2 * cap;
	for (size_t i = 0; i < map->len; i++)
		map_index(map, i);
	return true;
}

/* 1 finds 1u and 1.0, but is no key twice with them. */
static bool same_key(CelRun *run, const CelValue *a, const CelValue *b, bool exact)
{
	return (!exact || a->kind == b->kind) && cel_equal(run, a, b);
}

/* Index of a key among a map's own entries, or -1. */
static ptrdiff_t map_search(CelRun *run, const CelMap *map, const CelValue *key, bool exact)
{
	if (!map->slots) {
		for (size_t i = 0; i < map->len; i++)
			if (same_key(run, &map->keys[i], key, exact))
				return (ptrdiff_t)i;
		return -1;
	}
	for (size_t at = cel_hash(key) & (map->slot_count - 1); map->slots[at];
	     at = (at + 1) & (map->slot_count - 1))
		if (same_key(run, &map->keys[map->slots[at] - 1], key, exact))
			return (ptrdiff_t)map->slots[at] - 1;
	return -1;
}

bool cel_map_put(CelRun *run, CelMap *map, CelValue key, CelValue value)
{
	ptrdiff_t index = map_search(run, map, &key, true);
	if (index >= 0) {
		map->values[index] = value;
		return false;
	}
	if (map->len == map->cap && !map_grow(run, map))
		return true;
	map->keys[map->len] = key;
	map->values[map->len] = value;
	map->len++;
	if (map->slots)
		map_index(map, map->len - 1);
	return true;
}

static bool find_in_json(CelRun *run, const CelMap *map, CelValue key, CelValue *out)
{
	if (key.kind != CEL_STRING)
		return false;
	const json_t *found = NULL;
	const CelType *type = map->type->second;
	if (map->type->kind == CEL_OBJECT) {
		autofree char *name = str_dup(key.text);
		const CelField *field = cel_type_field(map->type, name);
		found = field ? json_object_get(map->json, field->member) : NULL;
		type = field ? field->type : NULL;
	} else {
		found = json_object_getn(map->json, key.text.ptr, key.text.len);
	}
	if (found)
		*out = cel_value_of_json(run, found, type);
	return found != NULL;
}

bool cel_map_find(CelRun *run, const CelMap *map, CelValue key, CelValue *out)
{
	if (map->json)
		return find_in_json(run, map, key, out);
	ptrdiff_t index = map_search(run, map, &key, false);
	if (index >= 0)
		*out = map->values[index];
	return index >= 0;
}

/* Entries of a JSON map are put into tables of its own when they are gone through. */
static void map_load(CelRun *run, CelMap *map)
{
	const char *key;
	json_t *member;
	if (!map->json || map->keys)
		return;
	size_t at = 0, count = map->len;
	map->keys = cel_alloc(run, (count + 1) * sizeof(*map->keys));
	map->values = cel_alloc(run, (count + 1) * sizeof(*map->values));
	if (!map->keys || !map->values) {
		map->len = 0;
		map->json = NULL;
		return;
	}
	json_object_foreach(map->json, key, member)
	{
		const CelField *field =
			map->type->kind == CEL_OBJECT ? cel_type_member(map->type, key) : NULL;
		if (map->type->kind == CEL_OBJECT && !field)
			continue;
		map->keys[at] =
			(CelValue){.kind = CEL_STRING, .text = str_of(field ? field->name : key)};
		map->values[at++] =
			cel_value_of_json(run, member, field ? field->type : map->type->second);
	}
	map->len = at;
}

CelValue cel_map_key(CelRun *run, const CelMap *map, size_t index)
{
	map_load(run, (CelMap *)(uintptr_t)map);
	return index < map->len ? map->keys[index] : cel_error(run, "memory limit exceeded");
}

CelValue cel_map_value(CelRun *run, const CelMap *map, size_t index)
{
	map_load(run, (CelMap *)(uintptr_t)map);
	return index < map->len ? map->values[index] : cel_error(run, "memory limit exceeded");
}

const CelType *cel_type_of(const CelValue *value)
{
	if (value->kind == CEL_OBJECT)
		return value->map->type;
	return cel_type(value->kind);
}
