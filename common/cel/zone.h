/* Time zones: "+02:00" and names of the system's database. */
#ifndef CEL_ZONE_H
#define CEL_ZONE_H

#include "base/error.h"
#include "base/str.h"

/* Seconds east of UTC at a time; "" and "UTC" are 0. ERR_INVALID for what is no zone. */
bool cel_zone_offset(Str name, int64_t seconds, int64_t *out_offset, Error *err);

#endif
