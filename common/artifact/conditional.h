/* Conditional requests for files that are replaced whole (RFC 9110 13). */
#ifndef ARTIFACT_CONDITIONAL_H
#define ARTIFACT_CONDITIONAL_H

#include <stdbool.h>
#include <sys/stat.h>

#include "net/httpd.h"

/* Sets ETag and Last-Modified for the file. True when the request's conditions were answered with
 * 304 or 412; false: it wants the file. */
bool conditional_answered(HttpdRequest *request, const struct stat *st);

#endif
