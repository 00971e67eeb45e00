#include "cel_types.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cel_costs.h"

char *cel_escape(const char *name)
{
	static const char *const words[] = {
		"true",	    "false",   "null",	    "in",	"as",  "break",	 "const",
		"continue", "else",    "for",	    "function", "if",  "import", "let",
		"loop",	    "package", "namespace", "return",	"var", "void",	 "while"};
	static const char special[] = ".-/";
	static const char *const spelled[] = {"__dot__", "__dash__", "__slash__"};
	autobuf Buf out = {0};
	if (!*name || isdigit((unsigned char)*name))
		return NULL;
	for (size_t i = 0; i < COUNT(words); i++)
		if (strcmp(words[i], name) == 0)
			return mem_printf("__%s__", name);
	for (const char *at = name; *at; at++) {
		const char *found = strchr(special, *at);
		if (at[0] == '_' && at[1] == '_') {
			buf_puts(&out, "__underscores__");
			at++;
		} else if (found) {
			buf_puts(&out, spelled[found - special]);
		} else if (isalnum((unsigned char)*at) || *at == '_') {
			buf_putc(&out, *at);
		} else {
			return NULL;
		}
	}
	return buf_steal(&out);
}

static const CelType *list_type(CelEnv *env, const json_t *schema, const char *name)
{
	const json_t *items = json_map(schema, "items");
	autofree char *item_name = mem_printf("%s.@elem", name);
	bool embedded = json_flag(items, "x-kubernetes-embedded-resource", false);
	const CelType *type = items ? cel_schema_type(env, items, item_name, embedded) : NULL;
	const char *kind = json_text_or(schema, "x-kubernetes-list-type", "");
	if (!type)
		return NULL;
	if (strcmp(kind, "set") == 0)
		return cel_type_list_set(env, type);
	if (strcmp(kind, "map") != 0)
		return cel_type_list(env, type);
	return cel_type_list_map(env, type, json_list(schema, "x-kubernetes-list-map-keys"));
}

static void add_property(CelEnv *env, CelType *object, const char *name, const char *key,
			 const json_t *property)
{
	autofree char *escaped = cel_escape(key);
	if (!escaped)
		return;
	autofree char *type_name = mem_printf("%s.%s", name, escaped);
	bool embedded = json_flag(property, "x-kubernetes-embedded-resource", false);
	const CelType *type = cel_schema_type(env, property, type_name, embedded);
	if (type)
		cel_type_add_field(env, object, escaped, key, type);
}

/* What a type declares nothing about is as large as a request allows. */
static const CelType *plain_text(CelEnv *env)
{
	autojson json_t *schema = json_pack("{s:s}", "type", "string");
	return cel_type_sized(env, cel_type(CEL_STRING), cel_schema_max_size(schema));
}

/* What every resource has, whatever its schema says. */
static void add_root(CelEnv *env, CelType *object, const char *name)
{
	autofree char *meta_name = mem_printf("%s.metadata", name);
	CelType *meta = cel_type_object(env, meta_name);
	const CelType *text = plain_text(env);
	cel_type_add_field(env, meta, "name", "name", text);
	cel_type_add_field(env, meta, "generateName", "generateName", text);
	cel_type_add_field(env, object, "apiVersion", "apiVersion", text);
	cel_type_add_field(env, object, "kind", "kind", text);
	cel_type_add_field(env, object, "metadata", "metadata", meta);
}

static const CelType *object_type(CelEnv *env, const json_t *schema, const char *name, bool root)
{
	const json_t *more = json_map(schema, "additionalProperties");
	if (more) {
		autofree char *value_name = mem_printf("%s.@elem", name);
		bool embedded = json_flag(more, "x-kubernetes-embedded-resource", false);
		const CelType *values = cel_schema_type(env, more, value_name, embedded);
		return values ? cel_type_map(env, values) : NULL;
	}
	CelType *object = cel_type_object(env, name);
	const char *key;
	json_t *property;
	json_object_foreach(json_map(schema, "properties"), key, property)
	{
		bool given = root && (strcmp(key, "metadata") == 0 || strcmp(key, "kind") == 0 ||
				      strcmp(key, "apiVersion") == 0);
		if (!given)
			add_property(env, object, name, key, property);
	}
	if (root)
		add_root(env, object, name);
	return object;
}

static const CelType *text_type(const json_t *schema)
{
	static const struct {
		const char *format;
		CelKind kind;
	} rows[] = {{"byte", CEL_BYTES},
		    {"duration", CEL_DURATION},
		    {"date", CEL_TIMESTAMP},
		    {"date-time", CEL_TIMESTAMP}};
	const char *format = json_text_or(schema, "format", "");
	for (size_t i = 0; i < COUNT(rows); i++)
		if (strcmp(rows[i].format, format) == 0)
			return cel_type(rows[i].kind);
	return cel_type(CEL_STRING);
}

static const CelType *unsized_type(CelEnv *env, const json_t *schema, const char *name, bool root)
{
	const char *type = json_text_or(schema, "type", "");
	if (json_flag(schema, "x-kubernetes-int-or-string", false))
		return cel_type(CEL_DYN);
	if (strcmp(type, "array") == 0)
		return list_type(env, schema, name);
	if (strcmp(type, "object") == 0)
		return object_type(env, schema, name, root);
	if (strcmp(type, "string") == 0)
		return text_type(schema);
	if (strcmp(type, "boolean") == 0)
		return cel_type(CEL_BOOL);
	if (strcmp(type, "number") == 0)
		return cel_type(CEL_DOUBLE);
	return strcmp(type, "integer") == 0 ? cel_type(CEL_INT) : NULL;
}

const CelType *cel_schema_type(CelEnv *env, const json_t *schema, const char *name, bool root)
{
	const CelType *type = unsized_type(env, schema, name, root);
	uint64_t size = type ? cel_schema_max_size(schema) : 0;
	return size > 0 ? cel_type_sized(env, type, size) : type;
}
