/* What the parts of the apply step share. */
#ifndef KUSTOMIZE_CONTROLLER_APPLY_H
#define KUSTOMIZE_CONTROLLER_APPLY_H

#include "internal.h"

typedef struct {
	KustomizeContext *context;
	const Kustomization *ks;
	KubeClient *client;
	const char *ks_key; /* "ns/name" */
	const char *revision;
} ApplyRun;

/* True when others' fields or annotations are to be taken over first: kubectl and the like have
 * written, and the manifest does not say ssa Merge (facts 6.3 "Cleanup"). */
bool apply_needs_takeover(const json_t *desired, const json_t *reply);

/* Does it, on the live object. */
bool apply_takeover(const ApplyRun *apply, const Item *item, Error *err);

/* ssa IfNotPresent: created once, never updated (K60). */
bool object_only_created(const json_t *object);

/* The force annotation or label (K64). */
bool object_is_forced(const json_t *object);

#endif
