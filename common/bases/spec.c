/*
 * The forms of a repository in `resources` (facts 8): [git::]SCHEME://[USER@]HOST/PATH, HOST with
 * PATH for GitHub alone, USER@HOST:PATH. Where the repository's own path ends is said by "_git/",
 * "//" or ".git", else it has two segments.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "bases/bases.h"
#include "data/duration.h"
#include "net/url.h"

enum { DEFAULT_TIMEOUT_MS = 27000 };

void base_spec_dispose(BaseSpec *spec)
{
	free(spec->url);
	free(spec->path);
	free(spec->ref);
	*spec = (BaseSpec){0};
}

static bool skip(const char **at, const char *prefix)
{
	size_t len = strlen(prefix);
	if (strncasecmp(*at, prefix, len) != 0)
		return false;
	*at += len;
	return true;
}

/* ?timeout=: whole seconds or a duration; what is neither counts as absent. */
static int64_t timeout_of(const char *text)
{
	unsigned long long seconds;
	if (str_to_u64(str_of(text), &seconds))
		return seconds && seconds < INT64_MAX / 1000 ? (int64_t)seconds * 1000
							     : DEFAULT_TIMEOUT_MS;
	int64_t ms = duration_ms_or(text, DEFAULT_TIMEOUT_MS);
	return ms > 0 ? ms : DEFAULT_TIMEOUT_MS;
}

/* `ref` beats `version`. */
static void read_query(Str query, BaseSpec *out)
{
	Str pair, name, value;
	autofree char *version = NULL;
	while (str_next(&query, '&', &pair)) {
		str_cut(pair, '=', &name, &value);
		autofree char *raw = str_dup(value);
		autofree char *text = url_unescape(raw, true);
		if (cstr_empty(text))
			continue;
		if (str_eq(name, STR("ref")) && !out->ref)
			out->ref = steal(&text);
		else if (str_eq(name, STR("version")) && !version)
			version = steal(&text);
		else if (str_eq(name, STR("timeout")))
			out->timeout_ms = timeout_of(text);
	}
	if (!out->ref)
		out->ref = version ? steal(&version) : mem_strdup("");
}

/* Length of the repository's own path, and where the directory's begins; false: too short. */
static bool split(const char *path, size_t *out_len, const char **out_below)
{
	const char *mark;
	if ((mark = strstr(path, "_git/"))) {
		mark += strlen("_git/");
		*out_len = (size_t)(mark - path) + strcspn(mark, "/");
	} else if ((mark = strstr(path, "//"))) {
		*out_len = (size_t)(mark - path);
	} else if ((mark = strstr(path, ".git"))) {
		*out_len = (size_t)(mark - path) + strlen(".git");
	} else {
		size_t first = strcspn(path, "/");
		if (!path[first])
			return false;
		*out_len = first + 1 + strcspn(path + first + 1, "/");
	}
	*out_below = path + *out_len;
	*out_below += strspn(*out_below, "/");
	return *out_len > 0;
}

static bool bad(const char *entry, const char *what, Error *err)
{
	autofree char *shown = url_redacted(entry);
	return err_set(err, ERR_INVALID, "'%s': %s", shown, what);
}

/* The scheme with "://", as it is cloned; NULL for what is not cloned here. */
static const char *scheme_of(const char **at)
{
	static const char *const schemes[] = {"https://", "http://"};
	for (size_t i = 0; i < COUNT(schemes); i++)
		if (skip(at, schemes[i]))
			return schemes[i];
	const char *rest = *at;
	return skip(&rest, "github.com/") ? "https://" : NULL;
}

bool base_spec_parse(const char *entry, BaseSpec *out, Error *err)
{
	autobasespec BaseSpec spec = {.timeout_ms = DEFAULT_TIMEOUT_MS};
	Str whole, query;
	str_cut(str_of(entry), '?', &whole, &query);
	autofree char *text = str_dup(whole);
	const char *at = text, *below;
	size_t len;
	read_query(query, &spec);
	skip(&at, "git::");
	const char *scheme = scheme_of(&at);
	if (!scheme) {
		bad(entry, "only http and https bases are fetched", err);
		err->code = ERR_UNSUPPORTED;
		return false;
	}
	size_t host_len = strcspn(at, "/");
	if (!host_len || !at[host_len])
		return bad(entry, "no repository is named", err);
	const char *path = at + host_len + 1;
	if (!split(path, &len, &below))
		return bad(entry, "no repository is named", err);
	spec.path = path_clean(*below ? below : ".");
	if (cstr_eq(spec.path, "..") || cstr_starts(spec.path, "../"))
		return bad(entry, "the path leaves the repository", err);
	spec.url = mem_printf("%s%.*s/%.*s", scheme, (int)host_len, at, (int)len, path);
	*out = spec;
	spec = (BaseSpec){0};
	return true;
}
