/* Choosing an overload by the values at hand. */
#include <string.h>

#include "cel/cel_internal.h"

/* Past one type of a signature. */
static const char *skip_type(const char *at)
{
	int parts = *at == 'M' ? 2 : *at == 'L' || *at == 'O' || *at == 'T';
	for (at++; parts > 0; parts--)
		at = skip_type(at);
	return at;
}

static bool fits(char letter, CelKind kind)
{
	static const struct {
		char letter;
		CelKind kind;
	} rows[] = {
		{'n', CEL_NULL},     {'b', CEL_BOOL},	{'i', CEL_INT},	     {'u', CEL_UINT},
		{'d', CEL_DOUBLE},   {'s', CEL_STRING}, {'y', CEL_BYTES},    {'t', CEL_TIMESTAMP},
		{'D', CEL_DURATION}, {'L', CEL_LIST},	{'M', CEL_MAP},	     {'M', CEL_OBJECT},
		{'O', CEL_OPTIONAL}, {'T', CEL_TYPE},	{'Q', CEL_QUANTITY}, {'I', CEL_IP},
		{'C', CEL_CIDR},     {'W', CEL_URL},	{'V', CEL_SEMVER},   {'F', CEL_FORMAT},
	};
	if (letter == 'A' || letter == 'B' || letter == '*')
		return true;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].letter == letter && rows[i].kind == kind)
			return true;
	return false;
}

/* A list fits when its first item does, as in cel-go. */
static bool value_fits(CelRun *run, const char *type, const CelValue *value)
{
	if (!fits(*type, value->kind))
		return false;
	if (*type != 'L' || value->list->len == 0)
		return true;
	CelValue first = cel_list_at(run, value->list, 0);
	return value_fits(run, type + 1, &first);
}

static bool matches(CelRun *run, const CelFunction *row, const CelValue *args, size_t count)
{
	const char *at = row->signature;
	for (size_t i = 0; i < count; i++) {
		if (*at == '>' || !value_fits(run, at, &args[i]))
			return false;
		at = skip_type(at);
	}
	return *at == '>';
}

/* What operators say of a left side that cannot have them at all. */
static bool has_operator(const char *name, CelKind kind)
{
	static const struct {
		const char *names;
		const char *kinds; /* letters of `fits` */
	} rows[] = {{"_<_ _<=_ _>_ _>=_", "biudsytD"},
		    {"_+_", "iudsytDL"},
		    {"_-_", "iudtD"},
		    {"_*_ _/_", "iud"},
		    {"_%_", "iu"},
		    {"size", "syLM"}};
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (!strstr(rows[i].names, name))
			continue;
		for (const char *letter = rows[i].kinds; *letter; letter++)
			if (fits(*letter, kind))
				return true;
		return false;
	}
	return true;
}

static bool is_terse(const char *name)
{
	static const char *const names[] = {"startsWith", "endsWith", "contains",
					    "matches",	  "type",     "dyn"};
	for (size_t i = 0; i < COUNT(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return strchr("_!-@", *name) != NULL;
}

static CelValue no_overload(CelRun *run, const CelNode *node, const CelValue *args, size_t count)
{
	autobuf Buf text = {0};
	if (count > 0 && !has_operator(node->name, args[0].kind))
		return cel_error(run, "no such overload: %s", node->name);
	if (is_terse(node->name))
		return cel_no_overload(run);
	for (size_t i = 0; i < count; i++)
		buf_printf(&text, "%s%s", i > 0 ? ", " : "", cel_type_name(cel_type_of(&args[i])));
	return cel_error(run, "no such overload: %s(%s)", node->name, buf_text(&text));
}

CelValue cel_call(CelRun *run, const CelNode *node, const CelValue *args, size_t count)
{
	for (size_t i = 0; i < node->row_count; i++) {
		const CelFunction *row = node->rows[i];
		if (!row->impl || !matches(run, row, args, count))
			continue;
		const CelNode *outer = run->call;
		run->call = node;
		CelValue result = row->impl(run, args, count);
		run->call = outer;
		return result;
	}
	return no_overload(run, node, args, count);
}
