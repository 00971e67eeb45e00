#include "sops/tree.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "sops/sops.h"

void sops_buf_wipe(Buf *buf)
{
	if (buf->ptr)
		mem_wipe(buf->ptr, buf->cap);
	buf_dispose(buf);
}

Node *sops_node_new(NodeType type)
{
	Node *node = mem_zalloc(1, sizeof(*node));
	node->type = type;
	return node;
}

Node *node_text(NodeType type, Str text)
{
	Node *node = sops_node_new(type);
	buf_add(&node->text, text);
	return node;
}

static void free_item(void *item)
{
	node_free(item);
}

void node_free(Node *node)
{
	if (!node)
		return;
	vec_dispose_with(&node->items, free_item);
	sops_buf_wipe(&node->text);
	free(node->key);
	mem_wipe(node, sizeof(*node));
	free(node);
}

void node_put(Node *map, Str key, Node *take_value)
{
	take_value->key = str_dup(key);
	vec_push(&map->items, take_value);
}

void sops_node_add(Node *list, Node *take_item)
{
	vec_push(&list->items, take_item);
}

Node *node_get(const Node *map, const char *key)
{
	for (size_t i = 0; i < map->items.len; i++) {
		Node *item = map->items.items[i];
		if (cstr_eq(item->key, key))
			return item;
	}
	return NULL;
}

static Node *map_of_json(const json_t *object)
{
	Node *map = sops_node_new(NODE_MAP);
	const char *key;
	json_t *value;
	json_object_foreach(json_borrow(object), key, value)
	{
		node_put(map, str_of(key), node_of_json(value));
	}
	return map;
}

static Node *list_of_json(const json_t *array)
{
	Node *list = sops_node_new(NODE_LIST);
	for (size_t i = 0; i < json_array_size(array); i++)
		sops_node_add(list, node_of_json(json_array_get(array, i)));
	return list;
}

Node *node_of_json(const json_t *value)
{
	Node *node;
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return map_of_json(value);
	case JSON_ARRAY:
		return list_of_json(value);
	case JSON_STRING:
		return node_text(NODE_STR,
				 str_sized(json_string_value(value), json_string_length(value)));
	case JSON_INTEGER:
		node = sops_node_new(NODE_INT);
		node->integer = json_integer_value(value);
		return node;
	case JSON_REAL:
		node = sops_node_new(NODE_FLOAT);
		node->real = json_real_value(value);
		return node;
	case JSON_TRUE:
	case JSON_FALSE:
		node = sops_node_new(NODE_BOOL);
		node->flag = json_is_true(value);
		return node;
	case JSON_NULL:
	default:
		return sops_node_new(NODE_NULL);
	}
}

static json_t *map_to_json(const Node *map, Error *err)
{
	autojson json_t *object = json_object();
	for (size_t i = 0; i < map->items.len; i++) {
		const Node *item = map->items.items[i];
		if (item->type == NODE_COMMENT)
			continue;
		json_t *value = node_to_json(item, err);
		if (!value)
			return NULL;
		json_object_set_new_nocheck(object, item->key, value);
	}
	return steal(&object);
}

static json_t *list_to_json(const Node *list, Error *err)
{
	autojson json_t *array = json_array();
	for (size_t i = 0; i < list->items.len; i++) {
		const Node *item = list->items.items[i];
		if (item->type == NODE_COMMENT)
			continue;
		json_t *value = node_to_json(item, err);
		if (!value)
			return NULL;
		json_array_append_new(array, value);
	}
	return steal(&array);
}

json_t *node_to_json(const Node *node, Error *err)
{
	switch (node->type) {
	case NODE_MAP:
		return map_to_json(node, err);
	case NODE_LIST:
		return list_to_json(node, err);
	case NODE_INT:
		return json_integer(node->integer);
	case NODE_BOOL:
		return json_boolean(node->flag);
	case NODE_FLOAT:
		if (!isfinite(node->real))
			return err_null(err, ERR_INVALID, "infinity and NaN have no JSON form");
		return json_real(node->real);
	case NODE_NULL:
		return json_null();
	case NODE_STR:
	case NODE_TIME:
	case NODE_COMMENT:
	default:
		return json_text_new(buf_text(&node->text), node->text.len);
	}
}

void float_text(double value, char format, Buf *out)
{
	if (!isfinite(value)) {
		buf_puts(out, isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf");
		return;
	}
	char digits[JSON_DIGITS_SIZE];
	int point;
	size_t count = json_real_digits(value, digits, &point);
	int exponent = value != 0 ? point - 1 : 0;
	buf_puts(out, signbit(value) ? "-" : "");
	if (value == 0)
		buf_putc(out, '0');
	else if (format == 'f' || (exponent >= -4 && exponent < 6))
		json_write_decimal(digits, count, point, out);
	else
		buf_printf(out, "%c%s%s%c%c%02d", digits[0], count > 1 ? "." : "", digits + 1,
			   format == 'G' ? 'E' : 'e', exponent < 0 ? '-' : '+', abs(exponent));
}

void tree_dispose(Tree *tree)
{
	vec_dispose_with(&tree->documents, free_item);
	*tree = (Tree){0};
}
