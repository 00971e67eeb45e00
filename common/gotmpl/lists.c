#include "gotmpl/convert.h"
#include "gotmpl/functions.h"

/* Lists. Results are new; arguments never change. The must* functions are the same here, because
 * a panic and an error read alike. */

static GoValue item_at(const GoCall *call, GoValue list, size_t index)
{
	return go_unboxed(go_item(call_arena(call), list, index));
}

/* The argument is a list; else upstream's message. */
static bool need_list(GoCall *call, GoValue value, const char *format)
{
	if (value.type == GO_NIL)
		return call_fail_nil(call);
	if (go_is_list(value))
		return room_for(call, go_len(value));
	autobuf Buf text = {0};
	buf_printf(&text, "%s%s", format, go_kind_name(value));
	return call_fail(call, "%s", buf_text(&text));
}

/* A []interface {} of items [from, to). */
static GoValue copy_items(GoCall *call, GoValue list, size_t from, size_t to, size_t extra)
{
	GoValue *items;
	GoValue copy = new_list(call, GO_LIST, to - from + extra, &items);
	for (size_t i = from; i < to; i++)
		items[i - from] = item_at(call, list, i);
	return copy;
}

static bool fn_list(GoCall *call, GoValue *out)
{
	GoValue *items;
	*out = new_list(call, GO_LIST, call->count, &items);
	for (size_t i = 0; i < call->count; i++)
		items[i] = call->args[i];
	return true;
}

static bool fn_append(GoCall *call, GoValue *out)
{
	GoValue list = call->args[0];
	if (!need_list(call, list, "Cannot push on type "))
		return false;
	*out = copy_items(call, list, 0, go_len(list), 1);
	out->list->items[go_len(list)] = call->args[1];
	return true;
}

static bool fn_prepend(GoCall *call, GoValue *out)
{
	GoValue list = call->args[0], *items;
	if (!need_list(call, list, "Cannot prepend on type "))
		return false;
	*out = new_list(call, GO_LIST, go_len(list) + 1, &items);
	items[0] = call->args[1];
	for (size_t i = 0; i < go_len(list); i++)
		items[i + 1] = item_at(call, list, i);
	return true;
}

static bool fn_first(GoCall *call, GoValue *out)
{
	GoValue list = call->args[0];
	if (!need_list(call, list, "Cannot find first on type "))
		return false;
	*out = go_len(list) ? item_at(call, list, 0) : go_nil();
	return true;
}

static bool fn_last(GoCall *call, GoValue *out)
{
	GoValue list = call->args[0];
	if (!need_list(call, list, "Cannot find last on type "))
		return false;
	*out = go_len(list) ? item_at(call, list, go_len(list) - 1) : go_nil();
	return true;
}

static bool fn_rest(GoCall *call, GoValue *out)
{
	GoValue list = call->args[0];
	if (!need_list(call, list, "Cannot find rest on type "))
		return false;
	*out = go_len(list) ? copy_items(call, list, 1, go_len(list), 0) : go_zero(GO_LIST);
	return true;
}

static bool fn_initial(GoCall *call, GoValue *out)
{
	GoValue list = call->args[0];
	if (!need_list(call, list, "Cannot find initial on type "))
		return false;
	*out = go_len(list) ? copy_items(call, list, 0, go_len(list) - 1, 0) : go_zero(GO_LIST);
	return true;
}

static bool fn_reverse(GoCall *call, GoValue *out)
{
	GoValue list = call->args[0], *items;
	if (!need_list(call, list, "Cannot find reverse on type "))
		return false;
	size_t len = go_len(list);
	*out = new_list(call, GO_LIST, len, &items);
	for (size_t i = 0; i < len; i++)
		items[len - 1 - i] = item_at(call, list, i);
	return true;
}

static bool fn_compact(GoCall *call, GoValue *out)
{
	GoValue list = call->args[0];
	if (!need_list(call, list, "Cannot compact on type "))
		return false;
	GoValue result = copy_items(call, list, 0, go_len(list), 0);
	size_t count = 0;
	for (size_t i = 0; i < result.list->len; i++)
		if (!is_empty(result.list->items[i]))
			result.list->items[count++] = result.list->items[i];
	result.list->len = count;
	*out = result;
	return true;
}

static bool is_in(GoCall *call, const GoValue *items, size_t count, GoValue value)
{
	for (size_t i = 0; i < count; i++) {
		call->run->steps++;
		if (go_deep_equal(call_arena(call), value, go_unboxed(items[i])))
			return true;
	}
	return false;
}

static bool fn_uniq(GoCall *call, GoValue *out)
{
	GoValue list = call->args[0];
	if (!need_list(call, list, "Cannot find uniq on type "))
		return false;
	GoValue result = copy_items(call, list, 0, go_len(list), 0);
	size_t count = 0;
	for (size_t i = 0; i < result.list->len; i++) {
		GoValue item = result.list->items[i];
		if (!run_step(call->run))
			return false;
		if (!is_in(call, result.list->items, count, item))
			result.list->items[count++] = item;
	}
	result.list->len = count;
	*out = result;
	return true;
}

static bool fn_without(GoCall *call, GoValue *out)
{
	GoValue list = call->args[0];
	if (!need_list(call, list, "Cannot find without on type "))
		return false;
	GoValue result = copy_items(call, list, 0, go_len(list), 0);
	size_t count = 0;
	for (size_t i = 0; i < result.list->len; i++) {
		GoValue item = result.list->items[i];
		if (!is_in(call, call->args + 1, call->count - 1, item))
			result.list->items[count++] = item;
	}
	result.list->len = count;
	*out = result;
	return true;
}

static bool fn_has(GoCall *call, GoValue *out)
{
	GoValue list = call->args[1];
	*out = go_bool(false);
	if (list.type == GO_NIL)
		return true;
	if (!need_list(call, list, "Cannot find has on type "))
		return false;
	for (size_t i = 0; i < go_len(list) && !out->flag; i++)
		out->flag = go_deep_equal(call_arena(call), call->args[0], item_at(call, list, i));
	return true;
}

static bool fn_slice(GoCall *call, GoValue *out)
{
	GoValue list = call->args[0];
	if (!need_list(call, list, "list should be type of slice or array but "))
		return false;
	int64_t len = (int64_t)go_len(list);
	int64_t start = call->count > 1 ? int64_of(call->args[1]) : 0;
	int64_t end = call->count > 2 ? int64_of(call->args[2]) : len;
	if (len == 0) {
		*out = go_nil();
		return true;
	}
	if (start < 0 || end > len || start > end)
		return call_fail(call, "reflect.Value.Slice: slice index out of bounds");
	if (list.type == GO_BYTES) {
		*out = list;
		out->text = str_slice(list.text, (size_t)start, (size_t)end);
		return true;
	}
	go_item(call_arena(call), list, 0); /* reads what is still JSON */
	GoList *part = go_list_new(call_arena(call), list.type, 0);
	part->items = list.list->items + start;
	part->len = (size_t)(end - start);
	*out = go_list(part);
	return true;
}

static bool fn_concat(GoCall *call, GoValue *out)
{
	size_t total = 0;
	GoValue *items;
	for (size_t i = 0; i < call->count; i++) {
		GoValue list = call->args[i];
		if (list.type == GO_NIL)
			return call_fail_nil(call);
		if (!go_is_list(list))
			return call_fail(call, "Cannot concat type %s as list", go_kind_name(list));
		total += go_len(list);
	}
	if (!room_for(call, total))
		return false;
	*out = total ? new_list(call, GO_LIST, total, &items) : go_zero(GO_LIST);
	size_t done = 0;
	for (size_t i = 0; i < call->count; i++)
		for (size_t at = 0; at < go_len(call->args[i]); at++)
			items[done++] = item_at(call, call->args[i], at);
	return true;
}

static bool fn_chunk(GoCall *call, GoValue *out)
{
	int64_t size = call->args[0].integer;
	GoValue list = call->args[1], *items;
	if (!need_list(call, list, "Cannot chunk type "))
		return false;
	size_t len = go_len(list);
	if (size <= 0) /* upstream divides by it, and makes a slice of that length */
		return call_fail(call, "runtime error: makeslice: len out of range");
	size_t count = len == 0 ? 0 : (len - 1) / (size_t)size + 1;
	*out = new_list(call, GO_LISTS, count, &items);
	for (size_t i = 0; i < count; i++) {
		size_t from = i * (size_t)size;
		size_t to = len - from < (size_t)size ? len : from + (size_t)size;
		items[i] = copy_items(call, list, from, to, 0);
	}
	return true;
}

const GoFn functions_lists[] = {
	{"list", "a*", fn_list},	 {"tuple", "a*", fn_list},
	{"append", "aa", fn_append},	 {"push", "aa", fn_append},
	{"mustAppend", "aa", fn_append}, {"mustPush", "aa", fn_append},
	{"prepend", "aa", fn_prepend},	 {"mustPrepend", "aa", fn_prepend},
	{"first", "a", fn_first},	 {"mustFirst", "a", fn_first},
	{"last", "a", fn_last},		 {"mustLast", "a", fn_last},
	{"rest", "a", fn_rest},		 {"mustRest", "a", fn_rest},
	{"initial", "a", fn_initial},	 {"mustInitial", "a", fn_initial},
	{"reverse", "a", fn_reverse},	 {"mustReverse", "a", fn_reverse},
	{"compact", "a", fn_compact},	 {"mustCompact", "a", fn_compact},
	{"uniq", "a", fn_uniq},		 {"mustUniq", "a", fn_uniq},
	{"without", "aa*", fn_without},	 {"mustWithout", "aa*", fn_without},
	{"has", "aa", fn_has},		 {"mustHas", "aa", fn_has},
	{"slice", "aa*", fn_slice},	 {"mustSlice", "aa*", fn_slice},
	{"concat", "a*", fn_concat},	 {"chunk", "ia", fn_chunk},
	{"mustChunk", "ia", fn_chunk},	 {0},
};
