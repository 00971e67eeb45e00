/* CustomResourceDefinitions: their own rules, and the resources they bring (kube-api.md 2.6). */
#ifndef APISERVER_CRD_H
#define APISERVER_CRD_H

#include "kinds.h"
#include "status_error.h"

#define CRD_CLEANUP "customresourcecleanup.apiextensions.k8s.io"
#define CRD_KEY "customresourcedefinitions.apiextensions.k8s.io"

/* Fills defaults and status (names accepted, established). */
void crd_prepare(json_t *crd);

/* The rules a CRD itself must keep; its name is checked when it is created. */
void crd_validate(const json_t *crd, bool created, FieldErrors *errors);

/* The served versions and the stored one as new Resources, appended to `out`. */
void crd_resources(const json_t *crd, Vec *out);

/* A custom object against its version's schema; old may be NULL. */
void crd_validate_object(const Resource *resource, const json_t *object, const json_t *old,
			 FieldErrors *errors);

#endif
