/* Built-in admission: namespaces' lives (kube-api.md 2.2, 2.8), quarrels of roles. */
#ifndef APISERVER_ADMISSION_H
#define APISERVER_ADMISSION_H

#include "request.h"

/* The namespace of a creation exists and is not on its way out. */
bool admission_namespace(Request *request, const json_t *object, Status *status);

/* Escalation checks of RBAC objects. */
bool admission_create(Request *request, const json_t *object, Status *status);
bool admission_update(Request *request, const json_t *object, Status *status);

/* default, kube-system and kube-public stay. */
bool admission_delete(Request *request, const json_t *live, Status *status);

#endif
