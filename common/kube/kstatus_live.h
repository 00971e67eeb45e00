/* Health of an object that also depends on others in its cluster. */
#ifndef KUBE_KSTATUS_LIVE_H
#define KUBE_KSTATUS_LIVE_H

#include "kube/client.h"
#include "kube/kstatus.h"

/* As kstatus_of; one request more for a StatefulSet or a ReplicaSet that is in progress: where one
 * of its pods failed it is KSTATUS_FAILED. Pods that may not be listed say nothing. */
KstatusCode kstatus_live(KubeClient *client, const json_t *object);

/* The same of `count` objects, the lists of pods asked for together. */
void kstatus_live_all(KubeClient *client, const json_t *const *objects, KstatusCode *out,
		      size_t count);

#endif
