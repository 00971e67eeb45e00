/* The values of a release: spec.valuesFrom and spec.values put together (helm-controller.md 10). */
#ifndef HELM_CONTROLLER_VALUES_H
#define HELM_CONTROLLER_VALUES_H

#include "data/json.h"

/* Reads a Secret or ConfigMap by kind and name. Owned; ERR_NOT_FOUND when it is not there. */
typedef json_t *ValuesRead(void *arg, const char *kind, const char *name, Error *err);

/*
 * `spec` is the HelmRelease's; `ns` names its namespace in errors. Errors of Secrets say nothing of
 * what is in them. Owned.
 */
json_t *values_compose(const json_t *spec, const char *ns, ValuesRead *read, void *arg,
		       Error *err) MUST_USE;

#endif
