/* `sluice build helmrelease`. */
#ifndef CLI_BUILD_RELEASE_H
#define CLI_BUILD_RELEASE_H

#include "cli.h"

/* Whether the first word says so. */
bool build_release_is_meant(const Command *command);
bool build_release_check(Command *command, Error *err) MUST_USE;
bool build_release(const Command *command, Error *err) MUST_USE;

#endif
