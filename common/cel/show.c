/* Results: as JSON, and as text that tells the types apart. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "cel/cel_internal.h"
#include "data/base64.h"

enum { SHOW_DEPTH_MAX = 300 };

static json_t *list_to_json(CelRun *run, const CelList *list)
{
	autojson json_t *array = json_array();
	for (size_t i = 0; i < list->len; i++) {
		CelValue item = cel_list_at(run, list, i);
		json_t *member = cel_value_to_json(run, &item);
		if (!member)
			return NULL;
		json_array_append_new(array, member);
	}
	return steal(&array);
}

static json_t *map_to_json(CelRun *run, const CelMap *map)
{
	autojson json_t *object = json_object();
	for (size_t i = 0; i < map->len; i++) {
		CelValue key = cel_map_key(run, map, i), value = cel_map_value(run, map, i);
		CelValue name = cel_to_string(run, &key);
		json_t *member = cel_value_to_json(run, &value);
		if (!member || name.kind != CEL_STRING) {
			json_decref(member);
			return NULL;
		}
		autofree char *text = str_dup(name.text);
		json_object_set_new_nocheck(object, text, member);
	}
	return steal(&object);
}

static json_t *text_to_json(CelRun *run, const CelValue *value)
{
	CelValue text = cel_to_string(run, value);
	if (text.kind != CEL_STRING)
		return json_text_new("", 0);
	return json_text_new(text.text.ptr, text.text.len);
}

static json_t *to_json(CelRun *run, const CelValue *value)
{
	autofree char *text = NULL;
	switch ((int)value->kind) {
	case CEL_NULL:
		return json_null();
	case CEL_BOOL:
		return json_boolean(value->flag);
	case CEL_INT:
		return json_integer(value->integer);
	case CEL_UINT:
		return value->natural <= INT64_MAX ? json_integer((json_int_t)value->natural)
						   : text_to_json(run, value);
	case CEL_DOUBLE:
		return isfinite(value->real) ? json_real(value->real) : text_to_json(run, value);
	case CEL_BYTES:
		text = base64_encode(value->text.ptr, value->text.len);
		return json_string(text);
	case CEL_LIST:
		return list_to_json(run, value->list);
	case CEL_MAP:
	case CEL_OBJECT:
		return map_to_json(run, value->map);
	case CEL_OPTIONAL:
		return value->inner ? cel_value_to_json(run, value->inner) : json_null();
	default:
		return text_to_json(run, value);
	}
}

json_t *cel_value_to_json(CelRun *run, const CelValue *value)
{
	if (run->depth > SHOW_DEPTH_MAX || run->stopped)
		return NULL;
	run->depth++;
	json_t *json = to_json(run, value);
	run->depth--;
	return json;
}

static void show_text(Str text, Buf *out)
{
	autojson json_t *string = json_text_new(text.ptr, text.len);
	autofree char *quoted = json_dump_go(string);
	buf_puts(out, quoted);
}

static void show_list(CelRun *run, const CelList *list, Buf *out)
{
	buf_putc(out, '[');
	for (size_t i = 0; i < list->len; i++) {
		CelValue item = cel_list_at(run, list, i);
		buf_puts(out, i > 0 ? "," : "");
		cel_show(run, &item, out);
	}
	buf_putc(out, ']');
}

static void show_map(CelRun *run, const CelMap *map, Buf *out)
{
	autostrings Vec entries = {0};
	for (size_t i = 0; i < map->len; i++) {
		autobuf Buf entry = {0};
		CelValue key = cel_map_key(run, map, i), value = cel_map_value(run, map, i);
		cel_show(run, &key, &entry);
		buf_putc(&entry, ':');
		cel_show(run, &value, &entry);
		vec_push(&entries, buf_steal(&entry));
	}
	vec_sort(&entries, vec_compare_strings);
	buf_putc(out, '{');
	for (size_t i = 0; i < entries.len; i++)
		buf_printf(out, "%s%s", i > 0 ? "," : "", (const char *)entries.items[i]);
	buf_putc(out, '}');
}

static void show_named(CelRun *run, const CelValue *value, Buf *out)
{
	CelValue text = cel_to_string(run, value);
	buf_printf(out, "%s(", cel_type_name(cel_type_of(value)));
	if (text.kind == CEL_STRING)
		buf_add(out, text.text);
	buf_putc(out, ')');
}

static void show_double(double real, Buf *out)
{
	if (isfinite(real))
		buf_printf(out, "double(%.17g)", real);
	else
		buf_printf(out, "double(%s)", isnan(real) ? "NaN" : real > 0 ? "+Inf" : "-Inf");
}

static void show_bytes(Str bytes, Buf *out)
{
	buf_putc(out, 'b');
	for (size_t i = 0; i < bytes.len; i++)
		buf_printf(out, "%02x", (unsigned)(unsigned char)bytes.ptr[i]);
}

static void show_time(CelTime time, Buf *out)
{
	time.offset = 0;
	buf_puts(out, "timestamp(");
	cel_time_write(time, out);
	buf_putc(out, ')');
}

static void show_optional(CelRun *run, const CelValue *inner, Buf *out)
{
	buf_puts(out, inner ? "optional(" : "optional.none");
	if (!inner)
		return;
	cel_show(run, inner, out);
	buf_putc(out, ')');
}

static void show_scalar(CelRun *run, const CelValue *value, Buf *out)
{
	switch ((int)value->kind) {
	case CEL_NULL:
		buf_puts(out, "null");
		return;
	case CEL_BOOL:
		buf_puts(out, value->flag ? "true" : "false");
		return;
	case CEL_INT:
		buf_printf(out, "%" PRId64, value->integer);
		return;
	case CEL_UINT:
		buf_printf(out, "%" PRIu64 "u", value->natural);
		return;
	case CEL_DOUBLE:
		show_double(value->real, out);
		return;
	case CEL_DURATION:
		buf_printf(out, "duration(%" PRId64 ")", value->integer);
		return;
	case CEL_TYPE:
		buf_printf(out, "type(%s)", cel_type_name(value->type));
		return;
	default:
		show_named(run, value, out);
	}
}

static void show(CelRun *run, const CelValue *value, Buf *out)
{
	switch ((int)value->kind) {
	case CEL_STRING:
		show_text(value->text, out);
		return;
	case CEL_BYTES:
		show_bytes(value->text, out);
		return;
	case CEL_TIMESTAMP:
		show_time(value->time, out);
		return;
	case CEL_LIST:
		show_list(run, value->list, out);
		return;
	case CEL_MAP:
	case CEL_OBJECT:
		show_map(run, value->map, out);
		return;
	case CEL_OPTIONAL:
		show_optional(run, value->inner, out);
		return;
	default:
		show_scalar(run, value, out);
	}
}

void cel_show(CelRun *run, const CelValue *value, Buf *out)
{
	if (run->depth > SHOW_DEPTH_MAX)
		return;
	run->depth++;
	show(run, value, out);
	run->depth--;
}
