/*
 * Runs merges for tests/differential/smd: JSON lines on stdin, one result line each on stdout.
 * In: {schema: FILE (an OpenAPI v3 document), name: DEFINITION, builtin, op: apply|update, manager,
 * apiVersion, subresource, force, now, live, object}. Out: {object, changed} or {error, code,
 * causes}.
 */
#include <stdio.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"
#include "smd/smd.h"

static const char *text_of(const json_t *line, const char *key)
{
	return json_string_value(json_object_get(line, key));
}

static void free_schema(void *schema)
{
	smd_schema_free(schema);
}

static SmdSchema *schema_load(const char *file, const char *name, bool builtin, Error *err)
{
	json_error_t at;
	autojson json_t *document = json_load_file(file, 0, &at);
	if (!document)
		return err_null(err, ERR_INVALID, "%s:%d: %s", file, at.line, at.text);
	json_t *components = json_object_get(document, "components");
	json_t *schemas = json_object_get(components, "schemas");
	json_t *root = json_object_get(schemas, name);
	return builtin ? smd_schema_new_builtin(root, schemas, err)
		       : smd_schema_new(root, schemas, err);
}

/* NULL with err unset when the line asks for no schema. */
static SmdSchema *schema_of(Map *schemas, const json_t *line, Error *err)
{
	const char *file = text_of(line, "schema");
	const char *name = text_of(line, "name");
	if (!file || !name)
		return NULL;
	autofree char *key = mem_printf("%s#%s", file, name);
	SmdSchema *schema = map_get(schemas, key);
	if (schema)
		return schema;
	bool builtin = json_is_true(json_object_get(line, "builtin"));
	schema = schema_load(file, name, builtin, err);
	if (schema)
		map_put(schemas, key, schema);
	return schema;
}

static json_t *run(Map *schemas, const json_t *line)
{
	autoerror Error err = {0};
	SmdResult result = {0};
	json_t *causes = NULL;
	SmdRequest request = {
		.manager = text_of(line, "manager"),
		.api_version = text_of(line, "apiVersion"),
		.subresource = text_of(line, "subresource"),
		.force = json_is_true(json_object_get(line, "force")),
		.now = text_of(line, "now"),
	};
	const json_t *live = json_object_get(line, "live");
	const json_t *object = json_object_get(line, "object");
	if (json_is_null(live))
		live = NULL;
	const SmdSchema *schema = schema_of(schemas, line, &err);
	bool ok = !err_is_set(&err);
	if (ok && cstr_eq(text_of(line, "op"), "apply"))
		ok = smd_apply(schema, live, object, &request, &result, &causes, &err);
	else if (ok)
		ok = smd_update(schema, live, object, &request, &result, &err);
	if (ok)
		return json_pack("{s:o,s:b}", "object", result.object, "changed", result.changed);
	return json_pack("{s:s,s:s,s:o*}", "error", err_text(&err), "code", err_code_name(err.code),
			 "causes", causes);
}

int main(void)
{
	automap Map *schemas = map_new(free_schema);
	json_error_t at;
	for (;;) {
		autojson json_t *line = json_loadf(stdin, JSON_DISABLE_EOF_CHECK, &at);
		if (!line)
			return 0;
		autojson json_t *result = run(schemas, line);
		json_dumpf(result, stdout, JSON_COMPACT);
		putchar('\n');
		fflush(stdout);
	}
}
