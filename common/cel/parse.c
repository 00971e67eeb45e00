/*
 * Recursive descent over CEL's grammar. What it refuses, ANTLR refuses; of syntax errors only the
 * first is told. Calls that are macros are expanded as they are met (macro.c).
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cel/lex.h"

typedef struct {
	Lexer lexer;
	CelMaker maker;
	int depth;
	bool failed; /* a syntax error: nothing more is read */
} Parser;

static const char primary_start[] =
	"{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, "
	"STRING, BYTES, IDENTIFIER}";
static const char member_start[] = "{'[', '{', '(', '.', '-', 'true', 'false', 'null', NUM_FLOAT, "
				   "NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";

static const char argument_start[] = "{'[', '{', '(', ')', '.', '-', '!', 'true', 'false', 'null', "
				     "NUM_FLOAT, NUM_INT, NUM_UINT, "
				     "STRING, BYTES, IDENTIFIER}";

static CelNode *parse_expr(Parser *p);

static CelNode *nothing(Parser *p)
{
	return cel_node(&p->maker, NODE_CONST, p->lexer.token.offset);
}

/* The token after the current one; nothing is told of it. */
static Token peek(const Parser *p)
{
	CelSource silent = {.arena = p->maker.source->arena, .text = p->maker.source->text};
	Lexer ahead = p->lexer;
	ahead.source = &silent;
	cel_lexer_next(&ahead);
	vec_dispose(&silent.problems);
	return ahead.token;
}

/* ANTLR calls one token too many extraneous: the next one would have been right. */
static bool is_extraneous(const Parser *p, const char *expecting)
{
	static const char *const starts[] = {"[", "{", "(", ".", "-", "!", "true", "false", "null"};
	if (p->lexer.token.kind == TOKEN_END)
		return false;
	Token next = peek(p);
	if (strcmp(expecting, "<EOF>") == 0)
		return next.kind == TOKEN_END;
	if (next.kind != TOKEN_OPERATOR)
		return next.kind != TOKEN_END && next.kind != TOKEN_ESCAPED_IDENT;
	for (size_t i = 0; i < COUNT(starts); i++)
		if (str_eq(next.text, str_of(starts[i])))
			return true;
	return strcmp(expecting, argument_start) == 0 && str_eq(next.text, STR(")"));
}

static CelNode *syntax_error(Parser *p, const char *expecting)
{
	Token *token = &p->lexer.token;
	Str text = token->kind == TOKEN_END ? STR("<EOF>") : token->text;
	const char *what = is_extraneous(p, expecting) ? "extraneous" : "mismatched";
	if (!p->failed)
		cel_problem(p->maker.source, token->offset,
			    "Syntax error: %s input '%.*s' expecting %s", what, (int)text.len,
			    text.ptr, expecting);
	p->failed = true;
	return nothing(p);
}

/* A word that has to be there and is not, with nothing in its place to be taken for wrong. */
static void missing(Parser *p, const char *text)
{
	const Token *token = &p->lexer.token;
	Str found = token->kind == TOKEN_END ? STR("<EOF>") : token->text;
	if (!p->failed)
		cel_problem(p->maker.source, token->offset, "Syntax error: missing '%s' at '%.*s'",
			    text, (int)found.len, found.ptr);
	p->failed = true;
}

static void too_deep(Parser *p)
{
	if (!p->failed)
		cel_problem(p->maker.source, -1, "expression recursion limit exceeded: %d",
			    CEL_DEPTH_MAX);
	p->failed = true;
}

static bool at_operator(const Parser *p, const char *text)
{
	const Token *token = &p->lexer.token;
	return !p->failed && token->kind == TOKEN_OPERATOR && str_eq(token->text, str_of(text));
}

static bool take(Parser *p, const char *text)
{
	if (!at_operator(p, text))
		return false;
	cel_lexer_next(&p->lexer);
	return true;
}

/* At what can begin an expression. */
static bool at_value(const Parser *p)
{
	TokenKind kind = p->lexer.token.kind;
	return kind != TOKEN_END && kind != TOKEN_OPERATOR;
}

static void expect(Parser *p, const char *text)
{
	autofree char *quoted = mem_printf("'%s'", text);
	if (take(p, text))
		return;
	if (strcmp(text, ")") == 0 || (strcmp(text, ":") == 0 && at_value(p)))
		missing(p, text);
	else
		syntax_error(p, quoted);
}

static const char *copy_text(Parser *p, Str text)
{
	return arena_strndup(p->maker.source->arena, text.ptr, text.len);
}

/* Words that the language keeps for itself (langdef.md). */
static bool is_reserved(Str text)
{
	static const char *const words[] = {"as",   "break",	"const",     "continue", "else",
					    "for",  "function", "if",	     "import",	 "let",
					    "loop", "package",	"namespace", "return",	 "var",
					    "void", "while"};
	for (size_t i = 0; i < COUNT(words); i++)
		if (str_eq(text, str_of(words[i])))
			return true;
	return false;
}

/* A list of nodes while it is read. */
static CelNode **take_nodes(Parser *p, Vec *nodes)
{
	CelNode **copy = arena_alloc(p->maker.source->arena, (nodes->len + 1) * sizeof(*copy));
	for (size_t i = 0; i < nodes->len; i++)
		copy[i] = nodes->items[i];
	return copy;
}

/* Arguments up to ")", which is taken. */
static CelNode **parse_arguments(Parser *p, size_t *count)
{
	autovec Vec nodes = {0};
	if (!take(p, ")")) {
		if (at_operator(p, ",") || p->lexer.token.kind == TOKEN_END)
			syntax_error(p, argument_start);
		do
			vec_push(&nodes, parse_expr(p));
		while (take(p, ","));
		expect(p, ")");
	}
	*count = nodes.len;
	return take_nodes(p, &nodes);
}

static CelNode *parse_integer(Parser *p, Token token, bool negative, int offset)
{
	bool natural = token.kind == TOKEN_UINT;
	autofree char *text = mem_printf("%s%.*s", negative ? "-" : "",
					 (int)(token.text.len - natural), token.text.ptr);
	int base = strstr(text, "0x") ? 16 : 10;
	CelNode *node = cel_node(&p->maker, NODE_CONST, offset);
	errno = 0;
	if (natural)
		node->value = cel_uint(strtoull(text, NULL, base));
	else
		node->value = cel_int(strtoll(text, NULL, base));
	if (errno)
		cel_problem(p->maker.source, offset, "invalid %s literal",
			    natural ? "uint" : "int");
	return node;
}

static CelNode *parse_number(Parser *p, bool negative, int offset)
{
	Token token = p->lexer.token;
	cel_lexer_next(&p->lexer);
	if (token.kind != TOKEN_FLOAT)
		return parse_integer(p, token, negative, offset);
	autofree char *text = str_dup(token.text);
	CelNode *node = cel_node(&p->maker, NODE_CONST, offset);
	double real = strtod(text, NULL);
	if (isinf(real))
		cel_problem(p->maker.source, offset, "invalid double literal");
	node->value = cel_double(negative ? -real : real);
	return node;
}

static CelNode *parse_string(Parser *p)
{
	Token token = p->lexer.token;
	CelNode *node = cel_node(&p->maker, NODE_CONST, token.offset);
	node->value.kind = token.kind == TOKEN_BYTES ? CEL_BYTES : CEL_STRING;
	node->value.text = token_unquote(p->maker.source, &token);
	cel_lexer_next(&p->lexer);
	return node;
}

static bool take_optional(Parser *p)
{
	return take(p, "?");
}

static CelNode *parse_list(Parser *p, int offset)
{
	CelNode *node = cel_node(&p->maker, NODE_LIST, offset);
	autovec Vec items = {0}, flags = {0};
	bool any = false;
	bool lone_comma = take(p, ",");
	while (!lone_comma && !p->failed && !at_operator(p, "]")) {
		bool optional = take_optional(p);
		any |= optional;
		vec_push(&items, parse_expr(p));
		vec_push(&flags, optional ? p : NULL);
		if (!take(p, ","))
			break;
	}
	if (!take(p, "]"))
		syntax_error(p, "{']', ','}");
	node->args = take_nodes(p, &items);
	node->arg_count = items.len;
	node->optional = any ? arena_alloc(p->maker.source->arena, items.len) : NULL;
	for (size_t i = 0; any && i < items.len; i++)
		node->optional[i] = flags.items[i] != NULL;
	cel_node_measure(&p->maker, node);
	return node;
}

static CelNode *parse_map(Parser *p, int offset)
{
	CelNode *node = cel_node(&p->maker, NODE_MAP, offset);
	autovec Vec items = {0}, flags = {0};
	bool any = false;
	bool lone_comma = take(p, ",");
	while (!lone_comma && !p->failed && !at_operator(p, "}")) {
		bool optional = take_optional(p);
		any |= optional;
		vec_push(&items, parse_expr(p));
		expect(p, ":");
		vec_push(&items, parse_expr(p));
		vec_push(&flags, optional ? p : NULL);
		if (!take(p, ","))
			break;
	}
	if (!take(p, "}"))
		syntax_error(p, "{'}', ','}");
	node->args = take_nodes(p, &items);
	node->arg_count = items.len;
	node->optional = any ? arena_alloc(p->maker.source->arena, flags.len) : NULL;
	for (size_t i = 0; any && i < flags.len; i++)
		node->optional[i] = flags.items[i] != NULL;
	cel_node_measure(&p->maker, node);
	return node;
}

/* A name, with "." in front when it is absolute; a call when "(" follows. */
static CelNode *parse_name(Parser *p, bool absolute)
{
	Token token = p->lexer.token;
	if (token.kind != TOKEN_IDENT)
		return syntax_error(p, absolute ? "IDENTIFIER" : primary_start);
	cel_lexer_next(&p->lexer);
	if (is_reserved(token.text))
		cel_problem(p->maker.source, token.offset, "reserved identifier: %.*s",
			    (int)token.text.len, token.text.ptr);
	const char *name = copy_text(p, token.text);
	if (absolute)
		name = arena_printf(p->maker.source->arena, ".%s", name);
	int offset = p->lexer.token.offset;
	if (!take(p, "(")) {
		CelNode *node = cel_node(&p->maker, NODE_IDENT, token.offset);
		node->name = name;
		return node;
	}
	size_t count;
	CelNode **args = parse_arguments(p, &count);
	CelNode *expanded = cel_macro(&p->maker, offset, name, NULL, args, count);
	if (expanded)
		return expanded;
	CelNode *node = cel_node(&p->maker, NODE_CALL, offset);
	node->name = name;
	node->args = args;
	node->arg_count = count;
	cel_node_measure(&p->maker, node);
	return node;
}

static CelNode *parse_word_literal(Parser *p)
{
	static const struct {
		const char *word;
		CelValue value;
	} rows[] = {
		{"true", {.kind = CEL_BOOL, .flag = true}},
		{"false", {.kind = CEL_BOOL, .flag = false}},
		{"null", {.kind = CEL_NULL}},
	};
	int offset = p->lexer.token.offset;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (!take(p, rows[i].word))
			continue;
		CelNode *node = cel_node(&p->maker, NODE_CONST, offset);
		node->value = rows[i].value;
		return node;
	}
	return NULL;
}

static bool at_number(const Parser *p)
{
	TokenKind kind = p->lexer.token.kind;
	return !p->failed && (kind == TOKEN_INT || kind == TOKEN_UINT || kind == TOKEN_FLOAT);
}

static CelNode *parse_primary(Parser *p, const char *expecting)
{
	int offset = p->lexer.token.offset;
	TokenKind kind = p->lexer.token.kind;
	if (p->failed)
		return nothing(p);
	if (take(p, "(")) {
		CelNode *inner = parse_expr(p);
		expect(p, ")");
		return inner;
	}
	if (take(p, "["))
		return parse_list(p, offset);
	if (take(p, "{"))
		return parse_map(p, offset);
	if (take(p, "."))
		return parse_name(p, true);
	if (at_number(p))
		return parse_number(p, false, offset);
	if (kind == TOKEN_STRING || kind == TOKEN_BYTES)
		return parse_string(p);
	CelNode *word = parse_word_literal(p);
	if (word)
		return word;
	return kind == TOKEN_IDENT ? parse_name(p, false) : syntax_error(p, expecting);
}

static CelNode *bad_member(Parser *p)
{
	const Token *token = &p->lexer.token;
	bool word = token->kind == TOKEN_OPERATOR && strchr("tfn", *token->text.ptr);
	if (word)
		return syntax_error(p, "IDENTIFIER");
	if (!p->failed)
		cel_problem(p->maker.source, token->offset,
			    "Syntax error: no viable alternative at input '.%.*s'",
			    (int)token->text.len, token->text.ptr);
	p->failed = true;
	return nothing(p);
}

/* ".name", ".?name" or ".name(...)" after the dot at `offset`. */
static CelNode *parse_member_name(Parser *p, CelNode *operand, int offset)
{
	bool optional = take_optional(p);
	Token token = p->lexer.token;
	if (p->failed || (token.kind != TOKEN_IDENT && token.kind != TOKEN_ESCAPED_IDENT))
		return bad_member(p);
	cel_lexer_next(&p->lexer);
	bool escaped = token.kind == TOKEN_ESCAPED_IDENT;
	if (escaped) {
		cel_problem(p->maker.source, token.offset, "unsupported syntax: '`'");
		token.text = str_slice(token.text, 1, token.text.len - 1);
	}
	const char *name = copy_text(p, token.text);
	int open = p->lexer.token.offset;
	if (optional) {
		CelNode *field = cel_node(&p->maker, NODE_CONST, token.offset);
		field->value = (CelValue){.kind = CEL_STRING, .text = str_of(name)};
		return cel_node_call(&p->maker, offset, "_?._", 2, operand, field);
	}
	if (escaped || !take(p, "(")) {
		CelNode *node = cel_node(&p->maker, NODE_SELECT, offset);
		node->target = operand;
		node->name = name;
		cel_node_measure(&p->maker, node);
		return node;
	}
	size_t count;
	CelNode **args = parse_arguments(p, &count);
	CelNode *node = cel_macro(&p->maker, open, name, operand, args, count);
	if (node)
		return node;
	node = cel_node(&p->maker, NODE_CALL, open);
	node->name = name;
	node->target = operand;
	node->args = args;
	node->arg_count = count;
	cel_node_measure(&p->maker, node);
	return node;
}

static void write_name(const CelNode *node, Buf *out)
{
	if (node->kind == NODE_SELECT) {
		write_name(node->target, out);
		buf_putc(out, '.');
	}
	buf_puts(out, node->name);
}

/* "a.b{": a message is built; there are no message types here. */
static void refuse_message(Parser *p, const CelNode *operand)
{
	const CelNode *head = operand;
	autobuf Buf name = {0};
	while (head->kind == NODE_SELECT && !head->test_only)
		head = head->target;
	if (!at_operator(p, "{") || head->kind != NODE_IDENT)
		return;
	write_name(operand, &name);
	cel_problem(p->maker.source, p->lexer.token.offset,
		    "undeclared reference to '%s' (in container '')", buf_text(&name));
	p->failed = true;
}

static CelNode *parse_member(Parser *p, const char *expecting)
{
	int offset = p->lexer.token.offset;
	CelNode *node;
	if (take(p, "-"))
		node = at_number(p) ? parse_number(p, true, offset) : syntax_error(p, expecting);
	else
		node = parse_primary(p, expecting);
	refuse_message(p, node);
	for (int count = 0; !p->failed; count++) {
		offset = p->lexer.token.offset;
		if (take(p, ".")) {
			node = parse_member_name(p, node, offset);
			refuse_message(p, node);
		} else if (take(p, "[")) {
			bool optional = take_optional(p);
			CelNode *index = parse_expr(p);
			expect(p, "]");
			node = cel_node_call(&p->maker, offset, optional ? "_[?_]" : "_[_]", 2,
					     node, index);
		} else {
			break;
		}
		if (count > CEL_DEPTH_MAX)
			too_deep(p);
	}
	return node;
}

static CelNode *parse_unary(Parser *p)
{
	int offset = p->lexer.token.offset;
	size_t count = 0;
	if (at_operator(p, "!")) {
		while (take(p, "!"))
			count++;
		CelNode *operand = parse_member(p, member_start);
		return count % 2 ? cel_node_call(&p->maker, offset, "!_", 1, operand) : operand;
	}
	Lexer start = p->lexer;
	while (take(p, "-"))
		count++;
	if (count == 1 && at_number(p)) {
		/* The sign is the literal's. */
		p->lexer = start;
		count = 0;
	}
	CelNode *operand = parse_member(p, count ? member_start : primary_start);
	return count % 2 ? cel_node_call(&p->maker, offset, "-_", 1, operand) : operand;
}

typedef struct {
	const char *text, *function;
	int level;
} Binary;

/* Loosest first; the tables of cel-go's operators.go. */
static const Binary binaries[] = {
	{"<", "_<_", 0},   {"<=", "_<=_", 0}, {">=", "_>=_", 0}, {">", "_>_", 0},
	{"==", "_==_", 0}, {"!=", "_!=_", 0}, {"in", "@in", 0},	 {"+", "_+_", 1},
	{"-", "_-_", 1},   {"*", "_*_", 2},   {"/", "_/_", 2},	 {"%", "_%_", 2},
};

static const Binary *find_binary(const Parser *p, int level)
{
	for (size_t i = 0; i < COUNT(binaries); i++)
		if (binaries[i].level == level && at_operator(p, binaries[i].text))
			return &binaries[i];
	return NULL;
}

static CelNode *parse_binary(Parser *p, int level)
{
	CelNode *left = level == 3 ? parse_unary(p) : parse_binary(p, level + 1);
	const Binary *binary;
	for (int count = 0; level < 3 && (binary = find_binary(p, level)); count++) {
		int offset = p->lexer.token.offset;
		cel_lexer_next(&p->lexer);
		CelNode *right = parse_binary(p, level + 1);
		left = cel_node_call(&p->maker, offset, binary->function, 2, left, right);
		if (count > CEL_DEPTH_MAX - 2)
			too_deep(p);
	}
	return left;
}

/* Terms of && or of ||, as one call of all of them. */
static CelNode *parse_logic(Parser *p, bool all)
{
	CelNode *first = all ? parse_binary(p, 0) : parse_logic(p, true);
	const char *operator= all ? "&&" : "||";
	if (!at_operator(p, operator))
		return first;
	CelNode *node = cel_node(&p->maker, NODE_CALL, p->lexer.token.offset);
	node->name = all ? "_&&_" : "_||_";
	autovec Vec terms = {0};
	vec_push(&terms, first);
	while (take(p, operator))
		vec_push(&terms, all ? parse_binary(p, 0) : parse_logic(p, true));
	node->args = take_nodes(p, &terms);
	node->arg_count = terms.len;
	cel_node_measure(&p->maker, node);
	return node;
}

static CelNode *parse_expr(Parser *p)
{
	p->failed |= p->maker.too_high;
	if (p->failed)
		return nothing(p);
	if (++p->depth > CEL_DEPTH_MAX)
		too_deep(p);
	CelNode *node = parse_logic(p, false);
	int offset = p->lexer.token.offset;
	if (take(p, "?")) {
		CelNode *yes = parse_logic(p, false);
		expect(p, ":");
		CelNode *no = parse_expr(p);
		node = cel_node_call(&p->maker, offset, "_?_:_", 3, node, yes, no);
	}
	p->depth--;
	return node;
}

CelNode *cel_parse(CelSource *source, unsigned flags)
{
	Parser p = {.lexer = {.source = source, .at = source->text},
		    .maker = {.source = source, .flags = flags}};
	cel_lexer_next(&p.lexer);
	CelNode *root = parse_expr(&p);
	if (!p.failed && p.lexer.token.kind != TOKEN_END)
		syntax_error(&p, "<EOF>");
	return source->problems.len > 0 ? NULL : root;
}
