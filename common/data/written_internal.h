/* Written scalars, for the readers and writers of YAML and JSON. */
#ifndef DATA_WRITTEN_INTERNAL_H
#define DATA_WRITTEN_INTERNAL_H

#include "base/str.h"
#include "data/written.h"
#include "data/yaml_internal.h"

/* The written scalar of a plain scalar's text where that says more than `value`, which it reads as
 * by `scalar`; else value. Owned. */
json_t *written_keep(json_t *value, Str text, const YamlScalar *scalar);

/* A string's text, without what says that it was quoted. */
Str written_str(const json_t *string);

/* True for an integer from 2^63 to 2^64-1. */
bool written_is_large(const json_t *value, uint64_t *out);

#endif
