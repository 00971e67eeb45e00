#include <math.h>

#include "base/mem.h"
#include "data/base64.h"
#include "data/yaml_emit_internal.h"
#include "sops/stores.h"

/*
 * Trees to YAML as Go's yaml.v3 writes them with an indent of four: keys in their order, lists
 * indented below their key, long lines kept, comments in front, behind or, at a collection's end,
 * below the last item.
 */

enum { INDENT = 4 };

typedef struct {
	Emitter emitter;
	int foot; /* the indent at which comments at an end were written; -1: none since */
	Error *err;
} Writer;

static bool write_node(Writer *writer, const Node *node, bool in_map);

/* A collection's comments at its end stand apart from what follows at the same indent. */
static void new_line(Writer *writer)
{
	int indent = writer->emitter.indent < 0 ? 0 : writer->emitter.indent;
	bool apart = writer->foot == indent;
	writer->foot = -1;
	emit_indent(&writer->emitter);
	if (!apart)
		return;
	while (writer->emitter.column-- > 0)
		writer->emitter.out->ptr[--writer->emitter.out->len] = '\0';
	writer->emitter.column = 0;
	writer->emitter.indentation = false;
	emit_indent(&writer->emitter);
}

static void write_comment(Writer *writer, const Node *comment)
{
	new_line(writer);
	buf_putc(writer->emitter.out, '#');
	buf_add(writer->emitter.out, buf_str(&comment->text));
	buf_putc(writer->emitter.out, '\n');
	writer->emitter.column = 0;
	writer->emitter.whitespace = true;
	writer->emitter.indentation = true;
}

/* Those in front of item `at` that are on lines of their own; in front of none: all at the end. */
static void write_comments(Writer *writer, const Vec *items, size_t at)
{
	size_t from = at;
	while (from > 0 && ((const Node *)items->items[from - 1])->type == NODE_COMMENT)
		from--;
	bool end = at == items->len;
	for (size_t i = from; i < at; i++) {
		const Node *comment = items->items[i];
		if (end || !comment->behind)
			write_comment(writer, comment);
	}
	if (end && from < at)
		writer->foot = writer->emitter.indent < 0 ? 0 : writer->emitter.indent;
}

/* The comments that stand behind item `at`, on its line. */
static void write_behind(Writer *writer, const Vec *items, size_t at)
{
	Emitter *emitter = &writer->emitter;
	size_t from = at;
	while (from > 0 && ((const Node *)items->items[from - 1])->type == NODE_COMMENT)
		from--;
	for (size_t i = from; i < at; i++) {
		const Node *comment = items->items[i];
		if (!comment->behind)
			continue;
		if (!emitter->whitespace)
			buf_putc(emitter->out, ' ');
		buf_putc(emitter->out, '#');
		buf_add(emitter->out, buf_str(&comment->text));
		buf_putc(emitter->out, '\n');
		emitter->column = 0;
		emitter->whitespace = true;
		emitter->indentation = true;
	}
}

static bool write_item(Writer *writer, const Vec *items, size_t at)
{
	const Node *item = items->items[at];
	write_comments(writer, items, at);
	new_line(writer);
	emit_indicator(&writer->emitter, "-", true, false, true);
	writer->emitter.in_sequence = true;
	if (!write_node(writer, item, false))
		return false;
	write_behind(writer, items, at);
	return true;
}

static bool write_member(Writer *writer, const Vec *items, size_t at)
{
	const Node *item = items->items[at];
	Emitter *emitter = &writer->emitter;
	/* A key from another format may be no UTF-8. */
	autojson json_t *name = json_text_new(item->key, str_of(item->key).len);
	Str key = str_sized(json_string_value(name), json_string_length(name));
	bool simple = emit_is_simple_key(key);
	write_comments(writer, items, at);
	new_line(writer);
	if (!simple)
		emit_indicator(emitter, "?", true, false, true);
	emitter->in_sequence = false;
	emit_string(emitter, key, simple);
	if (!simple)
		new_line(writer);
	emit_indicator(emitter, ":", !simple, false, !simple);
	if (!write_node(writer, item, true))
		return false;
	write_behind(writer, items, at);
	return true;
}

static bool has_values(const Node *node)
{
	for (size_t i = 0; i < node->items.len; i++)
		if (((const Node *)node->items.items[i])->type != NODE_COMMENT)
			return true;
	return false;
}

static bool write_items(Writer *writer, const Node *node)
{
	Emitter *emitter = &writer->emitter;
	int before = emitter->indent;
	emit_increase_indent(emitter, false, false);
	for (size_t i = 0; i < node->items.len; i++) {
		const Node *item = node->items.items[i];
		if (item->type == NODE_COMMENT)
			continue;
		bool ok = node->type == NODE_MAP ? write_member(writer, &node->items, i)
						 : write_item(writer, &node->items, i);
		if (!ok)
			return false;
	}
	write_comments(writer, &node->items, node->items.len);
	emitter->indent = before;
	return true;
}

static void write_float(Emitter *emitter, double value)
{
	autobuf Buf text = {0};
	if (isnan(value))
		buf_puts(&text, ".nan");
	else if (isinf(value))
		buf_puts(&text, value > 0 ? ".inf" : "-.inf");
	else
		float_text(value, 'g', &text);
	emit_plain(emitter, buf_str(&text));
}

static void write_text(Emitter *emitter, const Node *leaf)
{
	Str text = buf_str(&leaf->text);
	autojson json_t *valid = json_stringn(text.ptr, text.len);
	if (valid) {
		emit_string(emitter, text, false);
		return;
	}
	autofree char *encoded = base64_encode(text.ptr, text.len);
	emit_indicator(emitter, "!!binary", true, false, false);
	emit_plain(emitter, str_of(encoded));
}

static void write_leaf(Emitter *emitter, const Node *leaf)
{
	autobuf Buf number = {0};
	switch (leaf->type) {
	case NODE_INT:
		buf_printf(&number, "%lld", (long long)leaf->integer);
		emit_plain(emitter, buf_str(&number));
		return;
	case NODE_FLOAT:
		write_float(emitter, leaf->real);
		return;
	case NODE_BOOL:
		emit_plain(emitter, leaf->flag ? STR("true") : STR("false"));
		return;
	case NODE_NULL:
		emit_plain(emitter, STR("null"));
		return;
	case NODE_TIME:
		emit_plain(emitter, buf_str(&leaf->text));
		return;
	case NODE_STR:
	case NODE_COMMENT:
	case NODE_MAP:
	case NODE_LIST:
	default:
		write_text(emitter, leaf);
	}
}

static bool write_node(Writer *writer, const Node *node, bool in_map)
{
	writer->emitter.in_sequence = !in_map;
	if (node->type != NODE_MAP && node->type != NODE_LIST) {
		write_leaf(&writer->emitter, node);
		return true;
	}
	if (has_values(node))
		return write_items(writer, node);
	emit_indicator(&writer->emitter, node->type == NODE_MAP ? "{}" : "[]", true, false, false);
	return true;
}

bool yaml_store_write(const Tree *tree, Buf *out, Error *err)
{
	Writer writer = {.emitter = {.out = out,
				     .indent = -1,
				     .step = INDENT,
				     .whitespace = true,
				     .indentation = true},
			 .foot = -1,
			 .err = err};
	for (size_t i = 0; i < tree->documents.len; i++) {
		if (i > 0)
			emit_indicator(&writer.emitter, "---", true, false, false);
		if (!write_node(&writer, tree->documents.items[i], true))
			return false;
		if (writer.emitter.column > 0)
			buf_putc(out, '\n');
		writer.emitter.column = 0;
		writer.emitter.whitespace = writer.emitter.indentation = true;
		writer.foot = -1;
	}
	return true;
}
