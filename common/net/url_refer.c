/* URLs in relation to each other. */
#include "net/url.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"

bool url_same_origin(const char *a, const char *b)
{
	autoerror Error ignored = {0};
	autourl Url left = {0}, right = {0};
	return url_parse(a, &left, &ignored) && url_parse(b, &right, &ignored) &&
	       url_is_same_origin(&left, &right);
}

/* RFC 3986 5.2 without dot segments: servers send absolute URLs, paths or names beside the base. */
char *url_resolve(const char *base, const char *location, Error *err)
{
	autourl Url url = {0}, to = {0};
	if (!url_parse(base, &url, err))
		return NULL;
	autofree char *text = NULL;
	const char *slashes = strstr(base, "://");
	size_t authority = (size_t)(slashes - base) + 3 + strcspn(slashes + 3, "/?#");
	size_t path = strcspn(base, "?#");
	while (path > authority && base[path - 1] != '/')
		path--;
	if (cstr_starts(location, "//"))
		text = mem_printf("%s:%s", url.scheme, location);
	else if (location[0] == '/')
		text = mem_printf("%.*s%s", (int)authority, base, location);
	else if (location[0] == '?')
		text = mem_printf("%.*s%s", (int)strcspn(base, "?#"), base, location);
	else if (strstr(location, "://"))
		text = mem_strdup(location);
	else
		text = mem_printf("%.*s%s%s", (int)path, base, path == authority ? "/" : "",
				  location);
	return url_parse(text, &to, err) ? steal(&text) : NULL;
}
