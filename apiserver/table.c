/*
 * Tables. A column of a built-in kind is a row with a function or a JSONPath; custom kinds bring
 * theirs. Kinds without rows have Name and Age.
 */
#include "table.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/jsonpath.h"
#include "object.h"
#include "table_cells.h"

char *table_age(const char *time, int64_t now_ms)
{
	int64_t then;
	if (!time || !clock_parse(time, &then))
		return mem_strdup("<unknown>");
	int64_t s = (now_ms - then) / 1000;
	if (s < -1)
		return mem_strdup("<invalid>");
	if (s < 120)
		return mem_printf("%llds", (long long)(s < 0 ? 0 : s));
	int64_t m = s / 60, h = s / 3600, d = s / 86400;
	if (m < 10)
		return s % 60 ? mem_printf("%lldm%llds", (long long)m, (long long)(s % 60))
			      : mem_printf("%lldm", (long long)m);
	if (h < 3)
		return mem_printf("%lldm", (long long)m);
	if (h < 8)
		return m % 60 ? mem_printf("%lldh%lldm", (long long)h, (long long)(m % 60))
			      : mem_printf("%lldh", (long long)h);
	if (h < 48)
		return mem_printf("%lldh", (long long)h);
	if (d < 8)
		return h % 24 ? mem_printf("%lldd%lldh", (long long)d, (long long)(h % 24))
			      : mem_printf("%lldd", (long long)d);
	if (d < 730)
		return mem_printf("%lldd", (long long)d);
	int64_t y = d / 365;
	if (y < 8 && d % 365)
		return mem_printf("%lldy%lldd", (long long)y, (long long)(d % 365));
	return mem_printf("%lldy", (long long)y);
}

static json_t *column(const char *name, const char *type, const char *format,
		      const char *description, int64_t priority)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:I}", "name", name, "type", type, "format", format,
			 "description", description, "priority", (json_int_t)priority);
}

static json_t *custom_columns(const Resource *resource)
{
	json_t *list = json_pack("[o]", column("Name", "string", "name", "Name of the object.", 0));
	if (!resource->columns) {
		json_array_append_new(list, column("Age", "date", "", "Time since creation.", 0));
		return list;
	}
	for (size_t i = 0; i < json_array_size(resource->columns); i++) {
		const json_t *item = json_array_get(resource->columns, i);
		json_array_append_new(list, column(json_text_or(item, "name", ""),
						   json_text_or(item, "type", "string"),
						   json_text_or(item, "format", ""),
						   json_text_or(item, "description", ""),
						   json_int(item, "priority", 0)));
	}
	return list;
}

json_t *table_columns(const Resource *resource)
{
	if (resource_has(resource, KIND_CUSTOM))
		return custom_columns(resource);
	size_t count = 0;
	const Column *columns = table_builtin_columns(resource->key, &count);
	json_t *list = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(
			list, column(columns[i].name, columns[i].type,
				     i == 0 && strcmp(columns[i].name, "Name") == 0 ? "name" : "",
				     columns[i].name, columns[i].priority));
	return list;
}

/* One cell by JSONPath, with the column's type. Missing is null. */
static json_t *path_cell(const char *path, const char *type, const json_t *object)
{
	autoerror Error ignored = {0};
	autojsonpath JsonPath *compiled = jsonpath_new(path, &ignored);
	autojson json_t *found = compiled ? jsonpath_find(compiled, object) : NULL;
	json_t *value = json_array_get(found, 0);
	if (!value || json_is_null(value))
		return json_null();
	if (strcmp(type, "date") == 0) {
		autofree char *age = table_age(json_string_value(value), clock_wall_ms());
		return json_string(age);
	}
	bool text = strcmp(type, "string") == 0;
	if (!text || json_is_string(value))
		return json_incref(value);
	autofree char *shown = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
	return json_string(shown);
}

static json_t *custom_cells(const Resource *resource, const json_t *object)
{
	json_t *cells = json_pack("[s]", object_name(object));
	if (!resource->columns) {
		autofree char *age =
			table_age(object_meta(object, "creationTimestamp"), clock_wall_ms());
		json_array_append_new(cells, json_string(age));
		return cells;
	}
	for (size_t i = 0; i < json_array_size(resource->columns); i++) {
		const json_t *item = json_array_get(resource->columns, i);
		json_array_append_new(cells,
				      path_cell(json_text_or(item, "jsonPath", ""),
						json_text_or(item, "type", "string"), object));
	}
	return cells;
}

json_t *table_cells(const Resource *resource, const json_t *object)
{
	if (resource_has(resource, KIND_CUSTOM))
		return custom_cells(resource, object);
	size_t count = 0;
	const Column *columns = table_builtin_columns(resource->key, &count);
	json_t *cells = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(cells, columns[i].cell(object));
	return cells;
}
