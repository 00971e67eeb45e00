/* Tokens of CEL (cel-spec, langdef.md, "Syntax"; cel-go's CEL.g4). */
#ifndef CEL_LEX_H
#define CEL_LEX_H

#include "cel/cel_internal.h"

typedef enum {
	TOKEN_END,
	TOKEN_IDENT,
	TOKEN_ESCAPED_IDENT, /* `a-b` */
	TOKEN_INT,
	TOKEN_UINT,
	TOKEN_FLOAT,
	TOKEN_STRING,
	TOKEN_BYTES,
	TOKEN_OPERATOR, /* also the words in, true, false, null */
} TokenKind;

typedef struct {
	TokenKind kind;
	Str text;
	int offset; /* code points */
} Token;

typedef struct {
	CelSource *source;
	const char *at;
	int offset;
	Token token; /* the current one */
} Lexer;

/* Moves to the next token; characters that begin none are problems and skipped. */
void cel_lexer_next(Lexer *lexer);

/* The text of a string or bytes token without quotes and escapes, in the source's arena; a problem
 * when an escape is wrong. */
Str token_unquote(CelSource *source, const Token *token);

#endif
