/*
 * Where the objects of a Kustomization or a HelmRelease go and as whom: this cluster or the one of
 * spec.kubeConfig, as the connection's own user or as a service account of the object's namespace.
 */
#ifndef DELIVERY_TARGET_H
#define DELIVERY_TARGET_H

#include "cloud/cloud.h"
#include "ctrl/manager.h"
#include "delivery/cluster.h"

/* What a controller says of itself. All borrowed for the process. */
typedef struct {
	const Kind *kind;  /* whose objects drift wakes */
	DriftConfig drift; /* labels, field manager and questions; what else it has is filled in */
	const char *overridden;		 /* a field manager whose changes are undone; or NULL */
	const Vec *override_managers;	 /* --override-manager: more of them */
	bool allow_exec, allow_insecure; /* in kubeconfigs: --insecure-kubeconfig-... */
	/* For kubeconfigs by ConfigMap that name none; NULL or "": the controller's own. */
	const char *default_account;
	TokenOperation login_operation; /* what metrics call logins at clouds */
} TargetsConfig;

/* Process-wide; not to be moved. */
typedef struct {
	TargetsConfig config;
	Manager *manager;
	Vec overridden;	    /* all prefixes of field managers whose changes are undone, then NULL */
	Drift *drift;	    /* of this cluster */
	Clusters *clusters; /* the others */
	Cloud *cloud;	    /* for clusters that clouds run, and whoever else needs credentials */
} Targets;

void targets_open(Targets *targets, Manager *manager, const TargetsConfig *config);
void targets_close(Targets *targets);

/* An account that a flag names for logging in needs the gate that lets objects name such accounts
 * (kustomize-controller.md 10): ERR_INVALID names the flag. */
bool targets_check_account(Manager *manager, const char *flag, const char *account,
			   Error *err) MUST_USE;

typedef struct {
	KubeClient *client; /* borrowed */
	Drift *drift;	    /* borrowed */
	Cluster *cluster;   /* NULL: this one */
	int64_t opened_ms;  /* clock_mono_ms() */
} Target;

/* spec.serviceAccountName or --default-service-account; "": the connection's own user. */
const char *target_account(Run *run, const json_t *spec);

/* For the run's object, whose spec it is. ERR_FORBIDDEN, ERR_INVALID and what the API server says
 * of the Secret, ConfigMap or ServiceAccount: ERR_NOT_FOUND is never of anything else. */
bool target_open(Run *run, const Targets *targets, const json_t *spec, Target *out,
		 Error *err) MUST_USE;
void target_close(Target *target);
#define autotarget __attribute__((cleanup(target_close)))

#endif
