/* Template text to tokens, as text/template/parse cuts it. */
#ifndef GOTMPL_LEX_H
#define GOTMPL_LEX_H

#include "gotmpl/unicode.h"

typedef enum {
	TOKEN_ERROR,
	TOKEN_BOOL,
	TOKEN_CHAR,
	TOKEN_CHAR_CONSTANT,
	TOKEN_COMPLEX,
	TOKEN_ASSIGN,
	TOKEN_DECLARE,
	TOKEN_EOF,
	TOKEN_FIELD,
	TOKEN_IDENTIFIER,
	TOKEN_LEFT_DELIM,
	TOKEN_LEFT_PAREN,
	TOKEN_NUMBER,
	TOKEN_PIPE,
	TOKEN_RAW_STRING,
	TOKEN_RIGHT_DELIM,
	TOKEN_RIGHT_PAREN,
	TOKEN_SPACE,
	TOKEN_STRING,
	TOKEN_TEXT,
	TOKEN_VARIABLE,
	TOKEN_KEYWORD, /* the rest are keywords */
	TOKEN_BLOCK,
	TOKEN_BREAK,
	TOKEN_CONTINUE,
	TOKEN_DOT,
	TOKEN_DEFINE,
	TOKEN_ELSE,
	TOKEN_END,
	TOKEN_IF,
	TOKEN_NIL,
	TOKEN_RANGE,
	TOKEN_TEMPLATE,
	TOKEN_WITH,
} TokenType;

typedef struct {
	TokenType type;
	size_t pos;
	Str text; /* of an error: its message */
	int line;
} Token;

typedef struct {
	Arena *arena; /* for messages */
	const GoUnicode *unicode;
	Str input;
	size_t pos, start;
	int line, start_line, parens;
	bool inside;
	Token token;
} Lexer;

void lexer_init(Lexer *lexer, Arena *arena, const GoUnicode *unicode, Str input);
Token lexer_next(Lexer *lexer);
/* Appends the token as errors show it. */
void token_write(const GoUnicode *unicode, const Token *token, Buf *out);

#endif
