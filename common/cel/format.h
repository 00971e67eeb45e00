/* The cost of a named format's check. */
#ifndef CEL_FORMAT_H
#define CEL_FORMAT_H

#include "cel/cel_internal.h"

/* The length of the pattern that upstream's cost formula takes for a format. */
size_t format_pattern_length(const CelFormat *format);

#endif
