/*
 * What the parts of a HelmRelease's reconcile share. The road: helmrelease.c calls, in order,
 * chart_template.c, source.c, values.c, charts.c, and then, with an Attempt, loop.c: which asks
 * state.c what is to be done, does it by an Action (action.h), and tells of it by report.c.
 */
#ifndef HELM_CONTROLLER_INTERNAL_H
#define HELM_CONTROLLER_INTERNAL_H

#include <stdatomic.h>
#include <string.h>

#include "action.h"
#include "attempt.h"
#include "base/map.h"
#include "base/workdir.h"
#include "charts.h"
#include "ctrl/manager.h"
#include "ctrl/oom.h"
#include "data/digest.h"
#include "delivery/depend.h"
#include "delivery/source_wait.h"
#include "delivery/target.h"
#include "history.h"
#include "postrender.h"
#include "release_spec.h"
#include "release_watch.h"
#include "remediation.h"
#include "state.h"
#include "storage.h"
#include "summary.h"

#define SOURCE_VERSION "source.toolkit.fluxcd.io/v1"

/* The controller's own flags; rows are in controller.c. */
typedef struct {
	int64_t requeue_dependency_ms;
	int http_retry;
	int64_t http_timeout_ms;
	bool no_cross_namespace_refs;
	bool insecure_kubeconfig_exec, insecure_kubeconfig_tls;
	char *default_kubeconfig_service_account;
	char *snapshot_digest_algo;
	Vec override_managers;
	int64_t oom_interval_ms;
	int oom_threshold;
	char *oom_max_path, *oom_current_path;
	char *max_output, *max_memory, *max_steps, *max_depth, *max_time;
} HelmFlags;

/* Process-wide. */
typedef struct {
	Manager *manager;
	const HelmFlags *flags;
	DigestAlgo algo; /* of snapshots and values */
	GotmplLimits limits;
	bool retries_by_default, helm3_defaults;
	HttpClient *http;
	WorkDir *workdir; /* artifacts */
	ChartCounts chart_counts;
	Charts charts;
	Targets targets;
	ReleaseWatch *releases; /* of this cluster */
	Attempts *attempts;	/* per HelmRelease, between runs */
	SourceWaits *waits;
	OomWatch *oom; /* or NULL */
	Map *seen;     /* index key of a source or dependency -> last told of it; loop's thread */
} HelmContext;

/* The run's object's status. A write of status may replace it: not to be held across one. */
json_t *run_status(Run *run);
/* The revisions of before count no longer, nor does what was kept of them. */
void run_forget_history(Run *run);

/* chart_template.c: the HelmChart of spec.chart, and the removal of one that is not wanted any
 * more. *out_made: what was made or changed just now, as the server has it, owned; or NULL. */
bool chart_template_apply(Run *run, const ReleaseSpec *spec, json_t **out_made,
			  Error *err) MUST_USE;
/* At the end of a HelmRelease, also of a HelmChart that status does not tell of yet. */
bool chart_template_forget(Run *run, const ReleaseSpec *spec, Error *err) MUST_USE;

/* source.c: the object that the chart's artifact is of. False: err and *out_outcome say how it goes
 * on, conditions and events are told. */
bool release_source_find(Run *run, const ReleaseSpec *spec, const json_t *made, Artifact *out,
			 Outcome *out_outcome, Error *err);
/* The artifact's chart; *out_digest as chart_build_of gives it. */
PreparedChart *source_chart(Run *run, const ReleaseSpec *spec, const Artifact *artifact,
			    char **out_digest, Outcome *out_outcome, Error *err);
/* The revision of the source as its watch knows it; owned, or NULL. */
char *source_revision(Run *run, const ReleaseSpec *spec);
/* Conditions of a run that does not get as far as the release. */
void prerequisite_failed(Run *run, const char *reason, const char *message);
bool source_cross_namespace_denied(Run *run, const char *kind, const char *ns, const char *name,
				   Error *err);

/* inventory.c: the objects of a stored manifest, a list, owned; with their namespaces. */
json_t *manifest_objects(KubeClient *client, const HelmRecord *record, Error *err) MUST_USE;
/* `chart` may be NULL. */
bool inventory_note(json_t *status, KubeClient *client, const HelmRecord *record,
		    const HelmChart *chart, Error *err) MUST_USE;

/* loop.c: goes on with an attempt until it waits or is over. */
Outcome release_loop(Run *run, Attempt *attempt, const Target *target, Error *err);
/* The attempt's action ends here, its release failed, and so is it told. */
void release_cancel(Run *run, Attempt *attempt, const Target *target);

/* begin.c: actions from spec. */
void attempt_start(const HelmContext *context, Attempt *attempt, ReleaseStep step,
		   int64_t to_version);
/* An uninstallation of what status says, wherever spec points now. */
void attempt_start_uninstall(const HelmContext *context, Attempt *attempt, const json_t *status);
int64_t release_step_timeout(const ReleaseSpec *spec, ReleaseStep step);
ActionTarget action_target_of(const Target *target);

/* report.c: history, counters, conditions and events of what a step came to. `failure` NULL: it
 * succeeded. True: the loop goes on. False: it failed without a trace in storage and is to be tried
 * again; err is set. */
bool report_step(Run *run, Attempt *attempt, const Target *target, const Error *failure,
		 Error *err);
/* Both owned by the caller. */
json_t *report_metadata(const char *revision, const char *token, const char *app_version,
			const char *oci_digest);
json_t *report_snapshot_metadata(const json_t *snapshot);

/* unlock.c: a record that nobody finished becomes a failed one. */
bool release_unlock(Run *run, Attempt *attempt, const Target *target, Error *err);

/* drift_detect.c: what differs in the cluster from what is stored. */
typedef enum { CHANGE_MISSING, CHANGE_MODIFIED } DriftChange;
typedef struct {
	DriftChange change;
	json_t *object;	 /* as it should be; owned */
	json_t *payload; /* what is sent: ignored fields as they are live; owned */
	size_t added, changed, removed;
} Drifted;
typedef struct {
	Drifted *items;
	size_t len, cap;
} DriftedSet;
void drifted_dispose(DriftedSet *set);
#define autodrifted __attribute__((cleanup(drifted_dispose)))
bool drift_detect(Run *run, const Attempt *attempt, const Target *target, DriftedSet *out,
		  Error *err);
/* One line for each: "Kind/ns/name removed". Owned. */
char *drift_summary(const DriftedSet *set);
/* drift_correct.c */
void drift_correct(Run *run, Attempt *attempt, const Target *target, DriftedSet *set);
/* What an object says of itself: to be left alone. */
bool drift_is_exempt(const json_t *object);
/* Nothing of the release's is ours any more. */
void drift_forget_release(const Target *target, KubeClient *client, const HelmRecord *record);

/* uninstall.c: for deletion, and for a release whose target changed (facts 5.14, 7). */
typedef enum { UNINSTALL_DONE, UNINSTALL_WAITING, UNINSTALL_FAILED } UninstallState;
UninstallState release_uninstall(Run *run, Attempt *attempt, const Target *target,
				 int64_t *out_wait_ms, Error *err);

Outcome helmrelease_reconcile(Run *run, Error *err); /* helmrelease.c */
Outcome helmrelease_suspended(Run *run, Error *err);
Outcome helmrelease_finalize(Run *run, Error *err); /* finalize.c */
bool helmrelease_target(Run *run, const ReleaseSpec *spec, Target *out, Error *err);
/* Of an attempt that has waited: with credentials as they are by now; where none can be had any
 * more, or for another server, the connection of before. */
void helmrelease_reopen(Run *run, Attempt *attempt, Target *out);

#endif
