/* What a CustomResourceDefinition may say in its rules, and what they may cost (apiextensions
 * validation.go). */
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cel_costs.h"
#include "cel_rules_internal.h"
#include "schema.h"

typedef struct {
	FieldErrors *errors; /* of the schema */
	FieldErrors *cel;    /* of expressions, told after those */
	bool structural;     /* the schema is: without, expressions have no types */
	CelCosts costs;
} Definition;

/* A part of the schema on the way down. */
typedef struct {
	const json_t *schema;
	const char *path;
	bool root;
	const char
		*uncorrelated; /* path of the part above whose old items cannot be told, or NULL */
	CelCardinality cardinality;
} Part;

static char *rule_path(const char *path, size_t index, const char *member)
{
	return mem_printf("%s.x-kubernetes-validations[%zu].%s", path, index, member);
}

static bool has_line_break(const char *text)
{
	return strchr(text, '\n') != NULL;
}

static void tell_text(FieldErrors *errors, const char *where, const char *given, const char *wrong)
{
	autojson json_t *text = json_string(given);
	autofree char *quoted = json_dump(text);
	field_error(errors, "Invalid value", where, "%s: %s", quoted, wrong);
}

static void check_message(const json_t *rule, const char *path, size_t index, FieldErrors *errors)
{
	const char *given = json_text_or(rule, "message", "");
	autofree char *text = str_dup(str_trim(str_of(json_text_or(rule, "rule", ""))));
	autofree char *message = str_dup(str_trim(str_of(given)));
	autofree char *where = rule_path(path, index, *text ? "message" : "rule");
	if (!*text)
		field_error(errors, "Required value", where, "rule is not specified");
	else if (*given && !*message)
		field_error(errors, "Invalid value", where,
			    "\"%s\": must be non-empty if specified", given);
	else if (has_line_break(message))
		tell_text(errors, where, given, "must not contain line breaks");
	else if (has_line_break(text) && !*message)
		field_error(errors, "Required value", where,
			    "message must be specified if rule contains line breaks");
}

static void check_reason(const json_t *rule, const char *path, size_t index, FieldErrors *errors)
{
	static const char *const known[] = {"FieldValueDuplicate", "FieldValueForbidden",
					    "FieldValueInvalid", "FieldValueRequired"};
	const char *reason = json_text(rule, "reason");
	for (size_t i = 0; reason && i < COUNT(known); i++)
		if (strcmp(known[i], reason) == 0)
			reason = NULL;
	autofree char *where = rule_path(path, index, "reason");
	if (reason)
		field_error(
			errors, "Unsupported value", where,
			"\"%s\": supported values: \"FieldValueDuplicate\", "
			"\"FieldValueForbidden\", \"FieldValueInvalid\", \"FieldValueRequired\"",
			reason);
}

/* ".a.b", "['a']" and ".map.key" of the schema. */
static bool is_field(const json_t *schema, const char *path)
{
	autofree char *rest_text = mem_strdup(path);
	char *at = rest_text;
	while (*at) {
		bool quoted = cstr_starts(at, "['");
		if (!quoted && *at != '.')
			return false;
		at += quoted ? 2 : 1;
		size_t len = quoted ? strcspn(at, "'") : strcspn(at, ".[");
		char *end = at + len;
		bool closed = !quoted || cstr_starts(end, "']");
		autofree char *name = mem_strndup(at, len);
		const json_t *properties = json_map(schema, "properties");
		schema = properties ? json_object_get(properties, name)
				    : json_map(schema, "additionalProperties");
		if (!closed || len == 0 || !schema)
			return false;
		at = end + (quoted ? 2 : 0);
	}
	return true;
}

static void check_field_path(const json_t *schema, const json_t *rule, const char *path,
			     size_t index, FieldErrors *errors)
{
	const char *field = json_text_or(rule, "fieldPath", "");
	Str trimmed = str_trim(str_of(field));
	autofree char *where = rule_path(path, index, "fieldPath");
	if (*field && trimmed.len == 0)
		field_error(errors, "Invalid value", where,
			    "\"%s\": must be non-empty if specified", field);
	if (has_line_break(field))
		tell_text(errors, where, field, "must not contain line breaks");
	if (*field && !is_field(schema, field))
		field_error(errors, "Invalid value", where, "\"%s\": must be a valid path", field);
}

static void check_words(const json_t *schema, const char *path, FieldErrors *errors)
{
	const json_t *rules = json_list(schema, "x-kubernetes-validations");
	for (size_t i = 0; i < json_array_size(rules); i++) {
		const json_t *rule = json_array_get(rules, i);
		const char *message = json_text_or(rule, "messageExpression", "");
		check_message(rule, path, i, errors);
		autofree char *where = rule_path(path, i, "messageExpression");
		if (*message && str_trim(str_of(message)).len == 0)
			field_error(errors, "Required value", where,
				    "messageExpression must be non-empty if specified");
		check_reason(rule, path, i, errors);
		check_field_path(schema, rule, path, i, errors);
	}
}

/* A rule as the real server's messages show it: its own struct as JSON. */
static char *show_rule(const json_t *rule)
{
	static const char *const members[][2] = {{"Rule", "rule"},
						 {"Message", "message"},
						 {"MessageExpression", "messageExpression"},
						 {"Reason", "reason"},
						 {"FieldPath", "fieldPath"},
						 {"OptionalOldSelf", "optionalOldSelf"}};
	autobuf Buf out = {0};
	for (size_t i = 0; i < COUNT(members); i++) {
		bool pointer = i == 3 || i == 5;
		autojson json_t *value = json_incref(json_object_get(rule, members[i][1]));
		if (!value)
			value = pointer ? json_null() : json_string("");
		autofree char *text = json_dump_go(value);
		buf_printf(&out, "%c\"%s\":%s", i ? ',' : '{', members[i][0], text);
	}
	buf_putc(&out, '}');
	return buf_steal(&out);
}

static void tell_wrong(const CelRule *rule, const char *path, size_t index, FieldErrors *errors)
{
	autofree char *shown = show_rule(rule->rule);
	autofree char *where = rule_path(path, index, "rule");
	autofree char *message_where = rule_path(path, index, "messageExpression");
	if (rule->wrong)
		field_error(errors, "Invalid value", where, "%s: %s", shown, rule->wrong);
	if (rule->wrong_message)
		field_error(errors, "Invalid value", message_where, "%s: %s", shown,
			    rule->wrong_message);
}

static void check_old_self(const CelRule *rule, const char *path, size_t index,
			   const char *uncorrelated, FieldErrors *errors)
{
	const json_t *optional = json_object_get(rule->rule, "optionalOldSelf");
	autofree char *where = rule_path(path, index, rule->uses_old ? "rule" : "optionalOldSelf");
	autojson json_t *text = json_string(json_text_or(rule->rule, "rule", ""));
	autofree char *quoted = json_dump(text);
	if (rule->uses_old && uncorrelated)
		field_error(
			errors, "Invalid value", where,
			"%s: oldSelf cannot be used on the uncorrelatable portion of the schema "
			"within %s",
			quoted, uncorrelated);
	if (!rule->uses_old && optional)
		field_error(errors, "Invalid value", where,
			    "%s: may not be set if oldSelf is not used in rule",
			    json_is_true(optional) ? "true" : "false");
}

static void tell_untyped(const char *path, FieldErrors *errors)
{
	autofree char *where = mem_printf("%s.x-kubernetes-validations", path);
	field_error(errors, "Internal error", where,
		    "internal error: failed to construct type information for "
		    "x-kubernetes-validations rules: unable to convert structural schema to CEL "
		    "declarations");
	json_t *cause = json_array_get(errors->causes, json_array_size(errors->causes) - 1);
	json_put_text(cause, "reason", "InternalError");
}

static void check_costs(Definition *definition, const Part *part, const CelRule *rule, size_t index)
{
	autofree char *where = rule_path(part->path, index, "rule");
	autofree char *message_where = rule_path(part->path, index, "messageExpression");
	uint64_t cost = rule->program ? cel_program_cost_max(rule->program) : 0;
	cel_costs_add(&definition->costs,
		      cel_rule_cost(cost, part->cardinality, part->schema, part->root), "rule",
		      where, definition->cel);
	if (rule->message)
		cel_costs_add(&definition->costs, cel_program_cost_max(rule->message),
			      "messageExpression", message_where, definition->cel);
}

static void check_expressions(Definition *definition, const Part *part)
{
	unsigned flags = definition->costs.unchanged ? CEL_KUBERNETES : CEL_LIB_KUBERNETES;
	CelLevel *level = cel_level_own(part->schema, part->root, flags | CEL_COSTS);
	for (size_t i = 0; i < level->rule_count; i++) {
		check_costs(definition, part, &level->rules[i], i);
		tell_wrong(&level->rules[i], part->path, i, definition->cel);
		check_old_self(&level->rules[i], part->path, i, part->uncorrelated,
			       definition->cel);
	}
	if (level->rule_count && level->untyped)
		tell_untyped(part->path, definition->cel);
	cel_level_free(level);
}

/* Whether something is wrong at a part of the schema or deeper. */
static bool is_wrong_below(const FieldErrors *errors, const char *path)
{
	for (size_t i = 0; i < json_array_size(errors->causes); i++)
		if (cstr_starts(json_text_or(json_array_get(errors->causes, i), "field", ""), path))
			return true;
	return false;
}

static void walk(Definition *definition, const Part *part);

static void walk_child(Definition *definition, const Part *part, const json_t *schema,
		       const char *path, const char *uncorrelated)
{
	if (!schema)
		return;
	bool embedded = json_flag(schema, "x-kubernetes-embedded-resource", false);
	Part child = {schema, path, embedded, uncorrelated,
		      cel_cardinality_below(part->cardinality, part->schema)};
	walk(definition, &child);
}

static void walk(Definition *definition, const Part *part)
{
	const json_t *schema = part->schema;
	autofree char *more_path = mem_printf("%s.additionalProperties", part->path);
	autofree char *items_path = mem_printf("%s.items", part->path);
	bool atomic = cstr_eq(json_text(schema, "x-kubernetes-map-type"), "atomic");
	bool by_keys = cstr_eq(json_text(schema, "x-kubernetes-list-type"), "map");
	const char *inside = atomic ? part->path : part->uncorrelated;
	walk_child(definition, part, json_map(schema, "additionalProperties"), more_path, inside);
	const char *key;
	json_t *property;
	json_object_foreach(json_map(schema, "properties"), key, property)
	{
		autofree char *child = mem_printf("%s.properties[%s]", part->path, key);
		walk_child(definition, part, property, child, inside);
	}
	walk_child(definition, part, json_map(schema, "items"), items_path,
		   by_keys ? part->uncorrelated : part->path);
	check_words(schema, part->path, definition->errors);
	if (definition->structural && !is_wrong_below(definition->errors, part->path))
		check_expressions(definition, part);
}

void cel_rules_check_definition(const json_t *schema, bool structural, bool unchanged,
				const char *path, FieldErrors *errors)
{
	autofielderrors FieldErrors cel = {0};
	Definition definition = {errors, &cel, structural, {.unchanged = unchanged}};
	Part part = {schema, path, true, NULL, {true, 1}};
	walk(&definition, &part);
	cel_costs_check(&definition.costs, path, &cel);
	cel_costs_dispose(&definition.costs);
	for (size_t i = 0; i < json_array_size(cel.causes); i++)
		field_error_add(errors, json_array_get(cel.causes, i));
}
