/* Rules compiled, level by level along the schema. */
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cel_rules_internal.h"
#include "cel_types.h"

static void declare(CelLevel *level, const json_t *schema, bool root, unsigned flags)
{
	CelEnv **envs[] = {&level->env, &level->optional_env};
	for (size_t i = 0; i < COUNT(envs); i++) {
		CelEnv *env = *envs[i] = cel_env_new(flags);
		const CelType *self = cel_schema_type(env, schema, "selfType", root);
		level->untyped = !self;
		self = self ? self : cel_type(CEL_DYN);
		cel_env_declare(env, "self", self);
		cel_env_declare(env, "oldSelf", i == 0 ? self : cel_type_optional(env, self));
	}
}

static char *trim(const char *text)
{
	return str_dup(str_trim(str_of(text)));
}

char *cel_rule_text(const json_t *rule)
{
	const char *message = json_text_or(rule, "message", "");
	return trim(*message ? message : json_text_or(rule, "rule", ""));
}

/* A program whose result is of `kind`; else why not in *wrong, `what` in front. */
static CelProgram *compile(const CelEnv *env, const char *text, CelKind kind, const char *what,
			   const char *other, char **wrong)
{
	autoerror Error err = {0};
	autocelprogram CelProgram *program = cel_compile(env, text, &err);
	if (!program) {
		bool placed = cstr_starts(err_text(&err), "ERROR: ");
		*wrong = mem_printf("%s%s failed: %s", what,
				    placed  ? "compilation"
				    : *what ? "instantiation"
					    : "program instantiation",
				    err_text(&err));
		return NULL;
	}
	if (cel_program_kind(program) != kind) {
		*wrong = mem_strdup(other);
		return NULL;
	}
	return steal(&program);
}

static void compile_rule(const CelLevel *level, const json_t *rule, CelRule *out)
{
	const char *text = json_text_or(rule, "rule", "");
	const char *message = json_text_or(rule, "messageExpression", "");
	autofree char *trimmed = trim(text);
	out->rule = rule;
	out->optional_old = json_flag(rule, "optionalOldSelf", false);
	const CelEnv *env = out->optional_old ? level->optional_env : level->env;
	if (!*trimmed || level->untyped)
		return;
	out->program = compile(env, text, CEL_BOOL, "", "cel expression must evaluate to a bool",
			       &out->wrong);
	if (!out->program)
		return;
	out->uses_old = cel_program_uses(out->program, "oldSelf");
	if (*message)
		out->message =
			compile(env, message, CEL_STRING, "messageExpression ",
				"messageExpression must evaluate to a string", &out->wrong_message);
}

CelLevel *cel_level_own(const json_t *schema, bool root, unsigned flags)
{
	const json_t *rules = json_list(schema, "x-kubernetes-validations");
	CelLevel *level = mem_zalloc(1, sizeof(*level));
	level->schema = schema;
	level->rule_count = json_array_size(rules);
	if (level->rule_count == 0)
		return level;
	level->rules = mem_zalloc(level->rule_count, sizeof(*level->rules));
	declare(level, schema, root, flags);
	for (size_t i = 0; i < level->rule_count; i++)
		compile_rule(level, json_array_get(rules, i), &level->rules[i]);
	return level;
}

static void free_level(void *level)
{
	cel_level_free(level);
}

static void add_property(CelLevel *level, const char *name, CelLevel *take_child)
{
	if (!take_child)
		return;
	if (!level->properties)
		level->properties = map_new(free_level);
	map_put(level->properties, name, take_child);
}

static bool is_embedded(const json_t *schema)
{
	return json_flag(schema, "x-kubernetes-embedded-resource", false);
}

static CelLevel *child_level(const json_t *schema)
{
	return schema ? cel_level_new(schema, is_embedded(schema)) : NULL;
}

CelLevel *cel_level_new(const json_t *schema, bool root)
{
	CelLevel *level = cel_level_own(schema, root, CEL_KUBERNETES);
	const char *name;
	json_t *property;
	json_object_foreach(json_map(schema, "properties"), name, property)
		add_property(level, name, child_level(property));
	level->items = child_level(json_map(schema, "items"));
	level->additional = child_level(json_map(schema, "additionalProperties"));
	if (level->rule_count || level->properties || level->items || level->additional)
		return level;
	cel_level_free(level);
	return NULL;
}

void cel_level_free(CelLevel *level)
{
	if (!level)
		return;
	for (size_t i = 0; i < level->rule_count; i++) {
		cel_program_free(level->rules[i].program);
		cel_program_free(level->rules[i].message);
		free(level->rules[i].wrong);
		free(level->rules[i].wrong_message);
	}
	free(level->rules);
	cel_env_free(level->env);
	cel_env_free(level->optional_env);
	map_free(level->properties);
	cel_level_free(level->items);
	cel_level_free(level->additional);
	free(level);
}
