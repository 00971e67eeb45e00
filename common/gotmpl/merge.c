#include "gotmpl/convert.h"
#include "gotmpl/functions.h"

/*
 * merge and its kin, as dario.cat/mergo merges maps, and deepCopy. Without overwriting, what is
 * empty in the destination (0, "", false, [] too) counts as absent. Maps that the destination lacks
 * are shared with the source, not copied.
 */

enum { MERGE_MAX_DEPTH = 500 }; /* a map can be made to hold itself */

static bool merge_maps(GoCall *call, GoMap *dst, GoMap *src, bool overwrite, int depth);

static bool merge_member(GoCall *call, GoMap *dst, const GoMember *member, bool overwrite,
			 int depth)
{
	Arena *arena = call_arena(call);
	GoValue value = member->value, old = go_nil();
	bool exists = go_map_get(arena, dst, member->key, &old);
	if (value.type == GO_NIL) {
		if (overwrite)
			go_map_put(arena, dst, member->key, value);
		return true;
	}
	if (go_is_map(value) && go_is_map(old) && old.map) {
		if (!merge_maps(call, old.map, value.map, overwrite, depth + 1))
			return false;
		if (!is_empty(old))
			return true;
	}
	if (overwrite || !exists || is_empty(old))
		go_map_put(arena, dst, member->key, value);
	return true;
}

static bool merge_maps(GoCall *call, GoMap *dst, GoMap *src, bool overwrite, int depth)
{
	if (depth > MERGE_MAX_DEPTH)
		return call_fail(call, "dictionaries are nested too deeply");
	if (!src || src == dst)
		return true;
	go_map_load(call_arena(call), src);
	for (size_t i = 0; i < src->len; i++)
		if (!merge_member(call, dst, &src->members[i], overwrite, depth))
			return false;
	return run_step(call->run);
}

static bool merge_all(GoCall *call, bool overwrite, GoValue *out)
{
	GoValue dst = call->args[0];
	if (!dst.map && call->count > 1)
		dst = go_map(go_map_new(call_arena(call), GO_MAP));
	for (size_t i = 1; i < call->count; i++)
		if (!merge_maps(call, dst.map, call->args[i].map, overwrite, 0))
			return false;
	*out = dst;
	return true;
}

static bool fn_merge(GoCall *call, GoValue *out)
{
	return merge_all(call, false, out);
}

static bool fn_merge_overwrite(GoCall *call, GoValue *out)
{
	return merge_all(call, true, out);
}

static bool copy_value(GoCall *call, GoValue value, int depth, GoValue *out);

static bool copy_map(GoCall *call, GoValue value, int depth, GoValue *out)
{
	GoMap *from = value.map, *map = go_map_new(call_arena(call), value.type);
	go_map_load(call_arena(call), from);
	for (size_t i = 0; i < from->len; i++) {
		GoValue copy;
		if (!copy_value(call, from->members[i].value, depth + 1, &copy))
			return false;
		go_map_put(call_arena(call), map, from->members[i].key, copy);
	}
	*out = go_map(map);
	return true;
}

static bool copy_list(GoCall *call, GoValue value, int depth, GoValue *out)
{
	GoValue *items;
	size_t len = go_len(value);
	if (!room_for(call, len))
		return false;
	GoValue list = new_list(call, value.type, len, &items);
	for (size_t i = 0; i < len; i++)
		if (!copy_value(call, go_unboxed(go_item(call_arena(call), value, i)), depth + 1,
				&items[i]))
			return false;
	*out = list;
	return true;
}

static bool copy_value(GoCall *call, GoValue value, int depth, GoValue *out)
{
	if (depth > MERGE_MAX_DEPTH)
		return call_fail(call, "value is nested too deeply");
	*out = value;
	if (go_is_map(value) && value.map)
		return copy_map(call, value, depth, out);
	if (go_is_list(value) && value.type != GO_BYTES && value.list)
		return copy_list(call, value, depth, out);
	return true;
}

static bool fn_deep_copy(GoCall *call, GoValue *out)
{
	if (call->args[0].type == GO_NIL)
		return call_fail(call, "reflect: call of reflect.Value.Type on zero Value");
	return copy_value(call, call->args[0], 0, out);
}

const GoFn functions_merge[] = {
	{"merge", "mm*", fn_merge},
	{"mustMerge", "mm*", fn_merge},
	{"mergeOverwrite", "mm*", fn_merge_overwrite},
	{"mustMergeOverwrite", "mm*", fn_merge_overwrite},
	{"deepCopy", "a", fn_deep_copy},
	{"mustDeepCopy", "a", fn_deep_copy},
	{0},
};
