/* What a fresh server has: system namespaces, the `kubernetes` Service, RBAC's bootstrap roles. */
#ifndef APISERVER_SEED_H
#define APISERVER_SEED_H

#include "server.h"

/* Makes what is missing. False with err when the store fails. */
bool seed_store(ApiServer *server, Error *err);

/* The default ServiceAccount and kube-root-ca.crt of one namespace (profile base). */
void seed_namespace(ApiServer *server, const char *ns);

/* Puts the custom kinds of the store into the catalog. */
bool seed_catalog(ApiServer *server, Error *err);

#endif
