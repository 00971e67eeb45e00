/* Where the daemons and the CRDs are: as installed, or in a build tree. Paths compiled in come
 * last, so that an installation may be moved. */
#include <limits.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "up_internal.h"

/* The directory that this program is in; owned. */
static char *own_dir(Error *err)
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

/* The first that can be accessed, owned; NULL when none can. */
static char *first_of(const Vec *candidates, int mode)
{
	for (size_t i = 0; i < candidates->len; i++)
		if (access(candidates->items[i], mode) == 0)
			return path_clean(candidates->items[i]);
	return NULL;
}

char *up_find_program(const Daemon *daemon, Error *err)
{
	autofree char *dir = own_dir(err);
	if (!dir)
		return NULL;
	autostrings Vec candidates = {0};
	vec_push(&candidates, mem_printf("%s/%s", dir, daemon->name));
	vec_push(&candidates, mem_printf("%s/../%s/%s", dir, daemon->folder, daemon->name));
	vec_push(&candidates, mem_printf("%s/../libexec/sluice/%s", dir, daemon->name));
	vec_push(&candidates, mem_printf("%s/%s", SLUICE_LIBEXECDIR, daemon->name));
	char *found = first_of(&candidates, X_OK);
	return found ? found
		     : err_null(err, ERR_NOT_FOUND,
				"%s is missing: looked beside sluice in %s and in %s", daemon->name,
				dir, SLUICE_LIBEXECDIR);
}

char *up_find_crds(Error *err)
{
	autofree char *dir = own_dir(err);
	if (!dir)
		return NULL;
	autostrings Vec candidates = {0};
	vec_push(&candidates, mem_printf("%s/../deploy/crds", dir));
	vec_push(&candidates, mem_printf("%s/../share/sluice/crds", dir));
	vec_push(&candidates, mem_strdup(SLUICE_DATADIR "/crds"));
	char *found = first_of(&candidates, R_OK);
	return found ? found
		     : err_null(err, ERR_NOT_FOUND,
				"the CRDs are missing: looked in %s/../share/sluice/crds and in %s",
				dir, SLUICE_DATADIR "/crds");
}
