#include "base/mem.h"
#include "base/path.h"
#include "gotmpl/convert.h"
#include "gotmpl/functions.h"

/* Slash-separated paths, as Go's packages path and (on Linux the same) filepath. */

static Str cleaned(GoCall *call, Str path)
{
	autofree char *text = str_dup(path);
	autofree char *clean = path_clean(text);
	return call_copy(call, str_of(clean));
}

static bool fn_clean(GoCall *call, GoValue *out)
{
	*out = go_text(cleaned(call, call->args[0].text));
	return true;
}

static size_t behind_last_slash(Str path)
{
	size_t at = path.len;
	while (at > 0 && path.ptr[at - 1] != '/')
		at--;
	return at;
}

static bool fn_base(GoCall *call, GoValue *out)
{
	Str path = call->args[0].text;
	*out = go_cstr(path.len ? "/" : ".");
	while (path.len > 0 && path.ptr[path.len - 1] == '/')
		path.len--;
	if (path.len > 0)
		*out = go_text(str_slice(path, behind_last_slash(path), path.len));
	return true;
}

static bool fn_dir(GoCall *call, GoValue *out)
{
	Str path = call->args[0].text;
	*out = go_text(cleaned(call, str_slice(path, 0, behind_last_slash(path))));
	return true;
}

static bool fn_ext(GoCall *call, GoValue *out)
{
	Str path = call->args[0].text;
	*out = go_cstr("");
	for (size_t at = path.len; at > 0 && path.ptr[at - 1] != '/'; at--) {
		if (path.ptr[at - 1] == '.') {
			*out = go_text(str_slice(path, at - 1, path.len));
			break;
		}
	}
	return true;
}

static bool fn_is_abs(GoCall *call, GoValue *out)
{
	*out = go_bool(call->args[0].text.len > 0 && call->args[0].text.ptr[0] == '/');
	return true;
}

const GoFn functions_paths[] = {
	{"base", "s", fn_base},
	{"dir", "s", fn_dir},
	{"clean", "s", fn_clean},
	{"ext", "s", fn_ext},
	{"isAbs", "s", fn_is_abs},
	{"osBase", "s", fn_base},
	{"osDir", "s", fn_dir},
	{"osClean", "s", fn_clean},
	{"osExt", "s", fn_ext},
	{"osIsAbs", "s", fn_is_abs},
	{0},
};
