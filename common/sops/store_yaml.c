#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "data/base64.h"
#include "data/yaml_event.h"
#include "data/yaml_internal.h"
#include "sops/stores.h"
#include "sops/yaml_comments.h"

/*
 * YAML to trees, with comments: one on a line of its own stands in front of what follows it, one
 * behind a value in front of that value, as sops keeps them. Aliases become copies, bounded. Errors
 * quote no value.
 */

typedef struct {
	yaml_parser_t parser;
	Comments comments;
	Map *anchors;	 /* name -> Node *, borrowed from the tree; NULL while it is open */
	size_t expanded; /* nodes that aliases made */
	size_t nodes;	 /* the others */
	Error *err;
} Reader;

static void auto_event(yaml_event_t *event)
{
	yaml_event_delete(event);
}
#define autoevent __attribute__((cleanup(auto_event)))

static Node *read_node(Reader *reader, const yaml_event_t *event, int depth);

static void *fail(Reader *reader, yaml_mark_t mark, ErrorCode code, const char *what)
{
	return err_null(reader->err, code, "line %zu column %zu: %s", mark.line + 1,
			mark.column + 1, what);
}

static bool next_event(Reader *reader, yaml_event_t *out)
{
	if (yaml_parser_parse(&reader->parser, out)) {
		comments_pass(&reader->comments, out);
		return true;
	}
	const yaml_parser_t *parser = &reader->parser;
	*out = (yaml_event_t){.type = YAML_NO_EVENT};
	fail(reader, parser->problem_mark, ERR_INVALID,
	     parser->problem ? parser->problem : "not YAML");
	return false;
}

/* --- comments ------------------------------------------------------------------------------ */

static Node *comment_node(Comment *take_comment, bool behind)
{
	Node *node = node_text(NODE_COMMENT, take_comment->text);
	node->behind = behind;
	free(take_comment);
	return node;
}

/* Comments in front of the next item; those behind the last one go in front of that. `end`: there
 * is no next item, and what stands further left is the outer collection's. */
static void place_comments(Reader *reader, Node *node, size_t last_line, bool end, size_t column)
{
	Vec later = {0};
	Comment *comment;
	while ((comment = comments_take(&reader->comments))) {
		bool behind = !comment->own_line && comment->line == last_line && node->items.len;
		if (behind && comment->text.len)
			vec_insert(&node->items, node->items.len - 1, comment_node(comment, true));
		else if (end && (behind || comment->column < column))
			vec_push(&later, comment);
		else
			sops_node_add(node, comment_node(comment, false));
	}
	for (size_t i = 0; i < later.len; i++)
		comments_put(&reader->comments, later.items[i]);
	vec_dispose(&later);
}

/* --- nodes --------------------------------------------------------------------------------- */

static size_t node_weight(const Node *node)
{
	size_t weight = 1 + node->text.len / 64;
	for (size_t i = 0; i < node->items.len; i++)
		weight += node_weight(node->items.items[i]);
	return weight;
}

static Node *copy_node(const Node *node)
{
	Node *copy = node_text(node->type, buf_str(&node->text));
	copy->key = mem_strdup(node->key);
	copy->behind = node->behind;
	copy->flag = node->flag;
	copy->integer = node->integer;
	copy->real = node->real;
	for (size_t i = 0; i < node->items.len; i++)
		vec_push(&copy->items, copy_node(node->items.items[i]));
	return copy;
}

static Node *read_alias(Reader *reader, const yaml_event_t *event)
{
	const Node *target = map_get(reader->anchors, (const char *)event->data.alias.anchor);
	if (!target)
		return fail(reader, event->start_mark, ERR_INVALID,
			    "an alias of an anchor that is not there or contains itself");
	reader->expanded += node_weight(target);
	if (reader->expanded > TREE_MAX_NODES)
		return fail(reader, event->start_mark, ERR_LIMIT, "aliases expand to too much");
	Node *copy = copy_node(target);
	free(steal(&copy->key));
	return copy;
}

static Node *node_of_scalar(const YamlScalar *scalar, Str text)
{
	Node *node;
	switch (scalar->type) {
	case YAML_NULL:
		return sops_node_new(NODE_NULL);
	case YAML_TIMESTAMP:
		return node_text(NODE_TIME, str_of(scalar->stamp));
	case YAML_BOOL:
		node = sops_node_new(NODE_BOOL);
		node->flag = scalar->flag;
		return node;
	case YAML_INT:
		node = sops_node_new(NODE_INT);
		node->integer = scalar->integer;
		return node;
	case YAML_FLOAT:
		node = sops_node_new(NODE_FLOAT);
		node->real = scalar->real;
		return node;
	case YAML_STR:
	default:
		return node_text(NODE_STR, text);
	}
}

static Node *read_binary(Reader *reader, const yaml_event_t *event, Str text)
{
	autoerror Error ignored = {0};
	autonode Node *node = sops_node_new(NODE_STR);
	if (!base64_decode(text.ptr, text.len, &node->text, &ignored))
		return fail(reader, event->start_mark, ERR_INVALID, "!!binary is no base64");
	return steal(&node);
}

static Node *read_scalar(Reader *reader, const yaml_event_t *event)
{
	static const char core[] = "tag:yaml.org,2002:";
	Str text = str_sized((const char *)event->data.scalar.value, event->data.scalar.length);
	Str tag = str_of((const char *)event->data.scalar.tag);
	bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	if (str_eq(tag, STR("tag:yaml.org,2002:binary")))
		return read_binary(reader, event, text);
	bool typed = str_starts(tag, str_of(core)) && !str_eq(tag, STR("tag:yaml.org,2002:str"));
	if (!typed && (!plain || (tag.len && !str_eq(tag, STR("!")))))
		return node_text(NODE_STR, text);
	YamlScalar scalar;
	yaml_resolve(text, &scalar);
	return node_of_scalar(&scalar, text);
}

static Node *read_sequence(Reader *reader, const yaml_event_t *start, int depth)
{
	autonode Node *list = sops_node_new(NODE_LIST);
	size_t last_line = start->start_mark.line;
	for (;;) {
		autoevent yaml_event_t event;
		if (!next_event(reader, &event))
			return NULL;
		bool end = event.type == YAML_SEQUENCE_END_EVENT;
		place_comments(reader, list, last_line, end, start->start_mark.column);
		if (end)
			return steal(&list);
		Node *item = read_node(reader, &event, depth + 1);
		if (!item)
			return NULL;
		sops_node_add(list, item);
		last_line = event.end_mark.line;
	}
}

/* A key's text; upstream takes strings alone. Owned. */
static char *read_key(Reader *reader, const yaml_event_t *event, const Map *seen)
{
	autonode Node *key = NULL;
	if (event->type == YAML_SCALAR_EVENT)
		key = read_scalar(reader, event);
	else if (event->type == YAML_ALIAS_EVENT)
		key = read_alias(reader, event);
	if (err_is_set(reader->err))
		return NULL;
	if (!key || key->type != NODE_STR || memchr(buf_text(&key->text), '\0', key->text.len))
		return fail(reader, event->start_mark, ERR_INVALID, "a key is no text");
	if (map_has(seen, buf_text(&key->text)))
		return fail(reader, event->start_mark, ERR_INVALID, "a key is given twice");
	if (event->type == YAML_SCALAR_EVENT && event->data.scalar.anchor)
		return fail(reader, event->start_mark, ERR_UNSUPPORTED, "an anchor at a key");
	return buf_steal(&key->text);
}

/* Reads what a key has; last_line is where it ends when it is a scalar. */
static bool read_member(Reader *reader, Node *map, const char *key, size_t *last_line, int depth)
{
	autoevent yaml_event_t event;
	if (!next_event(reader, &event))
		return false;
	bool block =
		event.type == YAML_MAPPING_START_EVENT || event.type == YAML_SEQUENCE_START_EVENT;
	/* What stands behind the key of a nested block is the key's. */
	const Comment *first;
	while ((first = comments_peek(&reader->comments)) && !(block && first->own_line)) {
		bool in_head = !block && first->line == event.start_mark.line;
		sops_node_add(map, comment_node(comments_take(&reader->comments), in_head));
	}
	Node *value = read_node(reader, &event, depth + 1);
	if (!value)
		return false;
	node_put(map, str_of(key), value);
	*last_line = block ? SIZE_MAX : event.end_mark.line;
	return true;
}

static Node *read_mapping(Reader *reader, const yaml_event_t *start, int depth)
{
	autonode Node *map = sops_node_new(NODE_MAP);
	automap Map *seen = map_new(NULL);
	size_t last_line = SIZE_MAX;
	for (;;) {
		autoevent yaml_event_t event;
		if (!next_event(reader, &event))
			return NULL;
		bool end = event.type == YAML_MAPPING_END_EVENT;
		place_comments(reader, map, last_line, end, start->start_mark.column);
		if (end)
			return steal(&map);
		autofree char *key = read_key(reader, &event, seen);
		if (!key || !read_member(reader, map, key, &last_line, depth))
			return NULL;
		map_put(seen, key, NULL);
	}
}

static Node *read_node(Reader *reader, const yaml_event_t *event, int depth)
{
	if (depth > YAML_MAX_DEPTH)
		return fail(reader, event->start_mark, ERR_LIMIT, "nested too deep");
	if (++reader->nodes > TREE_MAX_NODES)
		return fail(reader, event->start_mark, ERR_LIMIT, "too many values");
	if (event->type == YAML_ALIAS_EVENT)
		return read_alias(reader, event);
	const char *anchor = yaml_anchor_of(event);
	if (anchor)
		map_put(reader->anchors, anchor, NULL);
	Node *node;
	if (event->type == YAML_SCALAR_EVENT)
		node = read_scalar(reader, event);
	else if (event->type == YAML_SEQUENCE_START_EVENT)
		node = read_sequence(reader, event, depth);
	else
		node = read_mapping(reader, event, depth);
	if (anchor && node)
		map_put(reader->anchors, anchor, node);
	return node;
}

static bool read_document(Reader *reader, Tree *out)
{
	autoevent yaml_event_t event;
	if (!next_event(reader, &event))
		return false;
	map_clear(reader->anchors);
	autonode Node *node = read_node(reader, &event, 1);
	if (!node)
		return false;
	if (node->type == NODE_NULL)
		node->type = NODE_MAP;
	if (node->type != NODE_MAP) {
		fail(reader, event.start_mark, ERR_INVALID, "a document must be a mapping");
		return false;
	}
	autoevent yaml_event_t end;
	if (!next_event(reader, &end))
		return false;
	place_comments(reader, node, SIZE_MAX, false, 0);
	vec_push(&out->documents, steal(&node));
	return true;
}

static bool read_stream(Reader *reader, Tree *out)
{
	for (;;) {
		autoevent yaml_event_t event;
		if (!next_event(reader, &event))
			return false;
		if (event.type == YAML_STREAM_END_EVENT)
			break;
		if (event.type == YAML_DOCUMENT_START_EVENT && !read_document(reader, out))
			return false;
	}
	if (out->documents.len)
		place_comments(reader, out->documents.items[out->documents.len - 1], SIZE_MAX,
			       false, 0);
	return true;
}

bool yaml_store_read(Str text, Tree *out, Error *err)
{
	Reader reader = {.err = err};
	if (!yaml_parser_initialize(&reader.parser))
		return err_set(err, ERR_INTERNAL, "no memory for a YAML parser");
	yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text.ptr, text.len);
	comments_init(&reader.comments, text);
	reader.anchors = map_new(NULL);
	bool ok = read_stream(&reader, out);
	map_free(reader.anchors);
	comments_dispose(&reader.comments);
	yaml_parser_delete(&reader.parser);
	return ok;
}
