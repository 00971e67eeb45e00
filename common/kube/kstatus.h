/* Whether an object has become what its spec says: the rules of kustomize-controller.md 7. Pure. */
#ifndef KUBE_KSTATUS_H
#define KUBE_KSTATUS_H

#include "kube/object.h"

typedef enum {
	KSTATUS_IN_PROGRESS,
	KSTATUS_CURRENT,
	KSTATUS_FAILED,
	KSTATUS_TERMINATING,
	KSTATUS_NOT_FOUND,
	KSTATUS_UNKNOWN,
} KstatusCode;

/* The name in messages: "InProgress", "Current", "Failed", "Terminating", "NotFound", "Unknown". */
const char *kstatus_name(KstatusCode code);

/* out_message: why, a static or arena-free string copied into an owned text; may be NULL. */
KstatusCode kstatus_of(const json_t *object, char **out_message);

/* Whether pods of the object can tell that it failed while it says that it is in progress: those of
 * StatefulSets and ReplicaSets. */
bool kstatus_asks_pods(const json_t *object);

/* True when one of these pods (a list; NULL is empty) failed for good: it is not being deleted, nor
 * only without a node, which an autoscaler may bring. */
bool kstatus_pods_failed(const json_t *pods);

#endif
