#include "gotmpl/call.h"
#include "gotmpl/exec.h"
#include "gotmpl/functions.h"
#include "gotmpl/strconv.h"

/*
 * Pipelines, commands and calls, after text/template/exec.go: which node an error names depends on
 * the order in which nodes are visited, so the order is upstream's. `missing` is the absence of a
 * piped value, which is not the same as nil.
 */

enum { ARGS_INLINE = 6 };

/* What the pipe brings: nothing, or a value. */
typedef struct {
	bool present;
	GoValue value;
} Piped;

static const Piped missing = {0};

typedef struct {
	GoRun *run;
	GoValue dot;
} Eval;

static bool eval_arg(Eval *e, char type, const Node *node, GoValue *out);
static bool eval_command(Eval *e, const Node *command, Piped final, GoValue *out);

static const char *param_type(char letter)
{
	static const struct {
		char letter;
		const char *name;
	} names[] = {
		{'s', "string"},
		{'i', "int"},
		{'u', "uint32"},
		{'f', "float64"},
		{'b', "bool"},
		{'a', "interface {}"},
		{'v', "reflect.Value"},
		{'m', "map[string]interface {}"},
		{'l', "[]interface {}"},
		{'t', "time.Time"},
		{'c', "sprig.certificate"},
	};
	for (size_t i = 0; i < COUNT(names); i++)
		if (names[i].letter == letter)
			return names[i].name;
	return "?";
}

static bool can_be_nil(char letter)
{
	return letter == 'a' || letter == 'v' || letter == 'm' || letter == 'l';
}

static GoValue zero_of(char letter)
{
	if (letter == 'm')
		return go_zero(GO_MAP);
	return letter == 'l' ? go_zero(GO_LIST) : go_nil();
}

static bool assignable(char letter, GoValue value)
{
	switch (letter) {
	case 's':
		return value.type == GO_STRING;
	case 'i':
		return value.type == GO_INT;
	case 'u':
		return value.type == GO_UINT32;
	case 'f':
		return value.type == GO_FLOAT64;
	case 'b':
		return value.type == GO_BOOL;
	case 'm':
		return value.type == GO_MAP || value.type == GO_VALUES;
	case 'l':
		return value.type == GO_LIST;
	case 't':
		return value.type == GO_TIME;
	case 'c':
		return value.type == GO_STRUCT &&
		       strcmp(value.record->type->name, "sprig.certificate") == 0;
	default:
		return true;
	}
}

/* validateType */
static bool fit_type(Eval *e, GoValue value, char letter, GoValue *out)
{
	bool invalid = value.type == GO_NIL && !value.boxed;
	if (letter == 'v' || letter == 'a') {
		*out = letter == 'a' ? go_unboxed(value) : value;
		return true;
	}
	if (invalid && can_be_nil(letter)) {
		*out = zero_of(letter);
		return true;
	}
	if (invalid)
		return run_error(e->run, "invalid value; expected %s", param_type(letter));
	if (value.type == GO_NIL || !assignable(letter, value))
		return run_error(e->run, "wrong type for value; expected %s; got %s",
				 param_type(letter),
				 value.type == GO_NIL ? "interface {}" : go_type_name(value));
	*out = go_unboxed(value);
	if (letter == 'm')
		out->type = GO_MAP; /* a named map type is passed as what it is made of */
	return true;
}

static bool ideal_constant(Eval *e, const Node *node, GoValue *out)
{
	const NumberValue *n = node->number;
	Str text = node->text;
	bool hex = text.len > 2 && text.ptr[0] == '0' && (text.ptr[1] | 32) == 'x';
	bool marked = false;
	for (size_t i = 0; i < text.len; i++) {
		hex = hex && (text.ptr[i] | 32) != 'p';
		marked |= strchr(".eEpP", text.ptr[i]) != NULL;
	}
	e->run->node = node;
	if (n->is_complex) {
		*out = (GoValue){.type = GO_COMPLEX128};
		out->complex[0] = n->complex[0];
		out->complex[1] = n->complex[1];
	} else if (n->is_float && !hex && text.ptr[0] != '\'' && marked) {
		*out = go_real(n->real);
	} else if (n->is_int) {
		*out = go_int(n->integer);
	} else {
		return run_error(e->run, "%.*s overflows int", (int)text.len, text.ptr);
	}
	return true;
}

static bool find_variable(Eval *e, Str name, GoValue *out)
{
	GoRun *run = e->run;
	for (size_t i = run->var_len; i > run->var_base; i--) {
		if (str_eq(run->vars[i - 1].name, name)) {
			*out = run->vars[i - 1].value;
			return true;
		}
	}
	return run_error(run, "undefined variable: %.*s", (int)name.len, name.ptr);
}

static bool not_a_function(Eval *e, const Node *command, Piped final)
{
	autobuf Buf text = {0};
	if (!command || (command->list.len <= 1 && !final.present))
		return true;
	node_write(e->run->set->unicode, command->list.items[0], &text);
	return run_error(e->run, "can't give argument to non-function %s", buf_text(&text));
}

/* ---- calls ---- */

typedef struct {
	const char *params;
	size_t fixed; /* without the variadic one */
	char variadic;
} Signature;

static Signature signature_of(const char *params)
{
	Signature s = {.params = params, .fixed = strlen(params)};
	if (s.fixed > 0 && params[s.fixed - 1] == '*') {
		s.fixed -= 2;
		s.variadic = params[s.fixed];
	}
	return s;
}

static char param_letter(const Signature *s, size_t index)
{
	return index < s->fixed ? s->params[index] : s->variadic;
}

static bool check_count(Eval *e, const Signature *s, const char *name, size_t args, size_t total)
{
	if (s->variadic && total < s->fixed)
		return run_error(e->run, "wrong number of args for %s: want at least %zu got %zu",
				 name, s->fixed, args);
	if (!s->variadic && total != s->fixed)
		return run_error(e->run, "wrong number of args for %s: want %zu got %zu", name,
				 s->fixed, total);
	return true;
}

/* and, or: stop at the first operand that decides, and give it back as it is. */
static bool call_logic(Eval *e, const Node *command, bool is_or, Piped final, GoValue *out)
{
	for (size_t i = 1; i < command->list.len; i++) {
		if (!eval_arg(e, 'v', command->list.items[i], out))
			return false;
		if (go_truth(*out) == is_or)
			return true;
	}
	if (final.present)
		*out = final.value;
	return true;
}

static bool eval_args(Eval *e, const Signature *s, const Node *command, Piped final, GoValue *args)
{
	size_t count = command ? command->list.len - 1 : 0;
	for (size_t i = 0; i < count; i++)
		if (!eval_arg(e, param_letter(s, i), command->list.items[i + 1], &args[i]))
			return false;
	if (!final.present)
		return true;
	return fit_type(e, final.value, param_letter(s, count), &args[count]);
}

/* `node` is what an error of the function itself is told of. */
static bool eval_call(Eval *e, const GoFn *fn, GoValue receiver, const Node *node,
		      const Node *command, Piped final, GoValue *out)
{
	Signature s = signature_of(fn->params);
	GoValue few[ARGS_INLINE];
	size_t count = command ? command->list.len - 1 : 0;
	size_t total = count + (final.present ? 1 : 0);
	if (!check_count(e, &s, fn->name, count, total))
		return false;
	if (fn == function_and || fn == function_or)
		return command ? call_logic(e, command, fn == function_or, final, out) : false;
	GoValue *args = few;
	if (total > ARGS_INLINE)
		args = arena_alloc(e->run->arena, total * sizeof(GoValue));
	if (!eval_args(e, &s, command, final, args) || !run_call_step(e->run))
		return false;
	GoCall call = {.run = e->run, .receiver = receiver, .args = args, .count = total};
	const Node *at = e->run->node;
	if (fn == function_call && command && command->list.len > 1)
		e->run->node = command->list.items[1]; /* the callee, which the error names */
	if (fn->run(&call, out))
		return true;
	e->run->node = node ? node : at;
	return run_wrap_call(e->run, fn->name);
}

/* ---- fields ---- */

static bool map_field(Eval *e, GoValue receiver, Str name, bool has_args, GoValue *out)
{
	GoRun *run = e->run;
	if (has_args)
		return run_error(run, "%.*s is not a method but has arguments", (int)name.len,
				 name.ptr);
	if (go_map_get(run->arena, receiver.map, name, out)) {
		out->boxed = go_element_type(receiver.type) == GO_NIL;
		return true;
	}
	if (run->limits.strict)
		return run_error(run, "map has no entry for key \"%.*s\"", (int)name.len, name.ptr);
	*out = go_zero(go_element_type(receiver.type));
	return true;
}

static const GoFn *find_method(GoValue receiver, Str name)
{
	const GoFn *rows = receiver.type == GO_STRUCT ? receiver.record->type->methods
						      : methods_of(receiver.type);
	for (; rows && rows->name; rows++)
		if (str_eq(str_of(rows->name), name))
			return rows;
	return NULL;
}

static bool eval_field(Eval *e, Str name, const Node *node, const Node *command, Piped final,
		       GoValue receiver, GoValue *out)
{
	GoRun *run = e->run;
	bool has_args = (command && command->list.len > 1) || final.present;
	if (receiver.type == GO_NIL && !receiver.boxed) {
		if (run->limits.strict)
			return run_error(run, "nil data; no entry for key \"%.*s\"", (int)name.len,
					 name.ptr);
		*out = go_nil();
		return true;
	}
	if (receiver.type == GO_NIL)
		return run_error(run, "nil pointer evaluating interface {}.%.*s", (int)name.len,
				 name.ptr);
	const GoFn *method = find_method(receiver, name);
	if (method)
		return eval_call(e, method, receiver, node, command, final, out);
	if (go_is_map(receiver))
		return map_field(e, receiver, name, has_args, out);
	GoValue *field = receiver.type == GO_STRUCT ? go_struct_field(receiver.record, name) : NULL;
	if (!field)
		return run_error(run, "can't evaluate field %.*s in type %s", (int)name.len,
				 name.ptr, go_static_type(receiver));
	if (has_args)
		return run_error(run, "%.*s has arguments but cannot be invoked as function",
				 (int)name.len, name.ptr);
	*out = *field;
	return true;
}

static bool eval_chain(Eval *e, GoValue receiver, const Node *node, size_t from,
		       const Node *command, Piped final, GoValue *out)
{
	const Idents *idents = &node->path.idents;
	*out = receiver;
	for (size_t i = from; i < idents->len; i++) {
		bool last = i + 1 == idents->len;
		if (!eval_field(e, idents->items[i], node, last ? command : NULL,
				last ? final : missing, *out, out))
			return false;
	}
	return true;
}

static bool eval_variable(Eval *e, const Node *node, const Node *command, Piped final, GoValue *out)
{
	GoValue value;
	e->run->node = node;
	if (!find_variable(e, node->path.idents.items[0], &value))
		return false;
	if (node->path.idents.len == 1) {
		*out = value;
		return not_a_function(e, command, final);
	}
	return eval_chain(e, value, node, 1, command, final, out);
}

static bool eval_chain_node(Eval *e, const Node *node, const Node *command, Piped final,
			    GoValue *out)
{
	GoValue head;
	e->run->node = node;
	if (node->path.head->type == NODE_NIL) {
		autobuf Buf text = {0};
		node_write(e->run->set->unicode, node, &text);
		return run_error(e->run, "indirection through explicit nil in %s", buf_text(&text));
	}
	if (!eval_arg(e, 'n', node->path.head, &head))
		return false;
	return eval_chain(e, head, node, 0, command, final, out);
}

static bool eval_field_node(Eval *e, const Node *node, const Node *command, Piped final,
			    GoValue *out)
{
	e->run->node = node;
	return eval_chain(e, e->dot, node, 0, command, final, out);
}

static bool eval_function(Eval *e, const Node *node, const Node *command, Piped final, GoValue *out)
{
	e->run->node = node;
	return eval_call(e, node->fn, go_nil(), command ? command : node, command, final, out);
}

/* ---- arguments ---- */

static bool expected(Eval *e, const char *what, const Node *node)
{
	autobuf Buf text = {0};
	node_write(e->run->set->unicode, node, &text);
	return run_error(e->run, "expected %s; found %s", what, buf_text(&text));
}

static bool literal_value(Eval *e, const Node *node, GoValue *out)
{
	e->run->node = node;
	if (node->type == NODE_BOOL)
		*out = go_bool(node->flag);
	else if (node->type == NODE_STRING)
		*out = go_text(node->value);
	else
		return ideal_constant(e, node, out);
	return true;
}

/* A constant takes the parameter's type if it can. */
static bool eval_literal(Eval *e, char letter, const Node *node, GoValue *out)
{
	bool number = node->type == NODE_NUMBER;
	switch (letter) {
	case 'b':
		return node->type == NODE_BOOL ? literal_value(e, node, out)
					       : expected(e, "bool", node);
	case 's':
		return node->type == NODE_STRING ? literal_value(e, node, out)
						 : expected(e, "string", node);
	case 'i':
		if (!number || !node->number->is_int)
			return expected(e, "integer", node);
		*out = go_int(node->number->integer);
		return true;
	case 'u':
		if (!number || !node->number->is_uint)
			return expected(e, "unsigned integer", node);
		*out = (GoValue){.type = GO_UINT32, .natural = (uint32_t)node->number->natural};
		return true;
	case 'f':
		if (!number || !node->number->is_float)
			return expected(e, "float", node);
		*out = go_real(node->number->real);
		return true;
	case 'a':
	case 'v':
	case 'n':
		return literal_value(e, node, out);
	default:
		break;
	}
	autobuf Buf text = {0};
	node_write(e->run->set->unicode, node, &text);
	return run_error(e->run, "can't handle %s for arg of type %s", buf_text(&text),
			 param_type(letter));
}

/* The value of a node that is no constant. */
static bool eval_operand(Eval *e, const Node *node, GoValue *out)
{
	switch ((int)node->type) {
	case NODE_DOT:
		*out = e->dot;
		return true;
	case NODE_FIELD:
		return eval_field_node(e, node, NULL, missing, out);
	case NODE_VARIABLE:
		return eval_variable(e, node, NULL, missing, out);
	case NODE_PIPE:
		return exec_pipeline(e->run, e->dot, node, out);
	case NODE_IDENTIFIER:
		return eval_function(e, node, NULL, missing, out);
	default:
		return eval_chain_node(e, node, NULL, missing, out);
	}
}

/* Letter 'n' is upstream's nil type: anything goes, as it is. */
static bool eval_arg(Eval *e, char letter, const Node *node, GoValue *out)
{
	GoValue value;
	e->run->node = node;
	if (node->type == NODE_BOOL || node->type == NODE_NUMBER || node->type == NODE_STRING)
		return eval_literal(e, letter, node, out);
	if (node->type == NODE_NIL) {
		if (!can_be_nil(letter))
			return run_error(e->run, "cannot assign nil to %s", param_type(letter));
		*out = zero_of(letter);
		return true;
	}
	if (!eval_operand(e, node, &value))
		return false;
	if (letter != 'n')
		return fit_type(e, value, letter, out);
	*out = value;
	return true;
}

static bool eval_command(Eval *e, const Node *command, Piped final, GoValue *out)
{
	const Node *first = command->list.items[0];
	switch ((int)first->type) {
	case NODE_FIELD:
		return eval_field_node(e, first, command, final, out);
	case NODE_CHAIN:
		return eval_chain_node(e, first, command, final, out);
	case NODE_IDENTIFIER:
		return eval_function(e, first, command, final, out);
	case NODE_PIPE:
		return not_a_function(e, command, final) &&
		       exec_pipeline(e->run, e->dot, first, out);
	case NODE_VARIABLE:
		return eval_variable(e, first, command, final, out);
	default:
		break;
	}
	e->run->node = first;
	if (!not_a_function(e, command, final))
		return false;
	if (first->type == NODE_DOT) {
		*out = e->dot;
		return true;
	}
	if (first->type == NODE_NIL)
		return run_error(e->run, "nil is not a command");
	return literal_value(e, first, out);
}

bool exec_pipeline(GoRun *run, GoValue dot, const Node *pipe, GoValue *out)
{
	Eval e = {run, dot};
	Piped piped = missing;
	run->node = pipe;
	if (!run_step(run))
		return false;
	for (size_t i = 0; i < pipe->pipeline.commands.len; i++) {
		GoValue value = go_nil();
		if (!eval_command(&e, pipe->pipeline.commands.items[i], piped, &value))
			return false;
		piped = (Piped){true, go_unboxed(value)};
	}
	for (size_t i = 0; i < pipe->pipeline.decls.len; i++) {
		Str name = pipe->pipeline.decls.items[i]->path.idents.items[0];
		if (!pipe->assign)
			exec_declare(run, name, piped.value);
		else if (!exec_assign(run, name, piped.value))
			return false;
	}
	*out = piped.value;
	return true;
}
