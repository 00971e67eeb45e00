#include <math.h>

#include "base/mem.h"
#include "gotmpl/parse_internal.h"
#include "gotmpl/strconv.h"

/* Pipelines, commands, operands and constants. */

bool parse_string(Parser *p, Token token, Str *out)
{
	autobuf Buf text = {0};
	if (!unquote(token.text, &text))
		return parser_fail(p, "invalid syntax");
	*out = str_sized(arena_strndup(p->arena, buf_text(&text), text.len), text.len);
	return true;
}

/* ".a.b" or "$x.a" to its parts. */
static Idents split_idents(Parser *p, Str text)
{
	Idents idents = {0};
	size_t count = 1;
	for (size_t i = 0; i < text.len; i++)
		count += text.ptr[i] == '.';
	idents.items = arena_alloc(p->arena, count * sizeof(Str));
	Str piece;
	while (idents.len < count) {
		str_cut(text, '.', &piece, &text);
		idents.items[idents.len++] = piece;
	}
	return idents;
}

static void declare(Parser *p, Str name)
{
	VarNames *vars = &p->vars;
	if (vars->len == vars->cap) {
		vars->cap *= 2;
		Str *items = arena_alloc(p->arena, vars->cap * sizeof(Str));
		memcpy(items, vars->items, vars->len * sizeof(Str));
		vars->items = items;
	}
	vars->items[vars->len++] = name;
}

static Node *use_variable(Parser *p, Token token)
{
	Node *node = node_new(p, NODE_VARIABLE, token.pos);
	node->path.idents = split_idents(p, token.text);
	Str name = node->path.idents.items[0];
	for (size_t i = 0; i < p->vars.len; i++)
		if (str_eq(p->vars.items[i], name))
			return node;
	return parser_fail(p, "undefined variable \"%.*s\"", (int)name.len, name.ptr);
}

/* Complex constants: what has no imaginary part is a float, and an integer when it is whole. */
static void simplify_complex(NumberValue *n)
{
	n->is_float = !(n->complex[1] < 0 || n->complex[1] > 0);
	if (!n->is_float)
		return;
	n->real = n->complex[0];
	bool whole = fabs(n->real) < 9e18 && floor(n->real) >= n->real;
	n->is_int = whole;
	n->integer = whole ? (int64_t)n->real : 0;
	n->is_uint = whole && n->real >= 0;
	n->natural = n->is_uint ? (uint64_t)n->real : 0;
}

static bool read_complex(Str text, NumberValue *n)
{
	size_t split = 0;
	bool range;
	for (size_t i = 1; i < text.len; i++)
		if ((text.ptr[i] == '+' || text.ptr[i] == '-') && (text.ptr[i - 1] | 32) != 'e')
			split = i;
	if (text.len < 2 || text.ptr[text.len - 1] != 'i')
		return false;
	if (split > 0 && !parse_float(str_slice(text, 0, split), &n->complex[0], &range))
		return false;
	if (!parse_float(str_slice(text, split, text.len - 1), &n->complex[1], &range))
		return false;
	n->is_complex = true;
	simplify_complex(n);
	return true;
}

static bool has_point_or_exponent(Str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (strchr(".eEpP", text.ptr[i]))
			return true;
	return false;
}

/* False with *overflow when it looks like an integer that is too large. */
static bool read_number(Str text, NumberValue *n, bool *overflow)
{
	bool range;
	*overflow = false;
	if (text.len > 0 && text.ptr[text.len - 1] == 'i' && read_complex(text, n))
		return true;
	n->is_uint = parse_uint(text, 0, &n->natural, &range);
	n->is_int = parse_int(text, 0, &n->integer, &range);
	if (n->is_int && n->integer == 0)
		n->is_uint = true;
	n->is_float = n->is_int || n->is_uint;
	if (n->is_float) {
		n->real = n->is_int ? (double)n->integer : (double)n->natural;
		return true;
	}
	if (!parse_float(text, &n->real, &range))
		return false;
	*overflow = !has_point_or_exponent(text);
	n->is_float = true;
	bool whole = fabs(n->real) < 9.2e18 && floor(n->real) >= n->real;
	n->is_int = whole;
	n->integer = whole ? (int64_t)n->real : 0;
	n->is_uint = whole && n->real >= 0;
	n->natural = n->is_uint ? (uint64_t)n->real : 0;
	return !*overflow;
}

static bool read_char(Parser *p, Token token, NumberValue *n)
{
	uint32_t rune = 0;
	bool tail;
	if (!unquote_rune(token.text, &rune, &tail))
		return parser_fail(p, "invalid syntax");
	if (tail)
		return parser_fail(p, "malformed character constant: %.*s", (int)token.text.len,
				   token.text.ptr);
	*n = (NumberValue){.is_int = true, .is_uint = true, .is_float = true};
	n->integer = rune;
	n->natural = rune;
	n->real = rune;
	return true;
}

static Node *parse_number(Parser *p, Token token)
{
	NumberValue *n = arena_alloc(p->arena, sizeof(*n));
	Node *node = node_new(p, NODE_NUMBER, token.pos);
	bool overflow = false;
	node->text = token.text;
	node->number = n;
	if (token.type == TOKEN_CHAR_CONSTANT)
		return read_char(p, token, n) ? node : NULL;
	bool fine = token.type == TOKEN_COMPLEX ? read_complex(token.text, n)
						: read_number(token.text, n, &overflow);
	if (fine)
		return node;
	autobuf Buf quoted = {0};
	quote_append(p->set->unicode, token.text, false, &quoted);
	return parser_fail(p, "%s: %s", overflow ? "integer overflow" : "illegal number syntax",
			   buf_text(&quoted));
}

static Node *parse_identifier(Parser *p, Token token)
{
	Node *node = node_new(p, NODE_IDENTIFIER, token.pos);
	node->text = token.text;
	autoerror Error err = {0};
	node->fn = set_function(p->set, token.text, &err);
	if (node->fn)
		return node;
	if (err_is_set(&err))
		return parser_fail(p, "%s", err_text(&err));
	return parser_fail(p, "function \"%.*s\" not defined", (int)token.text.len, token.text.ptr);
}

static Node *parse_parens(Parser *p)
{
	if (++p->depth > PARSE_MAX_DEPTH)
		return parser_fail(p, "max expression depth exceeded");
	Node *node = parse_pipeline(p, "parenthesized pipeline", TOKEN_RIGHT_PAREN);
	p->depth--;
	return node;
}

/* True with *out NULL when the next token starts no term. */
static bool parse_term(Parser *p, Node **out)
{
	Token token = parser_next_non_space(p);
	switch (token.type) {
	case TOKEN_IDENTIFIER:
		*out = parse_identifier(p, token);
		break;
	case TOKEN_DOT:
	case TOKEN_NIL:
		*out = node_new(p, token.type == TOKEN_DOT ? NODE_DOT : NODE_NIL, token.pos);
		break;
	case TOKEN_VARIABLE:
		*out = use_variable(p, token);
		break;
	case TOKEN_FIELD:
		*out = node_new(p, NODE_FIELD, token.pos);
		(*out)->path.idents = split_idents(p, str_slice(token.text, 1, token.text.len));
		break;
	case TOKEN_BOOL:
		*out = node_new(p, NODE_BOOL, token.pos);
		(*out)->flag = str_eq(token.text, STR("true"));
		break;
	case TOKEN_CHAR_CONSTANT:
	case TOKEN_COMPLEX:
	case TOKEN_NUMBER:
		*out = parse_number(p, token);
		break;
	case TOKEN_LEFT_PAREN:
		*out = parse_parens(p);
		break;
	case TOKEN_STRING:
	case TOKEN_RAW_STRING:
		*out = node_new(p, NODE_STRING, token.pos);
		(*out)->text = token.text;
		return parse_string(p, token, &(*out)->value);
	case TOKEN_ERROR:
	case TOKEN_CHAR:
	case TOKEN_ASSIGN:
	case TOKEN_DECLARE:
	case TOKEN_EOF:
	case TOKEN_LEFT_DELIM:
	case TOKEN_PIPE:
	case TOKEN_RIGHT_DELIM:
	case TOKEN_RIGHT_PAREN:
	case TOKEN_SPACE:
	case TOKEN_TEXT:
	case TOKEN_KEYWORD:
	case TOKEN_BLOCK:
	case TOKEN_BREAK:
	case TOKEN_CONTINUE:
	case TOKEN_DEFINE:
	case TOKEN_ELSE:
	case TOKEN_END:
	case TOKEN_IF:
	case TOKEN_RANGE:
	case TOKEN_TEMPLATE:
	case TOKEN_WITH:
		parser_backup(p);
		*out = NULL;
		return true;
	}
	return *out != NULL;
}

/* Fields after a term: of a field or variable they join its own, of anything else they chain. */
static Node *parse_chain(Parser *p, Node *head)
{
	size_t pos = parser_peek(p).pos;
	autobuf Buf names = {0};
	bool join = head->type == NODE_FIELD || head->type == NODE_VARIABLE;
	for (size_t i = 0; join && i < head->path.idents.len; i++) {
		if (i > 0)
			buf_putc(&names, '.');
		buf_add(&names, head->path.idents.items[i]);
	}
	while (parser_peek(p).type == TOKEN_FIELD) {
		Str field = parser_next(p).text;
		buf_add(&names, names.len > 0 ? field : str_slice(field, 1, field.len));
	}
	autobuf Buf term = {0};
	if (head->type == NODE_BOOL || head->type == NODE_STRING || head->type == NODE_NUMBER ||
	    head->type == NODE_NIL || head->type == NODE_DOT) {
		autobuf Buf quoted = {0};
		node_write(p->set->unicode, head, &term);
		quote_append(p->set->unicode, buf_str(&term), false, &quoted);
		return parser_fail(p, "unexpected . after term %s", buf_text(&quoted));
	}
	Node *node = node_new(p, join ? head->type : NODE_CHAIN, pos);
	node->path.head = join ? NULL : head;
	node->path.idents = split_idents(
		p, str_sized(arena_strndup(p->arena, buf_text(&names), names.len), names.len));
	return node;
}

static bool parse_operand(Parser *p, Node **out)
{
	if (!parse_term(p, out))
		return false;
	if (*out && parser_peek(p).type == TOKEN_FIELD)
		*out = parse_chain(p, *out);
	return *out || !err_is_set(p->err);
}

static Node *parse_command(Parser *p)
{
	Node *command = node_new(p, NODE_COMMAND, parser_peek_non_space(p).pos);
	for (;;) {
		Node *operand = NULL;
		parser_peek_non_space(p);
		if (!parse_operand(p, &operand))
			return NULL;
		if (operand)
			node_add(p, &command->list, operand);
		Token token = parser_next(p);
		if (token.type == TOKEN_SPACE)
			continue;
		if (token.type == TOKEN_RIGHT_DELIM || token.type == TOKEN_RIGHT_PAREN)
			parser_backup(p);
		else if (token.type != TOKEN_PIPE)
			return parser_unexpected(p, token, "operand");
		break;
	}
	if (command->list.len == 0)
		return parser_fail(p, "empty command");
	return command;
}

static bool starts_command(TokenType type)
{
	switch ((int)type) {
	case TOKEN_BOOL:
	case TOKEN_CHAR_CONSTANT:
	case TOKEN_COMPLEX:
	case TOKEN_DOT:
	case TOKEN_FIELD:
	case TOKEN_IDENTIFIER:
	case TOKEN_NUMBER:
	case TOKEN_NIL:
	case TOKEN_RAW_STRING:
	case TOKEN_STRING:
	case TOKEN_VARIABLE:
	case TOKEN_LEFT_PAREN:
		return true;
	default:
		return false;
	}
}

/* Only the first command may be a value that cannot be called. */
static bool check_pipeline(Parser *p, const Node *pipe, const char *context)
{
	const NodeList *commands = &pipe->pipeline.commands;
	if (commands->len == 0)
		return parser_fail(p, "missing value for %s", context);
	for (size_t i = 1; i < commands->len; i++) {
		NodeType type = commands->items[i]->list.items[0]->type;
		if (type == NODE_BOOL || type == NODE_DOT || type == NODE_NIL ||
		    type == NODE_NUMBER || type == NODE_STRING)
			return parser_fail(p, "non executable command in pipeline stage %zu",
					   i + 1);
	}
	return true;
}

static void add_declaration(Parser *p, Node *pipe, Token variable)
{
	Node *node = node_new(p, NODE_VARIABLE, variable.pos);
	node->path.idents = split_idents(p, variable.text);
	node_add(p, &pipe->pipeline.decls, node);
	declare(p, variable.text);
}

/* "$x," in a range: true when one more variable follows. */
static bool more_declarations(Parser *p, const Node *pipe, const char *context)
{
	if (strcmp(context, "range") != 0 || pipe->pipeline.decls.len >= 2)
		return parser_fail(p, "too many declarations in %s", context);
	TokenType type = parser_peek_non_space(p).type;
	if (type == TOKEN_VARIABLE || type == TOKEN_RIGHT_DELIM || type == TOKEN_RIGHT_PAREN)
		return true;
	return parser_fail(p, "range can only initialize variables");
}

static bool parse_declarations(Parser *p, Node *pipe, const char *context)
{
	while (parser_peek_non_space(p).type == TOKEN_VARIABLE) {
		Token variable = parser_next(p);
		/* Blanks are tokens: "$x foo" needs three of look-ahead to be no declaration. */
		Token after = parser_peek(p);
		Token next = parser_peek_non_space(p);
		if (next.type == TOKEN_ASSIGN || next.type == TOKEN_DECLARE) {
			pipe->assign = next.type == TOKEN_ASSIGN;
			parser_next_non_space(p);
			add_declaration(p, pipe, variable);
			return true;
		}
		if (next.type == TOKEN_CHAR && str_eq(next.text, STR(","))) {
			parser_next_non_space(p);
			add_declaration(p, pipe, variable);
			if (!more_declarations(p, pipe, context))
				return false;
			continue;
		}
		if (after.type == TOKEN_SPACE)
			parser_backup3(p, variable, after);
		else
			parser_backup2(p, variable);
		return true;
	}
	return true;
}

Node *parse_pipeline(Parser *p, const char *context, TokenType end)
{
	Node *pipe = node_new(p, NODE_PIPE, parser_peek_non_space(p).pos);
	if (!parse_declarations(p, pipe, context))
		return NULL;
	for (;;) {
		Token token = parser_next_non_space(p);
		if (token.type == end)
			return check_pipeline(p, pipe, context) ? pipe : NULL;
		if (!starts_command(token.type))
			return parser_unexpected(p, token, context);
		parser_backup(p);
		Node *command = parse_command(p);
		if (!command)
			return NULL;
		node_add(p, &pipe->pipeline.commands, command);
	}
}
