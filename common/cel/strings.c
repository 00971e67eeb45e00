/* The strings extension (cel-go ext/strings.go): positions are code points. */
#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "cel/cel_internal.h"
#include "cel/rune.h"
#include "cel/text_format.h"
#include "data/base64.h"

enum { ANY = CEL_LIB_KUBERNETES | CEL_LIB_FLUX };

static CelValue view(const char *ptr, size_t len)
{
	return (CelValue){.kind = CEL_STRING, .text = str_sized(ptr, len)};
}

static CelValue out_of_range(CelRun *run, int64_t index)
{
	return cel_error(run, "index out of range: %lld", (long long)index);
}

static CelValue char_at(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	Str text = args[0].text;
	int64_t index = args[1].integer, length = (int64_t)cel_text_length(text);
	if (index < 0 || index > length)
		return out_of_range(run, index);
	size_t at = rune_at(text, (size_t)index);
	return index == length ? view("", 0) : view(text.ptr + at, rune_length(text, at));
}

static CelValue index_of(CelRun *run, const CelValue *args, size_t count)
{
	Str text = args[0].text, part = args[1].text;
	int64_t from = count > 2 ? args[2].integer : 0;
	if (part.len == 0)
		return cel_int(from);
	if (from < 0)
		return out_of_range(run, from);
	if ((uint64_t)from >= cel_text_length(text))
		return cel_int(-1);
	size_t start = rune_at(text, (size_t)from);
	ptrdiff_t found = str_find(str_slice(text, start, text.len), part);
	if (found < 0)
		return cel_int(-1);
	return cel_int((int64_t)cel_text_length(str_slice(text, 0, start + (size_t)found)));
}

static CelValue last_index_of(CelRun *run, const CelValue *args, size_t count)
{
	Str text = args[0].text, part = args[1].text;
	int64_t length = (int64_t)cel_text_length(text);
	int64_t from = count > 2 ? args[2].integer : length - 1;
	if (part.len == 0)
		return cel_int(count > 2 ? from : length);
	if (count == 2 && text.len < part.len)
		return cel_int(-1);
	if (from < 0)
		return out_of_range(run, from);
	int64_t last = length - (int64_t)cel_text_length(part);
	if (from >= length)
		return cel_int(-1);
	for (int64_t i = from < last ? from : last; i >= 0 && cel_tick(run); i--) {
		size_t at = rune_at(text, (size_t)i);
		if (str_starts(str_slice(text, at, text.len), part))
			return cel_int(i);
	}
	return cel_int(-1);
}

static CelValue change_case(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	CelValue copy = cel_text_value(run, args[0].text.ptr, args[0].text.len);
	bool upper = run->call->name[0] == 'u';
	if (cel_is_error(&copy))
		return copy;
	char *text = (char *)(uintptr_t)copy.text.ptr;
	for (size_t i = 0; i < copy.text.len; i++) {
		unsigned char byte = (unsigned char)text[i];
		if (byte < 0x80)
			text[i] = (char)(upper ? toupper(byte) : tolower(byte));
	}
	return copy;
}

static CelValue replace(CelRun *run, const CelValue *args, size_t count)
{
	Str text = args[0].text, old = args[1].text, new = args[2].text;
	int64_t most = count > 3 ? args[3].integer : -1;
	autobuf Buf out = {0};
	size_t at = 0;
	for (int64_t done = 0; (most < 0 || done < most) && cel_tick(run); done++) {
		ptrdiff_t found = old.len ? str_find(str_slice(text, at, text.len), old) : 0;
		if (found < 0 || out.len + new.len > run->memory_max)
			break;
		/* An empty text stands before each code point and at the end. */
		size_t plain = old.len ? (size_t)found : done == 0 ? 0 : rune_length(text, at);
		if (!old.len && done > 0 && at >= text.len)
			break;
		buf_append(&out, text.ptr + at, plain);
		buf_add(&out, new);
		at += plain + old.len;
	}
	buf_append(&out, text.ptr + at, text.len - at);
	return cel_text_value(run, buf_text(&out), out.len);
}

static CelValue split(CelRun *run, const CelValue *args, size_t count)
{
	Str text = args[0].text, separator = args[1].text;
	int64_t most = count > 2 ? args[2].integer : -1;
	CelValue list = cel_list_new(run, 0);
	if (most == 0 || cel_is_error(&list) || (text.len == 0 && separator.len == 0))
		return list;
	size_t at = 0;
	while ((most < 0 || (int64_t)list.list->len < most - 1) && cel_tick(run)) {
		ptrdiff_t found = str_find(str_slice(text, at, text.len), separator);
		if (separator.len == 0)
			found = at + rune_length(text, at) < text.len
					? (ptrdiff_t)rune_length(text, at)
					: -1;
		if (found < 0)
			break;
		if (!cel_list_add(run, list.list, view(text.ptr + at, (size_t)found)))
			return cel_error(run, "memory limit exceeded");
		at += (size_t)found + separator.len;
	}
	(void)cel_list_add(run, list.list, view(text.ptr + at, text.len - at));
	return list;
}

static CelValue substring(CelRun *run, const CelValue *args, size_t count)
{
	Str text = args[0].text;
	int64_t length = (int64_t)cel_text_length(text);
	int64_t start = args[1].integer, end = count > 2 ? args[2].integer : length;
	if (count > 2 && start > end)
		return cel_error(run, "invalid substring range. start: %lld, end: %lld",
				 (long long)start, (long long)end);
	if (start < 0 || start > length)
		return out_of_range(run, start);
	if (end < 0 || end > length)
		return out_of_range(run, end);
	size_t from = rune_at(text, (size_t)start), to = rune_at(text, (size_t)end);
	return view(text.ptr + from, to - from);
}

/* Unicode's white space, as Go's strings.TrimSpace. */
static size_t blank_length(Str text, size_t at)
{
	static const char *const wide[] = {"\xc2\x85",	   "\xc2\xa0",	   "\xe1\x9a\x80",
					   "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf",
					   "\xe2\x81\x9f", "\xe3\x80\x80"};
	Str rest = str_slice(text, at, text.len);
	if (rest.len > 0 && strchr("\t\n\v\f\r ", *rest.ptr) && *rest.ptr)
		return 1;
	for (size_t i = 0; i < COUNT(wide); i++)
		if (str_starts(rest, str_of(wide[i])))
			return strlen(wide[i]);
	bool en = rest.len >= 3 && memcmp(rest.ptr, "\xe2\x80", 2) == 0 &&
		  (unsigned char)rest.ptr[2] >= 0x80 && (unsigned char)rest.ptr[2] <= 0x8a;
	return en ? 3 : 0;
}

static CelValue trim(CelRun *run UNUSED, const CelValue *args, size_t count UNUSED)
{
	Str text = args[0].text;
	size_t blank, end = text.len;
	while ((blank = blank_length(text, 0)) > 0)
		text = str_slice(text, blank, text.len);
	end = text.len;
	while (end > 0) {
		size_t at = end - 1;
		while (at > 0 && ((unsigned char)text.ptr[at] & 0xc0) == 0x80)
			at--;
		if (blank_length(str_slice(text, 0, end), at) != end - at)
			break;
		end = at;
	}
	return view(text.ptr, end);
}

static CelValue reverse(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	Str text = args[0].text;
	CelValue copy = cel_text_value(run, text.ptr, text.len);
	if (cel_is_error(&copy))
		return copy;
	char *out = (char *)(uintptr_t)copy.text.ptr;
	for (size_t at = 0; at < text.len;) {
		size_t len = rune_length(text, at);
		memcpy(out + text.len - at - len, text.ptr + at, len);
		at += len;
	}
	return copy;
}

static CelValue join(CelRun *run, const CelValue *args, size_t count)
{
	const CelList *list = args[0].list;
	autobuf Buf out = {0};
	for (size_t i = 0; i < list->len && cel_tick(run); i++) {
		CelValue item = cel_list_at(run, list, i);
		if (item.kind != CEL_STRING) {
			CelValue text = cel_to_string(run, &item);
			return cel_error(run, "join: invalid input: %.*s", (int)text.text.len,
					 text.text.ptr);
		}
		if (i > 0 && count > 1)
			buf_add(&out, args[1].text);
		buf_add(&out, item.text);
		if (out.len > run->memory_max)
			break;
	}
	return cel_text_value(run, buf_text(&out), out.len);
}

static CelValue quote(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	static const char special[] = "\a\b\f\n\r\t\v\\\"", letters[] = "abfnrtv\\\"";
	autobuf Buf out = {0};
	buf_putc(&out, '"');
	for (size_t i = 0; i < args[0].text.len; i++) {
		char byte = args[0].text.ptr[i];
		const char *found = byte ? strchr(special, byte) : NULL;
		if (found)
			buf_putc(&out, '\\');
		buf_putc(&out, found ? letters[found - special] : byte);
	}
	buf_putc(&out, '"');
	return cel_text_value(run, buf_text(&out), out.len);
}

static CelValue contains(CelRun *run UNUSED, const CelValue *args, size_t count UNUSED)
{
	return cel_bool(str_find(args[0].text, args[1].text) >= 0);
}

static CelValue starts_with(CelRun *run UNUSED, const CelValue *args, size_t count UNUSED)
{
	return cel_bool(str_starts(args[0].text, args[1].text));
}

static CelValue ends_with(CelRun *run UNUSED, const CelValue *args, size_t count UNUSED)
{
	return cel_bool(str_ends(args[0].text, args[1].text));
}

static CelValue format(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	autobuf Buf out = {0};
	autoerror Error err = {0};
	bool newer = !(run->program->env->flags & CEL_LIB_KUBERNETES);
	if (!text_format(run, args[0].text, args[1].list, newer, &out, &err))
		return cel_error(run, "%s", err_text(&err));
	return cel_text_value(run, buf_text(&out), out.len);
}

static CelValue encode(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	autofree char *text = base64_encode(args[0].text.ptr, args[0].text.len);
	return cel_text_value(run, text, strlen(text));
}

static CelValue decode(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	autobuf Buf out = {0};
	autoerror Error err = {0};
	autobuf Buf padded = {0};
	buf_add(&padded, args[0].text);
	/* Without padding is fine too (ext/encoders.go). */
	if (padded.len > 0 && padded.ptr[padded.len - 1] != '=')
		while (padded.len % 4)
			buf_putc(&padded, '=');
	if (!base64_decode(buf_text(&padded), padded.len, &out, &err))
		return cel_error(run, "illegal base64 data");
	CelValue value = cel_text_value(run, buf_text(&out), out.len);
	value.kind = cel_is_error(&value) ? CEL_ERROR : CEL_BYTES;
	return value;
}

static const CelFunction rows[] = {
	{"contains", true, ANY, "ss>b", contains},
	{"startsWith", true, ANY, "ss>b", starts_with},
	{"endsWith", true, ANY, "ss>b", ends_with},
	{"charAt", true, ANY, "si>s", char_at},
	{"indexOf", true, ANY, "ss>i", index_of},
	{"indexOf", true, ANY, "ssi>i", index_of},
	{"lastIndexOf", true, ANY, "ss>i", last_index_of},
	{"lastIndexOf", true, ANY, "ssi>i", last_index_of},
	{"lowerAscii", true, ANY, "s>s", change_case},
	{"upperAscii", true, ANY, "s>s", change_case},
	{"replace", true, ANY, "sss>s", replace},
	{"replace", true, ANY, "sssi>s", replace},
	{"split", true, ANY, "ss>Ls", split},
	{"split", true, ANY, "ssi>Ls", split},
	{"substring", true, ANY, "si>s", substring},
	{"substring", true, ANY, "sii>s", substring},
	{"trim", true, ANY, "s>s", trim},
	{"join", true, ANY, "Ls>s", join},
	{"join", true, ANY, "Lss>s", join},
	{"format", true, ANY, "sL*>s", format},
	{"strings.quote", false, ANY, "s>s", quote},
	{"reverse", true, CEL_LIB_FLUX, "s>s", reverse},
	{"base64.encode", false, CEL_LIB_FLUX, "y>s", encode},
	{"base64.decode", false, CEL_LIB_FLUX, "s>y", decode},
};

const CelFunctions cel_functions_strings = {rows, COUNT(rows)};
