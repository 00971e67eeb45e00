/* URLs of submodules, as git-submodule(1) resolves them. */
#include "git/modules.h"

#include "base/buf.h"
#include "base/mem.h"
#include "net/url.h"

static bool is_relative(const char *url)
{
	return cstr_starts(url, "./") || cstr_starts(url, "../");
}

/* "user@host:path" (git-clone(1)): no scheme, and a colon before the first slash. Owned; NULL when
 * it is something else. */
static char *of_scp(const char *url)
{
	const char *colon = strchr(url, ':'), *slash = strchr(url, '/');
	if (!colon || strstr(url, "://") || cstr_starts(colon, "::") || (slash && slash < colon) ||
	    colon == url)
		return NULL;
	const char *path = colon + 1 + strspn(colon + 1, "/");
	return mem_printf("ssh://%.*s/%s", (int)(colon - url), url, path);
}

/* Takes the last part off a path; false when none is left. */
static bool cut_last(char *path)
{
	size_t len = strlen(path);
	while (len && path[len - 1] == '/')
		len--;
	if (len == 0)
		return false;
	while (len && path[len - 1] != '/')
		len--;
	path[len] = '\0';
	return true;
}

static char *resolve(const char *parent, const char *url, Error *err)
{
	autourl Url base = {0};
	if (!url_parse(parent, &base, err))
		return NULL;
	for (;;) {
		if (cstr_starts(url, "./")) {
			url += 2;
		} else if (cstr_starts(url, "../")) {
			if (!cut_last(base.path))
				return err_null(err, ERR_INVALID,
						"relative URL that climbs too high");
			url += 3;
		} else {
			break;
		}
		url += strspn(url, "/");
	}
	size_t len = strlen(base.path);
	bool slash = len == 0 || base.path[len - 1] != '/';
	char *path = mem_printf("%s%s%s", base.path, slash ? "/" : "", url);
	free(base.path);
	base.path = path;
	free(steal(&base.query));
	/* For ssh the user is part of the address; a password is not. */
	bool ssh = cstr_eq(base.scheme, "ssh");
	if (base.password)
		mem_wipe(base.password, strlen(base.password));
	free(steal(&base.password));
	if (!ssh)
		free(steal(&base.user));
	return url_text(&base, false);
}

char *git_module_url(const char *parent, const char *url, Error *err)
{
	static const char *const schemes[] = {"http", "https", "ssh"};
	autofree char *full = is_relative(url) ? resolve(parent, url, err) : of_scp(url);
	if (err_is_set(err))
		return NULL;
	if (!full)
		full = mem_strdup(url);
	autourl Url parsed = {0};
	if (!url_parse(full, &parsed, err))
		return NULL;
	for (size_t i = 0; i < COUNT(schemes); i++)
		if (cstr_eq(parsed.scheme, schemes[i]) && !cstr_empty(parsed.host) &&
		    parsed.host[0] != '-')
			return steal(&full);
	return err_null(err, ERR_INVALID, "its URL is neither http, https nor ssh");
}
