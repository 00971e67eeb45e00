/* sortOptions (facts 7; B97). */
#ifndef KUSTOMIZE_ORDER_H
#define KUSTOMIZE_ORDER_H

#include "kustomize/set.h"

/* Sorts the set as the root's sortOptions say; without any (NULL) in legacy order if that is asked
 * for. ERR_INVALID for a bad combination. */
bool order_apply(KSet *set, const json_t *options, bool legacy_by_default, Error *err) MUST_USE;

/* A kind's place in the legacy order: below 0 first, above 0 last. */
int order_rank(const char *kind);

#endif
