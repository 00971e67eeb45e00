#include "gotmpl/exec.h"

#include "base/mem.h"
#include "gotmpl/fmt.h"

/* Control structures. Values come from eval.c. */

void exec_declare(GoRun *run, Str name, GoValue value)
{
	if (run->var_len == run->var_cap) {
		run->var_cap = run->var_cap ? run->var_cap * 2 : 16;
		run->vars = mem_realloc(run->vars, run->var_cap * sizeof(Variable));
	}
	run->vars[run->var_len++] = (Variable){name, value};
}

bool exec_assign(GoRun *run, Str name, GoValue value)
{
	for (size_t i = run->var_len; i > run->var_base; i--) {
		if (str_eq(run->vars[i - 1].name, name)) {
			run->vars[i - 1].value = value;
			return true;
		}
	}
	return run_error(run, "undefined variable: %.*s", (int)name.len, name.ptr);
}

static bool write_text(GoRun *run, Str text)
{
	autoerror Error err = {0};
	if (buf_append_limited(run->out, text.ptr, text.len, run->limits.output_bytes, &err))
		return true;
	return run_error(run, "limit of %zu bytes of output reached", run->limits.output_bytes);
}

static bool print_value(GoRun *run, const Node *node, GoValue value)
{
	run->node = node;
	if (value.type == GO_STRING)
		return write_text(run, value.text);
	if (value.type == GO_NIL)
		return write_text(run, STR("<no value>"));
	if (value.type == GO_STRUCT && value.record->type->addressed)
		return write_text(run, value.record->type->string(value.record, run->arena));
	GoFmt fmt = {run->arena, run->set->unicode, run->out, run->limits.output_bytes};
	fmt_value(&fmt, value);
	return write_text(run, STR(""));
}

static Flow walk_action(GoRun *run, GoValue dot, const Node *node)
{
	GoValue value;
	if (!exec_pipeline(run, dot, node->branch.pipe, &value))
		return FLOW_FAIL;
	if (node->branch.pipe->pipeline.decls.len > 0)
		return FLOW_NEXT;
	return print_value(run, node, value) ? FLOW_NEXT : FLOW_FAIL;
}

static Flow walk_if_or_with(GoRun *run, GoValue dot, const Node *node)
{
	GoValue value;
	size_t mark = run->var_len;
	Flow flow = FLOW_NEXT;
	if (!exec_pipeline(run, dot, node->branch.pipe, &value))
		return FLOW_FAIL;
	if (go_truth(value))
		flow = exec_walk(run, node->type == NODE_WITH ? value : dot, node->branch.body);
	else if (node->branch.otherwise)
		flow = exec_walk(run, dot, node->branch.otherwise);
	run->var_len = mark;
	return flow;
}

/* With one variable it is the element, with two the index comes first. */
static bool set_range_variables(GoRun *run, const Node *node, GoValue index, GoValue element)
{
	const NodeList *decls = &node->branch.pipe->pipeline.decls;
	if (decls->len == 0)
		return true;
	if (node->branch.pipe->assign) {
		bool two = decls->len > 1;
		Str first = decls->items[0]->path.idents.items[0];
		return exec_assign(run, first, two ? index : element) &&
		       (!two || exec_assign(run, decls->items[1]->path.idents.items[0], element));
	}
	run->vars[run->var_len - 1].value = element;
	if (decls->len > 1)
		run->vars[run->var_len - 2].value = index;
	return true;
}

/* One turn of a range; `mark` is behind its own variables. */
static Flow walk_turn(GoRun *run, const Node *node, size_t mark, GoValue index, GoValue element)
{
	if (!run_step(run))
		return FLOW_FAIL;
	if (!set_range_variables(run, node, index, element))
		return FLOW_FAIL;
	Flow flow = exec_walk(run, element, node->branch.body);
	run->var_len = mark;
	return flow == FLOW_CONTINUE ? FLOW_NEXT : flow;
}

static Flow range_list(GoRun *run, const Node *node, GoValue list)
{
	Flow flow = FLOW_NEXT;
	size_t mark = run->var_len, len = go_len(list);
	for (size_t i = 0; i < len && flow == FLOW_NEXT; i++)
		flow = walk_turn(run, node, mark, go_int((int64_t)i), go_item(run->arena, list, i));
	return flow;
}

/* Members are taken first: the body may change the map, as in Go, where the order is fixed before
 * the first turn. */
static Flow range_map(GoRun *run, const Node *node, GoValue value)
{
	GoMap *map = value.map;
	Flow flow = FLOW_NEXT;
	size_t mark = run->var_len;
	go_map_load(run->arena, map);
	size_t len = map->len;
	GoMember *members = arena_alloc(run->arena, (len + 1) * sizeof(GoMember));
	memcpy(members, map->members, len * sizeof(GoMember));
	for (size_t i = 0; i < len && flow == FLOW_NEXT; i++) {
		GoValue element = members[i].value;
		element.boxed = go_element_type(map->type) == GO_NIL;
		flow = walk_turn(run, node, mark, go_text(members[i].key), element);
	}
	return flow;
}

static Flow range_integer(GoRun *run, const Node *node, GoValue value)
{
	Flow flow = FLOW_NEXT;
	size_t mark = run->var_len;
	for (int64_t i = 0; i < value.integer && flow == FLOW_NEXT; i++) {
		GoValue element = value;
		element.boxed = false;
		element.integer = i;
		flow = walk_turn(run, node, mark, go_nil(), element);
	}
	return flow;
}

static Flow range_refused(GoRun *run, const char *what, const char *tail, GoValue value)
{
	autobuf Buf text = {0};
	GoFmt fmt = {run->arena, run->set->unicode, &text, 4096};
	fmt_value(&fmt, value);
	run_error(run, "%s %s%s", what, buf_text(&text), tail);
	return FLOW_FAIL;
}

static Flow range_over(GoRun *run, const Node *node, GoValue value, bool *ran)
{
	GoKind kind = go_kind(value);
	*ran = false;
	if (kind == GO_KIND_INT || kind == GO_KIND_UINT) {
		if (node->branch.pipe->pipeline.decls.len > 1)
			return range_refused(run, "can't use",
					     " to iterate over more than one variable", value);
		*ran = value.integer > 0;
		return range_integer(run, node, value);
	}
	if (kind == GO_KIND_INVALID)
		return FLOW_NEXT;
	if (kind != GO_KIND_SLICE && kind != GO_KIND_MAP)
		return range_refused(run, "range can't iterate over", "", value);
	*ran = go_len(value) > 0;
	if (!*ran)
		return FLOW_NEXT;
	return kind == GO_KIND_SLICE ? range_list(run, node, value) : range_map(run, node, value);
}

static Flow walk_range(GoRun *run, GoValue dot, const Node *node)
{
	GoValue value;
	bool ran;
	size_t mark = run->var_len;
	if (!exec_pipeline(run, dot, node->branch.pipe, &value))
		return FLOW_FAIL;
	Flow flow = range_over(run, node, value, &ran);
	if (flow == FLOW_NEXT && !ran && node->branch.otherwise)
		flow = exec_walk(run, dot, node->branch.otherwise);
	run->var_len = mark;
	return flow == FLOW_BREAK && ran ? FLOW_NEXT : flow;
}

static Flow walk_template(GoRun *run, GoValue dot, const Node *node)
{
	GoValue data = go_nil();
	run->node = node;
	char *name = mem_strndup(node->text.ptr, node->text.len);
	const Tree *tree = set_find(run->set, name);
	free(name);
	if (!tree) {
		run_error(run, "template \"%.*s\" not defined", (int)node->text.len,
			  node->text.ptr);
		return FLOW_FAIL;
	}
	if (node->branch.pipe && !exec_pipeline(run, dot, node->branch.pipe, &data))
		return FLOW_FAIL;
	if (!run_step(run))
		return FLOW_FAIL;
	return run_template(run, run->set, tree, data, run->out) ? FLOW_NEXT : FLOW_FAIL;
}

static Flow walk_list(GoRun *run, GoValue dot, const Node *list)
{
	for (size_t i = 0; i < list->list.len; i++) {
		Flow flow = exec_walk(run, dot, list->list.items[i]);
		if (flow != FLOW_NEXT)
			return flow;
	}
	return FLOW_NEXT;
}

Flow exec_walk(GoRun *run, GoValue dot, const Node *node)
{
	run->node = node;
	if (!run_step(run))
		return FLOW_FAIL;
	switch (node->type) {
	case NODE_TEXT:
		return write_text(run, node->text) ? FLOW_NEXT : FLOW_FAIL;
	case NODE_ACTION:
		return walk_action(run, dot, node);
	case NODE_IF:
	case NODE_WITH:
		return walk_if_or_with(run, dot, node);
	case NODE_RANGE:
		return walk_range(run, dot, node);
	case NODE_TEMPLATE:
		return walk_template(run, dot, node);
	case NODE_LIST:
		return walk_list(run, dot, node);
	case NODE_BREAK:
		return FLOW_BREAK;
	case NODE_CONTINUE:
		return FLOW_CONTINUE;
	case NODE_PIPE:
	case NODE_COMMAND:
	case NODE_FIELD:
	case NODE_CHAIN:
	case NODE_VARIABLE:
	case NODE_IDENTIFIER:
	case NODE_DOT:
	case NODE_NIL:
	case NODE_BOOL:
	case NODE_NUMBER:
	case NODE_STRING:
	case NODE_END:
	case NODE_ELSE:
		break;
	}
	return FLOW_NEXT;
}
