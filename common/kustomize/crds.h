/* `crds`: OpenAPI files whose hints make name references (facts 7, crds; B40). */
#ifndef KUSTOMIZE_CRDS_H
#define KUSTOMIZE_CRDS_H

#include "kustomize/target.h"

/* Adds the hints of the kustomization's crds files to config. */
bool crds_read(const KTarget *target, KConfig *config, Error *err) MUST_USE;

#endif
