/*
 * The clusters that objects go to. Each has one client and one table of drift, shared by
 * all who reach it in the same way, kept while somebody uses it, and bounded in number.
 * Thread-safe.
 */
#ifndef DELIVERY_CLUSTER_H
#define DELIVERY_CLUSTER_H

#include "delivery/drift.h"
#include "kube/client.h"

typedef struct Clusters Clusters;
typedef struct Cluster Cluster;

/* `drift` is for the tables of all; each is watched in all its namespaces. At most `max` are open,
 * more only while runs hold more than that. */
Clusters *clusters_new(Loop *loop, const DriftConfig *drift, size_t max);
void clusters_free(Clusters *clusters);

/*
 * The cluster of a configuration, made when nobody uses it yet; `key` tells configurations apart.
 * From then on owner ("ns/name") uses it and no other. Give back with cluster_put.
 */
Cluster *cluster_get(Clusters *clusters, const char *key, const KubeConfig *config,
		     const char *owner, Error *err) MUST_USE;
void cluster_put(Cluster *cluster);

/* owner uses no remote cluster any more: what nobody uses is closed. Any thread, but not from the
 * function that drift calls. */
void clusters_leave(Clusters *clusters, const char *owner);

/* How many are open. */
size_t clusters_count(Clusters *clusters);

/* For clusters whose token is asked for again and again: true when there is none that lasts for
 * some minutes yet. */
bool cluster_token_due(const Cluster *cluster);
bool cluster_set_token(Cluster *cluster, const char *token, int64_t expires_wall_ms,
		       Error *err) MUST_USE;

/* Borrowed; valid until cluster_put. */
KubeClient *cluster_client(const Cluster *cluster);
Drift *cluster_drift(const Cluster *cluster);

#endif
