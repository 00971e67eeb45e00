/*
 * File patterns of .Files.Glob (gobwas/glob with "/" as separator): "*" within a part, "**" across
 * parts, "?", "[a-z]" and "[!a-z]", "{a,b}", and "\" before what stands for itself.
 */
#ifndef GOTMPL_GLOB_H
#define GOTMPL_GLOB_H

#include "base/str.h"

bool go_glob_valid(Str pattern);
/* The whole of name; a pattern that is not valid matches nothing. */
bool go_glob_match(Str pattern, Str name);

#endif
