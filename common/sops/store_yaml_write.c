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

enum { INDENT = 4, BASE64_COLUMNS = 70 };

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

/* Bytes of the line break at the front, or 0. */
static size_t line_break(Str text)
{
	static const Str breaks[] = {
		{"\n", 1}, {"\r", 1}, {"\xc2\x85", 2}, {"\xe2\x80\xa8", 3}, {"\xe2\x80\xa9", 3}};
	for (size_t i = 0; i < COUNT(breaks); i++)
		if (str_starts(text, breaks[i]))
			return breaks[i].len;
	return 0;
}

/* Each line of a comment stays one: what other formats' comments hold must not become content. */
static void write_comment(Writer *writer, const Node *comment)
{
	Emitter *emitter = &writer->emitter;
	Str rest = buf_str(&comment->text);
	new_line(writer);
	buf_putc(emitter->out, '#');
	while (rest.len) {
		size_t len = line_break(rest);
		if (!len) {
			buf_putc(emitter->out, rest.ptr[0]);
			rest = str_slice(rest, 1, rest.len);
			continue;
		}
		rest = str_slice(rest, len, rest.len);
		buf_putc(emitter->out, '\n');
		emitter->column = 0;
		emitter->whitespace = emitter->indentation = true;
		emit_indent(emitter);
		buf_puts(emitter->out, str_starts(rest, STR("#")) ? "" : "# ");
	}
	buf_putc(emitter->out, '\n');
	emitter->column = 0;
	emitter->whitespace = emitter->indentation = true;
}

/* Those in front of item `at` that are on lines of their own; in front of none: all at the end. In
 * a list's item the first ones are written already. */
static void write_comments(Writer *writer, const Vec *items, size_t at, bool in_list)
{
	size_t from = at;
	while (from > 0 && ((const Node *)items->items[from - 1])->type == NODE_COMMENT)
		from--;
	bool end = at == items->len;
	if (from == 0 && !end && in_list)
		return;
	for (size_t i = from; i < at; i++) {
		const Node *comment = items->items[i];
		if (end || !comment->behind)
			write_comment(writer, comment);
	}
	if (end && from < at)
		writer->foot = writer->emitter.indent < 0 ? 0 : writer->emitter.indent;
}

/* Those in front of a collection's first item stand in front of the "-" when it is a list's item
 * itself. */
static void write_leading(Writer *writer, const Node *node)
{
	bool collection = node->type == NODE_MAP || node->type == NODE_LIST;
	for (size_t i = 0; collection && i < node->items.len; i++) {
		const Node *comment = node->items.items[i];
		if (comment->type != NODE_COMMENT)
			return;
		if (!comment->behind)
			write_comment(writer, comment);
	}
}

/* The comments that stand behind item `at`, on its line. Owned. */
static char *comments_behind(const Vec *items, size_t at)
{
	Buf text = {0};
	size_t from = at;
	while (from > 0 && ((const Node *)items->items[from - 1])->type == NODE_COMMENT)
		from--;
	for (size_t i = from; i < at; i++) {
		const Node *comment = items->items[i];
		if (!comment->behind)
			continue;
		buf_puts(&text, text.len ? " #" : "#");
		buf_add(&text, buf_str(&comment->text));
	}
	return buf_steal(&text);
}

/* Writes a value and what stands behind it; a block has that in its head. */
static bool write_with_comments(Writer *writer, const Vec *items, size_t at, bool in_map)
{
	Emitter *emitter = &writer->emitter;
	autofree char *behind = comments_behind(items, at);
	emitter->behind = str_of(behind);
	if (!write_node(writer, items->items[at], in_map))
		return false;
	if (!emitter->behind.len)
		return true;
	if (!emitter->whitespace)
		buf_putc(emitter->out, ' ');
	buf_add(emitter->out, emitter->behind);
	buf_putc(emitter->out, '\n');
	emitter->behind = (Str){0};
	emitter->column = 0;
	emitter->whitespace = true;
	emitter->indentation = true;
	return true;
}

static bool write_item(Writer *writer, const Node *list, size_t at, bool in_list)
{
	const Vec *items = &list->items;
	write_comments(writer, items, at, in_list);
	write_leading(writer, items->items[at]);
	new_line(writer);
	emit_indicator(&writer->emitter, "-", true, false, true);
	writer->emitter.in_sequence = true;
	return write_with_comments(writer, items, at, false);
}

static bool write_member(Writer *writer, const Node *map, size_t at, bool in_list)
{
	const Vec *items = &map->items;
	const Node *item = items->items[at];
	Emitter *emitter = &writer->emitter;
	/* A key from another format may be no UTF-8. */
	autojson json_t *name = json_text_new(item->key, str_of(item->key).len);
	Str key = str_sized(json_string_value(name), json_string_length(name));
	bool simple = emit_is_simple_key(key);
	write_comments(writer, items, at, in_list);
	new_line(writer);
	if (!simple)
		emit_indicator(emitter, "?", true, false, true);
	emitter->in_sequence = false;
	emit_string(emitter, key, simple);
	if (!simple)
		new_line(writer);
	emit_indicator(emitter, ":", !simple, false, !simple);
	return write_with_comments(writer, items, at, true);
}

static bool has_values(const Node *node)
{
	for (size_t i = 0; i < node->items.len; i++)
		if (((const Node *)node->items.items[i])->type != NODE_COMMENT)
			return true;
	return false;
}

static bool write_items(Writer *writer, const Node *node, bool in_list)
{
	Emitter *emitter = &writer->emitter;
	int before = emitter->indent;
	emit_increase_indent(emitter, false, false);
	for (size_t i = 0; i < node->items.len; i++) {
		const Node *item = node->items.items[i];
		if (item->type == NODE_COMMENT)
			continue;
		bool ok = node->type == NODE_MAP ? write_member(writer, node, i, in_list)
						 : write_item(writer, node, i, in_list);
		if (!ok)
			return false;
	}
	write_comments(writer, &node->items, node->items.len, in_list);
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
	if (str_eq(text, STR("<<"))) { /* yaml.v3 says what it is not */
		emit_plain(emitter, STR("!!merge <<"));
		return;
	}
	if (valid) {
		emit_string(emitter, text, false);
		return;
	}
	autofree char *encoded = base64_encode(text.ptr, text.len);
	autobuf Buf lines = {0};
	Str rest = str_of(encoded);
	bool broken = rest.len >= BASE64_COLUMNS;
	for (; broken && rest.len; rest = str_slice(rest, BASE64_COLUMNS, rest.len)) {
		buf_add(&lines, str_slice(rest, 0, BASE64_COLUMNS));
		buf_putc(&lines, '\n');
	}
	emit_indicator(emitter, "!!binary", true, false, false);
	if (broken)
		emit_string(emitter, buf_str(&lines), false);
	else
		emit_plain(emitter, rest);
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
		return write_items(writer, node, !in_map);
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
