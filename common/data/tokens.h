/*
 * A JSON or YAML text as a stream of tokens, for what is too large for a tree (indexes of Helm
 * repositories). Memory does not grow with the text, but for one scalar and for what anchors name.
 * YAML is read as go-yaml v2 does it: YAML 1.1 scalars, the first document only.
 */
#ifndef DATA_TOKENS_H
#define DATA_TOKENS_H

#include "data/json.h"

enum {
	TOKENS_MAX_DEPTH = 100,
	TOKENS_MAX_SCALAR = 1 << 20,   /* bytes of one scalar */
	TOKENS_MAX_ANCHORED = 4 << 20, /* bytes that anchors keep */
	TOKENS_MAX_ALIASED = 1000000,  /* tokens that aliases stand for */
};

typedef enum {
	TOKEN_MAP, /* then a key, a value, a key, ... */
	TOKEN_MAP_END,
	TOKEN_LIST,
	TOKEN_LIST_END,
	TOKEN_STRING,
	TOKEN_PLAIN, /* a scalar that may be something else: token_value */
} TokenKind;

typedef struct {
	TokenKind kind;
	Str text; /* of a scalar; borrowed until the sink returns */
} Token;

/* False and err end the reading. */
typedef bool TokenSink(void *arg, const Token *token, Error *err);

/* Whether what is in fd, from its start, is one valid JSON value. False when it cannot be read. */
bool tokens_are_json(int fd, bool *out, Error *err) MUST_USE;

/* Reads fd from its start, as JSON or as YAML. An empty text gives no token. ERR_INVALID "yaml:
 * line N: ...", ERR_LIMIT, or the sink's. */
bool tokens_read(int fd, bool is_json, TokenSink *sink, void *arg, Error *err) MUST_USE;

/* A scalar's value: string, integer, real, boolean or null. Owned; NULL never. */
json_t *token_value(const Token *token);

#endif
