#include "tool_flags.h"

#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"

void tool_flags_help(const ToolFlags *flags, FILE *out)
{
	for (size_t i = 0; i < flags->count; i++) {
		const ToolFlag *row = &flags->rows[i];
		if (row->kind <= TOOL_SWITCH)
			fprintf(out, "  %2s%s %-26s %s\n", row->letter, *row->letter ? "," : " ",
				row->name, row->help);
	}
}

static bool refuse(const ToolFlag *row, Error *err)
{
	return err_set(err, ERR_UNSUPPORTED, "%s: %s", row->name, row->help);
}

static bool take_switch(const ToolFlag *row, Str value, bool has_value, void *field, Error *err)
{
	bool on = !has_value || str_eq(value, STR("true"));
	if (!on && !str_eq(value, STR("false")))
		return err_set(err, ERR_INVALID, "%s: true or false expected", row->name);
	if (row->kind == TOOL_REFUSED_SWITCH)
		return !on || refuse(row, err);
	if (row->kind == TOOL_SWITCH)
		*(bool *)field = on;
	return true;
}

static void push_pieces(const char *text, Vec *list)
{
	Str piece, rest = str_of(text);
	while (str_next(&rest, ',', &piece))
		vec_push(list, str_dup(piece));
}

static bool take_value(const ToolFlag *row, const char *value, void *field, Error *err)
{
	if (row->kind == TOOL_REFUSED_VALUE)
		return refuse(row, err);
	if (row->kind == TOOL_TEXT)
		*(const char **)field = value;
	else if (row->kind == TOOL_LIST)
		vec_push(field, mem_strdup(value));
	else if (row->kind == TOOL_COMMAS)
		push_pieces(value, field);
	return true;
}

static bool is_switch(ToolFlagKind kind)
{
	return kind == TOOL_SWITCH || kind == TOOL_IGNORED_SWITCH || kind == TOOL_REFUSED_SWITCH;
}

static const ToolFlag *find(const ToolFlags *flags, Str name)
{
	for (size_t i = 0; i < flags->count; i++) {
		const ToolFlag *row = &flags->rows[i];
		if (str_eq(name, str_of(row->name)) ||
		    (*row->letter && str_eq(name, str_of(row->letter))))
			return row;
	}
	return NULL;
}

bool tool_flags_take(const ToolFlags *flags, int argc, char **argv, int *at, void *out_arguments,
		     Error *err)
{
	Str name, value;
	bool has_value = str_cut(str_of(argv[*at]), '=', &name, &value);
	const ToolFlag *row = find(flags, name);
	if (!row)
		return err_set(err, ERR_INVALID, "unknown flag: %s", argv[*at]);
	void *field = (char *)out_arguments + row->offset;
	if (is_switch(row->kind))
		return take_switch(row, value, has_value, field, err);
	if (row->kind == TOOL_REFUSED)
		return refuse(row, err);
	if (!has_value && *at + 1 >= argc)
		return err_set(err, ERR_INVALID, "flag needs %s: %s", flags->needs, argv[*at]);
	return take_value(row, has_value ? value.ptr : argv[++*at], field, err);
}

void tool_flags_dispose(const ToolFlags *flags, void *arguments)
{
	for (size_t i = 0; i < flags->count; i++) {
		const ToolFlag *row = &flags->rows[i];
		if (row->kind == TOOL_LIST || row->kind == TOOL_COMMAS)
			vec_dispose_strings((Vec *)((char *)arguments + row->offset));
	}
}
