/* A document as SOPS sees it: ordered, with comments, values typed. Strings are wiped when freed.
 */
#ifndef SOPS_TREE_H
#define SOPS_TREE_H

#include "base/vec.h"
#include "data/json.h"

/* Of a file: a byte of text must not cost a hundred of memory. */
enum { TREE_MAX_NODES = 250000 };

typedef enum {
	NODE_NULL,
	NODE_STR,
	NODE_INT,
	NODE_FLOAT,
	NODE_BOOL,
	NODE_TIME,    /* text: RFC 3339 */
	NODE_COMMENT, /* text: what follows the "#" */
	NODE_MAP,
	NODE_LIST,
} NodeType;

typedef struct {
	NodeType type;
	char *key;   /* of a map's member, which is no comment; owned */
	bool behind; /* of a comment: on the line of the value that follows it in the list */
	bool flag;
	int64_t integer;
	double real;
	Buf text;
	Vec items; /* Node *, owned: members of a map, items of a list, comments in both */
} Node;

Node *sops_node_new(NodeType type);
Node *node_text(NodeType type, Str text);
void node_free(Node *node);
AUTO_POINTER(Node, node_free, auto_node);
#define autonode __attribute__((cleanup(auto_node)))

/* Appends a member. The key is copied. */
void node_put(Node *map, Str key, Node *take_value);
void sops_node_add(Node *list, Node *take_item);

/* The first member of that name, or NULL. Borrowed. */
Node *node_get(const Node *map, const char *key);

/* A tree of its own from JSON and back; comments are left out. Bytes that are not UTF-8 become
 * U+FFFD. Numbers without a JSON form are ERR_INVALID. Owned. */
Node *node_of_json(const json_t *value);
json_t *node_to_json(const Node *node, Error *err) MUST_USE;

/* The text of a float as Go's strconv.FormatFloat(value, format, -1, 64): 'f', 'g' or 'G'. */
void float_text(double value, char format, Buf *out);

/* All documents of a file. */
typedef struct {
	Vec documents; /* Node * of type map, owned */
} Tree;

void tree_dispose(Tree *tree);
#define autotree __attribute__((cleanup(tree_dispose)))

#endif
