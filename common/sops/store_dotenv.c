#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "sops/stores.h"

/* dotenv: KEY=VALUE lines, "#" comments, newlines in values as `\n`. No quoting. */

enum { MAX_LINES = 100000 };

static void add_unescaped(Str text, Buf *out)
{
	for (size_t i = 0; i < text.len; i++) {
		bool escape = text.ptr[i] == '\\' && i + 1 < text.len && text.ptr[i + 1] == 'n';
		buf_putc(out, escape ? '\n' : text.ptr[i]);
		i += escape;
	}
}

static bool read_line(Str line, size_t number, Node *map, Error *err)
{
	if (line.len == 0)
		return true;
	if (line.ptr[0] == '#') {
		sops_node_add(map, node_text(NODE_COMMENT, str_slice(line, 1, line.len)));
		return true;
	}
	Str key, value;
	if (!str_cut(line, '=', &key, &value))
		return err_set(err, ERR_INVALID, "line %zu has no '='", number);
	if (memchr(key.ptr, '\0', key.len))
		return err_set(err, ERR_INVALID, "line %zu has a NUL in its name", number);
	Node *node = sops_node_new(NODE_STR);
	add_unescaped(value, &node->text);
	node_put(map, key, node);
	return true;
}

bool dotenv_store_read(Str text, Tree *out, Error *err)
{
	autonode Node *map = sops_node_new(NODE_MAP);
	Str line;
	for (size_t number = 1; str_next(&text, '\n', &line); number++) {
		if (number > MAX_LINES)
			return err_set(err, ERR_LIMIT, "more than %d lines", MAX_LINES);
		if (!read_line(line, number, map, err))
			return false;
	}
	vec_push(&out->documents, steal(&map));
	return true;
}

void leaf_text(const Node *leaf, Buf *out)
{
	size_t from = out->len;
	switch (leaf->type) {
	case NODE_INT:
		buf_printf(out, "%lld", (long long)leaf->integer);
		return;
	case NODE_BOOL:
		buf_puts(out, leaf->flag ? "true" : "false");
		return;
	case NODE_NULL:
		buf_puts(out, "<nil>");
		return;
	case NODE_FLOAT:
		float_text(leaf->real, 'G', out);
		if (isfinite(leaf->real) && !strpbrk(out->ptr + from, ".E"))
			buf_puts(out, ".0");
		return;
	case NODE_TIME: {
		/* Without the fraction. */
		Str text = buf_str(&leaf->text);
		size_t end = 19;
		while (end < text.len &&
		       (text.ptr[end] == '.' || (text.ptr[end] >= '0' && text.ptr[end] <= '9')))
			end++;
		buf_add(out, str_slice(text, 0, 19));
		buf_add(out, str_slice(text, end, text.len));
		return;
	}
	case NODE_STR:
	case NODE_COMMENT:
	case NODE_MAP:
	case NODE_LIST:
	default:
		buf_add(out, buf_str(&leaf->text));
	}
}

static void write_value(const Node *leaf, Buf *out)
{
	if (leaf->type != NODE_STR) {
		leaf_text(leaf, out);
		return;
	}
	for (size_t i = 0; i < leaf->text.len; i++) {
		if (leaf->text.ptr[i] == '\n')
			buf_puts(out, "\\n");
		else
			buf_putc(out, leaf->text.ptr[i]);
	}
}

bool dotenv_store_write(const Tree *tree, Buf *out, Error *err)
{
	if (tree->documents.len == 0)
		return err_set(err, ERR_INVALID, "there is no document");
	const Node *map = tree->documents.items[0];
	for (size_t i = 0; i < map->items.len; i++) {
		const Node *item = map->items.items[i];
		if (item->type == NODE_MAP || item->type == NODE_LIST)
			return err_set(err, ERR_INVALID, "'%s' has parts, which dotenv has not",
				       item->key);
		if (item->type == NODE_COMMENT) {
			buf_putc(out, '#');
			buf_add(out, buf_str(&item->text));
		} else {
			buf_printf(out, "%s=", item->key);
			write_value(item, out);
		}
		buf_putc(out, '\n');
	}
	return true;
}
