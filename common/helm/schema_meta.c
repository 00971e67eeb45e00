#include "base/mem.h"
#include "data/regex.h"
#include "helm/schema_internal.h"

/* A schema by its draft's metaschema, as far as a value's check depends on it: what keywords must
 * be, and that references lead somewhere. */

typedef enum {
	IS_SCHEMA,
	IS_MORE,    /* a schema, or a flag in any draft */
	IS_SCHEMAS, /* a list that is not empty */
	IS_SCHEMA_MAP,
	IS_ITEMS, /* a schema or a list of them */
	IS_NEEDS, /* a map of schemas or lists of texts */
	IS_TEXT,
	IS_PATTERN,
	IS_NUMBER,
	IS_COUNT,
	IS_FLAG,
	IS_TEXTS,
	IS_TYPES,
	IS_LIST,
	IS_REF,
} Shape;

typedef struct {
	const char *word;
	Shape shape;
	int from, to; /* drafts; 0: all */
} Keyword;

static const Keyword keywords[] = {
	{"$ref", IS_REF, 0, 0},
	{"title", IS_TEXT, 0, 0},
	{"description", IS_TEXT, 0, 0},
	{"type", IS_TYPES, 0, 0},
	{"enum", IS_LIST, 0, 0},
	{"multipleOf", IS_NUMBER, 0, 0},
	{"minimum", IS_NUMBER, 0, 0},
	{"maximum", IS_NUMBER, 0, 0},
	{"exclusiveMinimum", IS_FLAG, 0, 4},
	{"exclusiveMaximum", IS_FLAG, 0, 4},
	{"exclusiveMinimum", IS_NUMBER, 6, 0},
	{"exclusiveMaximum", IS_NUMBER, 6, 0},
	{"minLength", IS_COUNT, 0, 0},
	{"maxLength", IS_COUNT, 0, 0},
	{"pattern", IS_PATTERN, 0, 0},
	{"format", IS_TEXT, 0, 0},
	{"items", IS_ITEMS, 0, 2019},
	{"items", IS_SCHEMA, 2020, 0},
	{"prefixItems", IS_SCHEMAS, 2020, 0},
	{"additionalItems", IS_MORE, 0, 2019},
	{"contains", IS_SCHEMA, 6, 0},
	{"minItems", IS_COUNT, 0, 0},
	{"maxItems", IS_COUNT, 0, 0},
	{"uniqueItems", IS_FLAG, 0, 0},
	{"minContains", IS_COUNT, 2019, 0},
	{"maxContains", IS_COUNT, 2019, 0},
	{"unevaluatedItems", IS_SCHEMA, 2019, 0},
	{"required", IS_TEXTS, 0, 0},
	{"minProperties", IS_COUNT, 0, 0},
	{"maxProperties", IS_COUNT, 0, 0},
	{"properties", IS_SCHEMA_MAP, 0, 0},
	{"patternProperties", IS_SCHEMA_MAP, 0, 0},
	{"additionalProperties", IS_MORE, 0, 0},
	{"propertyNames", IS_SCHEMA, 6, 0},
	{"dependencies", IS_NEEDS, 0, 0},
	{"dependentSchemas", IS_SCHEMA_MAP, 2019, 0},
	{"unevaluatedProperties", IS_SCHEMA, 2019, 0},
	{"definitions", IS_SCHEMA_MAP, 0, 0},
	{"$defs", IS_SCHEMA_MAP, 2019, 0},
	{"allOf", IS_SCHEMAS, 0, 0},
	{"anyOf", IS_SCHEMAS, 0, 0},
	{"oneOf", IS_SCHEMAS, 0, 0},
	{"not", IS_SCHEMA, 0, 0},
	{"if", IS_SCHEMA, 7, 0},
	{"then", IS_SCHEMA, 7, 0},
	{"else", IS_SCHEMA, 7, 0},
};

static void walk(Validator *v, const json_t *schema);

static void fail(Validator *v, const char *word, const char *wanted)
{
	if (!v->problem)
		v->problem = arena_printf(v->arena,
					  "schema is not valid against metaschema: %s: want %s",
					  word, wanted);
}

static void walk_list(Validator *v, const json_t *schemas, const char *word)
{
	json_t *schema;
	size_t index;
	if (json_array_size(schemas) == 0)
		fail(v, word, "a list of schemas");
	json_array_foreach(schemas, index, schema) walk(v, schema);
}

static bool are_texts(const json_t *list)
{
	json_t *item;
	size_t index;
	json_array_foreach(list, index, item) if (!json_is_string(item)) return false;
	return json_is_array(list);
}

static void walk_map(Validator *v, const json_t *map, const char *word, bool needs)
{
	const char *key;
	json_t *value;
	if (!json_is_object(map))
		fail(v, word, "object");
	json_object_foreach(json_borrow(map), key, value) if (!needs || !are_texts(value))
		walk(v, value);
}

static bool is_type(const char *name)
{
	static const char *const names[] = {"array",  "boolean", "integer", "null",
					    "number", "object",	 "string"};
	for (size_t i = 0; i < COUNT(names); i++)
		if (cstr_eq(names[i], name))
			return true;
	return false;
}

static bool are_types(const json_t *value)
{
	json_t *item;
	size_t index;
	if (json_is_string(value))
		return is_type(json_string_value(value));
	json_array_foreach(value, index, item) if (!is_type(json_string_value(item))) return false;
	return json_array_size(value) > 0;
}

static bool is_pattern(const char *text)
{
	autoerror Error err = {0};
	autoregex Regex *regex = text ? regex_new(text, REGEX_SEARCH, &err) : NULL;
	return regex != NULL;
}

static void check_ref(Validator *v, const json_t *ref)
{
	const char *text = json_string_value(ref);
	if (!text)
		fail(v, "$ref", "string");
	else if (!cstr_starts(text, "urn:") && !schema_resolve(v, text) && !v->problem)
		v->problem =
			arena_printf(v->arena, "reference \"%s\" leads out of the schema", text);
}

/* Texts, numbers and flags. */
static void check_plain(Validator *v, const Keyword *row, const json_t *value)
{
	double number = json_number_value(value);
	if (row->shape == IS_TEXT && !json_is_string(value))
		fail(v, row->word, "string");
	else if (row->shape == IS_PATTERN && !is_pattern(json_string_value(value)))
		fail(v, row->word, "regex");
	else if (row->shape == IS_NUMBER && !json_is_number(value))
		fail(v, row->word, "number");
	else if (row->shape == IS_COUNT && (!json_is_number(value) || number < 0))
		fail(v, row->word, "integer");
	else if (row->shape == IS_FLAG && !json_is_boolean(value))
		fail(v, row->word, "boolean");
	else if (row->shape == IS_TEXTS && !are_texts(value))
		fail(v, row->word, "array of strings");
	else if (row->shape == IS_TYPES && !are_types(value))
		fail(v, row->word, "types");
	else if (row->shape == IS_LIST && !json_is_array(value))
		fail(v, row->word, "array");
}

static void check_keyword(Validator *v, const Keyword *row, const json_t *value)
{
	if (row->shape == IS_SCHEMA || (row->shape == IS_MORE && !json_is_boolean(value)))
		walk(v, value);
	else if (row->shape == IS_SCHEMAS)
		walk_list(v, value, row->word);
	else if (row->shape == IS_SCHEMA_MAP || row->shape == IS_NEEDS)
		walk_map(v, value, row->word, row->shape == IS_NEEDS);
	else if (row->shape == IS_ITEMS && json_is_array(value))
		walk_list(v, value, row->word);
	else if (row->shape == IS_ITEMS)
		walk(v, value);
	else if (row->shape == IS_REF)
		check_ref(v, value);
	else
		check_plain(v, row, value);
}

/* Draft 4 has the bounds themselves beside the flags that sharpen them. */
static void check_flags(Validator *v, const json_t *schema)
{
	if (v->draft != 4)
		return;
	if (json_object_get(schema, "exclusiveMinimum") && !json_object_get(schema, "minimum"))
		fail(v, "exclusiveMinimum", "minimum too");
	if (json_object_get(schema, "exclusiveMaximum") && !json_object_get(schema, "maximum"))
		fail(v, "exclusiveMaximum", "maximum too");
}

static void walk(Validator *v, const json_t *schema)
{
	if (v->problem)
		return;
	if (json_is_boolean(schema) && v->draft > 4)
		return;
	if (!json_is_object(schema)) {
		fail(v, "a schema", "object");
		return;
	}
	if (v->depth >= SCHEMA_MAX_DEPTH) {
		v->problem = "schema is too deep or refers to itself";
		return;
	}
	v->depth++;
	check_flags(v, schema);
	/* Beside a reference nothing counts up to draft 7. */
	bool alone = v->draft < 2019 && json_text(schema, "$ref");
	for (size_t i = 0; i < COUNT(keywords); i++) {
		const Keyword *row = &keywords[i];
		const json_t *value = json_object_get(schema, row->word);
		bool known = v->draft >= row->from && (row->to == 0 || v->draft <= row->to);
		bool counts = !alone || row->shape == IS_REF || cstr_eq(row->word, "definitions");
		if (value && known && counts)
			check_keyword(v, row, value);
	}
	v->depth--;
}

void schema_check_itself(Validator *v, const json_t *schema)
{
	walk(v, schema);
}
