/*
 * The transformers, each a function on the whole set (facts 7). All change objects in place and
 * leave the set in an undefined state when they fail: the build is over then.
 */
#ifndef KUSTOMIZE_TRANSFORM_H
#define KUSTOMIZE_TRANSFORM_H

#include "kustomize/set.h"
#include "kustomize/target.h"

/* Sets the namespace. `subjects`: NULL or "defaultOnly", "allServiceAccounts", "none"; unset_only
 * leaves namespaces that are there. */
typedef struct {
	const char *name;
	const char *subjects;
	bool unset_only;
} KNamespace;
bool namespace_apply(KSet *set, const KNamespace *ns, const KSpecs *specs, Error *err) MUST_USE;

/* Puts text in front of or behind names and records it in the history. */
bool prefix_apply(KSet *set, const char *prefix, const KSpecs *specs, Error *err) MUST_USE;
bool suffix_apply(KSet *set, const char *suffix, const KSpecs *specs, Error *err) MUST_USE;

/* Sets string pairs in the maps that the specs name: labels, annotations. */
bool pairs_apply(KSet *set, const json_t *pairs, const KSpecs *specs, Error *err) MUST_USE;

/* One entry of `replicas`, `images`. */
bool replicas_apply(KSet *set, const json_t *replica, const KSpecs *specs, Error *err) MUST_USE;
bool images_apply(KSet *set, const json_t *image, const KSpecs *specs, Error *err) MUST_USE;

/* One entry of `patches`, `patchesJson6902`; one text or path of `patchesStrategicMerge`. `where`
 * is what errors call the entry, such as "DIR/kustomization.yaml: patches[2]". */
bool patch_apply(const KTarget *target, KSet *set, const json_t *entry, const char *where,
		 Error *err) MUST_USE;
bool patch_json_apply(const KTarget *target, KSet *set, const json_t *entry, const char *where,
		      Error *err) MUST_USE;
bool patch_merge_apply(const KTarget *target, KSet *set, const char *entry, Error *err) MUST_USE;

/* The list `replacements`. */
bool replacements_apply(const KTarget *target, KSet *set, const json_t *list, Error *err) MUST_USE;

/* A ValueAddTransformer's config: its value into the fields that its targets name. */
bool valueadd_apply(const KTarget *target, KSet *set, const json_t *config, Error *err) MUST_USE;

#endif
