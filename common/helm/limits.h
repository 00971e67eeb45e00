/* The limits of rendering as flags give them: of `sluice helm template` and of helm-controller. */
#ifndef HELM_LIMITS_H
#define HELM_LIMITS_H

#include "gotmpl/gotmpl.h"

/* A text each, borrowed; NULL and "" leave the default (GotmplLimits). */
typedef struct {
	const char *max_output, *max_memory; /* bytes */
	const char *max_steps, *max_depth;   /* counts */
	const char *max_time;		     /* a duration */
} HelmLimits;

/* Sets the limits in *out. ERR_INVALID names the flag, "--max-steps". */
bool helm_limits_read(const HelmLimits *limits, GotmplLimits *out, Error *err) MUST_USE;

/* GotmplLimits.resolve by the system's DNS. */
char *helm_limits_resolve(void *context, const char *host);

#endif
