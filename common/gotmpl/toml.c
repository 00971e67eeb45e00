#include <math.h>

#include "gotmpl/decode.h"
#include "gotmpl/functions.h"
#include "gotmpl/strconv.h"
#include "gotmpl/time.h"
#include "gotmpl/toml_read.h"

/*
 * TOML as github.com/BurntSushi/toml writes it: a table's plain members first, then its tables,
 * both sorted; lists of tables as [[name]]. null has no form and fails, inside of lists; members
 * that are null are left away. A struct is a table in the order of its fields, unless it has a text
 * of its own, as a version.
 */

enum { TOML_MAX_DEPTH = 100 };

typedef struct {
	GoCall *call;
	Buf *out;
	int depth;
} Writer;

static bool write_value(Writer *w, GoValue value);

/* --- what is a table --- */

static bool has_text(const GoStruct *record)
{
	return record->type->string && record->type->pointer;
}

static bool is_map(GoValue value)
{
	return go_is_map(value) || (value.type == GO_STRUCT && !has_text(value.record));
}

/* A struct's fields as members; those that are not exported have no value, but their place. NULL is
 * Go's nil map. */
static GoMap *table_of(Writer *w, GoValue value)
{
	Arena *arena = call_arena(w->call);
	if (value.type != GO_STRUCT) {
		if (value.map)
			go_map_load(arena, value.map);
		return value.map;
	}
	const GoStruct *record = value.record;
	GoMap *map = go_map_new(arena, GO_MAP);
	while (record->type->fields[map->len])
		map->len++;
	map->cap = map->len;
	map->members = arena_alloc(arena, map->len * sizeof(*map->members));
	for (size_t i = 0; i < map->len; i++) {
		Str name = str_of(record->type->fields[i]);
		bool exported = name.ptr[0] < 'a';
		map->members[i] = (GoMember){name, exported ? record->fields[i] : go_nil()};
	}
	return map;
}

/* --- values --- */

static bool is_bare_key(Str key)
{
	for (size_t i = 0; i < key.len; i++) {
		char byte = key.ptr[i];
		bool fine = (byte >= '0' && byte <= '9') ||
			    ((byte | 32) >= 'a' && (byte | 32) <= 'z') || byte == '_' ||
			    byte == '-';
		if (!fine)
			return false;
	}
	return key.len > 0;
}

static void write_text(Writer *w, Str text)
{
	static const char named[] = "btn?fr";
	buf_putc(w->out, '"');
	for (size_t i = 0; i < text.len; i++) {
		unsigned char byte = (unsigned char)text.ptr[i];
		if (byte == '"' || byte == '\\')
			buf_printf(w->out, "\\%c", byte);
		else if (byte >= 8 && byte <= 13 && byte != 11)
			buf_printf(w->out, "\\%c", named[byte - 8]);
		else if (byte < ' ' || byte == 0x7f)
			buf_printf(w->out, "\\u%04x", byte);
		else
			buf_putc(w->out, (char)byte);
	}
	buf_putc(w->out, '"');
}

static void write_key(Writer *w, Str key)
{
	if (is_bare_key(key))
		buf_add(w->out, key);
	else
		write_text(w, key);
}

static void write_real(Writer *w, double real)
{
	autobuf Buf text = {0};
	if (!isfinite(real)) {
		buf_puts(w->out, isnan(real) ? "nan" : real < 0 ? "-inf" : "inf");
		return;
	}
	format_float(real, 'g', -1, &text);
	buf_add(w->out, buf_str(&text));
	if (!strpbrk(buf_text(&text), ".e"))
		buf_puts(w->out, ".0");
}

static bool write_list(Writer *w, GoValue list)
{
	buf_putc(w->out, '[');
	for (size_t i = 0; i < go_len(list); i++) {
		if (i > 0)
			buf_puts(w->out, ", ");
		if (!write_value(w, go_item(call_arena(w->call), list, i)))
			return false;
	}
	buf_putc(w->out, ']');
	return true;
}

static bool is_nothing(GoValue value)
{
	return value.type == GO_NIL || (is_map(value) && !value.map);
}

/* A list that is not empty and has tables only. */
static bool is_table_list(Writer *w, GoValue value)
{
	if (!go_is_list(value) || go_len(value) == 0 || value.type == GO_BYTES)
		return false;
	for (size_t i = 0; i < go_len(value); i++)
		if (!is_map(go_item(call_arena(w->call), value, i)))
			return false;
	return true;
}

static bool is_table(Writer *w, GoValue value)
{
	return (is_map(value) && value.map) || is_table_list(w, value);
}

/* How an inline table is written: its members, and whether they are a struct's. */
typedef struct {
	const GoMap *map;
	bool is_struct;
	size_t left; /* to be written, of the members of a map; of a struct, all that are exported
		      */
} Inline;

/* The comma behind a struct's field goes by the field's place among all, so that one which is not
 * exported shifts it. */
static bool has_comma(const Inline *table, size_t at)
{
	return table->is_struct ? at + 1 != table->left : table->left > 0;
}

/* The members that are tables, or those that are not. A null among them is left away, but not the
 * comma before it. */
static bool write_inline_members(Writer *w, Inline *table, bool tables)
{
	for (size_t i = 0; i < table->map->len; i++) {
		const GoMember *member = &table->map->members[i];
		if (is_table(w, member->value) != tables)
			continue;
		if (!table->is_struct)
			table->left--;
		if (is_nothing(member->value))
			continue;
		write_key(w, member->key);
		buf_puts(w->out, " = ");
		if (!write_value(w, member->value))
			return false;
		if (has_comma(table, i))
			buf_puts(w->out, ", ");
	}
	return true;
}

static bool write_inline(Writer *w, GoValue value)
{
	Inline table = {.map = table_of(w, value), .is_struct = value.type == GO_STRUCT};
	buf_putc(w->out, '{');
	for (size_t i = 0; i < table.map->len; i++)
		if (!table.is_struct || table.map->members[i].value.type != GO_NIL)
			table.left++;
	if (!write_inline_members(w, &table, false) || !write_inline_members(w, &table, true))
		return false;
	buf_putc(w->out, '}');
	return true;
}

static bool write_scalar(Writer *w, GoValue value)
{
	switch (go_kind(value)) {
	case GO_KIND_BOOL:
		buf_puts(w->out, value.flag ? "true" : "false");
		return true;
	case GO_KIND_INT:
		buf_printf(w->out, "%lld", (long long)value.integer);
		return true;
	case GO_KIND_UINT:
		buf_printf(w->out, "%llu", (unsigned long long)value.natural);
		return true;
	case GO_KIND_FLOAT:
		write_real(w, value.real);
		return true;
	case GO_KIND_STRING:
		write_text(w, value.text);
		return true;
	case GO_KIND_INVALID:
		return call_fail(w->call, "toml: cannot encode array with nil element");
	case GO_KIND_COMPLEX:
	case GO_KIND_SLICE:
	case GO_KIND_MAP:
	case GO_KIND_STRUCT:
	case GO_KIND_PTR:
		break;
	}
	return call_fail(w->call, "toml: unsupported type: %s", go_type_name(value));
}

/* What is no plain value to Go, but one here. */
static bool write_special(Writer *w, GoValue value)
{
	if (value.type == GO_TIME)
		time_format(value.time, STR("2006-01-02T15:04:05.999999999Z07:00"), w->out);
	else if (value.type == GO_STRUCT)
		write_text(w, value.record->type->string(value.record, call_arena(w->call)));
	else
		return write_scalar(w, value);
	return true;
}

static bool write_value(Writer *w, GoValue value)
{
	bool fine;
	if (++w->depth > TOML_MAX_DEPTH || w->out->len > w->call->run->limits.output_bytes)
		return call_fail(w->call, "toml: value is too large");
	if (go_is_list(value))
		fine = write_list(w, value);
	else if (is_map(value) && value.map)
		fine = write_inline(w, value);
	else
		fine = write_special(w, value);
	w->depth--;
	return fine;
}

static bool write_table(Writer *w, GoValue value, Str path);

static bool write_table_list(Writer *w, GoValue list, Str path)
{
	for (size_t i = 0; i < go_len(list); i++) {
		GoValue item = go_item(call_arena(w->call), list, i);
		if (w->out->len > 0)
			buf_putc(w->out, '\n');
		for (int at = 1; at < w->depth; at++)
			buf_puts(w->out, "  ");
		buf_printf(w->out, "[[%.*s]]\n", (int)path.len, path.ptr);
		if (!write_table(w, item, path))
			return false;
	}
	return true;
}

static Str join_path(Writer *w, Str path, Str key)
{
	autobuf Buf joined = {0};
	Writer inner = {.call = w->call, .out = &joined};
	buf_add(&joined, path);
	if (path.len > 0)
		buf_putc(&joined, '.');
	write_key(&inner, key);
	return call_copy(w->call, buf_str(&joined));
}

static bool write_sub_table(Writer *w, const GoMember *member, Str path)
{
	Str below = join_path(w, path, member->key);
	bool fine;
	w->depth++;
	if (is_table_list(w, member->value)) {
		fine = write_table_list(w, member->value, below);
	} else {
		if (w->out->len > 0 && w->depth == 1)
			buf_putc(w->out, '\n');
		for (int at = 1; at < w->depth; at++)
			buf_puts(w->out, "  ");
		buf_printf(w->out, "[%.*s]\n", (int)below.len, below.ptr);
		fine = write_table(w, member->value, below);
	}
	w->depth--;
	return fine;
}

static bool write_table(Writer *w, GoValue value, Str path)
{
	const GoMap *map = table_of(w, value);
	if (!map)
		return true;
	if (w->depth > TOML_MAX_DEPTH)
		return call_fail(w->call, "toml: value is too deep");
	for (size_t i = 0; i < map->len; i++) {
		const GoMember *member = &map->members[i];
		if (member->value.type == GO_NIL || is_map(member->value) ||
		    is_table_list(w, member->value))
			continue;
		for (int at = 0; at < w->depth; at++)
			buf_puts(w->out, "  ");
		write_key(w, member->key);
		buf_puts(w->out, " = ");
		if (!write_value(w, member->value))
			return false;
		buf_putc(w->out, '\n');
	}
	for (size_t i = 0; i < map->len; i++) {
		const GoMember *member = &map->members[i];
		if (is_table(w, member->value) && !write_sub_table(w, member, path))
			return false;
	}
	return true;
}

static bool to_toml(GoCall *call, Buf *out)
{
	GoValue value = call->args[0];
	Writer w = {.call = call, .out = out};
	if (is_map(value))
		return write_table(&w, value, STR(""));
	if (is_table_list(&w, value))
		return call_fail(call, "toml: top-level values must be Go maps or structs");
	return write_value(&w, value);
}

static bool fail_nil(GoCall *call)
{
	return call_fail(call, "reflect: call of reflect.Value.Type on zero Value");
}

static bool fn_to_toml(GoCall *call, GoValue *out)
{
	autobuf Buf text = {0};
	if (call->args[0].type == GO_NIL)
		return fail_nil(call);
	if (to_toml(call, &text))
		return call_return_text(call, &text, out);
	/* the error's text is the result */
	*out = go_cstr(arena_strdup(call_arena(call), call->run->failure.items[0]));
	return true;
}

static bool fn_must_to_toml(GoCall *call, GoValue *out)
{
	autobuf Buf text = {0};
	if (call->args[0].type == GO_NIL)
		return fail_nil(call);
	return to_toml(call, &text) && call_return_text(call, &text, out);
}

static bool fn_from_toml(GoCall *call, GoValue *out)
{
	autobuf Buf why = {0};
	if (!toml_read(call, call->args[0].text, out, &why))
		*out = error_map(call, &why);
	return true;
}

const GoFn functions_toml[] = {
	{"toToml", "a", fn_to_toml},
	{"mustToToml", "a", fn_must_to_toml},
	{"fromToml", "s", fn_from_toml},
	{0},
};
