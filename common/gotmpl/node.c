#include "gotmpl/node.h"

#include "gotmpl/strconv.h"

/* Nodes as text, for errors. Only what an error can stand at is written in full. */

static void write_idents(const Idents *idents, bool leading, Buf *out)
{
	for (size_t i = 0; i < idents->len; i++) {
		if (i > 0 || leading)
			buf_putc(out, '.');
		buf_add(out, idents->items[i]);
	}
}

static void write_parens(const GoUnicode *unicode, const Node *node, Buf *out)
{
	bool parens = node->type == NODE_PIPE;
	if (parens)
		buf_putc(out, '(');
	node_write(unicode, node, out);
	if (parens)
		buf_putc(out, ')');
}

static void write_pipe(const GoUnicode *unicode, const Node *node, Buf *out)
{
	const NodeList *decls = &node->pipeline.decls, *commands = &node->pipeline.commands;
	for (size_t i = 0; i < decls->len; i++) {
		if (i > 0)
			buf_puts(out, ", ");
		node_write(unicode, decls->items[i], out);
	}
	if (decls->len > 0)
		buf_puts(out, node->assign ? " = " : " := ");
	for (size_t i = 0; i < commands->len; i++) {
		if (i > 0)
			buf_puts(out, " | ");
		node_write(unicode, commands->items[i], out);
	}
}

static void write_command(const GoUnicode *unicode, const Node *node, Buf *out)
{
	for (size_t i = 0; i < node->list.len; i++) {
		if (i > 0)
			buf_putc(out, ' ');
		write_parens(unicode, node->list.items[i], out);
	}
}

static void write_template(const GoUnicode *unicode, const Node *node, Buf *out)
{
	buf_puts(out, "{{template ");
	quote_append(unicode, node->text, false, out);
	if (node->branch.pipe) {
		buf_putc(out, ' ');
		node_write(unicode, node->branch.pipe, out);
	}
	buf_puts(out, "}}");
}

void node_write(const GoUnicode *unicode, const Node *node, Buf *out)
{
	switch (node->type) {
	case NODE_TEMPLATE:
		write_template(unicode, node, out);
		break;
	case NODE_ACTION:
		buf_puts(out, "{{");
		write_pipe(unicode, node->branch.pipe, out);
		buf_puts(out, "}}");
		break;
	case NODE_PIPE:
		write_pipe(unicode, node, out);
		break;
	case NODE_COMMAND:
		write_command(unicode, node, out);
		break;
	case NODE_CHAIN:
		write_parens(unicode, node->path.head, out);
		write_idents(&node->path.idents, true, out);
		break;
	case NODE_FIELD:
	case NODE_VARIABLE:
		write_idents(&node->path.idents, node->type == NODE_FIELD, out);
		break;
	case NODE_DOT:
		buf_putc(out, '.');
		break;
	case NODE_NIL:
		buf_puts(out, "nil");
		break;
	case NODE_BOOL:
		buf_puts(out, node->flag ? "true" : "false");
		break;
	case NODE_END:
		buf_puts(out, "{{end}}");
		break;
	case NODE_ELSE:
		buf_puts(out, "{{else}}");
		break;
	case NODE_IDENTIFIER:
	case NODE_NUMBER:
	case NODE_STRING:
	case NODE_TEXT:
		buf_add(out, node->text);
		break;
	case NODE_IF:
	case NODE_RANGE:
	case NODE_WITH:
	case NODE_BREAK:
	case NODE_CONTINUE:
	case NODE_LIST:
		break;
	}
}

static bool is_blank_text(Str text)
{
	size_t width;
	for (size_t at = 0; at < text.len; at += width)
		if (!rune_is_space(rune_decode(str_slice(text, at, text.len), &width)))
			return false;
	return true;
}

bool node_is_empty(const Node *node)
{
	if (!node)
		return true;
	if (node->type == NODE_TEXT)
		return is_blank_text(node->text);
	if (node->type != NODE_LIST)
		return false;
	for (size_t i = 0; i < node->list.len; i++)
		if (!node_is_empty(node->list.items[i]))
			return false;
	return true;
}
