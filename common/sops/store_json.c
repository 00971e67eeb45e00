#include <string.h>

#include "base/mem.h"
#include "sops/stores.h"

/* JSON, and binary files, which are JSON with one string under "data". Written with tabs. */

static size_t count_values(const json_t *value)
{
	size_t count = 1;
	const char *key;
	json_t *item;
	for (size_t i = 0; i < json_array_size(value); i++)
		count += count_values(json_array_get(value, i));
	json_object_foreach(json_borrow(value), key, item)
	{
		count += count_values(item);
	}
	return count;
}

bool json_store_read(Str text, Tree *out, Error *err)
{
	autojson json_t *value = json_parse(text.ptr, text.len, SOPS_MAX_BYTES, err);
	if (!value)
		return false;
	if (!json_is_object(value))
		return err_set(err, ERR_INVALID, "the top of a JSON file must be an object");
	if (count_values(value) > TREE_MAX_NODES)
		return err_set(err, ERR_LIMIT, "more than %d values", TREE_MAX_NODES);
	vec_push(&out->documents, node_of_json(value));
	return true;
}

static void new_line(Buf *out, int depth)
{
	buf_putc(out, '\n');
	while (depth-- > 0)
		buf_putc(out, '\t');
}

static void write_valid(Str text, Buf *out)
{
	autojson json_t *string = json_stringn_nocheck(text.ptr, text.len);
	autofree char *quoted = json_dump_go(string);
	buf_append(out, quoted + 1, strlen(quoted) - 2);
}

/* The length of the UTF-8 character at `at`, or 0. */
static size_t char_at(Str text, size_t at)
{
	for (size_t len = 1; len <= 4 && at + len <= text.len; len++) {
		autojson json_t *one = json_stringn(text.ptr + at, len);
		if (one)
			return len;
	}
	return 0;
}

/* Go writes a byte that is no UTF-8 as an escape, where it keeps a real U+FFFD. */
static void write_text(Str text, Buf *out)
{
	autojson json_t *valid = json_stringn(text.ptr, text.len);
	buf_putc(out, '"');
	if (valid)
		write_valid(text, out);
	for (size_t at = 0; !valid && at < text.len;) {
		size_t len = char_at(text, at);
		if (len)
			write_valid(str_slice(text, at, at + len), out);
		else
			buf_puts(out, "\\ufffd");
		at += len ? len : 1;
	}
	buf_putc(out, '"');
}

static bool write_node(const Node *node, int depth, Buf *out, Error *err);

static bool write_items(const Node *node, int depth, Buf *out, Error *err)
{
	bool map = node->type == NODE_MAP, empty = true;
	buf_putc(out, map ? '{' : '[');
	for (size_t i = 0; i < node->items.len; i++) {
		const Node *item = node->items.items[i];
		if (item->type == NODE_COMMENT)
			continue;
		buf_puts(out, empty ? "" : ",");
		empty = false;
		new_line(out, depth + 1);
		if (map) {
			write_text(str_of(item->key), out);
			buf_puts(out, ": ");
		}
		if (!write_node(item, depth + 1, out, err))
			return false;
	}
	if (!empty)
		new_line(out, depth);
	buf_putc(out, map ? '}' : ']');
	return true;
}

static bool write_node(const Node *node, int depth, Buf *out, Error *err)
{
	if (node->type == NODE_MAP || node->type == NODE_LIST)
		return write_items(node, depth, out, err);
	if (node->type == NODE_STR) {
		write_text(buf_str(&node->text), out);
		return true;
	}
	autojson json_t *leaf = node_to_json(node, err);
	if (!leaf)
		return false;
	autofree char *text = json_dump_go(leaf);
	buf_puts(out, text);
	return true;
}

bool json_store_write(const Tree *tree, Buf *out, Error *err)
{
	if (tree->documents.len == 0)
		return err_set(err, ERR_INVALID, "there is no document");
	if (!write_node(tree->documents.items[0], 0, out, err))
		return false;
	buf_putc(out, '\n');
	return true;
}

bool binary_store_write(const Tree *tree, Buf *out, Error *err)
{
	const Node *data =
		tree->documents.len == 1 ? node_get(tree->documents.items[0], "data") : NULL;
	if (!data || data->type != NODE_STR)
		return err_set(err, ERR_INVALID,
			       "a binary file must hold one text under 'data', this one does not");
	buf_add(out, buf_str(&data->text));
	return true;
}
