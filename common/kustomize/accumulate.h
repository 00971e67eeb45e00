/* What the steps of one kustomization's pipeline share. */
#ifndef KUSTOMIZE_ACCUMULATE_H
#define KUSTOMIZE_ACCUMULATE_H

#include "kustomize/target.h"

/* Runs all transformers of a kustomization in their order (facts 3, step 5). */
bool pipeline_transform(const KTarget *target, KAccumulator *acc, Error *err) MUST_USE;

/* Adds the vars of a list, which the specs own; a name used twice is an error. */
bool vars_collect(KAccumulator *acc, const json_t *vars, Error *err) MUST_USE;

/* Notes on the objects which vars read them. */
bool vars_mark(KAccumulator *acc, const json_t *vars, Error *err) MUST_USE;

/* Replaces `$(NAME)` in the fields of K_VAR_REFERENCE. */
bool vars_resolve(const KTarget *target, KAccumulator *acc, Error *err) MUST_USE;

/* Opens directory `path` (clean, within the source) as a target below `parent`, NULL for the root.
 * Its spec lives in the arena. `origin` likewise. */
bool ktarget_open(KBuild *build, const KTarget *parent, const char *path, const char *origin,
		  KTarget *out, Error *err) MUST_USE;

#endif
