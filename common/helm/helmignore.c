#include "helm/helmignore.h"

#include <fcntl.h>
#include <fnmatch.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"

enum { IGNORE_MAX = 1 << 20 };

typedef struct {
	char *pattern;		      /* owned, without "!", and slashes at the ends */
	bool negate, dir_only, whole; /* whole: the path, not its last part, is matched */
} Rule;

struct HelmIgnore {
	Rule *rules;
	size_t len;
};

void helmignore_free(HelmIgnore *ignore)
{
	for (size_t i = 0; i < ignore->len; i++)
		free(ignore->rules[i].pattern);
	free(ignore->rules);
	free(ignore);
}

static bool add_rule(HelmIgnore *ignore, Str line, Error *err)
{
	line = str_trim(line);
	if (line.len == 0 || line.ptr[0] == '#')
		return true;
	if (str_find(line, STR("**")) >= 0)
		return err_set(err, ERR_INVALID, "double-star (**) syntax is not supported");
	Rule rule = {.negate = line.ptr[0] == '!'};
	line = str_slice(line, rule.negate, line.len);
	rule.dir_only = str_ends(line, STR("/"));
	line.len -= rule.dir_only;
	rule.whole = str_find_char(line, '/') >= 0;
	if (str_starts(line, STR("/")))
		line = str_slice(line, 1, line.len);
	rule.pattern = str_dup(line);
	ignore->rules = mem_realloc(ignore->rules, (ignore->len + 1) * sizeof(Rule));
	ignore->rules[ignore->len++] = rule;
	return true;
}

HelmIgnore *helmignore_load(int dir_fd, Error *err)
{
	autohelmignore HelmIgnore *ignore = mem_zalloc(1, sizeof(*ignore));
	autobuf Buf text = {0};
	autofd int fd = openat(dir_fd, ".helmignore", O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && !fd_read_all(fd, IGNORE_MAX, &text, err))
		return NULL;
	Str line, rest = buf_str(&text);
	if (str_starts(rest, STR("\xef\xbb\xbf")))
		rest = str_slice(rest, 3, rest.len);
	while (str_next(&rest, '\n', &line))
		if (!add_rule(ignore, line, err))
			return NULL;
	if (!add_rule(ignore, STR("templates/.?*"), err))
		return NULL;
	return steal(&ignore);
}

static bool matches(const Rule *rule, const char *path)
{
	return fnmatch(rule->pattern, rule->whole ? path : path_base(path), FNM_PATHNAME) == 0;
}

bool helmignore_ignores(const HelmIgnore *ignore, const char *path, bool is_dir)
{
	for (size_t i = 0; i < ignore->len; i++) {
		const Rule *rule = &ignore->rules[i];
		if (rule->negate) {
			if ((rule->dir_only && !is_dir) || !matches(rule, path))
				return true;
			continue;
		}
		if ((!rule->dir_only || is_dir) && matches(rule, path))
			return true;
	}
	return false;
}
