/*
 * Evaluation: a walk over the tree. Errors are values that && || and ?: may absorb; a passed limit
 * is none, it ends all. Costs are counted as cel-go's runtime tracker does (runtimecost.go): one
 * for a variable and for each step into it, what call.c says for a call, lists 10, maps 30.
 */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cel/cel_internal.h"

enum {
	LIST_COST = 10,
	MAP_COST = 30,
	TICKS = 256,
	EVAL_ARGS_MAX = 8,
};

struct CelFrame {
	const char *name;
	CelValue value;
	CelFrame *parent;
};

static void stop(CelRun *run, const char *text)
{
	if (!run->stopped)
		run->stop_text = text;
	run->stopped = true;
}

static CelValue stopped(CelRun *run)
{
	return (CelValue){.kind = CEL_ERROR, .text = str_of(run->stop_text)};
}

bool cel_charge(CelRun *run, uint64_t cost)
{
	if (__builtin_add_overflow(run->cost, cost, &run->cost))
		run->cost = UINT64_MAX;
	if (run->cost > run->cost_max && !run->stopped) {
		run->over_cost = true;
		stop(run, "operation cancelled: actual cost limit exceeded");
	}
	return !run->stopped;
}

bool cel_tick(CelRun *run)
{
	if (++run->ticks % TICKS == 0 && clock_mono_ms() > run->deadline_ms)
		stop(run, "operation interrupted");
	return !run->stopped;
}

static CelValue no_such_key(CelRun *run, const CelValue *key)
{
	CelValue text = cel_to_string(run, key);
	if (text.kind == CEL_STRING)
		return cel_error(run, "no such key: %.*s", (int)text.text.len, text.text.ptr);
	return cel_error(run, "no such key: %s", cel_type_name(cel_type_of(key)));
}

/* The number of an item: also 1u and 1.0. */
static bool read_index(const CelValue *key, int64_t *index)
{
	if (key->kind == CEL_INT)
		*index = key->integer;
	else if (key->kind == CEL_UINT && key->natural <= INT64_MAX)
		*index = (int64_t)key->natural;
	else if (key->kind == CEL_DOUBLE && key->real == floor(key->real) && fabs(key->real) < 9e18)
		*index = (int64_t)key->real;
	else
		return false;
	return true;
}

static CelValue bad_index(CelRun *run, const CelValue *key)
{
	autobuf Buf text = {0};
	if (key->kind == CEL_DOUBLE) {
		cel_write_double(key->real, &text);
		return cel_error(run, "unsupported index value %s in list", buf_text(&text));
	}
	if (key->kind == CEL_UINT)
		return cel_error(run, "unsupported index value %llu in list",
				 (unsigned long long)key->natural);
	return cel_error(run, "unsupported index type '%s' in list",
			 cel_type_name(cel_type_of(key)));
}

static const CelValue none = {.kind = CEL_OPTIONAL};

static CelValue list_item(CelRun *run, const CelValue *list, const CelValue *key, bool if_present)
{
	int64_t index;
	if (!read_index(key, &index))
		return bad_index(run, key);
	if (index >= 0 && (uint64_t)index < list->list->len)
		return cel_list_at(run, list->list, (size_t)index);
	return if_present ? none : cel_error(run, "index out of bounds: %lld", (long long)index);
}

CelValue cel_qualify(CelRun *run, const CelValue *value, const CelValue *key, bool if_present)
{
	CelValue found;
	if (value->kind == CEL_LIST)
		return list_item(run, value, key, if_present);
	if (value->kind == CEL_MAP || value->kind == CEL_OBJECT) {
		if (cel_map_find(run, value->map, *key, &found))
			return found;
		return if_present ? none : no_such_key(run, key);
	}
	return if_present ? none : no_such_key(run, key);
}

static CelValue optional_of(CelRun *run, CelValue value)
{
	CelValue *inner = cel_alloc(run, sizeof(*inner));
	if (!inner)
		return stopped(run);
	*inner = value;
	return (CelValue){.kind = CEL_OPTIONAL, .inner = inner};
}

/* A step into a value; into an optional it gives an optional. */
static CelValue step_into(CelRun *run, CelValue value, const CelValue *key, bool optional)
{
	if (cel_is_error(&value) || cel_is_error(key))
		return cel_is_error(&value) ? value : *key;
	bool was_optional = value.kind == CEL_OPTIONAL;
	if (was_optional && !value.inner)
		return value;
	if (was_optional)
		value = *value.inner;
	CelValue found = cel_qualify(run, &value, key, optional || was_optional);
	if ((optional || was_optional) && found.kind == CEL_OPTIONAL && !found.inner)
		return found;
	if (!cel_charge(run, 1))
		return stopped(run);
	if (!(optional || was_optional) || cel_is_error(&found))
		return found;
	return optional_of(run, found);
}

static CelValue variable_value(CelRun *run, const CelVariable *variable)
{
	const CelType *type = map_get(run->program->env->variables, variable->name);
	type = type ? type : cel_type(CEL_DYN);
	if (type->kind != CEL_OPTIONAL)
		return cel_value_of_json(run, variable->value, type);
	if (!variable->value)
		return none;
	return optional_of(run, cel_value_of_json(run, variable->value, type->first));
}

static CelValue eval_ident(CelRun *run, const CelNode *node)
{
	if (!cel_charge(run, 1))
		return stopped(run);
	const char *name = node->name;
	for (const CelFrame *at = run->frame; at && *name != '.'; at = at->parent)
		if (strcmp(at->name, name) == 0)
			return at->value;
	name += *name == '.';
	for (size_t i = 0; i < run->variable_count; i++)
		if (strcmp(run->variables[i].name, name) == 0)
			return variable_value(run, &run->variables[i]);
	const CelType *type = cel_type_named(name);
	if (type)
		return (CelValue){.kind = CEL_TYPE, .type = type};
	return cel_error(run, "no such attribute(s): %s", name);
}

static bool is_conditional(const CelNode *node)
{
	return node->kind == NODE_CALL && strcmp(node->name, "_?_:_") == 0;
}

/* Steps out of what is no variable cost one more, as an attribute of its own. */
static bool is_attribute(const CelNode *node)
{
	if (node->kind == NODE_CALL)
		return strcmp(node->name, "_[_]") == 0 || strcmp(node->name, "_?._") == 0 ||
		       strcmp(node->name, "_[?_]") == 0 || is_conditional(node);
	return node->kind == NODE_IDENT || (node->kind == NODE_SELECT && !node->test_only);
}

static CelValue eval_operand(CelRun *run, const CelNode *node)
{
	if (!is_attribute(node))
		(void)cel_charge(run, 1);
	return cel_eval_node(run, node);
}

static CelValue test_presence(CelRun *run, CelValue value, const CelValue *key)
{
	if (cel_is_error(&value)) {
		run->cost -= run->cost > 0;
		return value;
	}
	if (value.kind == CEL_OPTIONAL) {
		if (!value.inner) {
			run->cost -= run->cost > 0;
			return cel_bool(false);
		}
		value = *value.inner;
	}
	CelValue found = cel_qualify(run, &value, key, true);
	if (cel_is_error(&found))
		return found;
	return cel_bool(found.kind != CEL_OPTIONAL || found.inner);
}

static CelValue eval_select(CelRun *run, const CelNode *node)
{
	CelValue value = eval_operand(run, node->target);
	CelValue key = {.kind = CEL_STRING, .text = str_of(node->name)};
	return node->test_only ? test_presence(run, value, &key)
			       : step_into(run, value, &key, false);
}

static CelValue not_optional(CelRun *run, const char *what, const CelValue *value)
{
	CelValue text = cel_to_string(run, value);
	return cel_error(run, "cannot initialize optional %s from non-optional value %.*s", what,
			 (int)text.text.len, text.text.ptr);
}

static CelValue eval_list(CelRun *run, const CelNode *node)
{
	CelValue value = cel_list_new(run, node->arg_count);
	for (size_t i = 0; i < node->arg_count; i++) {
		CelValue item = cel_eval_node(run, node->args[i]);
		if (cel_is_error(&item) || run->stopped)
			return item;
		if (node->optional && node->optional[i]) {
			if (item.kind != CEL_OPTIONAL)
				return not_optional(run, "list element", &item);
			if (!item.inner)
				continue;
			item = *item.inner;
		}
		if (!cel_list_add(run, value.list, item))
			return stopped(run);
	}
	return cel_charge(run, node->constant ? 0 : LIST_COST) ? value : stopped(run);
}

static CelValue eval_entry(CelRun *run, const CelNode *node, size_t index, CelMap *map)
{
	CelValue key = cel_eval_node(run, node->args[index]);
	if (cel_is_error(&key))
		return key;
	CelValue value = cel_eval_node(run, node->args[index + 1]);
	if (cel_is_error(&value))
		return value;
	if (node->optional && node->optional[index / 2]) {
		if (value.kind != CEL_OPTIONAL) {
			CelValue name = cel_to_string(run, &key);
			autofree char *entry =
				mem_printf("entry '%.*s'", (int)name.text.len, name.text.ptr);
			return not_optional(run, entry, &value);
		}
		if (!value.inner)
			return cel_null();
		value = *value.inner;
	}
	(void)cel_map_put(run, map, key, value);
	return cel_null();
}

static CelValue eval_map(CelRun *run, const CelNode *node)
{
	CelValue value = cel_map_new(run);
	for (size_t i = 0; i + 1 < node->arg_count && !cel_is_error(&value); i += 2) {
		CelValue result = eval_entry(run, node, i, value.map);
		if (cel_is_error(&result))
			return result;
	}
	return cel_charge(run, node->constant ? 0 : MAP_COST) ? value : stopped(run);
}

/* && and ||: one decisive term decides, whatever errors the others have. */
static CelValue eval_logic(CelRun *run, const CelNode *node, bool decisive)
{
	CelValue wrong = cel_bool(!decisive);
	for (size_t i = 0; i < node->arg_count; i++) {
		CelValue term = cel_eval_node(run, node->args[i]);
		if (run->stopped)
			return stopped(run);
		if (term.kind == CEL_BOOL && term.flag == decisive)
			return term;
		if (term.kind != CEL_BOOL && !cel_is_error(&wrong))
			wrong = cel_is_error(&term) ? term : cel_no_overload(run);
	}
	return wrong;
}

static CelValue eval_conditional(CelRun *run, const CelNode *node)
{
	CelValue condition = cel_eval_node(run, node->args[0]);
	if (cel_is_error(&condition))
		return condition;
	if (condition.kind != CEL_BOOL)
		return cel_no_overload(run);
	const CelNode *branch = node->args[condition.flag ? 1 : 2];
	CelValue value = cel_eval_node(run, branch);
	/* A branch that is an attribute is part of this one. */
	if (is_attribute(branch) && !is_conditional(branch) && run->cost > 0)
		run->cost--;
	return value;
}

static CelValue eval_index(CelRun *run, const CelNode *node, bool optional)
{
	CelValue value = eval_operand(run, node->args[0]);
	CelValue key = cel_eval_node(run, node->args[1]);
	/* A key that is an attribute is a part of this one. */
	if (is_attribute(node->args[1]) && !is_conditional(node->args[1]) && run->cost > 0)
		run->cost--;
	return step_into(run, value, &key, optional);
}

/* a.or(b), a.orValue(b): b is looked at only when it is needed. */
static CelValue eval_optional_or(CelRun *run, const CelNode *node, bool value)
{
	CelValue first = cel_eval_node(run, node->target);
	if (cel_is_error(&first))
		return first;
	/* What is no optional stays as it is (cel-go decorateOptionalOr). */
	if (first.kind != CEL_OPTIONAL)
		return first;
	if (first.inner)
		return value ? *first.inner : first;
	CelValue second = cel_eval_node(run, node->args[0]);
	return second;
}

static CelValue not_strictly_false(CelRun *run, const CelNode *node)
{
	CelValue value = cel_eval_node(run, node->args[0]);
	if (!cel_charge(run, 1))
		return stopped(run);
	return value.kind == CEL_BOOL ? value : cel_bool(true);
}

static CelValue eval_strict(CelRun *run, const CelNode *node)
{
	CelValue args[EVAL_ARGS_MAX];
	size_t count = 0;
	if (node->target)
		args[count++] = cel_eval_node(run, node->target);
	for (size_t i = 0; i < node->arg_count && count < EVAL_ARGS_MAX; i++)
		args[count++] = cel_eval_node(run, node->args[i]);
	CelValue result = {.kind = CEL_NULL};
	for (size_t i = 0; i < count && !cel_is_error(&result); i++)
		if (cel_is_error(&args[i]))
			result = args[i];
	if (!cel_is_error(&result))
		result = cel_call(run, node, args, count);
	bool kubernetes = run->program->env->flags & CEL_LIB_KUBERNETES;
	if (!cel_charge(run, cel_call_cost(node, args, count, &result, kubernetes)))
		return stopped(run);
	return result;
}

static CelValue eval_call(CelRun *run, const CelNode *node)
{
	const char *name = node->name;
	if (node->target) {
		if (strcmp(name, "or") == 0 && node->arg_count == 1)
			return eval_optional_or(run, node, false);
		if (strcmp(name, "orValue") == 0 && node->arg_count == 1)
			return eval_optional_or(run, node, true);
		return eval_strict(run, node);
	}
	if (strcmp(name, "_&&_") == 0 || strcmp(name, "_||_") == 0)
		return eval_logic(run, node, name[1] == '|');
	if (strcmp(name, "_?_:_") == 0 && node->arg_count == 3)
		return eval_conditional(run, node);
	if (strcmp(name, "_[_]") == 0)
		return eval_index(run, node, false);
	if (strcmp(name, "_[?_]") == 0 || strcmp(name, "_?._") == 0)
		return eval_index(run, node, true);
	if (strcmp(name, "@not_strictly_false") == 0)
		return not_strictly_false(run, node);
	return eval_strict(run, node);
}

/* The accumulator of an empty literal grows in place; nobody else can see it meanwhile. */
static void set_growing(CelValue *accu, const CelNode *init, bool growing)
{
	if (init->arg_count > 0)
		return;
	if (init->kind == NODE_LIST && accu->kind == CEL_LIST)
		accu->list->growing = growing;
	if (init->kind == NODE_MAP && accu->kind == CEL_MAP)
		accu->map->growing = growing;
}

/* What Go calls it. */
static const char *go_type(CelKind kind)
{
	static const char *const names[CEL_KINDS] = {
		[CEL_NULL] = "types.Null",	   [CEL_BOOL] = "types.Bool",
		[CEL_INT] = "types.Int",	   [CEL_UINT] = "types.Uint",
		[CEL_DOUBLE] = "types.Double",	   [CEL_STRING] = "types.String",
		[CEL_BYTES] = "types.Bytes",	   [CEL_TIMESTAMP] = "types.Timestamp",
		[CEL_DURATION] = "types.Duration", [CEL_TYPE] = "*types.Type",
		[CEL_OPTIONAL] = "*types.Optional"};
	return names[kind] ? names[kind] : cel_type_name(cel_type(kind));
}

static size_t range_length(const CelValue *range)
{
	return range->kind == CEL_LIST ? range->list->len : range->map->len;
}

/* What the variables are in round `index`. */
static void set_variables(CelRun *run, const CelFold *fold, const CelValue *range, size_t index,
			  CelFrame *first, CelFrame *second)
{
	if (range->kind == CEL_LIST) {
		CelValue item = cel_list_at(run, range->list, index);
		first->value = fold->iter2 ? cel_int((int64_t)index) : item;
		second->value = item;
		return;
	}
	first->value = cel_map_key(run, range->map, index);
	if (fold->iter2)
		second->value = cel_map_value(run, range->map, index);
}

static CelValue eval_rounds(CelRun *run, const CelNode *node, const CelValue *range, CelFrame *accu)
{
	const CelFold *fold = node->fold;
	CelFrame first = {.name = fold->iter, .parent = accu};
	CelFrame second = {.name = fold->iter2, .parent = &first};
	for (size_t i = 0; i < range_length(range) && cel_tick(run); i++) {
		set_variables(run, fold, range, i, &first, &second);
		run->frame = fold->iter2 ? &second : &first;
		CelValue condition = cel_eval_node(run, fold->condition);
		if (condition.kind != CEL_BOOL || !condition.flag)
			break;
		accu->value = cel_eval_node(run, fold->step);
	}
	run->frame = accu;
	set_growing(&accu->value, fold->init, false);
	return cel_eval_node(run, fold->result);
}

static CelValue eval_fold(CelRun *run, const CelNode *node)
{
	CelFrame *outer = run->frame;
	CelValue range = cel_eval_node(run, node->fold->range);
	if (cel_is_error(&range))
		return range;
	if (range.kind != CEL_LIST && range.kind != CEL_MAP && range.kind != CEL_OBJECT)
		return cel_error(run, "got '%s', expected iterable type", go_type(range.kind));
	CelFrame accu = {.name = node->fold->accu, .parent = outer};
	accu.value = cel_eval_node(run, node->fold->init);
	set_growing(&accu.value, node->fold->init, true);
	CelValue result = eval_rounds(run, node, &range, &accu);
	run->frame = outer;
	return result;
}

CelValue cel_eval_node(CelRun *run, const CelNode *node)
{
	if (!cel_tick(run))
		return stopped(run);
	switch (node->kind) {
	case NODE_CONST:
		return node->value;
	case NODE_IDENT:
		return eval_ident(run, node);
	case NODE_SELECT:
		return eval_select(run, node);
	case NODE_CALL:
		return eval_call(run, node);
	case NODE_LIST:
		return eval_list(run, node);
	case NODE_MAP:
		return eval_map(run, node);
	case NODE_FOLD:
	default:
		return eval_fold(run, node);
	}
}
