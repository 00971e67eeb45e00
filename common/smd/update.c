/* Managed fields of creates, updates and patches other than apply (facts 3.5). */
#include "smd/smd_internal.h"

/* `[{}]`: the client wants nobody to own anything (A46). So does `[]`, but upstream loses that one
 * in custom resources, whose metadata goes through a struct first. */
static bool is_reset(const Run *run, const json_t *list)
{
	if (!json_is_array(list) || json_array_size(list) > 1)
		return false;
	const json_t *only = json_array_get(list, 0);
	if (!only)
		return run->schema && run->schema->builtin;
	return json_is_object(only) && !json_object_size(only);
}

static void parse_or_none(Arena *arena, const json_t *list, Managers *out)
{
	autoerror Error ignored = {0};
	if (!smd_managers_parse(arena, list, out, &ignored))
		*out = (Managers){0};
}

/* What the client sent, unless it is empty, undecodable, or the path is a subresource. */
static void choose_managers(const Run *run, const json_t *live, const json_t *object, Managers *out)
{
	const json_t *sent = smd_managers_of(object);
	if (cstr_empty(run->request->subresource)) {
		if (is_reset(run, sent))
			return;
		parse_or_none(run->arena, sent, out);
	}
	/* A client's text of the same set may be another. */
	for (size_t i = 0; i < out->len; i++)
		out->items[i].fields = NULL;
	if (!out->len)
		parse_or_none(run->arena, smd_managers_of(live), out);
}

/* An object that does not fit its schema is stored without managers rather than refused. */
static bool fits(const Run *run, json_t *live, json_t *object)
{
	autoerror Error ignored = {0};
	return smd_validate(run->root, live, DUPLICATES_ALLOWED, &ignored) &&
	       smd_validate(run->root, object, DUPLICATES_ALLOWED, &ignored);
}

/* Once cleared, tracking starts with an apply. /scale sees only managers that own what it changes,
 * so without one it tracks nothing either. */
static bool is_tracked(const Run *run, json_t *before, json_t *after, const Managers *managers)
{
	if (!smd_is_scale(run->request))
		return managers->len > 0;
	Comparison changes = smd_run_compare(run, before, after);
	PathSet *written = smd_set_union(run->arena, changes.added, changes.modified);
	written = smd_set_union(run->arena, written, changes.removed);
	for (size_t i = 0; i < managers->len; i++) {
		PathSet *set = managers->items[i].set;
		if (!smd_set_empty(smd_set_intersection(run->arena, set, written)))
			return true;
	}
	return false;
}

/* A Scale leaves out replicas that are 0: nobody owns those (A32). Owned. */
static json_t *without_zeroes(const json_t *value)
{
	if (!json_is_object(value))
		return json_incref((json_t *)(uintptr_t)value);
	json_t *out = json_object();
	const char *key;
	json_t *member;
	json_t *members = (json_t *)(uintptr_t)value;
	json_object_foreach(members, key, member)
	{
		if (!json_is_integer(member) || json_integer_value(member) != 0)
			json_object_set_new(out, key, without_zeroes(member));
	}
	return out;
}

bool smd_update(const SmdSchema *schema, const json_t *live, const json_t *object,
		const SmdRequest *request, SmdResult *out, Error *err)
{
	if (!smd_value_bounded(live, err) || !smd_value_bounded(object, err))
		return false;
	if (!json_is_object(object))
		return err_set(err, ERR_INVALID, "object is no JSON object");
	autoarena Arena *arena = arena_new();
	Run run = smd_run(arena, schema, request);
	Managers managers = {0};
	choose_managers(&run, live, object, &managers);
	json_t *after = smd_without_managers(arena, object);
	json_t *before = live ? smd_without_managers(arena, live) : smd_empty_object(&run, object);
	json_t *seen = after;
	if (smd_is_scale(request)) {
		before = smd_keep(arena, without_zeroes(before));
		seen = smd_keep(arena, without_zeroes(after));
	}
	if (!fits(&run, before, seen))
		managers = (Managers){0};
	else if (!live || is_tracked(&run, before, seen, &managers))
		smd_track_update(&run, before, seen, request->manager, &managers);
	smd_finish(live, after, &managers, out);
	return true;
}
