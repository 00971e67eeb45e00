/*
 * Indexes of Helm repositories in memory, by the digest of the artifact that they come from. Charts
 * that are made at the same time share one, and it is loaded once. --helm-cache-max-size of them
 * are kept for --helm-cache-ttl behind their last use; without that flag some megabytes of them are
 * kept for some seconds. Thread-safe.
 */
#ifndef SOURCE_CONTROLLER_HELM_INDEXES_H
#define SOURCE_CONTROLLER_HELM_INDEXES_H

#include "helm/index.h"
#include "internal.h"

typedef struct HelmIndexes HelmIndexes;

/* `loop` drops what is old. */
HelmIndexes *helm_indexes_new(Loop *loop, const SourceOptions *options);
void helm_indexes_free(HelmIndexes *indexes);

/* The index of a stored artifact, until helm_indexes_release. *out_hit: it was there. Errors are
 * those of reading the file. */
const HelmIndex *helm_indexes_take(HelmIndexes *indexes, const Store *store,
				   const Artifact *artifact, bool *out_hit, Error *err) MUST_USE;
void helm_indexes_release(HelmIndexes *indexes, const HelmIndex *index);

/* gotk_cache_events_total of a HelmRepository: whether its index was there. Only where indexes are
 * asked to be kept, as upstream. */
void helm_indexes_count(Manager *manager, const char *ns, const char *name, bool hit);
void helm_indexes_drop_counts(Manager *manager, const char *ns, const char *name);

#endif
