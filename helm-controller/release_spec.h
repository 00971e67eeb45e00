/* A HelmRelease's fields with their defaults (helm-controller.md 2). Pure. */
#ifndef HELM_CONTROLLER_RELEASE_SPEC_H
#define HELM_CONTROLLER_RELEASE_SPEC_H

#include "helm/postrender.h"
#include "kube/object.h"
#include "names.h"

typedef enum { DRIFT_DISABLED, DRIFT_WARN, DRIFT_ENABLED } DriftMode;

/* Borrowed from the object, but for what says owned. */
typedef struct {
	const char *ns, *name;
	int64_t generation;
	const json_t *spec;
	const json_t *install, *upgrade, *test, *rollback, *uninstall; /* or NULL */
	int64_t interval_ms, timeout_ms;
	bool has_template; /* spec.chart, whose HelmChart is the source */
	const char *source_kind, *source_ns;
	char *source_name; /* owned */
	char *full_name;   /* of the release, as messages have it; owned */
	char *release;	   /* shortened (H43); owned */
	const char *release_ns, *storage_ns;
	bool tests, ignore_test_failures;
	DriftMode drift_mode;
} ReleaseSpec;

/* Gives back with release_spec_dispose; the object must live as long. */
void release_spec_parse(const json_t *object, ReleaseSpec *out);
void release_spec_dispose(ReleaseSpec *spec);

/* At most 53 bytes: longer ones are the first 40, "-" and 12 hex digits of their SHA-256 (H43).
 * Owned. */
char *release_name_shorten(const char *name);

/* spec.ACTION.timeout, spec.timeout without one. `action` may be NULL. */
int64_t release_action_timeout(const ReleaseSpec *spec, const json_t *action);

HelmPostRenderStrategy release_post_render_strategy(const ReleaseSpec *spec, bool helm3_defaults);

#endif
