/*
 * Reads the rows of schema_table.inc. A row is
 *	NAME[#GROUP/VERSION/KIND][ATTRIBUTES]|FIELD:TYPE[ATTRIBUTES];...
 * with names' long prefixes shortened to ~ ^ %. TYPE is a letter (s string, i and l integers of 32
 * and 64 bits, n number, b boolean, q quantity, o int or string, t time, u micro time, y base64, j
 *anything, O any object),
 * @NAME a reference, [TYPE a list, {TYPE a map. ATTRIBUTES: !a atomic, !s set, !m=keys list map,
 * !p=strategy[,key] strategic merge, !d=JSON default, !r required, !z left out when zero. The rows
 *are ours, so a breach of the grammar is a bug and asserts.
 */
#include "schema_builtin.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"

static const char *const rows[] = {
#include "schema_table.inc"
};

static const struct {
	char mark;
	const char *prefix;
} prefixes[] = {
	{'~', "io.k8s.api."},
	{'^', "io.k8s.apimachinery.pkg.apis.meta.v1."},
	{'%', "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1."},
};

struct Definitions {
	pthread_mutex_t lock; /* guards made */
	Map *made;	      /* full name -> json_t */
};

static void decref(void *value)
{
	json_decref(value);
}

Definitions *definitions_new(void)
{
	Definitions *definitions = mem_zalloc(1, sizeof(*definitions));
	pthread_mutex_init(&definitions->lock, NULL);
	definitions->made = map_new(decref);
	return definitions;
}

void definitions_free(Definitions *definitions)
{
	map_free(definitions->made);
	pthread_mutex_destroy(&definitions->lock);
	free(definitions);
}

char *schema_long_name(Str name)
{
	for (size_t i = 0; name.len > 0 && i < COUNT(prefixes); i++)
		if (name.ptr[0] == prefixes[i].mark)
			return mem_printf("%s%.*s", prefixes[i].prefix, (int)name.len - 1,
					  name.ptr + 1);
	return str_dup(name);
}

static bool row_is(const char *row, const char *name)
{
	size_t len = strcspn(row, "#!|");
	autofree char *full = schema_long_name(str_sized(row, len));
	return strcmp(full, name) == 0;
}

static const char *row_find(const char *name)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		if (row_is(rows[i], name))
			return rows[i];
	return NULL;
}

/* The next character class of a type's text; `*at` moves behind the type. */
static json_t *parse_type(const char **at);

static const struct {
	char letter;
	const char *json;
} letters[] = {
	{'s', "{\"type\":\"string\"}"},
	{'i', "{\"type\":\"integer\",\"format\":\"int32\"}"},
	{'l', "{\"type\":\"integer\",\"format\":\"int64\"}"},
	{'n', "{\"type\":\"number\"}"},
	{'b', "{\"type\":\"boolean\"}"},
	{'q', "{\"type\":\"string\",\"format\":\"quantity\"}"},
	{'o', "{\"x-kubernetes-int-or-string\":true}"},
	{'t', "{\"type\":\"string\",\"format\":\"date-time\"}"},
	{'u', "{\"type\":\"string\",\"format\":\"micro-time\"}"},
	{'y', "{\"type\":\"string\",\"format\":\"byte\"}"},
	{'j', "{\"x-kubernetes-preserve-unknown-fields\":true}"},
	{'O', "{\"type\":\"object\",\"x-kubernetes-preserve-unknown-fields\":true}"},
};

static json_t *parse_letter(char letter)
{
	for (size_t i = 0; i < COUNT(letters); i++)
		if (letters[i].letter == letter)
			return json_loads(letters[i].json, 0, NULL);
	assert(false && "schema table: unknown type letter");
	return NULL;
}

json_t *schema_builtin_ref(const char *name)
{
	autofree char *ref = mem_printf("%s%s", SCHEMA_REF_PREFIX, name);
	return json_pack("{s:s}", "$ref", ref);
}

static json_t *parse_type(const char **at)
{
	char mark = *(*at)++;
	if (mark == '[')
		return json_pack("{s:s,s:o}", "type", "array", "items", parse_type(at));
	if (mark == '{')
		return json_pack("{s:s,s:o}", "type", "object", "additionalProperties",
				 parse_type(at));
	if (mark != '@')
		return parse_letter(mark);
	size_t len = strcspn(*at, "!;");
	autofree char *name = schema_long_name(str_sized(*at, len));
	*at += len;
	return schema_builtin_ref(name);
}

static json_t *parse_list(Str text)
{
	json_t *list = json_array();
	Str piece;
	while (str_next(&text, ',', &piece))
		json_array_append_new(list, json_stringn(piece.ptr, piece.len));
	return list;
}

static void attribute_patch(json_t *schema, Str value)
{
	/* "merge", "retainKeys", "replace", "merge,KEY", "merge,retainKeys,KEY" */
	autojson json_t *parts = parse_list(value);
	autobuf Buf strategy = {0};
	for (size_t i = 0; i < json_array_size(parts); i++) {
		const char *part = json_string_value(json_array_get(parts, i));
		bool known = strcmp(part, "merge") == 0 || strcmp(part, "retainKeys") == 0 ||
			     strcmp(part, "replace") == 0;
		if (known)
			buf_printf(&strategy, "%s%s", strategy.len ? "," : "", part);
		else
			json_put_text(schema, "x-kubernetes-patch-merge-key", part);
	}
	json_put_text(schema, "x-kubernetes-patch-strategy", buf_text(&strategy));
}

static void attribute_apply(json_t *schema, Str text, bool *out_required)
{
	bool list = cstr_eq(json_text(schema, "type"), "array");
	const char *type_key = list ? "x-kubernetes-list-type" : "x-kubernetes-map-type";
	Str value = str_slice(text, 2, text.len);
	switch (text.ptr[0]) {
	case 'a':
		json_put_text(schema, type_key, "atomic");
		break;
	case 's':
		json_put_text(schema, type_key, "set");
		break;
	case 'm':
		json_put_text(schema, type_key, "map");
		json_object_set_new(schema, "x-kubernetes-list-map-keys", parse_list(value));
		break;
	case 'p':
		attribute_patch(schema, value);
		break;
	case 'd':
		json_object_set_new(schema, "default",
				    json_loadb(value.ptr, value.len, JSON_DECODE_ANY, NULL));
		break;
	case 'r':
		*out_required = true;
		break;
	case 'z':
		json_object_set_new(schema, SCHEMA_OMIT_ZERO, json_true());
		break;
	default:
		assert(false && "schema table: unknown attribute");
	}
}

static void attributes_apply(json_t *schema, Str text, bool *out_required)
{
	Str piece;
	while (str_next(&text, '!', &piece))
		if (piece.len > 0)
			attribute_apply(schema, piece, out_required);
}

static void field_parse(json_t *schema, Str field)
{
	Str name, type;
	str_cut(field, ':', &name, &type);
	autofree char *key = str_dup(name);
	autofree char *text = str_dup(type);
	const char *at = text;
	json_t *node = parse_type(&at);
	bool required = false;
	attributes_apply(node, str_of(at), &required);
	json_object_set_new(json_make_at(schema, "properties", NULL), key, node);
	json_t *fallback = json_object_get(node, "default");
	if (fallback)
		json_object_set(json_make_at(schema, SCHEMA_DEFAULTED, NULL), key, fallback);
	if (!required)
		return;
	if (!json_list(schema, "required"))
		json_object_set_new(schema, "required", json_array());
	json_array_append_new(json_list(schema, "required"), json_string(key));
}

static void row_gvk(json_t *schema, Str gvk)
{
	Str group, version, rest;
	str_cut(gvk, '/', &group, &rest);
	str_cut(rest, '/', &version, &rest);
	json_t *entry = json_object();
	json_object_set_new(entry, "group", json_stringn(group.ptr, group.len));
	json_object_set_new(entry, "kind", json_stringn(rest.ptr, rest.len));
	json_object_set_new(entry, "version", json_stringn(version.ptr, version.len));
	json_object_set_new(schema, "x-kubernetes-group-version-kind", json_pack("[o]", entry));
}

static json_t *row_parse(const char *row)
{
	json_t *schema = json_pack("{s:s}", "type", "object");
	Str head, fields, before, attributes;
	str_cut(str_of(row), '|', &head, &fields);
	str_cut(head, '!', &before, &attributes);
	ptrdiff_t hash = str_find_char(before, '#');
	if (hash >= 0)
		row_gvk(schema, str_slice(before, (size_t)hash + 1, before.len));
	bool required = false;
	attributes_apply(schema, attributes, &required);
	json_make_at(schema, SCHEMA_DEFAULTED, NULL);
	Str field;
	while (str_next(&fields, ';', &field))
		field_parse(schema, field);
	return schema;
}

const json_t *definitions_get(Definitions *definitions, const char *name)
{
	pthread_mutex_lock(&definitions->lock);
	json_t *schema = map_get(definitions->made, name);
	const char *row = schema ? NULL : row_find(name);
	if (row) {
		schema = row_parse(row);
		map_put(definitions->made, name, schema);
	}
	pthread_mutex_unlock(&definitions->lock);
	return schema;
}

const char *schema_ref(const json_t *schema)
{
	const char *ref = json_text(schema, "$ref");
	if (!ref && json_array_size(json_list(schema, "allOf")) == 1)
		ref = json_text(json_array_get(json_list(schema, "allOf"), 0), "$ref");
	return ref && cstr_starts(ref, SCHEMA_REF_PREFIX) ? ref + strlen(SCHEMA_REF_PREFIX) : NULL;
}

const json_t *definitions_resolve(Definitions *definitions, const json_t *schema)
{
	/* A reference has no type of its own: one look for most nodes. */
	const char *name = json_object_get(schema, "type") ? NULL : schema_ref(schema);
	return name ? definitions_get(definitions, name) : schema;
}

static void closure_add(Definitions *definitions, const char *name, json_t *out);

static void closure_refs(Definitions *definitions, const json_t *node, json_t *out)
{
	const char *ref = schema_ref(node);
	if (ref) {
		closure_add(definitions, ref, out);
		return;
	}
	const char *key;
	json_t *child;
	json_t *members = json_map(node, "properties");
	json_object_foreach(members, key, child) closure_refs(definitions, child, out);
	if (json_map(node, "items"))
		closure_refs(definitions, json_map(node, "items"), out);
	if (json_map(node, "additionalProperties"))
		closure_refs(definitions, json_map(node, "additionalProperties"), out);
}

static void closure_add(Definitions *definitions, const char *name, json_t *out)
{
	if (json_object_get(out, name))
		return;
	const json_t *schema = definitions_get(definitions, name);
	if (!schema)
		return;
	/* The reference count is all that changes: definitions are read-only. */
	json_object_set(out, name, (json_t *)(uintptr_t)schema);
	closure_refs(definitions, schema, out);
}

json_t *definitions_closure(Definitions *definitions, const char *name)
{
	json_t *out = json_object();
	closure_add(definitions, name, out);
	return out;
}

char *schema_builtin_name(const char *group, const char *version, const char *kind)
{
	autofree char *gvk = mem_printf("#%s/%s/%s", group, version, kind);
	size_t len = strlen(gvk);
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t name_len = strcspn(rows[i], "#!|");
		const char *mark = rows[i] + name_len;
		if (strncmp(mark, gvk, len) == 0 && (mark[len] == '|' || mark[len] == '!'))
			return schema_long_name(str_sized(rows[i], name_len));
	}
	return NULL;
}

json_t *schema_with_metadata(const json_t *schema)
{
	json_t *copy = json_copy((json_t *)(uintptr_t)schema);
	json_t *properties = json_copy(json_map(schema, "properties"));
	if (!properties)
		properties = json_object();
	json_object_set_new(properties, "apiVersion", json_pack("{s:s}", "type", "string"));
	json_object_set_new(properties, "kind", json_pack("{s:s}", "type", "string"));
	json_object_set_new(properties, "metadata", schema_builtin_ref(SCHEMA_OBJECT_META));
	json_object_set_new(copy, "properties", properties);
	return copy;
}
