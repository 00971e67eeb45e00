/*
 * Clusters that the clouds run: Amazon's EKS, Azure's AKS, Google's GKE. Where a cluster is, what
 * its certificate is checked against, and a bearer token for it, from an identity of aws.h, azure.h
 * or gcp.h.
 */
#ifndef CLOUD_CLUSTER_LOGIN_H
#define CLOUD_CLUSTER_LOGIN_H

#include "cloud/cloud.h"

/* All borrowed. */
typedef struct {
	const char *provider; /* "aws", "azure", "gcp" */
	/* EKS: its ARN, always needed. AKS: its resource ID, GKE:
	 * "projects/P/locations/L/clusters/C"; needed where address or ca_pem are not given. */
	const char *resource;
	const char *address; /* or NULL: the cloud is asked */
	const char *ca_pem;  /* or NULL: the cloud is asked */
} CloudCluster;

/*
 * out->user is the address ("https://HOST[:PORT]" or as it was given), out->session the PEM of the
 * cluster's roots (NULL: the cloud named none), out->secret the token; kept and shared like all
 * credentials. ERR_INVALID for a resource that is none of the provider's, and for an unknown
 * provider.
 */
bool cloud_cluster_login(Cloud *cloud, const CloudCaller *caller, const CloudCluster *cluster,
			 Credential *out, Error *err) MUST_USE;

#endif
