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

size_t gotmpl_size(const GotmplSet *set)
{
	return arena_size(set->arena);
}

static void free_templates(void *map)
{
	map_free(map);
}

GotmplSet *gotmpl_below(const GotmplSet *parent, Arena *arena)
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

/* Not in a map: a set is shared by threads, and few templates name a far function. */
static const GoFn *far_function(Str name, Error *err)
{
	const GoFarFunctions *far = functions_far(err);
	for (size_t i = 0; far && i < far->count; i++)
		for (const GoFn *row = far->tables[i]; row->name; row++)
			if (str_eq(name, str_of(row->name)))
				return row;
	return NULL;
}

const GoFn *set_function(const GotmplSet *set, Str name, Error *err)
{
	char text[64];
	if (name.len >= sizeof(text))
		return NULL;
	memcpy(text, name.ptr, name.len);
	text[name.len] = '\0';
	const GoFn *near = map_get(set->functions, text);
	return near ? near : far_function(name, err);
}

/* A blank body does not take the place of one that is there. */
static void install(GotmplSet *set, const Tree *tree)
{
	if (node_is_empty(tree->root) && set_find(set, tree->name))
		return;
	map_put(set->templates, tree->name, (void *)(uintptr_t)tree);
}

const GotmplText *gotmpl_read(GotmplSet *set, const char *name, Str text, Error *err)
{
	autovec Vec trees = {0};
	if (!parse_text(set, name, text, &trees, err))
		return NULL;
	GotmplText *result = arena_alloc(set->arena, sizeof(*result));
	const Tree **kept = arena_alloc(set->arena, trees.len * sizeof(*kept));
	for (size_t i = 0; i < trees.len; i++) {
		kept[i] = trees.items[i];
		if (strcmp(kept[i]->name, name) == 0)
			result->own = kept[i];
	}
	result->trees = kept;
	result->len = trees.len;
	return result;
}

void gotmpl_add(GotmplSet *set, const GotmplText *text)
{
	for (size_t i = 0; i < text->len; i++)
		install(set, text->trees[i]);
}

bool gotmpl_parse(GotmplSet *set, const char *name, Str text, Error *err)
{
	const GotmplText *parsed = gotmpl_read(set, name, text, err);
	if (parsed)
		gotmpl_add(set, parsed);
	return parsed != NULL;
}
