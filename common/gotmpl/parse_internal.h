/* The parser's state and the pieces that its files share. */
#ifndef GOTMPL_PARSE_INTERNAL_H
#define GOTMPL_PARSE_INTERNAL_H

#include "base/vec.h"
#include "gotmpl/lex.h"
#include "gotmpl/parse.h"

enum { PARSE_MAX_DEPTH = 1000 }; /* of control structures and parentheses */

typedef struct {
	Str *items;
	size_t len, cap;
} VarNames;

/* What all trees of a text share. */
typedef struct {
	GotmplSet *set;
	Arena *arena;
	const char *parse_name;
	Str text;
	Lexer lexer;
	Token token[3]; /* look-ahead; [0] is the newest */
	int peeked, depth;
	Vec *trees;
	Error *err;
	/* of the tree at hand */
	Tree *tree;
	VarNames vars;
	int action_line, range_depth;
} Parser;

/* The next token of the text becomes token[0]. */
void parser_read(Parser *p);

/* Here, so that who asks for a token's type does not copy the whole. */
static inline Token parser_next(Parser *p)
{
	if (p->peeked > 0)
		p->peeked--;
	else
		parser_read(p);
	return p->token[p->peeked];
}

static inline void parser_backup(Parser *p)
{
	p->peeked++;
}

static inline Token parser_peek(Parser *p)
{
	Token token = parser_next(p);
	parser_backup(p);
	return token;
}

static inline Token parser_next_non_space(Parser *p)
{
	Token token;
	do
		token = parser_next(p);
	while (token.type == TOKEN_SPACE);
	return token;
}

static inline Token parser_peek_non_space(Parser *p)
{
	Token token = parser_next_non_space(p);
	parser_backup(p);
	return token;
}

void parser_backup2(Parser *p, Token first);
void parser_backup3(Parser *p, Token second, Token first);

/* "template: NAME:LINE: what". Returns NULL. */
void *parser_fail(Parser *p, const char *format, ...) PRINTF(2, 3);
void *parser_unexpected(Parser *p, Token token, const char *context);
void *parser_unexpected_node(Parser *p, const Node *node, const char *context);

Node *node_new(Parser *p, NodeType type, size_t pos);
void node_add(Parser *p, NodeList *list, Node *node);

/* "declarations? command ('|' command)*" up to `end`; NULL on failure. */
Node *parse_pipeline(Parser *p, const char *context, TokenType end);
/* The text of a string token without its quotes. */
bool parse_string(Parser *p, Token token, Str *out);

#endif
