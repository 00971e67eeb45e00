/* sluice-kustomize: local bases. Where a kustomization turns out to have a remote one, nothing has
 * been printed yet, and sluice-verbs takes this program's place. */
#include <signal.h>

#include "base/mem.h"
#include "heap.h"
#include "kustomize_command.h"
#include "program.h"

static char *leave_to_others(void *argv, const char *from, const char *url, KustomizeWanted wanted,
			     Error *err)
{
	(void)from, (void)wanted;
	program_replace("sluice-verbs", "cli", argv); /* returns only when it could not */
	return err_null(err, ERR_UNSUPPORTED, "%s: nothing is fetched here", url);
}

static bool build_local(void *argv, const char *dir, KustomizeOptions *options,
			KustomizeResult *out, Error *err)
{
	options->fetch = leave_to_others;
	options->fetch_arg = argv;
	return kustomize_build(dir, options, out, err);
}

int main(int argc, char **argv)
{
	heap_prepare();
	signal(SIGPIPE, SIG_IGN);
	json_set_alloc_funcs(mem_alloc, free);
	return kustomize_command(argc - 1, argv + 1, build_local, argv);
}
