/* The path of a request (after the server's own decoding), method first and a zero byte between: no
 * crash; a resource has a version, a plural and a verb, and no part holds a slash. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "request.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check(const RequestPath *path)
{
	const char *const parts[] = {path->group, path->version,     path->ns,	path->plural,
				     path->name,  path->subresource, path->verb};
	for (size_t i = 0; i < COUNT(parts); i++)
		if (!parts[i] ||
		    (path->is_resource && i < COUNT(parts) - 2 && strchr(parts[i], '/')))
			abort();
	if (path->is_resource && (!*path->version || !*path->plural || !*path->verb))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const uint8_t *cut = size ? memchr(bytes, 0, size) : NULL;
	if (!cut || cut == bytes) /* no method, which HTTP has not */
		return 0;
	autofree char *method = mem_strdup((const char *)bytes);
	autofree char *text = mem_strndup((const char *)cut + 1, size - (size_t)(cut - bytes) - 1);
	for (int watch = 0; watch < 2; watch++) {
		autorequestpath RequestPath path = {0};
		if (request_path_parse(method, text, watch, &path))
			check(&path);
	}
	return 0;
}
