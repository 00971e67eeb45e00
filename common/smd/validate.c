/*
 * Does a value fit its type? Undeclared fields, wrong types, list items without keys, duplicates
 * (A48). Messages are upstream's; at most MAX_PROBLEMS are told.
 */
#include <stdlib.h>

#include "smd/smd_internal.h"

enum { MAX_PROBLEMS = 20 };

/* One step of the way to the value under way, on the walk's stack: only problems print it. */
typedef struct Step {
	const struct Step *above;
	PathElement element;
} Step;

typedef struct {
	Arena *arena;
	Duplicates duplicates;
	const Step *at; /* NULL at the root */
	Buf text;
	size_t problems;
	bool other_than_duplicates;
} Validation;

static void validate(Validation *run, TypeRef ref, json_t *value);

static void print_path(const Step *step, Buf *out)
{
	if (!step)
		return;
	print_path(step->above, out);
	smd_element_print(&step->element, out);
}

static void problem(Validation *run, const char *text)
{
	if (++run->problems > MAX_PROBLEMS)
		return;
	buf_puts(&run->text, run->problems > 1 ? "\n  " : "");
	print_path(run->at, &run->text);
	buf_printf(&run->text, "%s%s", run->at ? ": " : "", text);
	run->other_than_duplicates = true;
}

static void duplicate(Validation *run, const PathElement *element)
{
	bool before = run->other_than_duplicates;
	autobuf Buf text = {0};
	buf_puts(&text, "duplicate entries for key ");
	smd_element_print(element, &text);
	problem(run, buf_text(&text));
	run->other_than_duplicates = before;
}

static void bad_item(Validation *run, size_t index, const char *what)
{
	autobuf Buf text = {0};
	buf_printf(&text, "element %zu: %s", index, what);
	problem(run, buf_text(&text));
}

static int node_compare(const void *a, const void *b)
{
	return smd_element_compare(&((const PathNode *)a)->element,
				   &((const PathNode *)b)->element);
}

static void note_duplicates(Validation *run, PathSet *seen)
{
	if (run->duplicates == DUPLICATES_ALLOWED || !seen || seen->sorted)
		return;
	qsort(seen->nodes, seen->len, sizeof(*seen->nodes), node_compare);
	for (size_t i = 1; i < seen->len && run->problems <= MAX_PROBLEMS; i++) {
		if (node_compare(&seen->nodes[i - 1], &seen->nodes[i]) == 0)
			duplicate(run, &seen->nodes[i].element);
	}
}

static void validate_list(Validation *run, const ListType *list, bool atomic, json_t *value)
{
	PathSet *seen = NULL;
	size_t count = json_array_size(value);
	for (size_t i = 0; i < count; i++) {
		json_t *item = json_array_get(value, i);
		PathElement element = {.kind = ELEMENT_INDEX, .index = (long long)i};
		const char *what =
			atomic ? NULL : smd_element_of_item(run->arena, list, item, &element);
		if (what) {
			bad_item(run, i, what);
			return;
		}
		if (!atomic)
			smd_set_add(run->arena, &seen, element, true, NULL);
		Step step = {run->at, element};
		run->at = &step;
		validate(run, list->items, item);
		run->at = step.above;
	}
	note_duplicates(run, seen);
}

static void validate_map(Validation *run, const MapType *map, json_t *value)
{
	const char *key;
	json_t *child;
	json_object_foreach(value, key, child)
	{
		Step step = {run->at, smd_element_field(key)};
		TypeRef ref = smd_field_type(map, key);
		run->at = &step;
		if (ref.type)
			validate(run, ref, child);
		else
			problem(run, "field not declared in schema");
		run->at = step.above;
		if (!ref.type)
			return;
	}
}

static const char *scalar_problem(Scalar scalar, const json_t *value)
{
	switch (scalar) {
	case SCALAR_NUMERIC:
		return json_is_number(value) ? NULL : "expected numeric (int or float)";
	case SCALAR_STRING:
		return json_is_string(value) ? NULL : "expected string";
	case SCALAR_BOOLEAN:
		return json_is_boolean(value) ? NULL : "expected boolean";
	case SCALAR_ANY:
		return json_is_object(value) || json_is_array(value) ? "expected any scalar" : NULL;
	case SCALAR_NONE:
	default:
		return "schema error: invalid atom";
	}
}

/* null fits every type. */
static void validate(Validation *run, TypeRef ref, json_t *value)
{
	Atom atom = smd_deduce(smd_resolve(ref), value);
	if (json_is_null(value) || run->problems > MAX_PROBLEMS)
		return;
	if (atom.map && json_is_object(value)) {
		validate_map(run, atom.map, value);
	} else if (atom.map) {
		problem(run, "expected map");
	} else if (atom.scalar) {
		const char *what = scalar_problem(atom.scalar, value);
		if (what)
			problem(run, what);
	} else if (atom.list && json_is_array(value)) {
		validate_list(run, atom.list, atom.list_atomic, value);
	} else {
		problem(run, "expected list");
	}
}

bool smd_validate(TypeRef ref, json_t *value, Duplicates duplicates, Error *err)
{
	autoarena Arena *arena = arena_new();
	Validation run = {.arena = arena, .duplicates = duplicates};
	validate(&run, ref, value);
	if (run.problems) {
		ErrorCode code = run.other_than_duplicates ? ERR_INTERNAL : ERR_INVALID;
		const char *many = run.problems > 1 ? "errors:\n  " : "";
		err_set(err, code, "%s%s", many, buf_text(&run.text));
	}
	buf_dispose(&run.text);
	return run.problems == 0;
}
