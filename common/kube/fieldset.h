/*
 * What managedFields tell a watcher of metadata (design.md 3.4): whether an object still holds what
 * we applied, from a hash of our own entry, and who else wrote. Pure.
 */
#ifndef KUBE_FIELDSET_H
#define KUBE_FIELDSET_H

#include "kube/object.h"

typedef struct {
	uint64_t hash; /* of our Apply entry's fieldsV1, independent of key order; 0: no entry */
	bool to_take_over; /* an entry that fieldset_takeover_patch would take over is there */
} FieldsetSummary;

/* `manager` is our field manager (operation Apply, no subresource); `prefixes` as below. The hash
 * is stable between processes (it does not use map_hash). */
void fieldset_summary(const json_t *object, const char *manager, const char *const *prefixes,
		      FieldsetSummary *out);

/*
 * The JSON patch (with a test on resourceVersion) that gives the fields of managers to be taken
 * over to `manager`'s own Apply entry (kustomize-controller.md 6.3 "Cleanup"): entries without
 * subresource of managers that start with one of `prefixes` (NULL-terminated), Apply or Update, of
 * before-first-apply, and `manager`'s own Update entries. NULL when there is nothing to do. Owned.
 */
json_t *fieldset_takeover_patch(const json_t *live, const char *manager,
				const char *const *prefixes);

/*
 * What an apply after that would remove: of `object` the fields that the entries to be taken over
 * have, and neither `manager`'s own Apply entry nor anybody else's. `reply` has these entries: the
 * answer to a dry run of the apply.
 */
void fieldset_drop_left(json_t *object, const json_t *reply, const char *manager,
			const char *const *prefixes);

/* The key of fieldsV1 ("k:{...}") below `fields` that a list's item has; NULL when none has. */
const char *fieldset_item_key(const json_t *fields, const json_t *item);

#endif
