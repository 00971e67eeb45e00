/* Environments and compiled programs. */
#include <string.h>

#include "base/mem.h"
#include "base/rune.h"
#include "cel/cel_internal.h"
#include "data/regex.h"

CelEnv *cel_env_new(unsigned flags)
{
	CelEnv *env = mem_zalloc(1, sizeof(*env));
	env->arena = arena_new();
	env->flags = flags;
	env->variables = map_new(NULL);
	return env;
}

void cel_env_free(CelEnv *env)
{
	if (!env)
		return;
	map_free(env->variables);
	arena_free(env->arena);
	free(env);
}

void cel_env_declare(CelEnv *env, const char *name, const CelType *type)
{
	map_put(env->variables, name, (void *)(uintptr_t)type);
}

void cel_program_free(CelProgram *program)
{
	if (!program)
		return;
	map_free(program->used);
	arena_free(program->arena);
	free(program->type_text);
	free(program);
}

CelKind cel_program_kind(const CelProgram *program)
{
	return program->type->kind;
}

const char *cel_program_type_text(const CelProgram *program)
{
	return program->type_text;
}

uint64_t cel_program_cost_max(const CelProgram *program)
{
	return program->cost_max;
}

bool cel_program_uses(const CelProgram *program, const char *variable)
{
	return map_has(program->used, variable);
}

static char *result_type_text(const CelType *type)
{
	autobuf Buf text = {0};
	cel_type_full_text(type, &text);
	return buf_steal(&text);
}

static void compile(CelProgram *program, CelSource *source)
{
	if (cel_text_length(str_of(source->text)) > CEL_TEXT_MAX) {
		cel_problem(source, -1,
			    "expression code point size exceeds limit: size: %zu, limit %d",
			    cel_text_length(str_of(source->text)), CEL_TEXT_MAX);
		return;
	}
	if (!rune_all_valid(str_of(source->text))) {
		cel_problem(source, PLACE_NONE, "the expression is not UTF-8");
		return;
	}
	program->root = cel_parse(source, program->env->flags);
	if (program->root)
		cel_check(program, source);
	/* Before literals are put together: what they cost is part of it. */
	if (source->problems.len == 0 && (program->env->flags & CEL_COSTS))
		program->cost_max = cel_estimate(program, map_get(program->env->variables, "self"));
	if (source->problems.len == 0)
		cel_validate_literals(program, source);
}

CelProgram *cel_compile(const CelEnv *env, const char *text, Error *err)
{
	autocelprogram CelProgram *program = mem_zalloc(1, sizeof(*program));
	program->arena = arena_new();
	program->env = env;
	program->used = map_new(NULL);
	CelSource source = {.arena = program->arena, .text = text};
	compile(program, &source);
	if (source.problems.len > 0) {
		autofree char *report = cel_source_report(&source);
		err_set(err, ERR_INVALID, "%s", report);
	} else {
		program->type_text = result_type_text(program->type);
	}
	vec_dispose(&source.problems);
	return err_is_set(err) ? NULL : steal(&program);
}
