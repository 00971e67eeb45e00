/*
 * One action upon a release: install, upgrade, rollback, uninstall, test. An action is started with
 * all it needs, then advanced by runs of the reconcile until it has ended: between two runs it
 * holds no worker, and only memory. Advancing is what sends requests; each step that must survive a
 * crash is in the release's Secret before the next begins (helm-engine.md 12, 13).
 *
 * One thread at a time uses an action. What it is given is borrowed until it is freed.
 */
#ifndef HELM_CONTROLLER_ACTION_H
#define HELM_CONTROLLER_ACTION_H

#include "delivery/drift.h"
#include "delivery/health_exprs.h"
#include "helm/postrender.h"
#include "helm/release.h"
#include "helm/template.h"
#include "kube/client.h"
#include "storage.h"

typedef enum {
	ACTION_INSTALL,
	ACTION_UPGRADE,
	ACTION_ROLLBACK,
	ACTION_UNINSTALL,
	ACTION_TEST,
} ActionKind;

typedef enum { CRDS_SKIP, CRDS_CREATE, CRDS_CREATE_REPLACE } CrdsPolicy;
typedef enum { APPLY_AUTO, APPLY_SERVER_SIDE, APPLY_CLIENT_SIDE } ApplyMode;

typedef struct {
	const char *name; /* exact, or NULL */
	bool exclude;
} TestFilter;

/* What spec.install, spec.upgrade, ... say; those that an action does not know are left alone. */
typedef struct {
	int64_t timeout_ms; /* of each wait, as Helm counts it */
	ApplyMode apply;    /* APPLY_AUTO: as the release that is changed was applied (H91) */
	CrdsPolicy crds;
	int max_history; /* 0: no limit */
	bool disable_wait, disable_wait_for_jobs, disable_hooks;
	bool disable_schema, disable_openapi;
	bool take_ownership;
	bool replace, create_namespace;		      /* install */
	bool force, preserve_values, cleanup_on_fail; /* upgrade, rollback */
	bool keep_history;			      /* uninstall */
	const char *propagation; /* uninstall: "Background", "Foreground", "Orphan" */
	bool legacy_wait;	 /* waitStrategy legacy */
	bool allow_dns;
	bool track_drift;	   /* what is applied is put into the target's table of drift */
	const TestFilter *filters; /* test */
	size_t filter_count;
} ActionOptions;

typedef struct {
	ActionKind kind;
	ActionOptions options;
	const char *release, *ns, *storage_ns; /* shortened already (H43) */
	/* install, upgrade; the chart is shared. */
	PreparedChart *chart;
	const json_t *values;
	const HelmPostRenderer *post_render; /* or NULL */
	/* rollback: the revision to go back to. */
	int64_t to_version;
	/* What the caller has just seen of storage and spares the action to read: that there is no
	 * record of the release; all its revisions; the newest one. */
	bool name_free;
	const StoredRows *rows;	      /* or NULL */
	const HelmRecord *last;	      /* or NULL */
	const HealthExprs *exprs;     /* or NULL */
	const char *owner;	      /* "ns/name" of the HelmRelease: woken by drift */
	const char *origin_labels[2]; /* name, namespace: put on CRDs */
	GotmplLimits limits;	      /* of rendering */
} ActionInput;

typedef struct Action Action;

/* What advancing needs of this run's target. */
typedef struct {
	KubeClient *client;
	KubeClient *storage; /* for release Secrets: of the same cluster */
	Drift *drift; /* watches what is waited for, where it has the owner's labels; or NULL */
} ActionTarget;

typedef enum {
	ACTION_WAITING,	  /* *out_wait_ms: at the latest; a watch may wake the owner earlier */
	ACTION_SUCCEEDED, /* ended */
	ACTION_FAILED,	  /* ended; err says why, as Helm words it */
} ActionState;

/* Copies the input's numbers and borrows its pointers. Sends nothing. Owned. */
Action *action_new(const ActionInput *input) MUST_USE;
/* One that is given up while it waits is aborted before. */
void action_free(Action *action);
AUTO_POINTER(Action, action_free, auto_action);
#define autoaction __attribute__((cleanup(auto_action)))

ActionState action_advance(Action *action, const ActionTarget *target, int64_t *out_wait_ms,
			   Error *err);

/* It waits for what it applied, not for hooks or deletions: that wait may be cancelled. */
bool action_awaits_health(const Action *action);
/* The daemon stops, or the wait is cancelled: the release is stored as failed (H96), with `why` in
 * its description. */
void action_abort(Action *action, const ActionTarget *target, const char *why);

/* Puts " [FILE]" behind what err says, as errors of objects have it; none for "" and NULL. Returns
 * false. */
bool action_name_file(Error *err, const char *file);

/* The release as last stored by this action; NULL: none was. Borrowed. */
const HelmRecord *action_record(const Action *action);
/* Other records that this action wrote, such as the one that it superseded, as last stored; NULL
 * for an index beyond the last. Borrowed. */
const HelmRecord *action_superseded(const Action *action, size_t index);
/* Whether storage was written: else a failure counts nothing (H49). */
bool action_stored(const Action *action);
/* Whether it failed, and nothing was stored, because somebody else has written that revision. */
bool action_name_taken(const Action *action);
/* The last ten lines of what Helm would log, oldest first, repeats collapsed (H94). Owned. */
char *action_log(const Action *action);

#endif
