/*
 * What can be told and worked out before anything runs (cel-go cel/validator.go,
 * interpreter/decorators.go): arguments of duration(), timestamp(), matches() and format() that are
 * literals; conversions of literals. Literal patterns are compiled for the program here.
 */
#include <string.h>

#include "base/mem.h"
#include "cel/cel_internal.h"
#include "cel/text_format.h"
#include "data/regex.h"

typedef struct {
	CelProgram *program;
	CelSource *source;
	CelRun run; /* for what is worked out here */
} Walk;

enum { LITERALS_MAX = 64 << 20 };

static void free_regex(void *regex)
{
	regex_free(regex);
}

static bool check_pattern(Walk *walk, CelNode *call, Str text)
{
	autofree char *pattern = str_dup(text);
	autoerror Error err = {0};
	Regex *regex = regex_new(pattern, REGEX_SEARCH, &err);
	if (!regex)
		return false;
	arena_defer(walk->program->arena, free_regex, regex);
	call->regex = regex;
	return true;
}

static void invalid(Walk *walk, const CelNode *argument, const char *what)
{
	cel_problem(walk->source, argument->offset, "invalid %s argument", what);
}

static const CelNode *literal(const CelNode *call, size_t index)
{
	if (index >= call->arg_count || call->args[index]->kind != NODE_CONST)
		return NULL;
	return call->args[index];
}

/* timestamp() and duration() of literals (Kubernetes only). */
static void check_time(Walk *walk, const CelNode *call)
{
	const CelNode *argument = literal(call, 0);
	bool duration = strcmp(call->name, "duration") == 0;
	if (!argument || (!duration && strcmp(call->name, "timestamp") != 0))
		return;
	CelValue value = cel_call(&walk->run, call, &argument->value, 1);
	if (cel_is_error(&value))
		invalid(walk, argument, call->name);
}

static void check_pattern_argument(Walk *walk, CelNode *call)
{
	const char *name = call->name;
	if (strcmp(name, "matches") != 0 && strcmp(name, "find") != 0 &&
	    strcmp(name, "findAll") != 0)
		return;
	const CelNode *argument = literal(call, call->target ? 0 : 1);
	if (!argument || argument->value.kind != CEL_STRING ||
	    check_pattern(walk, call, argument->value.text))
		return;
	if (*name == 'm' && (walk->program->env->flags & CEL_LIB_KUBERNETES))
		invalid(walk, argument, name);
	else
		cel_problem(walk->source, PLACE_PLAIN, "error parsing regexp: %.*s",
			    (int)argument->value.text.len, argument->value.text.ptr);
}

static bool converts(const char *name)
{
	static const char *const names[] = {"bool", "bytes",  "double",	   "duration", "dyn",
					    "int",  "string", "timestamp", "type",     "uint"};
	for (size_t i = 0; i < COUNT(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* A literal converted is a literal; one that cannot be is told at once (decorators.go). */
static void fold_conversion(Walk *walk, CelNode *call)
{
	const CelNode *argument = literal(call, 0);
	if (!argument || call->target || call->arg_count != 1 || !converts(call->name))
		return;
	CelValue value = cel_call(&walk->run, call, &argument->value, 1);
	if (cel_is_error(&value)) {
		cel_problem(walk->source, PLACE_PLAIN, "%.*s", (int)value.text.len, value.text.ptr);
		return;
	}
	call->kind = NODE_CONST;
	call->value = value;
}

static void check_call(Walk *walk, CelNode *call)
{
	unsigned flags = walk->program->env->flags;
	bool kubernetes = flags & CEL_LIB_KUBERNETES;
	if (!call->target && kubernetes)
		check_time(walk, call);
	check_pattern_argument(walk, call);
	if (!(flags & CEL_PARSE_ONLY))
		format_check(walk->source, call, !kubernetes);
	if (walk->source->problems.len == 0)
		fold_conversion(walk, call);
}

/* A list or map of literals is one. An empty one may be what a comprehension starts from. */
static void fold_literal(Walk *walk, CelNode *node)
{
	for (size_t i = 0; i < node->arg_count; i++)
		if (node->args[i]->kind != NODE_CONST && !node->args[i]->constant)
			return;
	node->constant = node->arg_count == 0;
	if (node->constant || node->optional)
		return;
	CelValue value = cel_eval_node(&walk->run, node);
	if (cel_is_error(&value))
		return;
	node->kind = NODE_CONST;
	node->value = value;
}

/* A type's name is a constant. */
static void fold_name(CelNode *node)
{
	node->kind = NODE_CONST;
	node->value = (CelValue){.kind = CEL_TYPE,
				 .type = cel_type_named(node->name + (*node->name == '.'))};
}

static void visit(Walk *walk, CelNode *node)
{
	/* A macro may show a node twice. */
	if (!node || node->visited)
		return;
	node->visited = true;
	if (node->kind == NODE_CALL || node->kind == NODE_SELECT)
		visit(walk, node->target);
	for (size_t i = 0; i < node->arg_count; i++)
		visit(walk, node->args[i]);
	if (node->kind == NODE_IDENT && node->is_type_name)
		fold_name(node);
	if (node->kind == NODE_CALL)
		check_call(walk, node);
	if (node->kind == NODE_LIST || node->kind == NODE_MAP)
		fold_literal(walk, node);
	if (node->kind != NODE_FOLD)
		return;
	visit(walk, node->fold->range);
	visit(walk, node->fold->init);
	visit(walk, node->fold->condition);
	visit(walk, node->fold->step);
	visit(walk, node->fold->result);
}

void cel_validate_literals(CelProgram *program, CelSource *source)
{
	Walk walk = {program, source, {0}};
	walk.run = (CelRun){.arena = program->arena,
			    .program = program,
			    .cost_max = UINT64_MAX,
			    .memory_max = arena_size(program->arena) + LITERALS_MAX,
			    .deadline_ms = INT64_MAX};
	visit(&walk, program->root);
}
