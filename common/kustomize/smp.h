/* Strategic merge patches as kustomize applies them (facts 6, SMP; B55..B66). */
#ifndef KUSTOMIZE_SMP_H
#define KUSTOMIZE_SMP_H

#include "kustomize/target.h"

/*
 * Merges patch into *object (an owned reference), which becomes NULL when the patch deletes it.
 * The patch is used up: parts of it end up in the object. On failure *object is undefined.
 * ERR_INVALID; ERR_LIMIT when the build's time is up.
 */
bool smp_merge(const KBuild *build, json_t **object, json_t *take_patch, Error *err) MUST_USE;

#endif
