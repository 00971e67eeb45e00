/*
 * Macros: calls that stand for other expressions (cel-go parser/macro.go, ext/comprehensions.go,
 * ext/lists.go, cel/library.go). All but has() become folds over a list or map.
 */
#include <string.h>

#include "cel/cel_internal.h"

#define ACCU "@result"

/* What an expander works with. */
typedef struct {
	CelMaker *maker;
	int offset;
	CelNode *target;
	CelNode **args;
	size_t count;
	const char *name;
	const char *iter, *iter2; /* read already where the macro has them */
} Call;

typedef CelNode *(*Expander)(Call *call);

static CelNode *make_ident(Call *call, const char *name)
{
	CelNode *node = cel_node(call->maker, NODE_IDENT, call->offset);
	node->name = name;
	return node;
}

static CelNode *make_const(Call *call, CelValue value)
{
	CelNode *node = cel_node(call->maker, NODE_CONST, call->offset);
	node->value = value;
	return node;
}

static CelNode *make_list(Call *call, CelNode *item)
{
	CelNode *node = cel_node(call->maker, NODE_LIST, call->offset);
	node->args = arena_alloc(call->maker->source->arena, sizeof(*node->args));
	node->args[0] = item;
	node->arg_count = item != NULL;
	cel_node_measure(call->maker, node);
	return node;
}

static CelNode *make_fold(Call *call, CelNode *init, CelNode *condition, CelNode *step,
			  CelNode *result)
{
	CelNode *node = cel_node(call->maker, NODE_FOLD, call->offset);
	node->fold = arena_alloc(call->maker->source->arena, sizeof(*node->fold));
	*node->fold = (CelFold){.iter = call->iter,
				.iter2 = call->iter2,
				.accu = ACCU,
				.range = call->target,
				.init = init,
				.condition = condition,
				.step = step,
				.result = result};
	cel_node_measure(call->maker, node);
	return node;
}

#define CALL(call, name, count, ...)                                                               \
	cel_node_call((call)->maker, (call)->offset, name, count, __VA_ARGS__)

static CelNode *complain(Call *call, const CelNode *node, const char *text)
{
	cel_problem(call->maker->source, node->offset, "%s", text);
	return cel_node(call->maker, NODE_CONST, node->offset);
}

static CelNode *body(const Call *call)
{
	return call->args[call->count - 1];
}

static CelNode *expand_all(Call *call)
{
	return make_fold(call, make_const(call, cel_bool(true)),
			 CALL(call, "@not_strictly_false", 1, make_ident(call, ACCU)),
			 CALL(call, "_&&_", 2, make_ident(call, ACCU), body(call)),
			 make_ident(call, ACCU));
}

static CelNode *expand_exists(Call *call)
{
	CelNode *none = CALL(call, "!_", 1, make_ident(call, ACCU));
	return make_fold(
		call, make_const(call, cel_bool(false)), CALL(call, "@not_strictly_false", 1, none),
		CALL(call, "_||_", 2, make_ident(call, ACCU), body(call)), make_ident(call, ACCU));
}

static CelNode *expand_exists_one(Call *call)
{
	CelNode *more = CALL(call, "_+_", 2, make_ident(call, ACCU), make_const(call, cel_int(1)));
	CelNode *step = CALL(call, "_?_:_", 3, body(call), more, make_ident(call, ACCU));
	return make_fold(
		call, make_const(call, cel_int(0)), make_const(call, cel_bool(true)), step,
		CALL(call, "_==_", 2, make_ident(call, ACCU), make_const(call, cel_int(1))));
}

/* The step, only where `filter` (which may be NULL) holds. */
static CelNode *filtered(Call *call, CelNode *filter, CelNode *step)
{
	return filter ? CALL(call, "_?_:_", 3, filter, step, make_ident(call, ACCU)) : step;
}

static CelNode *fold_list(Call *call, CelNode *filter, CelNode *item)
{
	CelNode *step = CALL(call, "_+_", 2, make_ident(call, ACCU), make_list(call, item));
	return make_fold(call, make_list(call, NULL), make_const(call, cel_bool(true)),
			 filtered(call, filter, step), make_ident(call, ACCU));
}

static CelNode *expand_map(Call *call)
{
	size_t names = call->iter2 ? 2 : 1;
	return fold_list(call, call->count > names + 1 ? call->args[names] : NULL, body(call));
}

static CelNode *expand_filter(Call *call)
{
	CelNode *item = cel_node(call->maker, NODE_IDENT, call->args[0]->offset);
	item->name = call->iter;
	return fold_list(call, body(call), item);
}

static CelNode *fold_map(Call *call, CelNode *step)
{
	CelNode *init = cel_node(call->maker, NODE_MAP, call->offset);
	return make_fold(call, init, make_const(call, cel_bool(true)),
			 filtered(call, call->count == 4 ? call->args[2] : NULL, step),
			 make_ident(call, ACCU));
}

static CelNode *expand_transform_map(Call *call)
{
	return fold_map(call, CALL(call, "cel.@mapInsert", 3, make_ident(call, ACCU),
				   make_ident(call, call->iter), body(call)));
}

static CelNode *expand_transform_entry(Call *call)
{
	return fold_map(call, CALL(call, "cel.@mapInsert", 2, make_ident(call, ACCU), body(call)));
}

static CelNode *expand_has(Call *call)
{
	CelNode *field = call->args[0];
	if (field->kind != NODE_SELECT || field->test_only)
		return complain(call, field, "invalid argument to has() macro");
	CelNode *node = cel_node(call->maker, NODE_SELECT, call->offset);
	node->target = field->target;
	node->name = field->name;
	node->test_only = true;
	cel_node_measure(call->maker, node);
	return node;
}

/* A variable bound to a value for the time of an expression: a fold over nothing. */
static CelNode *bind(Call *call, const char *name, CelNode *value, CelNode *inner)
{
	CelNode *node = cel_node(call->maker, NODE_FOLD, call->offset);
	node->fold = arena_alloc(call->maker->source->arena, sizeof(*node->fold));
	*node->fold = (CelFold){.iter = "#unused",
				.accu = name,
				.range = make_list(call, NULL),
				.init = value,
				.condition = make_const(call, cel_bool(false)),
				.step = make_ident(call, name),
				.result = inner};
	cel_node_measure(call->maker, node);
	return node;
}

static CelNode *member_call(Call *call, const char *name, CelNode *target)
{
	CelNode *node = cel_node(call->maker, NODE_CALL, call->offset);
	node->name = name;
	node->target = target;
	cel_node_measure(call->maker, node);
	return node;
}

static CelNode *expand_optional(Call *call, bool flat)
{
	const CelNode *name = call->args[0];
	if (name->kind != NODE_IDENT)
		return complain(call, name,
				flat ? "optFlatMap() variable name must be a simple identifier"
				     : "optMap() variable name must be a simple identifier");
	CelNode *inner =
		bind(call, name->name, member_call(call, "value", call->target), call->args[1]);
	return CALL(call, "_?_:_", 3, member_call(call, "hasValue", call->target),
		    flat ? inner : CALL(call, "optional.of", 1, inner),
		    cel_node_call(call->maker, call->offset, "optional.none", 0));
}

static CelNode *expand_opt_map(Call *call)
{
	return expand_optional(call, false);
}

static CelNode *expand_opt_flat_map(Call *call)
{
	return expand_optional(call, true);
}

/* list.sortBy(e, key): the keys are computed once, then sorted along. */
static CelNode *expand_sort_by(Call *call)
{
	static const char input[] = "@__sortBy_input__";
	if (call->target->kind == NODE_CONST || call->target->kind == NODE_MAP)
		return complain(call, call->target,
				"sortBy can only be applied to a list, identifier, comprehension, "
				"call or select expression");
	if (call->args[0]->kind != NODE_IDENT)
		return complain(call, call->args[0], "argument is not an identifier");
	CelNode *range = call->target;
	call->iter = call->args[0]->name;
	call->target = make_ident(call, input);
	CelNode *keys = fold_list(call, NULL, call->args[1]);
	CelNode *sorted = member_call(call, "@sortByAssociatedKeys", make_ident(call, input));
	sorted->args = arena_alloc(call->maker->source->arena, sizeof(*sorted->args));
	sorted->args[0] = keys;
	sorted->arg_count = 1;
	return bind(call, input, range, sorted);
}

typedef struct {
	const char *name;
	bool member;
	size_t count;
	size_t variables;
	unsigned libraries;
	Expander expand;
} Macro;

enum { ANY = CEL_LIB_KUBERNETES | CEL_LIB_FLUX, KUBE = CEL_LIB_KUBERNETES };

static const Macro macros[] = {
	{"has", false, 1, 0, ANY, expand_has},
	{"all", true, 2, 1, ANY, expand_all},
	{"exists", true, 2, 1, ANY, expand_exists},
	{"exists_one", true, 2, 1, ANY, expand_exists_one},
	{"map", true, 2, 1, ANY, expand_map},
	{"map", true, 3, 1, ANY, expand_map},
	{"filter", true, 2, 1, ANY, expand_filter},
	{"optMap", true, 2, 0, ANY, expand_opt_map},
	{"optFlatMap", true, 2, 0, ANY, expand_opt_flat_map},
	{"all", true, 3, 2, KUBE, expand_all},
	{"exists", true, 3, 2, KUBE, expand_exists},
	{"exists_one", true, 3, 2, KUBE, expand_exists_one},
	{"existsOne", true, 3, 2, KUBE, expand_exists_one},
	{"transformList", true, 3, 2, KUBE, expand_map},
	{"transformList", true, 4, 2, KUBE, expand_map},
	{"transformMap", true, 3, 2, KUBE, expand_transform_map},
	{"transformMap", true, 4, 2, KUBE, expand_transform_map},
	{"transformMapEntry", true, 3, 2, KUBE, expand_transform_entry},
	{"transformMapEntry", true, 4, 2, KUBE, expand_transform_entry},
	{"sortBy", true, 2, 0, CEL_LIB_LISTS, expand_sort_by},
};

static bool is_accu(const char *name)
{
	return strcmp(name, ACCU) == 0 || strcmp(name, "__result__") == 0;
}

/* Reads the variables that stand in front; NULL when they are fine, else the node that takes the
 * macro's place. */
static CelNode *read_variables(Call *call, size_t variables)
{
	const char *names[2] = {NULL, NULL};
	for (size_t i = 0; i < variables; i++) {
		if (call->args[i]->kind != NODE_IDENT || call->args[i]->name[0] == '.')
			return complain(call, call->args[i],
					strcmp(call->name, "map") == 0 ||
							strcmp(call->name, "filter") == 0
						? "argument is not an identifier"
						: "argument must be a simple name");
		names[i] = call->args[i]->name;
	}
	if (variables == 2 && strcmp(names[0], names[1]) == 0) {
		cel_problem(call->maker->source, call->args[1]->offset,
			    "duplicate variable name: %s", names[0]);
		return call->args[1];
	}
	for (size_t i = 0; i < variables; i++)
		if (is_accu(names[i]))
			return complain(call, call->args[i],
					"iteration variable overwrites accumulator variable");
	call->iter = names[0];
	call->iter2 = names[1];
	return NULL;
}

CelNode *cel_macro(CelMaker *maker, int offset, const char *name, CelNode *target, CelNode **args,
		   size_t count)
{
	for (size_t i = 0; i < COUNT(macros); i++) {
		const Macro *macro = &macros[i];
		if (macro->member != (target != NULL) || macro->count != count ||
		    !(macro->libraries & maker->flags) || strcmp(macro->name, name) != 0)
			continue;
		Call call = {maker, offset, target, args, count, name, NULL, NULL};
		CelNode *wrong = read_variables(&call, macro->variables);
		return wrong ? wrong : macro->expand(&call);
	}
	return NULL;
}
