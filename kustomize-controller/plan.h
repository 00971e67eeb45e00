/* What the parts of a plan share. */
#ifndef KUSTOMIZE_CONTROLLER_PLAN_H
#define KUSTOMIZE_CONTROLLER_PLAN_H

#include "controller.h"
#include "internal.h"

/* plan.c: built and substituted, encrypted values masked. */
bool plan_build(const PlanInput *input, const Kustomization *ks, KustomizeResult *out, Error *err);

/* mask.c: a Secret's values that SOPS encrypted become "**SOPS**", and `sops` goes (C69).
 * ERR_INVALID for data that is no base64. */
bool mask_encrypted(const KustomizeResource *resource, Error *err);

/* Whether a Secret holds values that mask_encrypted made: nobody knows what they are. */
bool mask_is_masked(const json_t *secret);

/* A Secret's values become "***" in both states; where they differ "*** (before)" and "***
 * (after)". With keys_only all become the same. */
void mask_secret(json_t *before, json_t *after, bool keys_only);

#endif
