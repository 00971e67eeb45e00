/*
 * Workload identity (RFC-0010): a ServiceAccount of an object's namespace stands for the object at
 * a cloud, by its annotations and by tokens that the API server issues for it.
 */
#ifndef IDENTITY_WORKLOAD_H
#define IDENTITY_WORKLOAD_H

#include "cloud/cloud.h"
#include "ctrl/manager.h"

/* Holds what a CloudAccount borrows; not to be moved. */
typedef struct {
	Run *run;
	json_t *object;
	CloudAccount account;
} WorkloadIdentity;

void workload_identity_dispose(WorkloadIdentity *identity);
#define autoworkloadidentity __attribute__((cleanup(workload_identity_dispose)))

/* The process's credentials at clouds, kept as --token-cache-... say and told in its metrics.
 * Owned. */
Cloud *workload_cloud_new(Manager *manager);

/* Reads the ServiceAccount `name` of the run's namespace; *out_account is borrowed from *out. With
 * no name (NULL or "") it is NULL: the controller's own identity. */
bool workload_identity(Run *run, const char *name, WorkloadIdentity *out,
		       const CloudAccount **out_account, Error *err) MUST_USE;

#endif
