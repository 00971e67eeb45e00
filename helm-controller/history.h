/*
 * status.history: snapshots of the revisions that this HelmRelease made, newest first
 * (helm-controller.md 3, 6, 8). Pure; `status` is the object's, snapshots are borrowed from it.
 */
#ifndef HELM_CONTROLLER_HISTORY_H
#define HELM_CONTROLLER_HISTORY_H

#include "data/digest.h"
#include "helm/release.h"

/* NULL: there is none. */
json_t *history_latest(const json_t *status);
/* The newest older one that was deployed once and is good to go back to; NULL: there is none. */
json_t *history_previous(const json_t *status, bool ignore_tests);
/* The snapshot of a record's revision, or NULL. */
json_t *history_find(const json_t *status, const HelmRecord *record);
/* Whether `status` has the latest snapshot of `other`, or a newer one. */
bool history_has_reached(const json_t *status, const json_t *other);
void history_clear(json_t *status);
/* All up to the previous good one; the newest five where there is none. */
void history_truncate(json_t *status, bool ignore_tests);
/* The newest five. */
void history_truncate_plain(json_t *status);

/* What a snapshot is told to be, besides what the record says. */
typedef struct {
	const char *action; /* "install", ...; NULL: none */
	const char *oci_digest;
	DigestAlgo algo;
} SnapshotFacts;

/* Puts a record's snapshot in front, or in the place of the one of its revision, whose test hooks,
 * and OCI digest where facts name none, are kept. */
void history_record(json_t *status, const HelmRecord *record, const SnapshotFacts *facts);
/* Only in the place of one that is there: other revisions are not of this object. False: it is not
 * there. */
bool history_update(json_t *status, const HelmRecord *record, const SnapshotFacts *facts);

/* A release that is about to be installed in the place of another one. */
typedef struct {
	const char *release, *ns;
	const char *chart, *chart_version; /* its name and version */
	const char *config_digest;
} InstallIntent;

/* Puts a snapshot of its first revision in front that no record matches, as it has no digest: what
 * a crash leaves of the release is found by it, whatever spec says by then. */
void history_intend(json_t *status, const InstallIntent *intent);
bool history_has_intent(const json_t *status);
void history_forget_intent(json_t *status);

/* The snapshot of a record that stands in no history. Owned. */
json_t *snapshot_of(const HelmRecord *record, const SnapshotFacts *facts) MUST_USE;
bool snapshot_is_of(const json_t *snapshot, const HelmRecord *record);
/* Whether the record is the one that the snapshot's digest was made of; always for snapshots of
 * older formats. */
bool snapshot_matches(const json_t *snapshot, const HelmRecord *record);
bool snapshot_has_values(const json_t *snapshot, const json_t *values);

/* All test hooks succeeded, or one failed. */
bool snapshot_tested(const json_t *snapshot);
bool snapshot_test_failed(const json_t *snapshot);

/* "ns/name.vN" and "chart@version"; owned, "" for NULL. */
char *snapshot_release(const json_t *snapshot);
char *snapshot_chart(const json_t *snapshot);

#endif
