/* What keeps a Pod from getting ready, in words for people. Pure. */
#ifndef KUBE_POD_TROUBLE_H
#define KUBE_POD_TROUBLE_H

#include "kube/object.h"

/* "container web: ImagePullBackOff: Back-off pulling image ..."; NULL when the Pod is well, or
 * tells nothing but that it has begun. What a container said at its end is left out: it may be
 * anything. Owned. */
char *pod_trouble(const json_t *pod);

/* "Pod NAME: TROUBLE" of the first of a list that has one, or NULL. Owned. */
char *pods_trouble(const json_t *pods);

#endif
