#include "gotmpl/fmt.h"

#include "gotmpl/fmt_internal.h"

/*
 * Printing by verb: scalars here and in fmt_scalar.c, containers by recursion, the format string in
 * fmt_printf.c. A verb that a type does not know prints "%!verb(type=value)".
 */

enum { FMT_MAX_DEPTH = 200 }; /* a map can be made to hold itself */

void fmt_puts(Printer *p, const char *text)
{
	if (p->fmt->out->len < p->fmt->limit)
		buf_puts(p->fmt->out, text);
}

void fmt_bad_verb(Printer *p, GoValue value)
{
	fmt_puts(p, "%!");
	buf_put_rune(p->fmt->out, p->verb);
	fmt_puts(p, "(");
	if (value.type == GO_NIL) {
		fmt_puts(p, "<nil>)");
		return;
	}
	fmt_puts(p, go_type_name(value));
	fmt_puts(p, "=");
	Printer plain = *p;
	plain.verb = 'v';
	plain.erroring = true;
	fmt_any(&plain, value, 0);
	fmt_puts(p, ")");
}

static void print_list(Printer *p, GoValue list, int depth)
{
	bool raw = list.type == GO_BYTES && strchr("sqxX", (int)p->verb) && p->verb < 0x80;
	if (raw) {
		fmt_string(p, list);
		return;
	}
	if (p->sharp_v)
		fmt_puts(p, go_type_name(list));
	if (p->sharp_v && list.type != GO_BYTES && !list.list) {
		fmt_puts(p, "(nil)");
		return;
	}
	fmt_puts(p, p->sharp_v ? "{" : "[");
	for (size_t i = 0; i < go_len(list) && p->fmt->out->len < p->fmt->limit; i++) {
		if (i > 0)
			fmt_puts(p, p->sharp_v ? ", " : " ");
		fmt_any(p, go_item(p->fmt->arena, list, i), depth + 1);
	}
	fmt_puts(p, p->sharp_v ? "}" : "]");
}

static void print_map(Printer *p, GoValue value, int depth)
{
	fmt_puts(p, p->sharp_v ? go_type_name(value) : "map");
	if (p->sharp_v && !value.map) {
		fmt_puts(p, "(nil)");
		return;
	}
	fmt_puts(p, p->sharp_v ? "{" : "[");
	if (value.map)
		go_map_load(p->fmt->arena, value.map);
	for (size_t i = 0; value.map && i < value.map->len; i++) {
		if (p->fmt->out->len >= p->fmt->limit)
			break;
		if (i > 0)
			fmt_puts(p, p->sharp_v ? ", " : " ");
		fmt_any(p, go_text(value.map->members[i].key), depth + 1);
		fmt_puts(p, ":");
		GoValue member = value.map->members[i].value;
		member.boxed = go_element_type(value.type) == GO_NIL;
		fmt_any(p, member, depth + 1);
	}
	fmt_puts(p, p->sharp_v ? "}" : "]");
}

static void print_fields(Printer *p, const GoStruct *record, int depth)
{
	if (p->sharp_v)
		fmt_puts(p, record->type->name);
	fmt_puts(p, "{");
	for (size_t i = 0; record->type->fields && record->type->fields[i]; i++) {
		if (i > 0)
			fmt_puts(p, p->sharp_v ? ", " : " ");
		if (p->plus_v || p->sharp_v) {
			fmt_puts(p, record->type->fields[i]);
			fmt_puts(p, ":");
		}
		fmt_any(p, record->fields[i], depth + 1);
	}
	fmt_puts(p, "}");
}

static void print_struct(Printer *p, GoValue value, int depth)
{
	bool text_verb = p->verb < 0x80 && strchr("vsxXq", (int)p->verb);
	const GoStructType *type = value.record->type;
	if (type->string && !type->addressed && text_verb && !p->sharp_v && !p->erroring) {
		fmt_string(p, go_text(value.record->type->string(value.record, p->fmt->arena)));
		return;
	}
	if (type->pointer && depth > 0) {
		if (p->verb < 0x80 && strchr("vpbodxX", (int)p->verb))
			fmt_puts(p, "0xc000000000"); /* which is another one each time */
		else
			fmt_bad_verb(p, value);
		return;
	}
	if (type->pointer)
		fmt_puts(p, "&");
	print_fields(p, value.record, depth + 1);
}

static void print_nil(Printer *p, GoValue value, int depth)
{
	Printer whole = *p;
	whole.has_precision = whole.sharp_v = false; /* padded, never cut or quoted */
	if (depth > 0)
		fmt_puts(p, p->sharp_v ? "interface {}(nil)" : "<nil>");
	else if (p->verb == 'v')
		fmt_string(&whole, go_cstr("<nil>"));
	else
		fmt_bad_verb(p, value);
}

void fmt_any(Printer *p, GoValue value, int depth)
{
	if (depth > FMT_MAX_DEPTH || p->fmt->out->len >= p->fmt->limit)
		return;
	if (value.type == GO_NIL)
		print_nil(p, value, depth);
	else if (go_is_list(value))
		print_list(p, value, depth);
	else if (go_is_map(value))
		print_map(p, value, depth);
	else if (value.type == GO_STRUCT)
		print_struct(p, value, depth);
	else
		fmt_scalar(p, value);
}

void fmt_value(GoFmt *fmt, GoValue value)
{
	Printer p = {.fmt = fmt, .verb = 'v'};
	if (value.type == GO_STRING)
		buf_add(fmt->out, value.text);
	else
		fmt_any(&p, value, 0);
}

void fmt_print(GoFmt *fmt, const GoValue *args, size_t count)
{
	for (size_t i = 0; i < count && fmt->out->len < fmt->limit; i++) {
		if (i > 0 && args[i].type != GO_STRING && args[i - 1].type != GO_STRING)
			buf_putc(fmt->out, ' ');
		fmt_value(fmt, args[i]);
	}
}

void fmt_println(GoFmt *fmt, const GoValue *args, size_t count)
{
	for (size_t i = 0; i < count && fmt->out->len < fmt->limit; i++) {
		if (i > 0)
			buf_putc(fmt->out, ' ');
		fmt_value(fmt, args[i]);
	}
	buf_putc(fmt->out, '\n');
}
