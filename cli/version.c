/* sluice version */
#include "cli.h"

static bool run(Command *command, Error *err)
{
	(void)command;
	(void)err;
	printf("sluice: v%s\n", SLUICE_VERSION);
	return true;
}

const Verb verb_version = {
	.name = "version",
	.words = "",
	.summary = "Print the version.",
	.run = run,
};
