#ifndef BASES_CLONE_H
#define BASES_CLONE_H

#include "bases/bases.h"

/* Writes the files of the commit that spec names below `dir`, made by this call. Limits as in
 * BasesLimits, none zero. */
bool base_clone(Loop *loop, const BaseSpec *spec, const BasesLimits *limits, const char *dir,
		Error *err) MUST_USE;

#endif
