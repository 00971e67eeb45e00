/* Rendering. Stored trees are shared, so everything here copies what it changes. */
#include "view.h"

#include <string.h>

#include "convert.h"
#include "table.h"

json_t *view_version(const Resource *resource, json_t *object)
{
	if (resource->uniform || cstr_eq(json_text(object, "apiVersion"), resource->api_version))
		return json_incref(object);
	json_t *copy = json_copy(object);
	json_put_text(copy, "apiVersion", resource->api_version);
	convert_from_stored(resource, copy);
	return copy;
}

static json_t *partial(json_t *object)
{
	json_t *out = json_object();
	json_put_text(out, "kind", "PartialObjectMetadata");
	json_put_text(out, "apiVersion", "meta.k8s.io/v1");
	json_object_set(out, "metadata", json_map(object, "metadata"));
	return out;
}

json_t *view_item(const View *view, const Resource *resource, json_t *object)
{
	if (view->format == VIEW_PARTIAL)
		return partial(object);
	return view_version(resource, object);
}

bool view_is_stored(const View *view, const Resource *resource)
{
	return view->format == VIEW_PLAIN && resource->uniform;
}

json_t *view_object(const View *view, const Resource *resource, json_t *object)
{
	bool is_status = cstr_eq(json_text(object, "kind"), "Status");
	if (is_status || !resource)
		return json_incref(object);
	if (view->format != VIEW_TABLE)
		return view_item(view, resource, object);
	autojson json_t *list = json_pack("[O]", object);
	return view_table(view, resource, list, true, json_map(object, "metadata"));
}

static json_t *table_row(const View *view, const Resource *resource, json_t *object)
{
	json_t *row = json_object();
	json_object_set_new(row, "cells", table_cells(resource, object));
	if (view->table_objects)
		json_object_set_new(row, "object", view_version(resource, object));
	else if (!view->table_bare)
		json_object_set_new(row, "object", partial(object));
	return row;
}

json_t *view_table(const View *view, const Resource *resource, const json_t *objects,
		   bool with_columns, json_t *list_meta)
{
	json_t *table = json_object();
	json_put_text(table, "kind", "Table");
	json_put_text(table, "apiVersion", "meta.k8s.io/v1");
	json_t *meta = json_object();
	static const char *const kept[] = {"resourceVersion", "continue", "remainingItemCount"};
	for (size_t i = 0; i < COUNT(kept); i++)
		if (json_object_get(list_meta, kept[i]))
			json_object_set(meta, kept[i], json_object_get(list_meta, kept[i]));
	json_object_set_new(table, "metadata", meta);
	json_object_set_new(table, "columnDefinitions",
			    with_columns ? table_columns(resource) : json_null());
	json_t *rows = json_array();
	for (size_t i = 0; i < json_array_size(objects); i++)
		json_array_append_new(rows, table_row(view, resource, json_array_get(objects, i)));
	json_object_set_new(table, "rows", rows);
	return table;
}
