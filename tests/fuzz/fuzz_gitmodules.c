/* .gitmodules of a hostile commit, and the URLs in it. What comes out stays in the tree and names a
 * server by http, https or ssh. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "git/modules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_url(const char *url)
{
	static const char *const parents[] = {"https://h.test/a/b.git", "ssh://git@h.test:22/x"};
	for (size_t i = 0; i < COUNT(parents); i++) {
		autoerror Error err = {0};
		autofree char *full = git_module_url(parents[i], url, &err);
		if (!full != err_is_set(&err))
			abort();
		if (full && strncasecmp(full, "http", 4) != 0 && strncasecmp(full, "ssh", 3) != 0)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autoerror Error err = {0};
	autogitmodules GitModules modules = {0};
	if (!git_modules_parse(str_sized((const char *)data, size), &modules, &err))
		return 0;
	for (size_t i = 0; i < modules.len; i++) {
		const char *path = modules.items[i].path;
		if (path[0] == '/' || strncmp(path, "../", 3) == 0 || strstr(path, "/../") ||
		    modules.items[i].url[0] == '-')
			abort();
		check_url(modules.items[i].url);
	}
	return 0;
}
