#include "base/path.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/vec.h"

char *path_join(const char *dir, const char *name)
{
	while (*name == '/')
		name++;
	size_t len = strlen(dir);
	if (len == 0)
		return mem_strdup(name);
	return mem_printf("%s%s%s", dir, dir[len - 1] == '/' ? "" : "/", name);
}

char *path_clean(const char *path)
{
	bool rooted = path[0] == '/';
	autostrings Vec parts = {0};
	Str rest = str_of(path), part;
	while (str_next(&rest, '/', &part)) {
		if (part.len == 0 || str_eq(part, STR(".")))
			continue;
		bool up = str_eq(part, STR(".."));
		bool can_pop = parts.len > 0 && !cstr_eq(parts.items[parts.len - 1], "..");
		if (up && can_pop)
			free(vec_pop(&parts));
		else if (!up || !rooted)
			vec_push(&parts, str_dup(part));
	}
	Buf out = {0};
	if (rooted)
		buf_putc(&out, '/');
	for (size_t i = 0; i < parts.len; i++) {
		if (i)
			buf_putc(&out, '/');
		buf_puts(&out, parts.items[i]);
	}
	if (out.len == 0)
		buf_putc(&out, '.');
	return buf_steal(&out);
}

char *path_confine(const char *root, const char *name)
{
	autofree char *rooted = mem_printf("/%s", name);
	autofree char *clean = path_clean(rooted);
	return cstr_eq(clean, "/") ? mem_strdup(root) : path_join(root, clean);
}

const char *path_base(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

char *path_dir(const char *path)
{
	const char *slash = strrchr(path, '/');
	if (!slash)
		return mem_strdup(".");
	return mem_strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

bool path_is_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);
	if (strncmp(path, dir, len) != 0)
		return false;
	return path[len] == '\0' || path[len] == '/' || (len && dir[len - 1] == '/');
}
