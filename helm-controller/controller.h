/* helm-controller: installs, upgrades and keeps Helm releases as HelmReleases say. */
#ifndef HELM_CONTROLLER_CONTROLLER_H
#define HELM_CONTROLLER_CONTROLLER_H

#include "ctrl/manager.h"

extern const ManagerSpec helm_controller;

/*
 * What a HelmRelease makes of a chart, told by the reconcile's own steps: for `sluice build
 * helmrelease`. Nothing is written. One thread; a call blocks.
 */
typedef struct {
	const json_t *object; /* the HelmRelease */
	const char *chart;    /* a directory or a .tgz file */
	KubeClient *client; /* NULL: valuesFrom is passed over, capabilities are Helm's defaults */
} HelmReleaseBuild;

/* Appends CRDs, objects and hooks as an installation would make them, each with a line that names
 * its template. Errors name template file, line and cause. */
bool helmrelease_build(const HelmReleaseBuild *input, Buf *out, Error *err) MUST_USE;

/* GotmplLookup (E51) with a KubeClient as its context: what templates look up. */
bool release_lookup(void *client, const char *api_version, const char *kind, const char *ns,
		    const char *name, json_t **out, Error *err);

/* A live object that a release is about to make must be that release's already; ERR_EXISTS in
 * Helm's words (E86). */
bool release_owner_check(const json_t *live, const char *release, const char *ns,
			 Error *err) MUST_USE;

#endif
