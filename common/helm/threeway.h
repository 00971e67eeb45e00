/*
 * Client-side apply: what an object becomes when its manifest changes from one text to another and
 * somebody else may have changed it meanwhile (helm-engine.md 14). Pure.
 */
#ifndef HELM_THREEWAY_H
#define HELM_THREEWAY_H

#include "data/json.h"

/* True when strategic merge knows the kind's lists: those that Kubernetes itself defines. */
bool helm_is_strategic(const char *api_version, const char *kind);

/*
 * The live object with the changes that a strategic three-way merge makes: what `original` has and
 * `modified` has not is removed, what `modified` has is set, all else stays. Lists are merged by
 * the kind's keys. NULL: ERR_INVALID, an item lacks its key. Owned.
 */
json_t *helm_merge_strategic(const json_t *original, const json_t *modified, const json_t *live,
			     Error *err) MUST_USE;

/* The same without merging lists, for kinds that Kubernetes does not define. Owned. */
json_t *helm_merge_plain(const json_t *original, const json_t *modified, const json_t *live);

#endif
