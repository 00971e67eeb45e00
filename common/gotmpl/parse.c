#include "gotmpl/parse_internal.h"

#include "base/mem.h"

/* Text, control structures, define, block and template. Pipelines are in parse_pipeline.c. */

static Node *parse_action(Parser *p);
static bool parse_list(Parser *p, Node **out_list, Node **out_end);

void parser_read(Parser *p)
{
	p->token[0] = lexer_next(&p->lexer);
}

void parser_backup2(Parser *p, Token first)
{
	p->token[1] = first;
	p->peeked = 2;
}

void parser_backup3(Parser *p, Token second, Token first)
{
	p->token[1] = first;
	p->token[2] = second;
	p->peeked = 3;
}

void *parser_fail(Parser *p, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	autofree char *what = mem_vprintf(format, args);
	va_end(args);
	return err_null(p->err, ERR_INVALID, "template: %s:%d: %s", p->parse_name, p->token[0].line,
			what);
}

void *parser_unexpected(Parser *p, Token token, const char *context)
{
	autobuf Buf text = {0};
	token_write(p->set->unicode, &token, &text);
	if (token.type != TOKEN_ERROR)
		return parser_fail(p, "unexpected %s in %s", buf_text(&text), context);
	if (p->action_line != 0 && p->action_line != token.line) {
		bool named = str_ends(token.text, STR(" action"));
		buf_printf(&text, "%s started at %s:%d", named ? "" : " in action", p->parse_name,
			   p->action_line);
	}
	return parser_fail(p, "%s", buf_text(&text));
}

void *parser_unexpected_node(Parser *p, const Node *node, const char *context)
{
	autobuf Buf text = {0};
	node_write(p->set->unicode, node, &text);
	if (!context)
		return parser_fail(p, "unexpected %s", buf_text(&text));
	return parser_fail(p, "unexpected %s in %s", buf_text(&text), context);
}

static bool expect(Parser *p, TokenType type, const char *context)
{
	Token token = parser_next_non_space(p);
	return token.type == type || parser_unexpected(p, token, context);
}

Node *node_new(Parser *p, NodeType type, size_t pos)
{
	Node *node = arena_alloc(p->arena, sizeof(*node));
	node->type = type;
	node->pos = (uint32_t)pos;
	node->tree = p->tree;
	return node;
}

void node_add(Parser *p, NodeList *list, Node *node)
{
	if (list->len == list->cap) {
		list->cap = list->cap ? list->cap * 2 : 2;
		Node **items = arena_alloc(p->arena, list->cap * sizeof(Node *));
		if (list->len > 0)
			memcpy(items, list->items, list->len * sizeof(Node *));
		list->items = items;
	}
	list->items[list->len++] = node;
}

/* Adds the finished tree; two bodies that are not blank must not have one name. */
static bool add_tree(Parser *p, Tree *tree)
{
	for (size_t i = 0; i < p->trees->len; i++) {
		const Tree *other = p->trees->items[i];
		if (strcmp(other->name, tree->name) != 0)
			continue;
		if (node_is_empty(other->root))
			p->trees->items[i] = tree;
		else if (!node_is_empty(tree->root))
			return parser_fail(p, "template: multiple definition of template \"%s\"",
					   tree->name);
		return true;
	}
	vec_push(p->trees, tree);
	return true;
}

static Tree *new_tree(Parser *p, const char *name)
{
	Tree *tree = arena_alloc(p->arena, sizeof(*tree));
	*tree = (Tree){.name = name, .parse_name = p->parse_name, .text = p->text};
	return tree;
}

/* What is put aside while a define or block is read. */
typedef struct {
	Tree *tree;
	VarNames vars;
	int action_line, range_depth;
} Scope;

static Scope enter_tree(Parser *p, Tree *tree)
{
	Scope outer = {p->tree, p->vars, p->action_line, p->range_depth};
	p->tree = tree;
	p->vars = (VarNames){0};
	p->vars.items = arena_alloc(p->arena, 4 * sizeof(Str));
	p->vars.cap = 4;
	p->vars.items[p->vars.len++] = STR("$");
	p->action_line = p->range_depth = 0;
	return outer;
}

static void leave_tree(Parser *p, Scope outer)
{
	p->tree = outer.tree;
	p->vars = outer.vars;
	p->action_line = outer.action_line;
	p->range_depth = outer.range_depth;
}

/* A body up to {{end}}. */
static bool parse_body(Parser *p, Tree *tree, const char *context)
{
	Node *end;
	if (!parse_list(p, &tree->root, &end))
		return false;
	if (end->type != NODE_END)
		return parser_unexpected_node(p, end, context);
	return add_tree(p, tree);
}

static bool parse_define(Parser *p)
{
	static const char context[] = "define clause";
	Tree *tree = new_tree(p, "definition");
	Scope outer = enter_tree(p, tree);
	Token token = parser_next_non_space(p);
	Str name;
	if (token.type != TOKEN_STRING && token.type != TOKEN_RAW_STRING)
		return parser_unexpected(p, token, context);
	if (!parse_string(p, token, &name))
		return false;
	tree->name = arena_strndup(p->arena, name.ptr, name.len);
	bool fine = expect(p, TOKEN_RIGHT_DELIM, context) && parse_body(p, tree, context);
	leave_tree(p, outer);
	return fine;
}

static Node *parse_block(Parser *p)
{
	static const char context[] = "block clause";
	Token token = parser_next_non_space(p);
	Str name;
	if (token.type != TOKEN_STRING && token.type != TOKEN_RAW_STRING)
		return parser_unexpected(p, token, context);
	if (!parse_string(p, token, &name))
		return NULL;
	Node *node = node_new(p, NODE_TEMPLATE, token.pos);
	node->text = name;
	node->branch.pipe = parse_pipeline(p, context, TOKEN_RIGHT_DELIM);
	if (!node->branch.pipe)
		return NULL;
	Tree *tree = new_tree(p, arena_strndup(p->arena, name.ptr, name.len));
	Scope outer = enter_tree(p, tree);
	bool fine = parse_body(p, tree, context);
	leave_tree(p, outer);
	return fine ? node : NULL;
}

static Node *parse_template(Parser *p)
{
	static const char context[] = "template clause";
	Token token = parser_next_non_space(p);
	Str name;
	if (token.type != TOKEN_STRING && token.type != TOKEN_RAW_STRING)
		return parser_unexpected(p, token, context);
	if (!parse_string(p, token, &name))
		return NULL;
	Node *node = node_new(p, NODE_TEMPLATE, token.pos);
	node->text = name;
	if (parser_next_non_space(p).type == TOKEN_RIGHT_DELIM)
		return node;
	parser_backup(p);
	node->branch.pipe = parse_pipeline(p, context, TOKEN_RIGHT_DELIM);
	return node->branch.pipe ? node : NULL;
}

static Node *parse_control(Parser *p, NodeType type);

/* "else if" and "else with" are an else that holds one more control structure, whose {{end}} ends
 * both. */
static bool parse_else(Parser *p, NodeType type, const Node *token, Node **out)
{
	TokenType chained = type == NODE_IF ? TOKEN_IF : TOKEN_WITH;
	Node *end;
	if (type != NODE_RANGE && parser_peek(p).type == chained) {
		parser_next(p);
		*out = node_new(p, NODE_LIST, token->pos);
		Node *inner = parse_control(p, type);
		if (inner)
			node_add(p, &(*out)->list, inner);
		return inner != NULL;
	}
	if (!parse_list(p, out, &end))
		return false;
	if (end->type == NODE_END)
		return true;
	autobuf Buf text = {0};
	node_write(p->set->unicode, end, &text);
	return parser_fail(p, "expected end; found %s", buf_text(&text));
}

static bool parse_branch(Parser *p, Node *node, const char *context)
{
	Node *end;
	node->branch.pipe = parse_pipeline(p, context, TOKEN_RIGHT_DELIM);
	if (!node->branch.pipe)
		return false;
	node->pos = node->branch.pipe->pos;
	p->range_depth += node->type == NODE_RANGE;
	bool fine = parse_list(p, &node->branch.body, &end);
	p->range_depth -= node->type == NODE_RANGE;
	if (!fine || end->type == NODE_END)
		return fine;
	return parse_else(p, node->type, end, &node->branch.otherwise);
}

static Node *parse_control(Parser *p, NodeType type)
{
	static const char *const words[] = {
		[NODE_IF] = "if", [NODE_RANGE] = "range", [NODE_WITH] = "with"};
	if (++p->depth > PARSE_MAX_DEPTH)
		return parser_fail(p, "max expression depth exceeded");
	Node *node = node_new(p, type, 0);
	size_t vars = p->vars.len;
	bool fine = parse_branch(p, node, words[type]);
	p->vars.len = vars;
	p->depth--;
	return fine ? node : NULL;
}

static Node *parse_jump(Parser *p, Token word, NodeType type)
{
	const char *name = type == NODE_BREAK ? "{{break}}" : "{{continue}}";
	Token token = parser_next_non_space(p);
	if (token.type != TOKEN_RIGHT_DELIM)
		return parser_unexpected(p, token, name);
	if (p->range_depth == 0)
		return parser_fail(p, "%s outside {{range}}", name);
	return node_new(p, type, word.pos);
}

static Node *parse_end(Parser *p)
{
	Token token = parser_next_non_space(p);
	if (token.type != TOKEN_RIGHT_DELIM)
		return parser_unexpected(p, token, "end");
	return node_new(p, NODE_END, token.pos);
}

static Node *parse_else_word(Parser *p)
{
	Token token = parser_peek_non_space(p);
	if (token.type == TOKEN_IF || token.type == TOKEN_WITH)
		return node_new(p, NODE_ELSE, token.pos);
	token = parser_next_non_space(p);
	if (token.type != TOKEN_RIGHT_DELIM)
		return parser_unexpected(p, token, "else");
	return node_new(p, NODE_ELSE, token.pos);
}

static Node *parse_plain_action(Parser *p)
{
	parser_backup(p);
	Node *node = node_new(p, NODE_ACTION, parser_peek(p).pos);
	node->branch.pipe = parse_pipeline(p, "command", TOKEN_RIGHT_DELIM);
	return node->branch.pipe ? node : NULL;
}

static Node *parse_action(Parser *p)
{
	Token token = parser_next_non_space(p);
	if (token.type == TOKEN_BLOCK)
		return parse_block(p);
	if (token.type == TOKEN_BREAK)
		return parse_jump(p, token, NODE_BREAK);
	if (token.type == TOKEN_CONTINUE)
		return parse_jump(p, token, NODE_CONTINUE);
	if (token.type == TOKEN_ELSE)
		return parse_else_word(p);
	if (token.type == TOKEN_END)
		return parse_end(p);
	if (token.type == TOKEN_IF)
		return parse_control(p, NODE_IF);
	if (token.type == TOKEN_RANGE)
		return parse_control(p, NODE_RANGE);
	if (token.type == TOKEN_TEMPLATE)
		return parse_template(p);
	if (token.type == TOKEN_WITH)
		return parse_control(p, NODE_WITH);
	return parse_plain_action(p);
}

static Node *parse_text_or_action(Parser *p)
{
	Token token = parser_next_non_space(p);
	if (token.type == TOKEN_TEXT) {
		Node *node = node_new(p, NODE_TEXT, token.pos);
		node->text = token.text;
		return node;
	}
	if (token.type != TOKEN_LEFT_DELIM)
		return parser_unexpected(p, token, "input");
	p->action_line = token.line;
	Node *node = parse_action(p);
	p->action_line = 0;
	return node;
}

/* Up to {{end}} or {{else}}, which is *out_end. */
static bool parse_list(Parser *p, Node **out_list, Node **out_end)
{
	*out_list = node_new(p, NODE_LIST, parser_peek_non_space(p).pos);
	while (parser_peek_non_space(p).type != TOKEN_EOF) {
		Node *node = parse_text_or_action(p);
		if (!node)
			return false;
		if (node->type == NODE_END || node->type == NODE_ELSE) {
			*out_end = node;
			return true;
		}
		node_add(p, &(*out_list)->list, node);
	}
	return parser_fail(p, "unexpected EOF");
}

static bool parse_top(Parser *p)
{
	p->tree->root = node_new(p, NODE_LIST, parser_peek(p).pos);
	while (parser_peek(p).type != TOKEN_EOF) {
		if (parser_peek(p).type == TOKEN_LEFT_DELIM) {
			Token delim = parser_next(p);
			if (parser_next_non_space(p).type == TOKEN_DEFINE) {
				if (!parse_define(p))
					return false;
				continue;
			}
			parser_backup2(p, delim);
		}
		Node *node = parse_text_or_action(p);
		if (!node)
			return false;
		if (node->type == NODE_END || node->type == NODE_ELSE)
			return parser_unexpected_node(p, node, NULL);
		node_add(p, &p->tree->root->list, node);
	}
	return true;
}

bool parse_text(GotmplSet *set, const char *name, Str text, Vec *out_trees, Error *err)
{
	if (text.len >= UINT32_MAX)
		return err_set(err, ERR_LIMIT, "template: %s: the text is too long", name);
	Parser p = {.set = set, .arena = set->arena, .text = text, .trees = out_trees, .err = err};
	p.parse_name = arena_strdup(set->arena, name);
	lexer_init(&p.lexer, set->arena, set->unicode, text);
	Tree *tree = new_tree(&p, p.parse_name);
	enter_tree(&p, tree);
	return parse_top(&p) && add_tree(&p, tree);
}
