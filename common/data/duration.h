/* Go durations: "1m30s", "1.5h", "500ms". */
#ifndef DATA_DURATION_H
#define DATA_DURATION_H

#include <stdbool.h>
#include <stdint.h>

enum { DURATION_TEXT_SIZE = 40 };

/* Reads what Go's time.ParseDuration reads (units ns us ms s m h); false on anything else. */
bool duration_parse(const char *text, int64_t *out_ms);

/* As parse, with a fallback for NULL, "" and bad text. */
int64_t duration_ms_or(const char *text, int64_t fallback_ms);

/* As Go's Duration.String: "4m30s", "1.5s", "250ms", "0s". */
void duration_format(int64_t ms, char out[DURATION_TEXT_SIZE]);

#endif
