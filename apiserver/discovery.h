/* What the server serves: aggregated and legacy discovery (kube-api.md 1.3), and the openapi
 * documents. */
#ifndef APISERVER_DISCOVERY_H
#define APISERVER_DISCOVERY_H

#include "request.h"

/* /api and /apis, aggregated or legacy by Accept; ETag and 304. */
void discovery_reply_root(Request *request, bool core);

/* /apis/GROUP and /api/v1, /apis/GROUP/VERSION; false (404) when unknown. */
bool discovery_reply_group(Request *request, const char *group, Status *status);
bool discovery_reply_version(Request *request, const char *group, const char *version,
			     Status *status);

/* /openapi/v3 and /openapi/v3/REST. */
void openapi_reply_index(Request *request);

/* /openapi/v2: a document without schemas. */
void openapi_reply_v2(Request *request);
bool openapi_reply_group_version(Request *request, const char *rest, Status *status);

#endif
