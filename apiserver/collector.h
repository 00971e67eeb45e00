/*
 * What a real cluster's controllers do for every object: garbage of owners, foreground and orphan
 * deletion, emptying namespaces, the end of custom kinds, the default ServiceAccount and root CA of
 * namespaces, aggregated ClusterRoles, simulated workloads, compaction. One thread, woken by
 * changes (kube-api.md 2.2, 5).
 */
#ifndef APISERVER_COLLECTOR_H
#define APISERVER_COLLECTOR_H

#include "server.h"

/* Registers with the hub and starts the thread, which first reads what is stored. */
Collector *collector_new(ApiServer *server);
void collector_free(Collector *collector);

#endif
