/* kustomize-controller: builds Kustomizations from artifacts and keeps the cluster equal to them.
 */
#ifndef KUSTOMIZE_CONTROLLER_CONTROLLER_H
#define KUSTOMIZE_CONTROLLER_CONTROLLER_H

#include "ctrl/manager.h"
#include "kustomize/kustomize.h"

extern const ManagerSpec kustomize_controller;

/*
 * What a reconcile would do, told by the reconcile's own steps and without doing it: for `sluice
 * build kustomization` and `sluice diff kustomization`. Nothing is written, to no file and no
 * cluster. One thread; calls of it block.
 */
typedef struct {
	const json_t
		*object;    /* the Kustomization; its status.inventory is what it applied so far */
	KubeClient *client; /* NULL, for a build: what substituteFrom names is passed over */
	int root_fd;	    /* no file outside of it is read */
	const char *dir;    /* below root_fd, clean: what spec.path names in the source */
	const char *ignore; /* lines as in .sourceignore, of manifests to leave out; or NULL */
	KustomizeLimits limits;
	bool strict;  /* a variable without value and default is an error */
	Buf *unknown; /* gets which fields of the root file are ignored, and where; or NULL */
} PlanInput;

/* The objects as they would be applied but for what only the API server knows (kinds' scopes):
 * built, substituted, with owner labels and common metadata. Values that SOPS encrypted are
 * "**SOPS**". Errors name file and, where known, line. */
bool kustomization_build(const PlanInput *input, KustomizeResult *out, Error *err) MUST_USE;

typedef enum {
	PLANNED_UNCHANGED,
	PLANNED_SKIPPED, /* its own or the live object's annotation says hands off (facts 6.4) */
	PLANNED_CREATED, /* or, being immutable, made anew by force */
	PLANNED_DRIFTED,
	PLANNED_DELETED,
} PlannedChange;

/* All borrowed for the call. */
typedef struct {
	PlannedChange change;
	const char *id;		      /* "Kind/namespace/name" */
	const json_t *object;	      /* what is applied; NULL for DELETED */
	const json_t *before, *after; /* DRIFTED: what counts of both, values of Secrets as "***" */
	bool takeover;		      /* DRIFTED: fields of kubectl's become ours, and what of
					 them the manifest does not say goes (K57) */
	const char *file;	      /* where it is defined, or NULL */
	size_t line;		      /* 0: unknown */
} PlannedObject;

typedef void PlanEach(void *arg, const PlannedObject *planned);

/* Calls `each` for every object, those to be pruned last, in the order of the reconcile. Objects
 * that the server refuses do not end it: err names all of them then, and nothing is said of
 * pruning. Needs the client. */
bool kustomization_plan(const PlanInput *input, PlanEach *each, void *arg, Error *err) MUST_USE;

#endif
