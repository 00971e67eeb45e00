/*
 * Time. Monotonic milliseconds measure how long; wall-clock milliseconds since 1970 say when.
 * Text forms are RFC 3339 in UTC, as Kubernetes writes them.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

enum { CLOCK_TEXT_SIZE = 40 };

int64_t clock_mono_ms(void);
/* As clock_mono_ms, some milliseconds behind it and at a fraction of the cost. */
int64_t clock_mono_coarse_ms(void);
/* As clock_mono_ms, and goes on while the machine is suspended: for what others count, too. */
int64_t clock_boot_ms(void);
int64_t clock_wall_ms(void);
int64_t clock_wall_ns(void);

/* "2026-01-02T03:04:05Z" */
void clock_format(int64_t wall_ms, char out[CLOCK_TEXT_SIZE]);

/* "2026-01-02T03:04:05.678Z": log lines. */
void clock_format_ms(int64_t wall_ms, char out[CLOCK_TEXT_SIZE]);

/* "2026-01-02T03:04:05.678901Z": MicroTime of Leases. */
void clock_format_us(int64_t wall_us, char out[CLOCK_TEXT_SIZE]);

/* Reads RFC 3339 with any offset and any number of fraction digits; false when it is not that. */
bool clock_parse(const char *text, int64_t *out_wall_ms);

#endif
