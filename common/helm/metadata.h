/* Chart.yaml: what it may say. */
#ifndef HELM_METADATA_H
#define HELM_METADATA_H

#include "base/str.h"
#include "data/json.h"

/* Reads Chart.yaml or requirements.yaml into *metadata, over what is there: unknown fields are left
 * out, numbers and booleans become the text of string fields. */
bool metadata_read(json_t *metadata, Str text, Error *err) MUST_USE;
/* Reads a version of a repository's index, Helm's ChartVersion, into *version with the members that
 * Go would write, in its order; changes `tree`. With `strict` a field that it does not have is
 * ERR_INVALID, else left out. */
bool metadata_read_version(json_t *version, json_t *tree, bool strict, Error *err) MUST_USE;
/* What Helm refuses: "validation: chart.metadata...". Also cleans texts. */
bool metadata_check(json_t *metadata, Error *err) MUST_USE;

#endif
