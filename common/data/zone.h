/* Time zones of the system's database (TZif, RFC 9636). */
#ifndef DATA_ZONE_H
#define DATA_ZONE_H

#include "base/arena.h"
#include "base/str.h"

typedef struct {
	int32_t seconds; /* east of UTC */
	const char *name;
} ZoneOffset;

/* What holds in a zone at a moment; "" and "UTC" are UTC, "Local" is what TZ names, else
 * /etc/localtime. False when there is no such zone. */
bool zone_offset(Arena *arena, Str zone, int64_t seconds, ZoneOffset *out);

/* Days from 1970 to a date. */
int64_t date_days(int64_t year, int month, int day);

#endif
