/* YAML scalars where a field of text is wanted, as sigs.k8s.io/yaml makes text of them. */
#ifndef HELM_SCALAR_H
#define HELM_SCALAR_H

#include "data/json.h"

/* A string is itself, null is "", true is "true", 1.10 is "1.1": reals have the digits of a float
 * of 32 bits. False for maps and lists. Appends. */
bool helm_scalar_text(const json_t *value, Buf *out) MUST_USE;

/* Integers as reals, as Helm has all numbers, changed in place where that is possible. Owned. */
json_t *helm_reals(json_t *value);

#endif
