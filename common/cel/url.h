/* Go's url.ParseRequestURI. */
#ifndef CEL_URL_H
#define CEL_URL_H

#include "base/error.h"
#include "base/str.h"

/* ERR_INVALID with Go's text where it has one. */
bool url_check(Str text, Error *err);

#endif
