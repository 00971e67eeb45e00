/*
 * The type checker (cel-go checker/checker.go): names are declared, calls have an overload for
 * their arguments' types, literals are of one type. Nodes get their types; what is a namespace's
 * function or a type's name is told apart from a member.
 */
#include "cel/check.h"

#include <string.h>

#include "base/mem.h"

enum { ARGS_MAX = 8 };

typedef struct Scope Scope;
struct Scope {
	const char *name;
	const CelType *type;
	const Scope *parent;
};

typedef struct {
	CelProgram *program;
	CelSource *source;
	Arena *arena;
	unsigned flags;
	Unifier unifier;
	const Scope *scope;
} Checker;

static void check(Checker *c, CelNode *node);

static char *type_text(Checker *c, const CelType *type)
{
	autobuf Buf text = {0};
	cel_type_text(type, &text);
	return arena_strdup(c->arena, buf_text(&text));
}

static void mismatch(Checker *c, const CelNode *node, const CelType *want, const CelType *got)
{
	cel_problem(c->source, node->offset, "expected type '%s' but found '%s'",
		    type_text(c, want), type_text(c, got));
}

static void undeclared(Checker *c, CelNode *node, const char *name)
{
	cel_problem(c->source, node->offset, "undeclared reference to '%s' (in container '')",
		    name);
	node->type = cel_type(CEL_ERROR);
}

/* The type of a variable, a type's name or NULL. */
static const CelType *look_up(Checker *c, const char *name, bool *is_type)
{
	*is_type = false;
	for (const Scope *at = c->scope; at && *name != '.'; at = at->parent)
		if (strcmp(at->name, name) == 0)
			return at->type;
	name += *name == '.';
	const CelType *type = map_get(c->program->env->variables, name);
	if (type) {
		map_put(c->program->used, name, c);
		return type;
	}
	type = cel_type_named(name);
	*is_type = type != NULL;
	return type ? cel_type_make(c->arena, CEL_TYPE, type, NULL) : NULL;
}

/* "a.b.c" for selects over an identifier, else NULL. */
static const char *qualified_name(Checker *c, const CelNode *node)
{
	if (node->kind == NODE_IDENT)
		return node->name;
	if (node->kind != NODE_SELECT || node->test_only)
		return NULL;
	const char *prefix = qualified_name(c, node->target);
	return prefix ? arena_printf(c->arena, "%s.%s", prefix, node->name) : NULL;
}

static bool check_name(Checker *c, CelNode *node, const char *name)
{
	bool is_type;
	const CelType *type = name ? look_up(c, name, &is_type) : NULL;
	if (!type)
		return false;
	node->kind = NODE_IDENT;
	node->name = name;
	node->is_type_name = is_type;
	node->type = type;
	return true;
}

static const CelType *field_type(Checker *c, const CelNode *node, const CelType *object,
				 const char *name)
{
	const CelField *field = cel_type_field(object, name);
	if (field)
		return field->type;
	cel_problem(c->source, node->offset, "undefined field '%s'", name);
	return cel_type(CEL_ERROR);
}

static const CelType *check_field(Checker *c, const CelNode *node, CelNode *operand,
				  const char *name, bool optional)
{
	check(c, operand);
	const CelType *type = unifier_resolve(&c->unifier, operand->type, false);
	bool was_optional = type->kind == CEL_OPTIONAL;
	const CelType *target = was_optional ? type->first : type;
	const CelType *result = cel_type(CEL_DYN);
	if (target->kind == CEL_MAP)
		result = target->second;
	else if (target->kind == CEL_OBJECT)
		result = field_type(c, node, target, name);
	else if (target->kind == CEL_PARAM)
		(void)unifier_assign(&c->unifier, cel_type(CEL_DYN), target);
	else if (target->kind != CEL_DYN && target->kind != CEL_ERROR)
		cel_problem(c->source, node->offset, "type '%s' does not support field selection",
			    type_text(c, target));
	return was_optional || optional ? cel_type_make(c->arena, CEL_OPTIONAL, result, NULL)
					: result;
}

static void check_select(Checker *c, CelNode *node)
{
	if (check_name(c, node, qualified_name(c, node)))
		return;
	const CelType *type = check_field(c, node, node->target, node->name, false);
	node->type =
		node->test_only ? cel_type(CEL_BOOL) : unifier_resolve(&c->unifier, type, false);
}

static const CelType *parse_type(Checker *c, const char **at, const CelType **params)
{
	static const struct {
		char letter;
		CelKind kind;
		int parts;
	} rows[] = {
		{'*', CEL_DYN, 0},	{'n', CEL_NULL, 0},   {'b', CEL_BOOL, 0},
		{'i', CEL_INT, 0},	{'u', CEL_UINT, 0},   {'d', CEL_DOUBLE, 0},
		{'s', CEL_STRING, 0},	{'y', CEL_BYTES, 0},  {'t', CEL_TIMESTAMP, 0},
		{'D', CEL_DURATION, 0}, {'L', CEL_LIST, 1},   {'M', CEL_MAP, 2},
		{'O', CEL_OPTIONAL, 1}, {'T', CEL_TYPE, 1},   {'Q', CEL_QUANTITY, 0},
		{'I', CEL_IP, 0},	{'C', CEL_CIDR, 0},   {'W', CEL_URL, 0},
		{'V', CEL_SEMVER, 0},	{'F', CEL_FORMAT, 0},
	};
	char letter = *(*at)++;
	if (letter == 'A' || letter == 'B') {
		const CelType **param = &params[letter - 'A'];
		*param = *param ? *param : unifier_fresh(&c->unifier);
		return *param;
	}
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (rows[i].letter != letter)
			continue;
		if (rows[i].parts == 0)
			return cel_type(rows[i].kind);
		const CelType *first = parse_type(c, at, params);
		const CelType *second = rows[i].parts == 2 ? parse_type(c, at, params) : NULL;
		return cel_type_make(c->arena, rows[i].kind, first, second);
	}
	return cel_type(CEL_ERROR);
}

/* Whether the arguments fit an overload; *result is then its result's type. */
static bool fits(Checker *c, const CelFunction *row, const CelType *const *args, size_t count,
		 const CelType **result)
{
	const CelType *params[2] = {NULL, NULL};
	const CelType *wanted[ARGS_MAX];
	const char *at = row->signature;
	size_t len = 0;
	while (*at != '>' && len < ARGS_MAX)
		wanted[len++] = parse_type(c, &at, params);
	at++;
	const CelType *gives = parse_type(c, &at, params);
	if (len != count || !unifier_assign_all(&c->unifier, args, wanted, count))
		return false;
	*result = unifier_resolve(&c->unifier, gives, false);
	return true;
}

static void no_overload(Checker *c, CelNode *node, const CelType *const *args, size_t count)
{
	autobuf Buf text = {0};
	size_t first = node->target ? 1 : 0;
	if (first) {
		cel_type_text(unifier_resolve(&c->unifier, args[0], true), &text);
		buf_putc(&text, '.');
	}
	buf_putc(&text, '(');
	for (size_t i = first; i < count; i++) {
		buf_puts(&text, i > first ? ", " : "");
		cel_type_text(unifier_resolve(&c->unifier, args[i], true), &text);
	}
	buf_putc(&text, ')');
	cel_problem(c->source, node->offset, "found no matching overload for '%s' applied to '%s'",
		    node->name, buf_text(&text));
	node->type = cel_type(CEL_ERROR);
}

static void check_overloads(Checker *c, CelNode *node)
{
	const CelType *args[ARGS_MAX];
	const CelType *result = NULL;
	size_t count = 0, at = 0;
	uint64_t bit = 1;
	if (node->target)
		args[count++] = node->target->type;
	for (size_t i = 0; i < node->arg_count && count < ARGS_MAX; i++)
		args[count++] = node->args[i]->type;
	bool too_many = node->arg_count > ARGS_MAX - 1;
	const CelFunction *row;
	for (; !too_many && (row = cel_function_next(&at, node->name, c->flags)); at++) {
		const CelType *gives;
		if (row->member != (node->target != NULL))
			continue;
		bool fitting = fits(c, row, args, count, &gives);
		node->fitting |= fitting ? bit : 0;
		bit <<= 1;
		if (!fitting)
			continue;
		node->function = result ? FUNCTION_MANY : (int)at;
		if (!result)
			result = gives;
		else if (result->kind != CEL_DYN && !cel_type_same(gives, result))
			result = cel_type(CEL_DYN);
	}
	if (!result) {
		no_overload(c, node, args, count);
		return;
	}
	node->type = result;
}

static void check_logic(Checker *c, CelNode *node)
{
	node->type = cel_type(CEL_BOOL);
	for (size_t i = 0; i < node->arg_count; i++) {
		if (unifier_assign(&c->unifier, node->args[i]->type, cel_type(CEL_BOOL)))
			continue;
		mismatch(c, node->args[i], cel_type(CEL_BOOL), node->args[i]->type);
		node->type = cel_type(CEL_ERROR);
	}
}

/* When "a.b" of a.b.f() is a namespace and no value, the call is one of function "a.b.f". */
static void resolve_namespace(Checker *c, CelNode *node)
{
	const char *prefix = qualified_name(c, node->target);
	if (!prefix)
		return;
	const char *name = arena_printf(c->arena, "%s.%s", prefix, node->name);
	if (!cel_function_exists(name, c->flags))
		return;
	node->name = name;
	node->target = NULL;
}

/* Items of one literal are of one type, but for what string.format() is given (cel-go
 * cel/validator.go). */
static void want_same(Checker *c, const CelNode *node, size_t step)
{
	for (size_t first = 0; first < step; first++) {
		const CelType *type = NULL;
		for (size_t i = first; i < node->arg_count; i += step) {
			const CelNode *item = node->args[i];
			bool optional = node->optional && node->optional[i / step] &&
					first + 1 == step && item->type->kind == CEL_OPTIONAL;
			const CelType *own = optional ? item->type->first : item->type;
			if (type && !cel_type_same(type, own)) {
				mismatch(c, item, type, own);
				break;
			}
			type = type ? type : own;
		}
	}
}

/* Types with all that is known by now. */
static void settle(Checker *c, CelNode *node)
{
	if (!node || node->settled || !node->type)
		return;
	node->settled = true;
	node->type = unifier_resolve(&c->unifier, node->type, true);
	if (node->kind == NODE_CALL || node->kind == NODE_SELECT)
		settle(c, node->target);
	for (size_t i = 0; i < node->arg_count; i++)
		settle(c, node->args[i]);
	if (node->kind != NODE_FOLD)
		return;
	settle(c, node->fold->range);
	settle(c, node->fold->init);
	settle(c, node->fold->condition);
	settle(c, node->fold->step);
	settle(c, node->fold->result);
}

static void check_literals(Checker *c, CelNode *node)
{
	if (!node || !node->settled)
		return;
	node->settled = false;
	if (node->kind == NODE_CALL && strcmp(node->name, "format") == 0)
		return;
	if (node->kind == NODE_CALL || node->kind == NODE_SELECT)
		check_literals(c, node->target);
	if (node->kind == NODE_LIST || node->kind == NODE_MAP)
		want_same(c, node, node->kind == NODE_LIST ? 1 : 2);
	for (size_t i = 0; i < node->arg_count; i++)
		check_literals(c, node->args[i]);
	if (node->kind != NODE_FOLD)
		return;
	check_literals(c, node->fold->range);
	check_literals(c, node->fold->init);
	check_literals(c, node->fold->condition);
	check_literals(c, node->fold->step);
	check_literals(c, node->fold->result);
}

/* The overloads that a call may end in at run time. */
static void find_rows(Checker *c, CelNode *node)
{
	autovec Vec rows = {0};
	size_t at = 0;
	const CelFunction *row;
	for (; (row = cel_function_next(&at, node->name, c->flags)); at++)
		if (row->member == (node->target != NULL))
			vec_push(&rows, (void *)(uintptr_t)row);
	node->row_count = rows.len;
	node->rows = arena_alloc(c->arena, (rows.len + 1) * sizeof(const CelFunction *));
	for (size_t i = 0; i < rows.len; i++)
		node->rows[i] = rows.items[i];
}

static void check_call(Checker *c, CelNode *node)
{
	if (strcmp(node->name, "_?._") == 0 && !node->target) {
		Str field = node->args[1]->value.text;
		const CelType *type =
			check_field(c, node, node->args[0],
				    arena_strndup(c->arena, field.ptr, field.len), true);
		node->type = unifier_resolve(&c->unifier, type, false);
		return;
	}
	for (size_t i = 0; i < node->arg_count; i++)
		check(c, node->args[i]);
	if (node->target)
		resolve_namespace(c, node);
	if (node->target)
		check(c, node->target);
	node->name += *node->name == '.';
	find_rows(c, node);
	if (!cel_function_exists(node->name, c->flags))
		undeclared(c, node, node->name);
	else if (strcmp(node->name, "_&&_") == 0 || strcmp(node->name, "_||_") == 0)
		check_logic(c, node);
	else
		check_overloads(c, node);
}

static const CelType *join(Checker *c, const CelType *before, const CelType *type)
{
	if (!before)
		return type;
	if (unifier_assign(&c->unifier, before, type))
		return type_most_general(before, type);
	return cel_type(CEL_DYN);
}

/* The type of an item or entry, which is an optional's content when it is marked "?". */
static const CelType *item_type(Checker *c, const CelNode *node, bool optional)
{
	if (!optional)
		return node->type;
	if (node->type->kind == CEL_OPTIONAL)
		return node->type->first;
	if (node->type->kind != CEL_DYN)
		mismatch(c, node, cel_type_make(c->arena, CEL_OPTIONAL, node->type, NULL),
			 node->type);
	return node->type;
}

static void check_list(Checker *c, CelNode *node)
{
	const CelType *items = NULL;
	for (size_t i = 0; i < node->arg_count; i++) {
		check(c, node->args[i]);
		bool optional = node->optional && node->optional[i];
		items = join(c, items, item_type(c, node->args[i], optional));
	}
	items = items ? items : unifier_fresh(&c->unifier);
	node->type = cel_type_make(c->arena, CEL_LIST, items, NULL);
}

static void check_map(Checker *c, CelNode *node)
{
	const CelType *keys = NULL, *values = NULL;
	for (size_t i = 0; i + 1 < node->arg_count; i += 2) {
		CelNode *key = node->args[i], *value = node->args[i + 1];
		check(c, key);
		keys = join(c, keys, key->type);
		check(c, value);
		bool optional = node->optional && node->optional[i / 2];
		values = join(c, values, item_type(c, value, optional));
	}
	keys = keys ? keys : unifier_fresh(&c->unifier);
	values = values ? values : unifier_fresh(&c->unifier);
	node->type = cel_type_make(c->arena, CEL_MAP, keys, values);
}

/* What the variables of a fold over `range` are. */
static void range_types(Checker *c, const CelFold *fold, const CelType *range,
			const CelType **first, const CelType **second)
{
	*first = *second = cel_type(CEL_DYN);
	switch ((int)range->kind) {
	case CEL_LIST:
		*first = fold->iter2 ? cel_type(CEL_INT) : range->first;
		*second = range->first;
		return;
	case CEL_MAP:
		*first = range->first;
		*second = range->second;
		return;
	case CEL_PARAM:
	case CEL_DYN:
	case CEL_ERROR:
		(void)unifier_assign(&c->unifier, cel_type(CEL_DYN), range);
		return;
	default:
		cel_problem(c->source, fold->range->offset,
			    "expression of type '%s' cannot be range of a comprehension (must be "
			    "list, map, or dynamic)",
			    type_text(c, range));
		*first = *second = cel_type(CEL_ERROR);
	}
}

static void want_type(Checker *c, const CelNode *node, const CelType *type)
{
	if (!unifier_assign(&c->unifier, type, node->type))
		mismatch(c, node, type, node->type);
}

static void check_fold(Checker *c, CelNode *node)
{
	CelFold *fold = node->fold;
	const CelType *first, *second;
	check(c, fold->range);
	check(c, fold->init);
	const Scope *outer = c->scope;
	const CelType *accu = fold->init->type;
	Scope with_accu = {fold->accu, accu, outer};
	range_types(c, fold, unifier_resolve(&c->unifier, fold->range->type, false), &first,
		    &second);
	Scope with_first = {fold->iter, first, &with_accu};
	Scope with_second = {fold->iter2, second, &with_first};
	c->scope = fold->iter2 ? &with_second : &with_first;
	check(c, fold->condition);
	want_type(c, fold->condition, cel_type(CEL_BOOL));
	check(c, fold->step);
	want_type(c, fold->step, accu);
	c->scope = &with_accu;
	check(c, fold->result);
	c->scope = outer;
	node->type = unifier_resolve(&c->unifier, fold->result->type, false);
}

static void check(Checker *c, CelNode *node)
{
	/* Macros may put one node in two places of the same scope. */
	if (node->type)
		return;
	switch (node->kind) {
	case NODE_CONST:
		node->type = cel_type(node->value.kind);
		break;
	case NODE_IDENT:
		if (!check_name(c, node, node->name))
			undeclared(c, node, node->name);
		break;
	case NODE_SELECT:
		check_select(c, node);
		break;
	case NODE_CALL:
		check_call(c, node);
		break;
	case NODE_LIST:
		check_list(c, node);
		break;
	case NODE_MAP:
		check_map(c, node);
		break;
	case NODE_FOLD:
		check_fold(c, node);
		break;
	}
}

/* Without types: only namespaces and types' names are told from members. */
static void plan(Checker *c, CelNode *node)
{
	if (!node || node->type)
		return;
	node->type = cel_type(CEL_DYN);
	const char *name = node->kind == NODE_SELECT ? qualified_name(c, node) : NULL;
	if (name && !map_has(c->program->env->variables, name) && cel_type_named(name)) {
		node->kind = NODE_IDENT;
		node->name = name;
	}
	if (node->kind == NODE_CALL) {
		if (node->target)
			resolve_namespace(c, node);
		node->name += *node->name == '.';
		find_rows(c, node);
	}
	if (node->kind == NODE_SELECT || node->kind == NODE_CALL)
		plan(c, node->target);
	for (size_t i = 0; i < node->arg_count; i++)
		plan(c, node->args[i]);
	if (node->kind != NODE_FOLD)
		return;
	plan(c, node->fold->range);
	plan(c, node->fold->init);
	plan(c, node->fold->condition);
	plan(c, node->fold->step);
	plan(c, node->fold->result);
}

void cel_check(CelProgram *program, CelSource *source)
{
	Checker c = {.program = program,
		     .source = source,
		     .arena = program->arena,
		     .flags = program->env->flags,
		     .unifier = {.arena = program->arena}};
	if (c.flags & CEL_PARSE_ONLY) {
		plan(&c, program->root);
		program->type = cel_type(CEL_DYN);
	} else {
		check(&c, program->root);
		if (source->problems.len == 0) {
			settle(&c, program->root);
			check_literals(&c, program->root);
		}
		program->type = unifier_resolve(&c.unifier, program->root->type, true);
	}
	unifier_dispose(&c.unifier);
}
