#include "tool_flags.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "data/duration.h"

void tool_flags_help(const ToolFlags *flags, FILE *out)
{
	for (size_t i = 0; i < flags->count; i++) {
		const ToolFlag *row = &flags->rows[i];
		if (row->kind < TOOL_IGNORED && *row->help)
			fprintf(out, "  %2s%s %-26s %s\n", row->letter, *row->letter ? "," : " ",
				row->name, row->help);
	}
}

static bool refuse(const ToolFlag *row, Error *err)
{
	return err_set(err, ERR_UNSUPPORTED, "%s: %s", row->name, row->help);
}

/* As Go's ParseBool. */
static bool parse_switch(Str value, bool *out)
{
	static const char *const words[][6] = {{"0", "f", "F", "false", "FALSE", "False"},
					       {"1", "t", "T", "true", "TRUE", "True"}};
	for (size_t on = 0; on < COUNT(words); on++)
		for (size_t i = 0; i < COUNT(words[on]); i++)
			if (str_eq(value, str_of(words[on][i]))) {
				*out = on;
				return true;
			}
	return false;
}

static bool take_switch(const ToolFlag *row, Str value, bool has_value, void *field, Error *err)
{
	bool on = true;
	if (has_value && !parse_switch(value, &on))
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

/* What nothing comes of must still be what the tool takes. */
static bool check_ignored(const ToolFlag *row, const char *value, Error *err)
{
	char *end = NULL;
	bool fine = true;
	int64_t ms;
	if (row->kind == TOOL_IGNORED_DURATION)
		fine = duration_parse(value, &ms);
	if (row->kind == TOOL_IGNORED_INT)
		strtoll(value, &end, 0);
	if (row->kind == TOOL_IGNORED_REAL)
		strtod(value, &end);
	fine = fine && (!end || (end != value && *end == '\0'));
	return fine || err_set(err, ERR_INVALID, "invalid argument \"%s\" for \"%s\" flag", value,
			       row->name);
}

static bool take_once(const ToolFlag *row, const char *value, const char **field, Error *err)
{
	if (*field && *value)
		return err_set(err, ERR_INVALID,
			       "invalid argument \"%s\" for \"%s\" flag: cannot specify %s flag "
			       "more than once",
			       value, row->name, row->name);
	if (*value)
		*field = value;
	return true;
}

static bool take_value(const ToolFlag *row, const char *value, void *field, Error *err)
{
	if (row->kind == TOOL_REFUSED_VALUE)
		return refuse(row, err);
	if (row->kind == TOOL_ONCE)
		return take_once(row, value, field, err);
	if (row->kind == TOOL_TEXT)
		*(const char **)field = value;
	else if (row->kind == TOOL_LIST)
		vec_push(field, mem_strdup(value));
	else if (row->kind == TOOL_COMMAS)
		push_pieces(value, field);
	return check_ignored(row, value, err);
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

/* The words of the command line, and where they go. */
typedef struct {
	const ToolFlags *flags;
	int argc;
	char **argv;
	int *at;
	void *arguments;
} Scan;

/* value.ptr NULL: none came along. */
static bool take_row(Scan *scan, const ToolFlag *row, Str value, Error *err)
{
	void *field = (char *)scan->arguments + row->offset;
	if (is_switch(row->kind))
		return take_switch(row, value, value.ptr, field, err);
	if (row->kind == TOOL_REFUSED)
		return refuse(row, err);
	if (row->kind == TOOL_OPTIONAL) {
		*(const char **)field = value.ptr ? value.ptr : "";
		return true;
	}
	if (!value.ptr && *scan->at + 1 >= scan->argc)
		return err_set(err, ERR_INVALID, "flag needs %s: %s", scan->flags->needs,
			       scan->argv[*scan->at]);
	return take_value(row, value.ptr ? value.ptr : scan->argv[++*scan->at], field, err);
}

/* "-g", "-gn x", "-nx", "-n=x" */
static bool take_letters(Scan *scan, const char *word, Error *err)
{
	for (const char *c = word + 1; *c; c++) {
		const char name[] = {'-', *c, '\0'};
		const ToolFlag *row = find(scan->flags, str_of(name));
		if (!row)
			return err_set(err, ERR_INVALID, "unknown shorthand flag: '%c' in %s", *c,
				       word);
		bool last = !is_switch(row->kind) || c[1] == '=';
		const char *rest = c[1] == '=' ? c + 2 : c[1] && last ? c + 1 : NULL;
		if (!take_row(scan, row, rest ? str_of(rest) : (Str){0}, err))
			return false;
		if (last)
			return true;
	}
	return true;
}

bool tool_flags_take(const ToolFlags *flags, int argc, char **argv, int *at, void *out_arguments,
		     Error *err)
{
	Scan scan = {flags, argc, argv, at, out_arguments};
	const char *word = argv[*at];
	Str name, value;
	if (word[1] != '-')
		return take_letters(&scan, word, err);
	bool has_value = str_cut(str_of(word), '=', &name, &value);
	const ToolFlag *row = find(flags, name);
	if (!row)
		return err_set(err, ERR_INVALID, "unknown flag: %.*s", (int)name.len, name.ptr);
	return take_row(&scan, row, has_value ? value : (Str){0}, err);
}

void tool_flags_dispose(const ToolFlags *flags, void *arguments)
{
	for (size_t i = 0; i < flags->count; i++) {
		const ToolFlag *row = &flags->rows[i];
		if (row->kind == TOOL_LIST || row->kind == TOOL_COMMAS)
			vec_dispose_strings((Vec *)((char *)arguments + row->offset));
	}
}
