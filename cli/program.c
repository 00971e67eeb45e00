#include "program.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/vec.h"

char *program_dir(Error *err)
{
	char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);
	if (len < 0) {
		err_errno(err, "cannot find the path of sluice");
		return NULL;
	}
	path[len] = '\0';
	return path_dir(path);
}

char *program_find(const char *name, const char *folder, Error *err)
{
	autofree char *dir = program_dir(err);
	if (!dir)
		return NULL;
	autostrings Vec candidates = {0};
	vec_push(&candidates, mem_printf("%s/%s", dir, name));
	vec_push(&candidates, mem_printf("%s/../%s/%s", dir, folder, name));
	vec_push(&candidates, mem_printf("%s/../libexec/sluice/%s", dir, name));
	vec_push(&candidates, mem_printf("%s/%s", SLUICE_LIBEXECDIR, name));
	for (size_t i = 0; i < candidates.len; i++)
		if (access(candidates.items[i], X_OK) == 0)
			return path_clean(candidates.items[i]);
	return err_null(err, ERR_NOT_FOUND, "%s is missing: looked beside sluice in %s and in %s",
			name, dir, SLUICE_LIBEXECDIR);
}

int program_replace(const char *name, const char *folder, char **argv)
{
	autoerror Error err = {0};
	autofree char *path = program_find(name, folder, &err);
	if (path) {
		execv(path, argv);
		err_errno(&err, "cannot start %s", path);
	}
	fprintf(stderr, "✗ %s\n", err_text(&err));
	return 1;
}
