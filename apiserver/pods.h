/* What the API server itself adds to a new Pod (admission plugins Priority and
 * DefaultTolerationSeconds; the Pod's strategy). */
#ifndef APISERVER_PODS_H
#define APISERVER_PODS_H

#include "request.h"

/* Priority, tolerations and the first status. 403 for a priority class that is not there. */
bool pods_create(Request *request, json_t *pod, Status *status);

/* What an update leaves out stays, or is added again. */
void pods_update(json_t *pod, const json_t *live);

#endif
