/* configMapGenerator and secretGenerator (facts 5). */
#ifndef KUSTOMIZE_GENERATE_H
#define KUSTOMIZE_GENERATE_H

#include "kustomize/target.h"

/* Generates all ConfigMaps, then all Secrets, of a kustomization into acc. */
bool generate_all(const KTarget *target, KAccumulator *acc, Error *err) MUST_USE;

/* One entry, checked against `field` ("configMapGenerator", "secretGenerator"), by its behavior. */
bool generate_one(const KTarget *target, KAccumulator *acc, const char *field, const json_t *entry,
		  Error *err) MUST_USE;

#endif
