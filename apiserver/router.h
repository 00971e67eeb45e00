/* From an HTTP request to its handler. */
#ifndef APISERVER_ROUTER_H
#define APISERVER_ROUTER_H

#include "net/httpd.h"

/* An HttpdHandler; arg is the ApiServer. */
void router_handle(void *arg, HttpdRequest *http);

#endif
