/* matches(), find(), findAll(): RE2's syntax. A pattern that is a literal is compiled once. */
#include <string.h>

#include "base/mem.h"
#include "cel/cel_internal.h"
#include "cel/rune.h"
#include "data/regex.h"

enum { ANY = CEL_LIB_KUBERNETES | CEL_LIB_FLUX, KUBE = CEL_LIB_KUBERNETES };

/* The compiled pattern: the program's, or a new one that *out_own owns. */
static const Regex *get_regex(CelRun *run, Str pattern, Regex **out_own, Error *err)
{
	if (run->call->regex)
		return run->call->regex;
	autofree char *text = str_dup(pattern);
	*out_own = regex_new(text, REGEX_SEARCH, err);
	return *out_own;
}

static CelValue bad_pattern(CelRun *run, const Error *err)
{
	return cel_error(run, "error parsing regexp: %s", err_text(err));
}

static CelValue matches(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	autoregex Regex *own = NULL;
	autoerror Error err = {0};
	const Regex *regex = get_regex(run, args[1].text, &own, &err);
	if (!regex)
		return bad_pattern(run, &err);
	return cel_bool(regex_matches(regex, args[0].text.ptr, args[0].text.len));
}

static CelValue piece(Str text, const long *span)
{
	return (CelValue){.kind = CEL_STRING,
			  .text = str_slice(text, (size_t)span[0], (size_t)span[1])};
}

static CelValue find(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	autoregex Regex *own = NULL;
	autoerror Error err = {0};
	long span[2];
	const Regex *regex = get_regex(run, args[1].text, &own, &err);
	if (!regex)
		return bad_pattern(run, &err);
	if (!regex_find(regex, args[0].text.ptr, args[0].text.len, 0, span, 1))
		return (CelValue){.kind = CEL_STRING, .text = STR("")};
	return piece(args[0].text, span);
}

/* An empty match right behind the one before does not count (Go's FindAllString). */
static CelValue find_all(CelRun *run, const CelValue *args, size_t count)
{
	autoregex Regex *own = NULL;
	autoerror Error err = {0};
	Str text = args[0].text;
	int64_t most = count > 2 ? args[2].integer : -1;
	const Regex *regex = get_regex(run, args[1].text, &own, &err);
	CelValue list = cel_list_new(run, 0);
	if (!regex)
		return bad_pattern(run, &err);
	long span[2], last_end = -1;
	for (size_t at = 0; at <= text.len && !cel_is_error(&list) && cel_tick(run);) {
		if ((most >= 0 && (int64_t)list.list->len >= most) ||
		    !regex_find(regex, text.ptr, text.len, at, span, 1))
			break;
		bool empty = span[0] == span[1];
		if (!(empty && span[0] == last_end) &&
		    !cel_list_add(run, list.list, piece(text, span)))
			return cel_error(run, "memory limit exceeded");
		last_end = span[1];
		at = (size_t)span[1];
		if (empty)
			at += at < text.len ? rune_length(text, at) : 1;
	}
	return list;
}

static const CelFunction rows[] = {
	{"matches", false, ANY, "ss>b", matches},    {"matches", true, ANY, "ss>b", matches},
	{"find", true, KUBE, "ss>s", find},	     {"findAll", true, KUBE, "ss>Ls", find_all},
	{"findAll", true, KUBE, "ssi>Ls", find_all},
};

const CelFunctions cel_functions_regex = {rows, COUNT(rows)};
