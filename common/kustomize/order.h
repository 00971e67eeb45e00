/* sortOptions (facts 7; B97). */
#ifndef KUSTOMIZE_ORDER_H
#define KUSTOMIZE_ORDER_H

#include "kustomize/set.h"

/* Sorts the set as the root's sortOptions (NULL: not at all) say. ERR_INVALID for a bad
 * combination. */
bool order_apply(KSet *set, const json_t *options, Error *err) MUST_USE;

#endif
