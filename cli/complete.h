/* What a shell offers at the end of an unfinished command line. */
#ifndef CLI_COMPLETE_H
#define CLI_COMPLETE_H

#include "cli.h"

/* Prints one candidate a line, with a tab and what it is where that helps. `argv` is what follows
 * "sluice"; the last of it is to be completed. The line ":file" asks the shell for file names.
 * Never fails: what cannot be found out is not offered. */
void complete_print(int argc, char **argv, FILE *out);

#endif
