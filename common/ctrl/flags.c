#include "ctrl/flags.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/roff.h"
#include "base/str.h"
#include "data/duration.h"

static void *slot(void *options, const Flag *flag)
{
	return (char *)options + flag->offset;
}

static bool set_bool(bool *out, const char *text)
{
	bool yes = cstr_eq(text, "true") || cstr_eq(text, "1") || cstr_eq(text, "t");
	bool no = cstr_eq(text, "false") || cstr_eq(text, "0") || cstr_eq(text, "f");
	*out = yes;
	return yes || no;
}

static bool set_int(int *out, const char *text)
{
	unsigned long long value;
	bool negative = text[0] == '-';
	if (!str_to_u64(str_of(text + negative), &value) || value > 2147483647ULL)
		return false;
	*out = negative ? -(int)value : (int)value;
	return true;
}

static void add_to_list(Vec *list, const char *text)
{
	Str rest = str_of(text), part;
	while (str_next(&rest, ',', &part))
		vec_push(list, str_dup(str_trim(part)));
}

bool flag_set(const Flag *flag, void *options, const char *text, Error *err)
{
	void *out = slot(options, flag);
	bool ok = true;
	switch (flag->type) {
	case FLAG_TEXT:
		free(*(char **)out);
		*(char **)out = mem_strdup(text);
		break;
	case FLAG_BOOL:
		ok = set_bool(out, text);
		break;
	case FLAG_INT:
		ok = set_int(out, text);
		break;
	case FLAG_DURATION:
		ok = duration_parse(text, out);
		break;
	case FLAG_LIST:
		add_to_list(out, text);
		break;
	}
	return ok ? true
		  : err_set(err, ERR_INVALID, "invalid value \"%s\" for --%s", text, flag->name);
}

static const Flag *find(const Flag *rows, size_t count, Str name)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq(str_of(rows[i].name), name))
			return &rows[i];
	return NULL;
}

bool flag_set_fallback(const Flag *flag, void *options, Error *err)
{
	const char *env = flag->env ? getenv(flag->env) : NULL;
	const char *text = env && *env ? env : flag->fallback;
	return !text || flag_set(flag, options, text, err);
}

/* One argument; *at moves over its value when that is the next argument. */
static bool parse_one(const Flag *rows, size_t count, int argc, char *const *argv, int *at,
		      void *options, Error *err)
{
	const char *arg = argv[*at];
	if (arg[0] != '-' || !arg[1])
		return err_set(err, ERR_INVALID, "unexpected argument \"%s\"", arg);
	Str text = str_of(arg + (arg[1] == '-' ? 2 : 1)), name, value;
	bool has_value = str_cut(text, '=', &name, &value);
	const Flag *flag = find(rows, count, name);
	if (!flag)
		return err_set(err, ERR_INVALID, "unknown flag: --%.*s", (int)name.len, name.ptr);
	if (has_value)
		return flag_set(flag, options, value.ptr, err);
	if (flag->type == FLAG_BOOL)
		return flag_set(flag, options, "true", err);
	if (*at + 1 >= argc)
		return err_set(err, ERR_INVALID, "flag needs a value: --%s", flag->name);
	return flag_set(flag, options, argv[++*at], err);
}

bool flags_parse(const Flag *rows, size_t count, int argc, char *const *argv, void *options,
		 Error *err)
{
	for (size_t i = 0; i < count; i++)
		if (!flag_set_fallback(&rows[i], options, err))
			return false;
	for (int at = 1; at < argc; at++)
		if (!parse_one(rows, count, argc, argv, &at, options, err))
			return false;
	return true;
}

void flag_dispose(const Flag *flag, void *options)
{
	/* Several rows may share a slot. */
	if (flag->type == FLAG_TEXT)
		free(steal((char **)slot(options, flag)));
	else if (flag->type == FLAG_LIST)
		vec_dispose_strings(slot(options, flag));
}

void flags_dispose(const Flag *rows, size_t count, void *options)
{
	for (size_t i = 0; i < count; i++)
		flag_dispose(&rows[i], options);
}

static const char *const type_names[] = {
	[FLAG_TEXT] = "string",	      [FLAG_BOOL] = "",	       [FLAG_INT] = "int",
	[FLAG_DURATION] = "duration", [FLAG_LIST] = "strings",
};

/* The help with the fallback; owned. */
static char *described(const Flag *flag)
{
	return cstr_empty(flag->fallback)
		       ? mem_strdup(flag->help)
		       : mem_printf("%s (default %s)", flag->help, flag->fallback);
}

void flags_print_help(const Flag *rows, size_t count, FILE *out)
{
	for (size_t i = 0; i < count; i++) {
		autofree char *left = mem_printf("--%s %s", rows[i].name, type_names[rows[i].type]);
		autofree char *text = described(&rows[i]);
		fprintf(out, "  %-48s %s\n", left, text);
	}
}

void flags_print_man(const Flag *rows, size_t count, FILE *out)
{
	for (size_t i = 0; i < count; i++) {
		const char *value = rows[i].type == FLAG_BOOL ? NULL : type_names[rows[i].type];
		autofree char *text = described(&rows[i]);
		roff_flag(0, rows[i].name, value, text, out);
	}
}
