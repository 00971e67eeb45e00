/*
 * The walk over both trees. Items of lists are matched by their `name` where all have one of their
 * own, else by place when the lists are of equal length, else as wholes.
 */
#include "diff_report.h"

#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/yaml.h"

enum { MAX_DEPTH = 200, MAX_VALUE = 16 << 10 };

typedef struct {
	FILE *out;
	const DiffStyle *style;
	Buf path;
	int depth;
} Walk;

void diff_print_line(FILE *out, const DiffStyle *style, DiffColor color, const char *what,
		     const char *text)
{
	autofree char *line = mem_printf("%s %s", what, text);
	diff_put(out, style, color, "► ", str_of(line));
}

void diff_print_heading(FILE *out, const DiffStyle *style, const char *what, const char *text)
{
	autofree char *line = mem_printf("%s %s", what, text);
	diff_put(out, style, DIFF_PATH, "📁 ", str_of(line));
}

static void put_path(Walk *walk)
{
	const char *path = walk->path.len ? buf_text(&walk->path) : "(root)";
	diff_put(walk->out, walk->style, DIFF_PATH, "", str_of(path));
}

/* A value as YAML, a line each behind the indent. */
static void put_value(Walk *walk, DiffColor color, const char *first, const char *next,
		      const json_t *value)
{
	autobuf Buf text = {0};
	yaml_emit(value, &text);
	Str rest = str_sized(buf_text(&text), text.len < MAX_VALUE ? text.len : MAX_VALUE), line;
	const char *mark = first;
	while (str_next(&rest, '\n', &line)) {
		diff_put(walk->out, walk->style, color, mark, line);
		mark = next;
	}
	if (text.len > MAX_VALUE)
		diff_put(walk->out, walk->style, DIFF_NOTE, next, STR("[...]"));
}

static void put_entries(Walk *walk, bool added, const char *what, const json_t *entries)
{
	size_t count =
		json_is_object(entries) ? json_object_size(entries) : json_array_size(entries);
	if (!count)
		return;
	autofree char *head =
		mem_printf("%zu %s %s %s:", count, what, count == 1 ? "entry" : "entries",
			   added ? "added" : "removed");
	DiffColor color = added ? DIFF_ADDED : DIFF_REMOVED;
	put_path(walk);
	diff_put(walk->out, walk->style, color, added ? "  + " : "  - ", str_of(head));
	put_value(walk, color, "    ", "    ", entries);
	fputc('\n', walk->out);
}

static bool is_long_text(const json_t *value)
{
	return json_is_string(value) && strchr(json_string_value(value), '\n');
}

static void put_change(Walk *walk, const json_t *before, const json_t *after)
{
	put_path(walk);
	bool text = json_is_string(before) && json_is_string(after) &&
		    (is_long_text(before) || is_long_text(after));
	diff_put(walk->out, walk->style, DIFF_CHANGED, "  ± ",
		 json_typeof(before) == json_typeof(after) ? STR("value change")
							   : STR("type change"));
	if (text) {
		diff_print_text(walk->out, walk->style,
				str_sized(json_string_value(before), json_string_length(before)),
				str_sized(json_string_value(after), json_string_length(after)));
	} else {
		put_value(walk, DIFF_REMOVED, "    - ", "      ", before);
		put_value(walk, DIFF_ADDED, "    + ", "      ", after);
	}
	fputc('\n', walk->out);
}

static void compare(Walk *walk, const json_t *before, const json_t *after);

/* NOLINTNEXTLINE(misc-no-recursion): depth is limited. */
static void compare_at(Walk *walk, const char *step, const json_t *before, const json_t *after)
{
	size_t len = walk->path.len;
	bool dotted = strpbrk(step, "./") != NULL;
	buf_printf(&walk->path, dotted ? "%s[%s]" : "%s%s", len && !dotted ? "." : "", step);
	compare(walk, before, after);
	walk->path.len = len;
	walk->path.ptr[len] = '\0';
}

/* NOLINTNEXTLINE(misc-no-recursion): see above. */
static void compare_maps(Walk *walk, const json_t *before, const json_t *after)
{
	autojson json_t *added = json_object(), *removed = json_object();
	const char *key;
	json_t *value;
	json_object_foreach(json_borrow(before), key, value)
	{
		if (!json_object_get(after, key))
			json_object_set(removed, key, value);
	}
	json_object_foreach(json_borrow(after), key, value)
	{
		if (!json_object_get(before, key))
			json_object_set(added, key, value);
	}
	put_entries(walk, false, "map", removed);
	put_entries(walk, true, "map", added);
	json_object_foreach(json_borrow(before), key, value)
	{
		if (json_object_get(after, key))
			compare_at(walk, key, value, json_object_get(after, key));
	}
}

/* The items by name; NULL when one has none or they are not unique. Owned. */
static Map *by_name(const json_t *list)
{
	automap Map *named = map_new(NULL);
	size_t i;
	json_t *item;
	json_array_foreach(json_borrow(list), i, item)
	{
		const char *name = json_text(item, "name");
		if (!name || map_has(named, name))
			return NULL;
		map_put(named, name, item);
	}
	return steal(&named);
}

static json_t *not_in(const json_t *list, const Map *other)
{
	json_t *missing = json_array();
	size_t i;
	json_t *item;
	json_array_foreach(json_borrow(list), i, item)
	{
		if (!map_has(other, json_text(item, "name")))
			json_array_append(missing, item);
	}
	return missing;
}

static void put_order(Walk *walk)
{
	put_path(walk);
	diff_put(walk->out, walk->style, DIFF_CHANGED, "  ⇆ ", STR("order changed"));
	fputc('\n', walk->out);
}

/* NOLINTNEXTLINE(misc-no-recursion): see above. */
static void compare_named(Walk *walk, const json_t *before, const Map *old, const json_t *after,
			  const Map *now)
{
	autojson json_t *removed = not_in(before, now), *added = not_in(after, old);
	bool moved = false;
	put_entries(walk, false, "list", removed);
	put_entries(walk, true, "list", added);
	size_t i;
	json_t *item;
	json_array_foreach(json_borrow(before), i, item)
	{
		const char *name = json_text(item, "name");
		if (!map_has(now, name))
			continue;
		compare_at(walk, name, item, map_get(now, name));
		moved = moved || !cstr_eq(json_text(json_array_get(after, i), "name"), name);
	}
	if (moved && !json_array_size(removed) && !json_array_size(added))
		put_order(walk);
}

/* What of `list` has no equal in `other`. Owned. */
static json_t *without_equals(const json_t *list, const json_t *other)
{
	autojson json_t *left = json_copy(json_borrow(other));
	json_t *missing = json_array();
	size_t i;
	json_t *item;
	json_array_foreach(json_borrow(list), i, item)
	{
		size_t at = 0;
		while (at < json_array_size(left) && !json_equal(item, json_array_get(left, at)))
			at++;
		if (at < json_array_size(left))
			json_array_remove(left, at);
		else
			json_array_append(missing, item);
	}
	return missing;
}

/* NOLINTNEXTLINE(misc-no-recursion): see above. */
static void compare_lists(Walk *walk, const json_t *before, const json_t *after)
{
	autojson json_t *removed = without_equals(before, after);
	autojson json_t *added = without_equals(after, before);
	bool in_place = json_array_size(before) == json_array_size(after) &&
			json_array_size(removed) == 1 && json_is_object(json_array_get(removed, 0));
	if (in_place) {
		for (size_t i = 0; i < json_array_size(before); i++) {
			autofree char *step = mem_printf("%zu", i);
			compare_at(walk, step, json_array_get(before, i), json_array_get(after, i));
		}
		return;
	}
	put_entries(walk, false, "list", removed);
	put_entries(walk, true, "list", added);
	if (!json_array_size(removed) && !json_array_size(added))
		put_order(walk);
}

/* NOLINTNEXTLINE(misc-no-recursion): depth is limited. */
static void compare(Walk *walk, const json_t *before, const json_t *after)
{
	if (json_equal(before, after))
		return;
	bool deeper = ++walk->depth <= MAX_DEPTH;
	if (deeper && json_is_object(before) && json_is_object(after)) {
		compare_maps(walk, before, after);
	} else if (deeper && json_is_array(before) && json_is_array(after)) {
		automap Map *old = by_name(before), *now = by_name(after);
		if (old && now)
			compare_named(walk, before, old, after, now);
		else
			compare_lists(walk, before, after);
	} else {
		put_change(walk, before, after);
	}
	walk->depth--;
}

void diff_print(FILE *out, const DiffStyle *style, const json_t *before, const json_t *after)
{
	Walk walk = {.out = out, .style = style};
	fputc('\n', out);
	compare(&walk, before, after);
	buf_dispose(&walk.path);
}
