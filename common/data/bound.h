/* The value of a flag that bounds something: a number or a duration above 0. */
#ifndef DATA_BOUND_H
#define DATA_BOUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* NULL and "" (not given) leave *out. ERR_INVALID names the flag. */
bool bound_count(const char *flag, const char *text, uint64_t *out, Error *err) MUST_USE;
bool bound_bytes(const char *flag, const char *text, size_t *out, Error *err) MUST_USE;
/* A Go duration, "1m30s". */
bool bound_time(const char *flag, const char *text, int64_t *out_ms, Error *err) MUST_USE;

#endif
