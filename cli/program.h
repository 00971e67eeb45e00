/* Where the other programs of an installation or of a build tree are. */
#ifndef CLI_PROGRAM_H
#define CLI_PROGRAM_H

#include "base/error.h"

/* The directory that this program is in. Owned. */
char *program_dir(Error *err) MUST_USE;

/*
 * A program by its name: beside this one, in `folder` of the build tree, or as installed, of which
 * the path compiled in comes last, so that an installation may be moved. Owned; ERR_NOT_FOUND.
 */
char *program_find(const char *name, const char *folder, Error *err) MUST_USE;

/* Runs it in this one's place, with the same arguments. Returns, with an exit code, only after it
 * has said on stderr why that could not be. */
int program_replace(const char *name, const char *folder, char **argv);

#endif
