/* Nodes of the tree. Its height is bounded as it grows: everything that walks it recurses. */
#include <stdarg.h>

#include "cel/cel_internal.h"

CelNode *cel_node(CelMaker *maker, NodeKind kind, int offset)
{
	CelNode *node = arena_alloc(maker->source->arena, sizeof(*node));
	node->kind = kind;
	node->offset = offset;
	node->id = maker->next_id++;
	node->function = FUNCTION_NONE;
	return node;
}

static int higher(int height, const CelNode *part)
{
	return part && part->height > height ? part->height : height;
}

void cel_node_measure(CelMaker *maker, CelNode *node)
{
	int height = higher(0, node->target);
	for (size_t i = 0; i < node->arg_count; i++)
		height = higher(height, node->args[i]);
	if (node->fold) {
		height = higher(height, node->fold->range);
		height = higher(height, node->fold->init);
		height = higher(height, node->fold->step);
		height = higher(height, node->fold->result);
	}
	node->height = height + 1;
	if (node->height <= CEL_HEIGHT_MAX || maker->too_high)
		return;
	maker->too_high = true;
	cel_problem(maker->source, PLACE_NONE, "expression recursion limit exceeded: %d",
		    CEL_DEPTH_MAX);
}

CelNode *cel_node_call(CelMaker *maker, int offset, const char *name, size_t count, ...)
{
	CelNode *node = cel_node(maker, NODE_CALL, offset);
	node->name = name;
	node->arg_count = count;
	node->args = arena_alloc(maker->source->arena, (count + 1) * sizeof(*node->args));
	va_list args;
	va_start(args, count);
	for (size_t i = 0; i < count; i++)
		node->args[i] = va_arg(args, CelNode *);
	va_end(args);
	cel_node_measure(maker, node);
	return node;
}
