/* get, list and watch (kube-api.md 2.3). */
#ifndef APISERVER_READ_H
#define APISERVER_READ_H

#include "request.h"

bool handle_get(Request *request, Status *status);
bool handle_list(Request *request, Status *status);
bool handle_watch(Request *request, Status *status);

#endif
