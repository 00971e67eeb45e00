/*
 * Path elements: how one step below a value is named, ordered and printed, and which element an
 * item of an associative list has (facts 3.1, 3.3).
 */
#include "smd/smd_internal.h"

PathElement smd_element_field(const char *name)
{
	return (PathElement){.kind = ELEMENT_FIELD, .field = name};
}

static int parts_compare(const PathElement *a, const PathElement *b)
{
	for (size_t i = 0; i < a->part_count && i < b->part_count; i++) {
		int order = strcmp(a->parts[i].name, b->parts[i].name);
		if (!order)
			order = smd_value_compare(a->parts[i].value, b->parts[i].value);
		if (order)
			return order;
	}
	return (a->part_count > b->part_count) - (a->part_count < b->part_count);
}

int smd_element_compare(const PathElement *a, const PathElement *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	switch (a->kind) {
	case ELEMENT_FIELD:
		return strcmp(a->field, b->field);
	case ELEMENT_KEY:
		return parts_compare(a, b);
	case ELEMENT_VALUE:
		return smd_value_compare(a->value, b->value);
	case ELEMENT_INDEX:
	default:
		return (a->index > b->index) - (a->index < b->index);
	}
}

static void part_insert(KeyPart *parts, size_t count, KeyPart part)
{
	size_t at = count;
	while (at > 0 && strcmp(parts[at - 1].name, part.name) > 0) {
		parts[at] = parts[at - 1];
		at--;
	}
	parts[at] = part;
}

static const char *no_key_text(Arena *arena, const ListType *list)
{
	autobuf Buf text = {0};
	buf_puts(&text, "associative list with keys has an element that omits all key fields [");
	for (size_t i = 0; i < list->key_count; i++) {
		buf_puts(&text, i ? " " : "");
		smd_quote(&text, str_of(list->keys[i]));
	}
	buf_puts(&text, "] (and doesn't have default values for any key fields)");
	return arena_strdup(arena, buf_text(&text));
}

/* A key that is missing takes the schema's default (A42), else stays out of the element. */
static const char *element_of_keyed(Arena *arena, const ListType *list, json_t *item,
				    PathElement *out)
{
	if (json_is_null(item))
		return "associative list with keys may not have a null element";
	if (!json_is_object(item))
		return "associative list with keys may not have non-map elements";
	Atom atom = smd_resolve(list->items);
	if (!atom.map)
		return "couldn't find default value: associative list may not have non-map types";
	KeyPart *parts = arena_alloc(arena, list->key_count * sizeof(*parts));
	size_t count = 0;
	for (size_t i = 0; i < list->key_count; i++) {
		const char *name = list->keys[i];
		json_t *value = json_object_get(item, name);
		const StructField *field = value ? NULL : smd_field(atom.map, name);
		if (field)
			value = field->fallback;
		if (value)
			part_insert(parts, count++, (KeyPart){name, value});
	}
	if (!count)
		return no_key_text(arena, list);
	*out = (PathElement){.kind = ELEMENT_KEY, .parts = parts, .part_count = count};
	return NULL;
}

const char *smd_element_of_item(Arena *arena, const ListType *list, json_t *item, PathElement *out)
{
	if (list->key_count)
		return element_of_keyed(arena, list, item, out);
	if (json_is_object(item))
		return "associative list without keys has an element that's a map type";
	if (json_is_array(item))
		return "not supported: associative list with lists as elements";
	if (json_is_null(item))
		return "associative list without keys has an element that's an explicit null";
	*out = (PathElement){.kind = ELEMENT_VALUE, .value = item};
	return NULL;
}

void smd_quote(Buf *out, Str text)
{
	static const char *const escapes[128] = {
		['\a'] = "\\a", ['\b'] = "\\b", ['\f'] = "\\f", ['\n'] = "\\n",	 ['\r'] = "\\r",
		['\t'] = "\\t", ['\v'] = "\\v", ['"'] = "\\\"", ['\\'] = "\\\\",
	};
	buf_putc(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		unsigned char byte = (unsigned char)text.ptr[i];
		if (byte < 128 && escapes[byte])
			buf_puts(out, escapes[byte]);
		else if (byte < 32 || byte == 127)
			buf_printf(out, "\\x%02x", byte);
		else
			buf_putc(out, (char)byte);
	}
	buf_putc(out, '"');
}

static void value_print(const json_t *value, Buf *out)
{
	if (json_is_string(value)) {
		smd_quote(out, str_sized(json_string_value(value), json_string_length(value)));
		return;
	}
	autofree char *text =
		json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15));
	buf_puts(out, text ? text : "null");
}

void smd_element_print(const PathElement *element, Buf *out)
{
	switch (element->kind) {
	case ELEMENT_FIELD:
		buf_printf(out, ".%s", element->field);
		return;
	case ELEMENT_KEY:
		buf_putc(out, '[');
		for (size_t i = 0; i < element->part_count; i++) {
			buf_printf(out, "%s%s=", i ? "," : "", element->parts[i].name);
			value_print(element->parts[i].value, out);
		}
		buf_putc(out, ']');
		return;
	case ELEMENT_VALUE:
		buf_puts(out, "[=");
		value_print(element->value, out);
		buf_putc(out, ']');
		return;
	case ELEMENT_INDEX:
	default:
		buf_printf(out, "[%lld]", element->index);
		return;
	}
}
