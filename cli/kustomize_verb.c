#include "bases/bases.h"
#include "cli.h"
#include "kustomize_command.h"

/* sluice kustomize where bases may be remote: what `sluice` leaves to this program. */

static bool build(void *arg, const char *dir, KustomizeOptions *options, KustomizeResult *out,
		  Error *err)
{
	(void)arg;
	autobases Bases *bases = bases_new(&(BasesConfig){.local = options->files});
	options->files = bases_files(bases);
	options->fetch = bases_fetch;
	options->fetch_arg = bases;
	return kustomize_build(dir, options, out, err);
}

static int run(int argc, char **argv)
{
	return kustomize_command(argc, argv, build, NULL);
}

const Verb verb_kustomize = {
	.name = "kustomize",
	.words = "build [DIR]",
	.summary = "Print what a kustomization builds.",
	.tool_flags = &kustomize_flags,
	.main = run,
};
