/* What collector.c (thread, index), collector_work.c (the work itself), collector_namespace.c and
 * aggregation.c share. */
#ifndef APISERVER_COLLECTOR_INTERNAL_H
#define APISERVER_COLLECTOR_INTERNAL_H

#include <pthread.h>

#include "base/map.h"
#include "collector.h"

/* The store key of ClusterRoles. */
#define CLUSTER_ROLES "clusterroles.rbac.authorization.k8s.io"

struct Collector {
	ApiServer *server;
	pthread_t thread;
	pthread_mutex_t lock; /* guards queue, stopping, roles_changed */
	pthread_cond_t wake;
	Vec queue; /* of Change *, owned copies */
	bool stopping;
	bool roles_changed; /* aggregated ClusterRoles must be computed anew */
	/* The collector's thread only: */
	Map *dependents; /* owner uid -> Map of "resource|ns|name" -> NULL */
	Map *emptying;	 /* names of namespaces under way -> NULL */
	Map *ending;	 /* names of CRDs under way -> NULL */
	Map *waiting;	 /* "resource|ns|name" -> what simulate.c knows of it */
	int64_t compacted_at;
};

/* One object, read anew for each step. */
typedef struct {
	Resource *resource;
	json_t *live;
} Subject;

void subject_dispose(Subject *subject);
#define autosubject __attribute__((cleanup(subject_dispose)))

/* The object under a store key; false when it is gone or its kind is. */
bool collector_subject(Collector *collector, const char *store_key, const char *ns,
		       const char *name, Subject *out);

/* Deletes in the background with the uid it has now; losing a race is success. */
bool collector_delete(Collector *collector, Subject *subject, const char *policy);

/* Stores a changed copy; a lost race returns false. */
bool collector_update(Collector *collector, Subject *subject, const char *subresource,
		      json_t *object);

/* Work that a change asks for. */
void collector_check_owners(Collector *collector, const char *store_key, const char *ns,
			    const char *name);
void collector_owner_gone(Collector *collector, const char *uid);
void collector_foreground(Collector *collector, const char *store_key, const char *ns,
			  const char *name);
void collector_orphan(Collector *collector, const char *store_key, const char *ns,
		      const char *name);

/* Deletes all of a resource, of one namespace unless it is NULL; how many are left. */
size_t collector_delete_all(Collector *collector, const char *store_key, const char *ns);

/* True when the namespace (custom kind) is empty and gone. */
bool collector_empty_namespace(Collector *collector, const char *ns);
bool collector_end_kind(Collector *collector, const char *crd);

/* Gives ClusterRoles with an aggregationRule the rules of those that they select. */
void collector_aggregate(Collector *collector);

#endif
