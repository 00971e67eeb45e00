/*
 * What a checked expression may cost at most, from the sizes that its variables' types declare
 * (cel-go checker/cost.go). Each node is looked at once: a macro may show one in two places, but of
 * the same scope. The way from a variable to a value is followed along the declared types
 * ("place"); a way that begins elsewhere, such as at a call's result, is taken for one that begins
 * at `self`, as upstream does.
 */
#include "cel/estimate.h"

#include <math.h>
#include <string.h>

typedef struct Local Local;
struct Local {
	const char *name;
	CelEstimate value;
	const Local *outer;
};

typedef struct {
	Arena *arena;
	const CelType *root;
	const Local *locals;
} Estimator;

static const CelSize any_size = {0, UINT64_MAX};

static CelEstimate *estimate(Estimator *e, CelNode *node);

uint64_t cel_cost_add(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

uint64_t cel_cost_multiply(uint64_t a, uint64_t b)
{
	return b && a > UINT64_MAX / b ? UINT64_MAX : a * b;
}

uint64_t cel_cost_factor(uint64_t a, double factor)
{
	double product = ceil((double)a * factor);
	return product >= 18446744073709551616.0 ? UINT64_MAX : (uint64_t)product;
}

CelSize cel_size_union(CelSize a, CelSize b)
{
	return (CelSize){a.min < b.min ? a.min : b.min, a.max > b.max ? a.max : b.max};
}

CelSize cel_size_of(const CelEstimate *value)
{
	return value->sized ? value->size : any_size;
}

/* --- places --- */

const CelType *cel_place_items(const CelEstimate *value, const CelType *root)
{
	if (!value->placed)
		return root;
	if (!value->place || (value->place->kind != CEL_LIST && value->place->kind != CEL_MAP))
		return NULL;
	return value->place->kind == CEL_LIST ? value->place->first : value->place->second;
}

static const CelType *place_keys(const CelEstimate *value, const CelType *root)
{
	if (!value->placed)
		return root;
	return value->place && value->place->kind == CEL_MAP ? value->place->first : NULL;
}

static const CelType *place_field(const CelEstimate *value, const CelType *root, const char *name)
{
	if (!value->placed)
		return root;
	const CelField *field = value->place ? cel_type_field(value->place, name) : NULL;
	return field ? field->type : NULL;
}

static void put(CelEstimate *out, const CelType *place)
{
	out->placed = true;
	out->place = place;
}

/* --- sizes --- */

static void set_size(CelEstimate *out, CelSize size)
{
	out->sized = true;
	out->size = size;
}

static bool is_scalar(const CelType *type)
{
	switch ((int)type->kind) {
	case CEL_BOOL:
	case CEL_DOUBLE:
	case CEL_DURATION:
	case CEL_INT:
	case CEL_TIMESTAMP:
	case CEL_UINT:
		return true;
	case CEL_OPTIONAL:
		return is_scalar(type->first);
	default:
		return false;
	}
}

static uint64_t literal_size(const CelValue *value)
{
	if (value->kind == CEL_STRING)
		return cel_text_length(value->text);
	return value->kind == CEL_BYTES ? value->text.len : 1;
}

/* What nothing else has told: by the declared type, or by the type alone. */
static void find_size(const CelNode *node, CelEstimate *out)
{
	if (out->sized)
		return;
	if (out->placed && out->place)
		set_size(out, (CelSize){0, out->place->max_size});
	else if (is_scalar(node->type))
		set_size(out, (CelSize){1, 1});
}

static void set_entries(CelEstimate *out, CelKind container, CelSize key, CelSize value)
{
	out->container = container;
	out->key = key;
	out->value = value;
}

static void copy_entries(CelEstimate *out, const CelEstimate *from)
{
	set_entries(out, from->container, from->key, from->value);
}

static void unite_entries(CelEstimate *out, const CelEstimate *a, const CelEstimate *b)
{
	if (a->container != CEL_DYN && b->container != CEL_DYN)
		set_entries(out, a->container, cel_size_union(a->key, b->key),
			    cel_size_union(a->value, b->value));
}

/* --- names and members --- */

static void estimate_ident(Estimator *e, const CelNode *node, CelEstimate *out)
{
	out->cost = CEL_COST_SELECT;
	const Local *local = e->locals;
	while (local && strcmp(local->name, node->name) != 0)
		local = local->outer;
	if (!local) {
		put(out, e->root);
		return;
	}
	out->placed = local->value.placed;
	out->place = local->value.place;
	copy_entries(out, &local->value);
	find_size(node, out);
	if (!out->sized && local->value.sized)
		set_size(out, local->value.size);
}

/* has() is free. */
static void estimate_select(Estimator *e, const CelNode *node, CelEstimate *out)
{
	const CelEstimate *operand = estimate(e, node->target);
	CelKind kind = node->target->type->kind;
	out->cost = operand->cost;
	if (node->test_only)
		return;
	if (kind == CEL_MAP || kind == CEL_OBJECT || kind == CEL_PARAM)
		out->cost = cel_cost_add(out->cost, CEL_COST_SELECT);
	put(out, place_field(operand, e->root, node->name));
}

/* --- calls --- */

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* && and || cost no more than their sides, ?: than its condition and one of them. */
static bool estimate_logic(const CelNode *node, CelEstimate *const *args, CelEstimate *out)
{
	if (strcmp(node->name, "_&&_") == 0 || strcmp(node->name, "_||_") == 0) {
		out->cost = 0;
		for (size_t i = 0; i < node->arg_count; i++)
			out->cost = cel_cost_add(out->cost, args[i]->cost);
		return true;
	}
	if (strcmp(node->name, "_?_:_") != 0)
		return false;
	out->cost = cel_cost_add(args[0]->cost, larger(args[1]->cost, args[2]->cost));
	set_size(out, cel_size_union(cel_size_of(args[1]), cel_size_of(args[2])));
	unite_entries(out, args[1], args[2]);
	return true;
}

/* What a[b] leads to. */
static void follow_index(const Estimator *e, const CelFunction *row, const CelEstimate *of,
			 CelEstimate *out)
{
	if (strcmp(row->name, "_[_]") != 0 || *row->signature == 'O')
		return;
	out->sized = of->container != CEL_DYN;
	out->size = of->value;
	put(out, cel_place_items(of, e->root));
}

static void estimate_overloads(const Estimator *e, const CelCallEstimate *call, CelEstimate *out)
{
	const CelNode *node = call->node;
	uint64_t most = 0;
	for (size_t i = 0; i < node->row_count && i < 64; i++) {
		bool sized;
		CelSize size;
		if (!(node->fitting & (uint64_t)1 << i))
			continue;
		const CelFunction *row = node->rows[i];
		most = larger(most, cel_estimate_overload(call, row, &sized, &size));
		if (sized)
			set_size(out, out->sized ? cel_size_union(out->size, size) : size);
		if (sized && strcmp(row->name, "_+_") == 0)
			unite_entries(out, call->args[0], call->args[1]);
		if (node->arg_count > 0)
			follow_index(e, row, call->args[0], out);
		find_size(node, out);
	}
	out->cost = cel_cost_add(out->cost, most);
}

static void estimate_call(Estimator *e, CelNode *node, CelEstimate *out)
{
	CelEstimate **args = arena_alloc(e->arena, (node->arg_count + 1) * sizeof(*args));
	for (size_t i = 0; i < node->arg_count; i++) {
		args[i] = estimate(e, node->args[i]);
		out->cost = cel_cost_add(out->cost, args[i]->cost);
	}
	if (!node->target && strcmp(node->name, "dyn") == 0) {
		*out = (CelEstimate){.cost = cel_cost_add(out->cost, 1)};
		if (args[0]->sized)
			set_size(out, args[0]->size);
		copy_entries(out, args[0]);
		return;
	}
	if (estimate_logic(node, args, out))
		return;
	CelCallEstimate call = {node, NULL, args, e->root};
	if (node->target) {
		call.target = estimate(e, node->target);
		out->cost = cel_cost_add(out->cost, call.target->cost);
	}
	estimate_overloads(e, &call, out);
}

/* --- literals --- */

static void estimate_literal(Estimator *e, const CelNode *node, CelEstimate *out)
{
	CelSize sizes[2] = {{UINT64_MAX, 0}, {UINT64_MAX, 0}};
	size_t step = node->kind == NODE_MAP ? 2 : 1;
	if (node->arg_count == 0)
		sizes[0].min = sizes[1].min = 0;
	for (size_t i = 0; i < node->arg_count; i++) {
		const CelEstimate *item = estimate(e, node->args[i]);
		out->cost = cel_cost_add(out->cost, item->cost);
		sizes[i % step] = cel_size_union(sizes[i % step], cel_size_of(item));
	}
	out->cost = cel_cost_add(out->cost, step == 2 ? CEL_COST_MAP : CEL_COST_LIST);
	uint64_t count = node->arg_count / step;
	set_size(out, (CelSize){count, count});
	if (step == 2)
		set_entries(out, CEL_MAP, sizes[0], sizes[1]);
	else
		set_entries(out, CEL_LIST, (CelSize){1, 1}, sizes[0]);
}

/* --- comprehensions --- */

/* The variable that goes over keys (indices) or over values (items). */
static Local loop_variable(const Estimator *e, const char *name, const CelNode *range,
			   const CelEstimate *from, bool keys)
{
	Local out = {.name = name, .outer = e->locals};
	bool known = from->container != CEL_DYN;
	CelKind kind = known ? from->container : range->type->kind;
	if (known)
		set_size(&out.value, keys ? from->key : from->value);
	if (!keys)
		put(&out.value, cel_place_items(from, e->root));
	else if (kind == CEL_LIST)
		put(&out.value, from->placed ? NULL : e->root);
	else
		put(&out.value, place_keys(from, e->root));
	return out;
}

static bool goes_over_values(const CelNode *range, const CelEstimate *from)
{
	return from->container == CEL_LIST ||
	       (from->container == CEL_DYN && range->type->kind == CEL_LIST);
}

/* A fold over nothing that gives a value a name. */
static bool is_binding(const CelFold *fold)
{
	return fold->range->kind == NODE_LIST && fold->range->arg_count == 0 &&
	       fold->condition->kind == NODE_CONST && fold->condition->value.kind == CEL_BOOL &&
	       !fold->condition->value.flag && strcmp(fold->accu, "__result__") != 0;
}

static void estimate_loop(Estimator *e, const CelFold *fold, const CelEstimate *range,
			  CelEstimate *out)
{
	const Local *outer = e->locals;
	bool one = !fold->iter2;
	bool keys = one ? !goes_over_values(fold->range, range) : true;
	Local first = loop_variable(e, fold->iter, fold->range, range, keys);
	e->locals = &first;
	Local second = loop_variable(e, fold->iter2, fold->range, range, false);
	if (!one)
		e->locals = &second;
	uint64_t each = estimate(e, fold->condition)->cost;
	const CelEstimate *step = estimate(e, fold->step);
	each = cel_cost_add(each, step->cost);
	e->locals = outer;
	CelSize count = cel_size_of(range);
	out->cost = cel_cost_add(out->cost, cel_cost_multiply(count.max, each));
	const CelEstimate *init = estimate(e, fold->init);
	if (fold->init->kind == NODE_CONST) {
		set_size(out, cel_size_of(init));
	} else if (fold->init->kind == NODE_LIST || fold->init->kind == NODE_MAP) {
		set_size(out, count);
		copy_entries(out, step);
	}
}

static void estimate_fold(Estimator *e, const CelNode *node, CelEstimate *out)
{
	const CelFold *fold = node->fold;
	const CelEstimate *range = estimate(e, fold->range), *init = estimate(e, fold->init);
	out->cost = cel_cost_add(range->cost, init->cost);
	const Local *outer = e->locals;
	Local accu = {.name = fold->accu, .value = *init, .outer = outer};
	e->locals = &accu;
	if (!is_binding(fold))
		estimate_loop(e, fold, range, out);
	const CelEstimate *result = estimate(e, fold->result);
	e->locals = outer;
	out->cost = cel_cost_add(out->cost, result->cost);
	if (!is_binding(fold))
		return;
	if (result->sized)
		set_size(out, result->size);
	copy_entries(out, result);
}

/* --- nodes --- */

static CelEstimate *estimate(Estimator *e, CelNode *node)
{
	if (node->estimate)
		return node->estimate;
	CelEstimate *out = arena_alloc(e->arena, sizeof(*out));
	switch (node->kind) {
	case NODE_CONST:
		set_size(out, (CelSize){literal_size(&node->value), literal_size(&node->value)});
		break;
	case NODE_IDENT:
		estimate_ident(e, node, out);
		break;
	case NODE_SELECT:
		estimate_select(e, node, out);
		break;
	case NODE_CALL:
		estimate_call(e, node, out);
		break;
	case NODE_LIST:
	case NODE_MAP:
		estimate_literal(e, node, out);
		break;
	case NODE_FOLD:
		estimate_fold(e, node, out);
		break;
	}
	find_size(node, out);
	node->estimate = out;
	return out;
}

uint64_t cel_estimate(const CelProgram *program, const CelType *root)
{
	Estimator e = {.arena = program->arena, .root = root};
	return estimate(&e, program->root)->cost;
}
