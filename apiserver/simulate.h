/* Status of workloads without nodes, under --simulate=workloads (kube-api.md 5). */
#ifndef APISERVER_SIMULATE_H
#define APISERVER_SIMULATE_H

#include "collector_internal.h"

/* Whether changes of this resource (a store key) are to be simulated. Any thread. */
bool simulate_wants(const ApiServer *server, const char *resource);

/* Writes the status that follows from an object that was made or changed. Collector's thread. */
void simulate_change(Collector *collector, const Change *change);

/* Writes the status of what has waited long enough (--simulate-delay); the time, by clock_mono_ms,
 * when the next one is due, INT64_MAX when none waits. Collector's thread. */
int64_t simulate_due(Collector *collector);

#endif
