/* A record of what a chart rendered to, with the fields that Helm stores (helm-engine.md 12). */
#ifndef HELM_RELEASE_BUILD_H
#define HELM_RELEASE_BUILD_H

#include "base/clock.h"
#include "helm/chart.h"
#include "helm/manifest.h"
#include "helm/release.h"

typedef struct {
	const char *name, *ns;
	int64_t version;
	const char *status, *description;
	const char *first_deployed; /* NULL: now */
	const HelmChart *chart;	    /* its dependencies processed */
	const json_t *config;	    /* the user's values */
	const HelmManifests *manifests;
	bool server_side;
} HelmRecordInput;

/* Owned. ERR_INVALID as helm_record_new. */
HelmRecord *helm_record_build(const HelmRecordInput *input, Error *err) MUST_USE;

/* A wall-clock time, or now, as Go writes it: RFC 3339 in UTC, nanoseconds without trailing zeros.
 */
void helm_time_text(int64_t wall_ns, char out[CLOCK_TEXT_SIZE]);
void helm_time_now(char out[CLOCK_TEXT_SIZE]);

#endif
