/*
 * The part of git-config(1)'s syntax that .gitmodules has: sections with a quoted name, values with
 * quotes, escapes, comments and continued lines. Includes are not followed: they are options of a
 * user, not of a repository.
 */
#include "git/modules.h"

#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"

enum { MAX_MODULES = 1000, MAX_TEXT = 4096 };

static void spec_dispose(GitModuleSpec *spec)
{
	free(spec->path);
	free(spec->url);
}

void git_modules_dispose(GitModules *modules)
{
	for (size_t i = 0; i < modules->len; i++)
		spec_dispose(&modules->items[i]);
	free(modules->items);
	*modules = (GitModules){0};
}

const GitModuleSpec *git_modules_find(const GitModules *modules, const char *path)
{
	for (size_t i = 0; i < modules->len; i++)
		if (cstr_eq(modules->items[i].path, path))
			return &modules->items[i];
	return NULL;
}

/* --- what is allowed --- */

static bool path_is_safe(const char *path)
{
	Str rest = str_of(path), part;
	size_t len = strlen(path);
	if (len == 0 || len > MAX_TEXT || path[0] == '/' || path[0] == '-' || path[len - 1] == '/')
		return false;
	while (str_next(&rest, '/', &part))
		if (part.len == 0 || str_eq(part, STR(".")) || str_eq(part, STR("..")) ||
		    (part.len == 4 && strncasecmp(part.ptr, ".git", 4) == 0))
			return false;
	return true;
}

static bool url_is_safe(const char *url)
{
	if (url[0] == '\0' || url[0] == '-' || strlen(url) > MAX_TEXT)
		return false;
	for (; *url; url++)
		if ((unsigned char)*url <= ' ' || *url == 0x7f)
			return false;
	return true;
}

/* Adds a section that has both values. */
static bool add_spec(GitModules *modules, GitModuleSpec *take_spec, Error *err)
{
	__attribute__((cleanup(spec_dispose))) GitModuleSpec spec = *take_spec;
	*take_spec = (GitModuleSpec){0};
	if (!spec.path || !spec.url)
		return true;
	if (!path_is_safe(spec.path))
		return err_set(err, ERR_INVALID, "submodule with the path \"%.100s\"", spec.path);
	if (!url_is_safe(spec.url))
		return err_set(err, ERR_INVALID, "submodule %s has an unsafe URL", spec.path);
	if (modules->len >= MAX_MODULES)
		return err_set(err, ERR_LIMIT, "more than %d submodules", MAX_MODULES);
	if (git_modules_find(modules, spec.path))
		return err_set(err, ERR_INVALID, "two submodules at %s", spec.path);
	modules->items = mem_realloc(modules->items, (modules->len + 1) * sizeof(spec));
	modules->items[modules->len++] = spec;
	spec = (GitModuleSpec){0};
	return true;
}

/* --- syntax --- */

static bool take_escape(Str *rest, Buf *out)
{
	static const char from[] = "ntb\"\\", to[] = "\n\t\b\"\\";
	const char *at = rest->len ? strchr(from, rest->ptr[0]) : NULL;
	if (!at || !*at)
		return false;
	buf_putc(out, to[at - from]);
	*rest = str_slice(*rest, 1, rest->len);
	return true;
}

/* A line continues behind a backslash at its end, CRLF included. */
static bool skip_line_end(Str *rest)
{
	size_t len = str_starts(*rest, STR("\r\n")) ? 2 : str_starts(*rest, STR("\n")) ? 1 : 0;
	*rest = str_slice(*rest, len, rest->len);
	return len > 0;
}

/* Takes the value up to the end of its line; blanks outside of quotes are cut from its end. */
static bool take_value(Str *rest, Buf *out)
{
	bool quoted = false, comment = false;
	size_t keep = 0; /* what quotes or other text protect from the cut */
	while (rest->len && rest->ptr[0] != '\n') {
		char c = rest->ptr[0];
		*rest = str_slice(*rest, 1, rest->len);
		if (comment)
			continue;
		if (c == '\\') {
			if (!skip_line_end(rest) && !take_escape(rest, out))
				return false;
			keep = out->len;
		} else if (c == '"') {
			quoted = !quoted;
		} else if (!quoted && (c == '#' || c == ';')) {
			comment = true;
		} else {
			bool blank = c == ' ' || c == '\t' || c == '\r';
			if (!blank || quoted || out->len)
				buf_putc(out, c);
			if (!blank || quoted)
				keep = out->len;
		}
	}
	if (out->len > keep) {
		out->len = keep;
		out->ptr[keep] = '\0';
	}
	return !quoted && !memchr(buf_text(out), '\0', out->len);
}

/* "[submodule "name"]": the name is the author's own business. */
static bool take_header(Str *rest, bool *out_is_module)
{
	Str line;
	str_cut(*rest, '\n', &line, rest);
	line = str_trim(line);
	if (line.len < 2 || line.ptr[line.len - 1] != ']')
		return false;
	Str head = str_trim(str_slice(line, 1, line.len - 1)), word, name;
	bool has_name = str_cut(head, ' ', &word, &name);
	name = str_trim(name);
	*out_is_module = word.len == strlen("submodule") &&
			 strncasecmp(word.ptr, "submodule", word.len) == 0 && has_name;
	return !has_name || (name.len >= 2 && name.ptr[0] == '"' && name.ptr[name.len - 1] == '"');
}

static bool take_entry(Str *rest, GitModuleSpec *spec, bool is_module)
{
	size_t len = 0;
	while (len < rest->len && !strchr("=\n#;", rest->ptr[len]))
		len++;
	Str key = str_trim(str_slice(*rest, 0, len));
	autobuf Buf value = {0};
	*rest = str_slice(*rest, len, rest->len);
	bool has_value = str_starts(*rest, STR("="));
	if (has_value)
		*rest = str_slice(*rest, 1, rest->len);
	if (key.len == 0 || !take_value(rest, &value))
		return false;
	char **where = NULL;
	if (key.len == 4 && strncasecmp(key.ptr, "path", 4) == 0)
		where = &spec->path;
	if (key.len == 3 && strncasecmp(key.ptr, "url", 3) == 0)
		where = &spec->url;
	if (where && is_module && has_value) {
		free(*where);
		*where = buf_steal(&value);
	}
	return true;
}

bool git_modules_parse(Str text, GitModules *out, Error *err)
{
	autogitmodules GitModules modules = {0};
	__attribute__((cleanup(spec_dispose))) GitModuleSpec spec = {0};
	bool is_module = false;
	if (str_starts(text, STR("\xef\xbb\xbf")))
		text = str_slice(text, 3, text.len);
	while (text.len) {
		char c = text.ptr[0];
		bool ok = true;
		if (strchr(" \t\r\n", c) && c) {
			text = str_slice(text, 1, text.len);
		} else if (c == '#' || c == ';') {
			str_cut(text, '\n', &(Str){0}, &text);
		} else if (c == '[') {
			if (!add_spec(&modules, &spec, err))
				return false;
			ok = take_header(&text, &is_module);
		} else {
			ok = take_entry(&text, &spec, is_module);
		}
		if (!ok)
			return err_set(err, ERR_INVALID, ".gitmodules: bad syntax");
	}
	if (!add_spec(&modules, &spec, err))
		return false;
	*out = modules;
	modules = (GitModules){0};
	return true;
}
