/* The data of a generated ConfigMap or Secret from env files, literals and files (facts 5). */
#ifndef KUSTOMIZE_GENERATE_DATA_H
#define KUSTOMIZE_GENERATE_DATA_H

#include "kustomize/target.h"

/* Fills object's data (and binaryData) from the entry's envs, literals and files. */
bool generate_data(const KTarget *target, const json_t *entry, json_t *object, Error *err) MUST_USE;

#endif
