/* Leader election by a coordination.k8s.io Lease (kube-api.md 1.6 "Lease"). */
#ifndef KUBE_LEASE_H
#define KUBE_LEASE_H

#include "base/log.h"
#include "kube/client.h"

typedef struct LeaderElection LeaderElection;

typedef struct {
	const char *ns, *name;
	const char *identity; /* NULL: HOSTNAME_UUID */
	int64_t lease_ms;     /* 35000 */
	int64_t renew_ms;     /* 30000 */
	int64_t retry_ms;     /* 5000 */
	bool release_on_stop; /* true */
	const Log *log;
	/* On the loop's thread: true once elected, false when it is lost (the process must then
	 * stop acting at once). */
	void (*on_change)(void *arg, bool leading);
	void *arg;
} LeaderElectionConfig;

/* Starts trying. ERR_INVALID unless lease > renew > 1.2 * retry. */
LeaderElection *leader_election_start(KubeClient *client, const LeaderElectionConfig *config,
				      Error *err) MUST_USE;

/* Releases the lease (when so configured and held), waiting at most 5 s; frees. */
void leader_election_stop(LeaderElection *election);

#endif
