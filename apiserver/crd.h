/* CustomResourceDefinitions: their own rules, and the resources they bring (kube-api.md 2.6). */
#ifndef APISERVER_CRD_H
#define APISERVER_CRD_H

#include "kinds.h"
#include "status_error.h"

#define CRD_CLEANUP "customresourcecleanup.apiextensions.k8s.io"
#define CRD_KEY "customresourcedefinitions.apiextensions.k8s.io"

/* Names and conversion where they are left out: part of what is written, and so owned. */
void crd_default(json_t *crd);

/* Fills defaults and status (names accepted, established), which is copied before. `catalog`: what
 * other definitions have taken. */
void crd_prepare(Catalog *catalog, json_t *crd);

/* Whether its resources are served. */
bool crd_is_established(const json_t *crd);

/* The rules a CRD itself must keep; its name is checked when it is created. `old`: the stored one,
 * or NULL. */
void crd_validate(const json_t *crd, const json_t *old, FieldErrors *errors);

/* The served versions and the stored one as new Resources, appended to `out`; nothing of a
 * definition that is not established. */
void crd_resources(const json_t *crd, Vec *out);

/* A custom object against its version's schema; old may be NULL. */
void crd_validate_object(const Resource *resource, const json_t *object, const json_t *old,
			 FieldErrors *errors);

#endif
