/* Defaults and normal forms of built-in kinds (kube-api.md 3.7). */
#ifndef APISERVER_DEFAULTS_H
#define APISERVER_DEFAULTS_H

#include "kinds.h"

void defaults_apply(const Resource *resource, json_t *object);

#endif
