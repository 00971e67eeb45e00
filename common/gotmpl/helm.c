#include "base/mem.h"
#include "gotmpl/convert.h"
#include "gotmpl/functions.h"

/* What Helm adds that runs templates or fails them: include, tpl, required, fail, lookup. */

enum { INCLUDE_MAX = 1000 };

/* Takes a text out of `text`: what has no value prints as "<no value>", and Helm removes that. */
static void remove_no_value(Buf *text)
{
	static const char mark[] = "<no value>";
	autobuf Buf kept = {0};
	Str rest = buf_str(text);
	for (ptrdiff_t at; (at = str_find(rest, STR("<no value>"))) >= 0;) {
		buf_append(&kept, rest.ptr, (size_t)at);
		rest = str_slice(rest, (size_t)at + sizeof(mark) - 1, rest.len);
	}
	if (rest.len == text->len)
		return;
	buf_add(&kept, rest);
	buf_clear(text);
	buf_add(text, buf_str(&kept));
}

static bool include_named(GoCall *call, const char *name, GoValue *out)
{
	GoRun *run = call->run;
	autobuf Buf text = {0};
	const Tree *tree = set_find(run->set, name);
	if (!tree)
		return call_fail(call,
				 "template: no template \"%s\" associated with template \"gotpl\"",
				 name);
	return run_template(run, run->set, tree, call->args[1], &text) &&
	       call_return_text(call, &text, out);
}

static bool fn_include(GoCall *call, GoValue *out)
{
	Map *includes = call->run->includes;
	autofree char *name = str_dup(call->args[0].text);
	uintptr_t depth = (uintptr_t)map_get(includes, name);
	if (depth > INCLUDE_MAX)
		return call_fail(call,
				 "rendering template has a nested reference name: %s: unable to "
				 "execute template",
				 name);
	map_put(includes, name, (void *)(depth + 1));
	bool fine = include_named(call, name, out);
	map_put(includes, name, (void *)((uintptr_t)map_get(includes, name) - 1));
	return fine;
}

static bool fail_tpl(GoCall *call, const char *what, Str text)
{
	autobuf Buf message = {0};
	buf_puts(&message, what);
	quote_value(call, text, &message);
	buf_puts(&message, ": ");
	return run_wrap(call->run, buf_text(&message));
}

static bool fn_tpl(GoCall *call, GoValue *out)
{
	GoRun *run = call->run;
	autoerror Error err = {0};
	autobuf Buf text = {0};
	GotmplSet *set = set_below(run->set, run->arena);
	const Tree *tree = set_parse(set, "gotpl", call->args[0].text, &err);
	if (!tree) {
		run_fail(run, err_text(&err));
		return fail_tpl(call, "cannot parse template ", call->args[0].text);
	}
	if (!run_template(run, set, tree, call->args[1], &text))
		return fail_tpl(call, "error during tpl function execution for ",
				call->args[0].text);
	remove_no_value(&text);
	return call_return_text(call, &text, out);
}

static bool fail_marked(GoCall *call, Str message)
{
	return call_fail(call, "HELM_ERR_START%.*sHELM_ERR_END", (int)message.len, message.ptr);
}

static bool fn_required(GoCall *call, GoValue *out)
{
	GoValue value = call->args[1];
	if (value.type == GO_NIL || (value.type == GO_STRING && value.text.len == 0))
		return fail_marked(call, call->args[0].text);
	*out = value;
	return true;
}

static bool fn_fail(GoCall *call, GoValue *out)
{
	(void)out;
	return fail_marked(call, call->args[0].text);
}

static void drop_json(void *tree)
{
	json_decref(tree);
}

static bool fn_lookup(GoCall *call, GoValue *out)
{
	const GotmplLimits *limits = &call->run->limits;
	json_t *found = NULL;
	autoerror Error err = {0};
	char *words[4];
	*out = go_map(go_map_new(call_arena(call), GO_MAP));
	if (!limits->lookup)
		return true;
	for (size_t i = 0; i < COUNT(words); i++)
		words[i] = arena_strndup(call_arena(call), call->args[i].text.ptr,
					 call->args[i].text.len);
	if (!limits->lookup(limits->lookup_context, words[0], words[1], words[2], words[3], &found,
			    &err))
		return call_fail(call, "%s", err_text(&err));
	if (found) {
		arena_defer(call_arena(call), drop_json, found);
		*out = go_from_json(call_arena(call), found);
	}
	return true;
}

/* DNS is never asked. */
static bool fn_get_host_by_name(GoCall *call, GoValue *out)
{
	(void)call;
	*out = go_cstr("");
	return true;
}

const GoFn functions_helm[] = {
	{"include", "sa", fn_include},
	{"tpl", "sa", fn_tpl},
	{"required", "sa", fn_required},
	{"fail", "s", fn_fail},
	{"lookup", "ssss", fn_lookup},
	{"getHostByName", "s", fn_get_host_by_name},
	{0},
};
