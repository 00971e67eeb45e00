#include "gotmpl/set.h"

#include "base/mem.h"
#include "gotmpl/functions.h"
#include "gotmpl/parse.h"

static void add_functions(Map *functions)
{
	for (size_t i = 0; i < function_table_count; i++)
		for (const GoFn *row = function_tables[i]; row->name; row++)
			map_put(functions, row->name, (void *)(uintptr_t)row);
}

GotmplSet *gotmpl_new(void)
{
	GotmplSet *set = mem_zalloc(1, sizeof(*set));
	set->arena = arena_new();
	set->unicode = unicode_new(set->arena);
	set->templates = map_new(NULL);
	set->functions = map_new(NULL);
	add_functions(set->functions);
	return set;
}

void gotmpl_free(GotmplSet *set)
{
	map_free(set->templates);
	map_free(set->functions);
	arena_free(set->arena);
	free(set);
}

static void free_templates(void *map)
{
	map_free(map);
}

GotmplSet *set_below(const GotmplSet *parent, Arena *arena)
{
	GotmplSet *set = arena_alloc(arena, sizeof(*set));
	set->parent = parent;
	set->arena = arena;
	set->unicode = parent->unicode;
	set->functions = parent->functions;
	set->templates = map_new(NULL);
	arena_defer(arena, free_templates, set->templates);
	return set;
}

const Tree *set_find(const GotmplSet *set, const char *name)
{
	for (; set; set = set->parent) {
		const Tree *tree = map_get(set->templates, name);
		if (tree)
			return tree;
	}
	return NULL;
}

const GoFn *set_function(const GotmplSet *set, Str name)
{
	char text[64];
	if (name.len >= sizeof(text))
		return NULL;
	memcpy(text, name.ptr, name.len);
	text[name.len] = '\0';
	return map_get(set->functions, text);
}

/* A blank body does not take the place of one that is there. */
static void install(GotmplSet *set, Tree *tree)
{
	if (set_find(set, tree->name) && node_is_empty(tree->root))
		return;
	map_put(set->templates, tree->name, tree);
}

const Tree *set_parse(GotmplSet *set, const char *name, Str text, Error *err)
{
	autovec Vec trees = {0};
	if (!parse_text(set, name, text, &trees, err))
		return NULL;
	Tree *own = NULL;
	for (size_t i = 0; i < trees.len; i++) {
		Tree *tree = trees.items[i];
		if (strcmp(tree->name, name) == 0)
			own = tree;
		install(set, tree);
	}
	return own;
}

bool gotmpl_parse(GotmplSet *set, const char *name, Str text, Error *err)
{
	return set_parse(set, name, text, err) != NULL;
}
