/* Go's time.Time: layouts, zones, arithmetic, as far as templates reach it. */
#ifndef GOTMPL_TIME_H
#define GOTMPL_TIME_H

#include "base/buf.h"
#include "gotmpl/value.h"

/* The clock now, in the local zone. */
GoTime *time_now(Arena *arena);
GoTime *time_unix(Arena *arena, int64_t seconds);
/* In a zone of the system's database ("" and "UTC" are UTC, "Local" the TZ variable's or
 * /etc/localtime); false when there is no such zone. */
bool time_in(Arena *arena, GoTime *time, Str zone);
/* Time.Format by a reference layout. */
void time_format(const GoTime *time, Str layout, Buf *out);
/* Time.String. */
void time_string(const GoTime *time, Buf *out);
/* time.ParseInLocation in the local zone; false with Go's text for the error. */
bool time_parse(Arena *arena, Str layout, Str text, GoTime *out, Buf *why);
/* A civil date's parts. */
typedef struct {
	int64_t year;
	int month, day, hour, minute, second, weekday, year_day;
} TimeParts;
void time_parts(const GoTime *time, TimeParts *out);

/* time.ParseDuration in nanoseconds; false with Go's text for the error. */
bool duration_read(Str text, int64_t *out_ns, Buf *why);
/* Duration.String. */
void duration_string(int64_t ns, Buf *out);

#endif
