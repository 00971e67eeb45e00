/*
 * The index of a chart repository (index.yaml), read as a stream: what is held of it is a few dozen
 * bytes a version, whatever the index weighs.
 *
 * helm_index_convert makes of what a repository serves what source-controller stores (S61): JSON,
 * charts by name, versions from the newest down, without what no chart can be (S63). HelmIndex is
 * what finding a chart's version needs of that.
 */
#ifndef HELM_INDEX_H
#define HELM_INDEX_H

#include <stdint.h>

#include "base/auto.h"
#include "base/error.h"

enum {
	HELM_INDEX_MAX_VERSIONS = 250000,
	HELM_INDEX_MAX_ENTRY = 4 << 20, /* bytes of text in one version */
	HELM_INDEX_MAX_NODES = 50000,	/* values in one version */
	HELM_INDEX_MAX_CHARTS = 100000,
	HELM_INDEX_MAX_TEXTS = 24 << 20, /* bytes of names, versions and URLs that are kept */
};

typedef struct {
	size_t charts, versions;
	size_t skipped; /* versions that were left out */
} HelmIndexSummary;

/*
 * Reads `fd` from its start and writes `out_fd` from where it stands; spool_fd is an empty file of
 * the caller's for what is on its way. JSON or YAML; of YAML fields that no index has are refused,
 * as Helm does. ERR_INVALID in Helm's words, ERR_LIMIT.
 */
bool helm_index_convert(int fd, int spool_fd, int out_fd, HelmIndexSummary *out_summary,
			Error *err) MUST_USE;

/* Does not change once it is loaded: any thread may read it. */
typedef struct HelmIndex HelmIndex;

/* Reads an index, stored or served. Owned by the caller. Errors as helm_index_convert's. */
HelmIndex *helm_index_load(int fd, Error *err) MUST_USE;
void helm_index_free(HelmIndex *index);
AUTO_POINTER(HelmIndex, helm_index_free, auto_helm_index);
#define autohelmindex __attribute__((cleanup(auto_helm_index)))

/* Bytes that it holds. */
size_t helm_index_bytes(const HelmIndex *index);

/* A version of a chart; all borrowed from the index. */
typedef struct {
	const char *version, *url; /* url: the first one, "" when there is none */
} HelmIndexEntry;

/*
 * The version that equals `version`; else the newest one in that range, of equal ones the one that
 * was created last; "" and "*": the newest that is no prerelease (S68). ERR_NOT_FOUND, or
 * ERR_INVALID for a range that is none.
 */
bool helm_index_find(const HelmIndex *index, const char *name, const char *version,
		     HelmIndexEntry *out, Error *err) MUST_USE;

/* True when a version has this URL, as it is written, for its first. */
bool helm_index_has_url(const HelmIndex *index, const char *url);

#endif
