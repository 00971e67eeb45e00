/* Where the CRDs are: as installed, or in a build tree. Paths compiled in come last, so that an
 * installation may be moved. */
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "program.h"
#include "up_internal.h"

/* The first that can be accessed, owned; NULL when none can. */
static char *first_of(const Vec *candidates, int mode)
{
	for (size_t i = 0; i < candidates->len; i++)
		if (access(candidates->items[i], mode) == 0)
			return path_clean(candidates->items[i]);
	return NULL;
}

char *up_find_crds(Error *err)
{
	autofree char *dir = program_dir(err);
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
