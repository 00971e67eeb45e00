/* Serves a Store read-only: GET, HEAD, Range; listings of directories (S3). */
#ifndef ARTIFACT_SERVE_H
#define ARTIFACT_SERVE_H

#include "artifact/store.h"
#include "net/httpd.h"

/* On `address` (--storage-addr). Owned by the caller; stop with httpd_stop. */
Httpd *artifact_serve(Store *store, const char *address, Error *err) MUST_USE;

#endif
