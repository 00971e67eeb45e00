#include "base/mem.h"
#include "gotmpl/convert.h"
#include "gotmpl/functions.h"

/* What Helm adds that runs templates or fails them: include, tpl, required, fail, lookup. */

enum {
	INCLUDE_MAX = 1000,
	TPL_KEPT = 1024, /* texts whose trees a run keeps */
	TPL_KEPT_BYTES = 4096,
};

void gotmpl_drop_no_value(Buf *text)
{
	static const Str mark = {"<no value>", 10};
	size_t kept = 0, at = 0;
	ptrdiff_t found;
	while ((found = str_find(str_slice(buf_str(text), at, text->len), mark)) >= 0) {
		memmove(text->ptr + kept, text->ptr + at, (size_t)found);
		kept += (size_t)found;
		at += (size_t)found + mark.len;
	}
	if (at == 0)
		return;
	memmove(text->ptr + kept, text->ptr + at, text->len - at);
	text->len = kept + text->len - at;
	text->ptr[text->len] = '\0';
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

/* A text as it was parsed below a set. Charts give tpl the same few texts again and again. */
typedef struct {
	const GotmplSet *parent;
	GotmplSet *set;
	const GotmplText *text;
} Tpl;

static const Tpl *tpl_read(GoRun *run, Str text, Error *err)
{
	bool is_kept = text.len <= TPL_KEPT_BYTES && !memchr(text.ptr, '\0', text.len);
	autofree char *key = is_kept ? str_dup(text) : NULL;
	Tpl *known = is_kept ? map_get(run->tpls, key) : NULL;
	if (known && known->parent == run->set)
		return known;
	Tpl *tpl = arena_alloc(run->arena, sizeof(*tpl));
	*tpl = (Tpl){.parent = run->set, .set = gotmpl_below(run->set, run->arena)};
	tpl->text = gotmpl_read(tpl->set, "gotpl", text, err);
	if (!tpl->text)
		return NULL;
	gotmpl_add(tpl->set, tpl->text);
	if (is_kept && map_len(run->tpls) < TPL_KEPT)
		map_put(run->tpls, key, tpl);
	return tpl;
}

static bool fn_tpl(GoCall *call, GoValue *out)
{
	GoRun *run = call->run;
	autoerror Error err = {0};
	autobuf Buf text = {0};
	const Tpl *tpl = tpl_read(run, call->args[0].text, &err);
	if (!tpl) {
		run_fail(run, err_text(&err));
		return fail_tpl(call, "cannot parse template ", call->args[0].text);
	}
	if (!run_template(run, tpl->set, tpl->text->own, call->args[1], &text))
		return fail_tpl(call, "error during tpl function execution for ",
				call->args[0].text);
	gotmpl_drop_no_value(&text);
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

static bool fn_get_host_by_name(GoCall *call, GoValue *out)
{
	const GotmplLimits *limits = &call->run->limits;
	*out = go_cstr("");
	if (!limits->resolve)
		return true;
	autofree char *host = str_dup(call->args[0].text);
	autofree char *address = limits->resolve(limits->resolve_context, host);
	/* Upstream picks a random one of none. */
	if (!address)
		return call_fail(call, "invalid argument to Intn");
	*out = go_cstr(arena_strdup(call_arena(call), address));
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
