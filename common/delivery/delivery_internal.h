#ifndef DELIVERY_INTERNAL_H
#define DELIVERY_INTERNAL_H

#include "delivery/target.h"

/* remote.c: the cluster of spec.kubeConfig, given back with cluster_put. */
Cluster *remote_cluster(Run *run, const Targets *targets, const json_t *reference,
			Error *err) MUST_USE;

#endif
