/* `generators`, `transformers` and `validators`: objects of apiVersion builtin (facts 7). */
#ifndef KUSTOMIZE_PLUGIN_H
#define KUSTOMIZE_PLUGIN_H

#include "kustomize/target.h"

bool plugin_generators(const KTarget *target, KAccumulator *acc, Error *err) MUST_USE;
bool plugin_transformers(const KTarget *target, KAccumulator *acc, Error *err) MUST_USE;

/* Validators may not change anything (B100). */
bool plugin_validators(const KTarget *target, KAccumulator *acc, Error *err) MUST_USE;

#endif
