#include "base/mem.h"
#include "gotmpl/convert.h"
#include "gotmpl/functions.h"

/* Strings by bytes: cutting, padding, joining, quoting. What depends on letters is in case.c. */

static Str text_arg(const GoCall *call, size_t index)
{
	return call->args[index].text;
}

static int64_t int_arg(const GoCall *call, size_t index)
{
	return call->args[index].integer;
}

static bool return_slice(GoCall *call, Str text, size_t from, size_t to, GoValue *out)
{
	(void)call;
	*out = go_text(str_slice(text, from, to));
	return true;
}

/* What Go says of s[from:to]. */
static bool slice_checked(GoCall *call, Str text, int64_t from, int64_t to, GoValue *out)
{
	int64_t len = (int64_t)text.len;
	if (to < 0 || to > len)
		return call_fail(call,
				 to < 0 ? "runtime error: slice bounds out of range [:%lld]"
					: "runtime error: slice bounds out of range [:%lld] with "
					  "length %lld",
				 (long long)to, (long long)len);
	if (from < 0)
		return call_fail(call, "runtime error: slice bounds out of range [%lld:]",
				 (long long)from);
	if (from > to)
		return call_fail(call, "runtime error: slice bounds out of range [%lld:%lld]",
				 (long long)from, (long long)to);
	return return_slice(call, text, (size_t)from, (size_t)to, out);
}

static bool fn_hello(GoCall *call, GoValue *out)
{
	(void)call;
	*out = go_cstr("Hello!");
	return true;
}

static Str trim_space(Str text)
{
	size_t width, from = 0, to = 0;
	while (from < text.len) {
		if (!rune_is_space(rune_decode(str_slice(text, from, text.len), &width)))
			break;
		from += width;
	}
	for (size_t at = to = from; at < text.len; at += width)
		if (!rune_is_space(rune_decode(str_slice(text, at, text.len), &width)))
			to = at + width;
	return str_slice(text, from, to);
}

static bool fn_trim(GoCall *call, GoValue *out)
{
	*out = go_text(trim_space(text_arg(call, 0)));
	return true;
}

static bool in_set(Str set, uint32_t rune)
{
	size_t width;
	for (size_t at = 0; at < set.len; at += width)
		if (rune_decode(str_slice(set, at, set.len), &width) == rune)
			return true;
	return false;
}

static bool fn_trim_all(GoCall *call, GoValue *out)
{
	Str set = text_arg(call, 0), text = text_arg(call, 1);
	size_t width, from = 0, to;
	while (from < text.len) {
		if (!in_set(set, rune_decode(str_slice(text, from, text.len), &width)))
			break;
		from += width;
	}
	to = from;
	for (size_t at = from; at < text.len; at += width)
		if (!in_set(set, rune_decode(str_slice(text, at, text.len), &width)))
			to = at + width;
	return return_slice(call, text, from, to, out);
}

static bool fn_trim_prefix(GoCall *call, GoValue *out)
{
	Str part = text_arg(call, 0), text = text_arg(call, 1);
	return return_slice(call, text, str_starts(text, part) ? part.len : 0, text.len, out);
}

static bool fn_trim_suffix(GoCall *call, GoValue *out)
{
	Str part = text_arg(call, 0), text = text_arg(call, 1);
	return return_slice(call, text, 0, text.len - (str_ends(text, part) ? part.len : 0), out);
}

static bool fn_contains(GoCall *call, GoValue *out)
{
	*out = go_bool(text_arg(call, 0).len == 0 ||
		       str_find(text_arg(call, 1), text_arg(call, 0)) >= 0);
	return true;
}

static bool fn_has_prefix(GoCall *call, GoValue *out)
{
	*out = go_bool(str_starts(text_arg(call, 1), text_arg(call, 0)));
	return true;
}

static bool fn_has_suffix(GoCall *call, GoValue *out)
{
	*out = go_bool(str_ends(text_arg(call, 1), text_arg(call, 0)));
	return true;
}

static bool fn_repeat(GoCall *call, GoValue *out)
{
	int64_t count = int_arg(call, 0);
	Str text = text_arg(call, 1);
	autobuf Buf result = {0};
	if (count < 0)
		return call_fail(call, "strings: negative Repeat count");
	if (text.len > 0 && (uint64_t)count > call->run->limits.output_bytes / text.len)
		return call_fail(call, "result is too large");
	for (int64_t i = 0; i < count && text.len > 0; i++)
		buf_add(&result, text);
	return call_return_text(call, &result, out);
}

/* Each rune of text with `by` around it, for an empty search string. */
static void interleave(Str text, Str by, Buf *out)
{
	size_t width;
	buf_add(out, by);
	for (size_t at = 0; at < text.len; at += width) {
		rune_decode(str_slice(text, at, text.len), &width);
		buf_append(out, text.ptr + at, width);
		buf_add(out, by);
	}
}

static bool fn_replace(GoCall *call, GoValue *out)
{
	Str old = text_arg(call, 0), by = text_arg(call, 1), text = text_arg(call, 2);
	autobuf Buf result = {0};
	if (text.len * (by.len + 1) / (old.len ? old.len : 1) > call->run->limits.output_bytes)
		return call_fail(call, "result is too large");
	if (old.len == 0) {
		interleave(text, by, &result);
		return call_return_text(call, &result, out);
	}
	for (ptrdiff_t at; (at = str_find(text, old)) >= 0;) {
		buf_append(&result, text.ptr, (size_t)at);
		buf_add(&result, by);
		text = str_slice(text, (size_t)at + old.len, text.len);
	}
	buf_add(&result, text);
	return call_return_text(call, &result, out);
}

static bool fn_substr(GoCall *call, GoValue *out)
{
	int64_t start = int_arg(call, 0), end = int_arg(call, 1);
	Str text = text_arg(call, 2);
	if (start < 0)
		return slice_checked(call, text, 0, end, out);
	if (end < 0 || end > (int64_t)text.len) {
		if (start > (int64_t)text.len)
			return call_fail(call,
					 "runtime error: slice bounds out of range [%lld:%zu]",
					 (long long)start, text.len);
		return return_slice(call, text, (size_t)start, text.len, out);
	}
	return slice_checked(call, text, start, end, out);
}

static bool fn_trunc(GoCall *call, GoValue *out)
{
	int64_t count = int_arg(call, 0), len = (int64_t)text_arg(call, 1).len;
	Str text = text_arg(call, 1);
	if (count < 0 && count > INT64_MIN && len + count > 0)
		return return_slice(call, text, (size_t)(len + count), text.len, out);
	return return_slice(call, text, 0, count >= 0 && len > count ? (size_t)count : text.len,
			    out);
}

static bool abbreviate(GoCall *call, int64_t offset, int64_t width, Str text, GoValue *out)
{
	int64_t len = (int64_t)text.len;
	autobuf Buf result = {0};
	if (len <= width) {
		*out = go_text(text);
		return true;
	}
	offset = offset > len ? len : offset;
	if (len - offset < width - 3)
		offset = len - (width - 3);
	if (offset <= 4) {
		buf_append(&result, text.ptr, (size_t)(width - 3));
		buf_puts(&result, "...");
		return call_return_text(call, &result, out);
	}
	if (width < 7) {
		*out = go_cstr("");
		return true;
	}
	buf_puts(&result, "...");
	if (offset + width - 3 < len) {
		GoValue tail = go_cstr("");
		if (width - 3 >= 4 && !abbreviate(call, 0, width - 3,
						  str_slice(text, (size_t)offset, text.len), &tail))
			return false;
		buf_add(&result, tail.text);
	} else {
		buf_add(&result, str_slice(text, (size_t)(len - (width - 3)), text.len));
	}
	return call_return_text(call, &result, out);
}

static bool fn_abbrev(GoCall *call, GoValue *out)
{
	*out = call->args[1];
	return int_arg(call, 0) < 4 ||
	       abbreviate(call, 0, int_arg(call, 0), text_arg(call, 1), out);
}

static bool fn_abbrevboth(GoCall *call, GoValue *out)
{
	int64_t left = int_arg(call, 0), right = int_arg(call, 1);
	*out = call->args[2];
	return right < 4 || (left > 0 && right < 7) ||
	       abbreviate(call, left, right, text_arg(call, 2), out);
}

static bool add_indented(GoCall *call, int64_t spaces, Str text, Buf *out)
{
	if (spaces < 0)
		return call_fail(call, "strings: negative Repeat count");
	if (spaces > 1000000)
		return call_fail(call, "result is too large");
	for (;;) {
		for (int64_t i = 0; i < spaces; i++)
			buf_putc(out, ' ');
		ptrdiff_t end = str_find_char(text, '\n');
		if (out->len > call->run->limits.output_bytes)
			return call_fail(call, "result is too large");
		if (end < 0)
			break;
		buf_append(out, text.ptr, (size_t)end + 1);
		text = str_slice(text, (size_t)end + 1, text.len);
	}
	buf_add(out, text);
	return true;
}

static bool fn_indent(GoCall *call, GoValue *out)
{
	autobuf Buf result = {0};
	return add_indented(call, int_arg(call, 0), text_arg(call, 1), &result) &&
	       call_return_text(call, &result, out);
}

static bool fn_nindent(GoCall *call, GoValue *out)
{
	autobuf Buf result = {0};
	buf_putc(&result, '\n');
	return add_indented(call, int_arg(call, 0), text_arg(call, 1), &result) &&
	       call_return_text(call, &result, out);
}

static bool fn_quote(GoCall *call, GoValue *out)
{
	autobuf Buf result = {0};
	for (size_t i = 0; i < call->count; i++) {
		if (call->args[i].type == GO_NIL)
			continue;
		autobuf Buf text = {0};
		text_of(call, call->args[i], &text);
		if (result.len > 0)
			buf_putc(&result, ' ');
		quote_value(call, buf_str(&text), &result);
	}
	return call_return_text(call, &result, out);
}

/* %v of bytes is a list of numbers, other than strval's. */
static void plain_of(GoCall *call, GoValue value, Buf *out)
{
	if (value.type == GO_BYTES) {
		buf_putc(out, '[');
		for (size_t i = 0; i < value.text.len; i++)
			buf_printf(out, i ? " %u" : "%u", (unsigned char)value.text.ptr[i]);
		buf_putc(out, ']');
		return;
	}
	text_of(call, value, out);
}

static bool fn_squote(GoCall *call, GoValue *out)
{
	autobuf Buf result = {0};
	for (size_t i = 0; i < call->count; i++) {
		if (call->args[i].type == GO_NIL)
			continue;
		if (result.len > 0)
			buf_putc(&result, ' ');
		buf_putc(&result, '\'');
		plain_of(call, call->args[i], &result);
		buf_putc(&result, '\'');
	}
	return call_return_text(call, &result, out);
}

static bool fn_cat(GoCall *call, GoValue *out)
{
	autobuf Buf result = {0};
	bool first = true;
	for (size_t i = 0; i < call->count; i++) {
		if (call->args[i].type == GO_NIL)
			continue;
		if (!first)
			buf_putc(&result, ' ');
		first = false;
		plain_of(call, call->args[i], &result);
	}
	return call_return_text(call, &result, out);
}

static bool fn_to_string(GoCall *call, GoValue *out)
{
	*out = go_text(text_value(call, call->args[0]));
	return true;
}

static bool fn_plural(GoCall *call, GoValue *out)
{
	*out = call->args[int_arg(call, 2) == 1 ? 0 : 1];
	return true;
}

/* sprig's strslice: nil elements are left away. */
GoValue strings_of(GoCall *call, GoValue value)
{
	GoValue *items;
	if (value.type == GO_STRINGS)
		return value;
	if (!go_is_list(value)) {
		GoValue one = new_list(call, GO_STRINGS, value.type == GO_NIL ? 0 : 1, &items);
		if (value.type != GO_NIL)
			items[0] = go_text(text_value(call, value));
		return one;
	}
	GoValue list = new_list(call, GO_STRINGS, go_len(value), &items);
	size_t count = 0;
	for (size_t i = 0; i < go_len(value); i++) {
		GoValue item = go_item(call_arena(call), value, i);
		if (item.type != GO_NIL)
			items[count++] = go_text(text_value(call, item));
	}
	list.list->len = count;
	return list;
}

static bool fn_to_strings(GoCall *call, GoValue *out)
{
	*out = strings_of(call, call->args[0]);
	return true;
}

static bool fn_join(GoCall *call, GoValue *out)
{
	GoValue list = strings_of(call, call->args[1]);
	autobuf Buf result = {0};
	for (size_t i = 0; i < go_len(list); i++) {
		if (i > 0)
			buf_add(&result, text_arg(call, 0));
		buf_add(&result, list.list->items[i].text);
		if (result.len > call->run->limits.output_bytes)
			return call_fail(call, "result is too large");
	}
	return call_return_text(call, &result, out);
}

/* A list of at most `most` parts (negative: all); an empty separator parts runes. */
static GoValue split_text(GoCall *call, Str sep, Str text, int64_t most)
{
	GoValue *items;
	size_t count = 1, width;
	if (most == 0)
		return go_zero(GO_STRINGS);
	if (sep.len == 0)
		count = rune_count(text);
	else
		for (size_t at = 0; at + sep.len <= text.len; at++)
			count += memcmp(text.ptr + at, sep.ptr, sep.len) == 0;
	GoValue list = new_list(call, GO_STRINGS, count, &items);
	size_t done = 0;
	while (done < count && (most < 0 || (int64_t)done + 1 < most)) {
		ptrdiff_t at = sep.len ? str_find(text, sep) : (ptrdiff_t)text.len;
		if (sep.len == 0 && text.len > 0) {
			rune_decode(text, &width);
			at = (ptrdiff_t)width;
		}
		if (at < 0 || (sep.len == 0 && text.len == (size_t)at))
			break;
		items[done++] = go_text(str_slice(text, 0, (size_t)at));
		text = str_slice(text, (size_t)at + sep.len, text.len);
	}
	if (sep.len > 0 || text.len > 0)
		items[done++] = go_text(text);
	list.list->len = done;
	return list;
}

static bool fn_split_list(GoCall *call, GoValue *out)
{
	*out = split_text(call, text_arg(call, 0), text_arg(call, 1), -1);
	return true;
}

static bool numbered(GoCall *call, GoValue list, GoValue *out)
{
	GoMap *map = go_map_new(call_arena(call), GO_STRING_MAP);
	for (size_t i = 0; i < go_len(list); i++)
		go_map_put(call_arena(call), map, str_of(arena_printf(call_arena(call), "_%zu", i)),
			   list.list->items[i]);
	*out = go_map(map);
	return true;
}

static bool fn_split(GoCall *call, GoValue *out)
{
	return numbered(call, split_text(call, text_arg(call, 0), text_arg(call, 1), -1), out);
}

static bool fn_splitn(GoCall *call, GoValue *out)
{
	return numbered(call,
			split_text(call, text_arg(call, 0), text_arg(call, 2), int_arg(call, 1)),
			out);
}

static int compare_texts(const void *a, const void *b)
{
	return go_compare_str(((const GoValue *)a)->text, ((const GoValue *)b)->text);
}

/* A []string is sorted in place, as upstream's is. */
static bool fn_sort_alpha(GoCall *call, GoValue *out)
{
	GoValue list = call->args[0], *items;
	if (!go_is_list(list)) {
		*out = new_list(call, GO_STRINGS, 1, &items);
		items[0] = go_text(text_value(call, list));
		return true;
	}
	*out = strings_of(call, list);
	if (go_len(*out) > 1)
		qsort(out->list->items, out->list->len, sizeof(GoValue), compare_texts);
	return true;
}

/* The last blank in text[from, end), or -1. */
static int64_t last_blank(Str text, int64_t from, int64_t end)
{
	for (int64_t i = end; i > from; i--)
		if (text.ptr[i - 1] == ' ')
			return i - 1;
	return -1;
}

/* goutils.WrapCustom */
static bool wrap(GoCall *call, Str text, int64_t width, Str sep, bool cut_words, GoValue *out)
{
	autobuf Buf result = {0};
	int64_t offset = 0, len = (int64_t)text.len;
	width = width < 1 ? 1 : width;
	if (sep.len == 0)
		sep = STR("\n");
	while (len - offset > width) {
		if (text.ptr[offset] == ' ') {
			offset++;
			continue;
		}
		int64_t blank = last_blank(text, offset, offset + width + 1);
		int64_t end = blank;
		if (blank < 0 && cut_words)
			end = offset + width;
		for (int64_t i = offset + width; blank < 0 && !cut_words && i < len && end < 0; i++)
			end = text.ptr[i] == ' ' ? i : -1;
		if (end < 0)
			break;
		buf_append(&result, text.ptr + offset, (size_t)(end - offset));
		buf_add(&result, sep);
		offset = end + (blank < 0 && cut_words ? 0 : 1);
		if (result.len > call->run->limits.output_bytes)
			return call_fail(call, "result is too large");
	}
	buf_append(&result, text.ptr + offset, (size_t)(len - offset));
	return call_return_text(call, &result, out);
}

static bool fn_wrap(GoCall *call, GoValue *out)
{
	return wrap(call, text_arg(call, 1), int_arg(call, 0), STR(""), false, out);
}

static bool fn_wrap_with(GoCall *call, GoValue *out)
{
	return wrap(call, text_arg(call, 2), int_arg(call, 0), text_arg(call, 1), true, out);
}

const GoFn functions_strings[] = {
	{"hello", "", fn_hello},
	{"trim", "s", fn_trim},
	{"trimall", "ss", fn_trim_all},
	{"trimAll", "ss", fn_trim_all},
	{"trimPrefix", "ss", fn_trim_prefix},
	{"trimSuffix", "ss", fn_trim_suffix},
	{"contains", "ss", fn_contains},
	{"hasPrefix", "ss", fn_has_prefix},
	{"hasSuffix", "ss", fn_has_suffix},
	{"repeat", "is", fn_repeat},
	{"replace", "sss", fn_replace},
	{"substr", "iis", fn_substr},
	{"trunc", "is", fn_trunc},
	{"abbrev", "is", fn_abbrev},
	{"abbrevboth", "iis", fn_abbrevboth},
	{"indent", "is", fn_indent},
	{"nindent", "is", fn_nindent},
	{"quote", "a*", fn_quote},
	{"squote", "a*", fn_squote},
	{"cat", "a*", fn_cat},
	{"toString", "a", fn_to_string},
	{"plural", "ssi", fn_plural},
	{"toStrings", "a", fn_to_strings},
	{"join", "sa", fn_join},
	{"splitList", "ss", fn_split_list},
	{"split", "ss", fn_split},
	{"splitn", "sis", fn_splitn},
	{"sortAlpha", "a", fn_sort_alpha},
	{"wrap", "is", fn_wrap},
	{"wrapWith", "iss", fn_wrap_with},
	{0},
};
