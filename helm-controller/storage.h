/*
 * Releases in Secrets "sh.helm.release.v1.NAME.vN" (helm-engine.md 12). Lists ask for metadata
 * only: a record's bytes travel when that one is read. Errors of the API server keep their codes.
 */
#ifndef HELM_CONTROLLER_STORAGE_H
#define HELM_CONTROLLER_STORAGE_H

#include "helm/release.h"
#include "kube/client.h"

/* Where the records of one release are; all borrowed. */
typedef struct {
	KubeClient *client;
	const char *ns, *release;
} Storage;

/* What the labels say of a revision. */
typedef struct {
	int64_t version;
	char *status; /* "deployed", "superseded", ... */
} StoredRow;

/* Oldest first. */
typedef struct {
	StoredRow *items;
	size_t len;
} StoredRows;

void stored_rows_dispose(StoredRows *rows);
/* Into an empty *out, oldest first whatever the order of `rows`. */
void stored_rows_copy(const StoredRows *rows, StoredRows *out);
#define autostoredrows __attribute__((cleanup(stored_rows_dispose)))

/* The release and the revision of a Secret's name; *out_release is owned. False: not one of Helm's.
 */
bool storage_parse_name(const char *secret, char **out_release, int64_t *out_version);
/* What the labels of a Secret say of its status. Borrowed. */
const char *stored_status(const json_t *secret);

/* All revisions; none is no error. From the server's memory they may be a moment old. */
typedef enum { STORAGE_NOW, STORAGE_LATELY } StorageAge;
bool storage_list(const Storage *storage, StorageAge age, StoredRows *out, Error *err) MUST_USE;
/* The newest revision, or the newest with that status; NULL: there is none. Borrowed. */
const StoredRow *stored_newest(const StoredRows *rows, const char *status);

/* One revision. ERR_NOT_FOUND "release: not found"; ERR_INVALID for one that is damaged. Owned. */
HelmRecord *storage_get(const Storage *storage, int64_t version, Error *err) MUST_USE;

/* When the API server got that revision: RFC 3339 in UTC, owned. ERR_NOT_FOUND as storage_get. */
char *storage_created_at(const Storage *storage, int64_t version, Error *err) MUST_USE;

/* Writes a new record; ERR_EXISTS "release: already exists", ERR_LIMIT before anything is sent. The
 * record then knows its resourceVersion. */
bool storage_create(const Storage *storage, HelmRecord *record, Error *err) MUST_USE;
/* Replaces a record; ERR_CONFLICT when somebody else has written it since it was read. Labels that
 * were put on its Secret meanwhile are no such write. */
bool storage_update(const Storage *storage, HelmRecord *record, Error *err) MUST_USE;
/* Removes revisions; one that is not there is no error. */
bool storage_delete(const Storage *storage, const int64_t *versions, size_t count,
		    Error *err) MUST_USE;

/* Removes the oldest so that with one more there are `max` (0: no limit), but never the newest
 * deployed one (E80). */
bool storage_prune(const Storage *storage, const StoredRows *rows, int max, Error *err) MUST_USE;

#endif
