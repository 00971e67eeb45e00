/* The tree of a parsed template. Nodes live in their set's arena and never change. */
#ifndef GOTMPL_NODE_H
#define GOTMPL_NODE_H

#include "gotmpl/unicode.h"
#include "gotmpl/value.h"

typedef enum __attribute__((packed)) {
	NODE_TEXT,
	NODE_ACTION,
	NODE_IF,
	NODE_RANGE,
	NODE_WITH,
	NODE_TEMPLATE,
	NODE_BREAK,
	NODE_CONTINUE,
	NODE_LIST,
	NODE_PIPE,
	NODE_COMMAND,
	NODE_FIELD,
	NODE_CHAIN,
	NODE_VARIABLE,
	NODE_IDENTIFIER,
	NODE_DOT,
	NODE_NIL,
	NODE_BOOL,
	NODE_NUMBER,
	NODE_STRING,
	NODE_END,  /* while parsing only */
	NODE_ELSE, /* while parsing only */
} NodeType;

typedef struct Node Node;

/* A template's text and name, for places in errors. */
typedef struct {
	const char *name;	/* of this template */
	const char *parse_name; /* of the file that defines it */
	Str text;		/* of the file */
	Node *root;
} Tree;

typedef struct {
	bool is_int, is_uint, is_float, is_complex;
	int64_t integer;
	uint64_t natural;
	double real, complex[2];
} NumberValue;

typedef struct {
	Node **items;
	uint32_t len, cap;
} NodeList;

typedef struct {
	Str *items;
	size_t len;
} Idents;

/* Nodes are most of what a parsed chart holds: 64 bytes each. */
struct Node {
	NodeType type;
	bool assign;  /* PIPE: "=", and not ":=" */
	uint32_t pos; /* byte in the tree's text */
	const Tree *tree;
	Str text; /* TEXT; source of NUMBER, STRING; IDENTIFIER; name of TEMPLATE */
	union {
		NodeList list; /* LIST, COMMAND's arguments */
		struct {
			NodeList commands, decls;
		} pipeline; /* PIPE */
		struct {
			Node *pipe, *body, *otherwise;
		} branch; /* IF, RANGE, WITH; ACTION and TEMPLATE have a pipe only */
		struct {
			Idents idents;
			Node *head; /* CHAIN: what the fields are taken of */
		} path;		    /* FIELD, VARIABLE, CHAIN */
		const GoFn *fn;	    /* IDENTIFIER */
		bool flag;	    /* BOOL */
		const NumberValue *number;
		Str value; /* STRING, unquoted */
	};
};

/* Appends the node as text/template writes it in errors. */
void node_write(const GoUnicode *unicode, const Node *node, Buf *out);
/* True when nothing but blanks and comments is in it. */
bool node_is_empty(const Node *node);

#endif
